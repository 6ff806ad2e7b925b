// Signatures that a public key proves: ECDSA with P-256 and RSA with a
// certificate, by libcrypto, opened when they are first needed (crypto.h).
//
// Every byte may be hostile: what is no key, no certificate or no signature is
// an error or a no, never a crash. Doesn't know: whose keys they are; a
// certificate is believed because the caller has it, not for who signed it.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"

namespace pony {

// Is `signature` (DER) one of `bytes`, by ECDSA with SHA-256 under the key
// `der` (a SubjectPublicKeyInfo of RFC 5480 on P-256)? config when `der` is no
// such key, or libcrypto cannot be used.
Result<bool> is_signed_by_p256(std::string_view der, std::string_view bytes,
                               std::string_view signature);

enum class RsaHash { sha1, sha256 };
// Is `signature` one of `bytes`, by RSA PKCS#1 v1.5 (RFC 8017, 8.2) under one
// of the certificates in `pem`? The keys have at least 2048 bits. Those whose
// time is over, or has not come, do not count: config, saying so, when none is
// left, and when there is none at all.
Result<bool> is_signed_by_certificate(std::string_view pem, Time now,
                                      RsaHash hash, std::string_view bytes,
                                      std::string_view signature);

}  // namespace pony
