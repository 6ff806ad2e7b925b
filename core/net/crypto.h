// SHA-256 and HMACs, by libcrypto (OpenSSL 3), opened when they are first
// needed: linking it would cost every start of pony (curl_library.h). It is the
// library that libcurl brings along, so nothing more is installed.
//
// Doesn't know: what is hashed, and what the result is for.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

// The SHA-256 of `bytes` (FIPS 180-4), as 32 bytes. This one and the next fail
// with config, saying which package to install, when libcrypto cannot be used.
Result<std::string> sha256(std::string_view bytes);

// The HMAC-SHA-256 of `bytes` under `key` (RFC 2104), as 32 bytes.
Result<std::string> hmac_sha256(std::string_view key, std::string_view bytes);

// The HMAC-SHA-1 of `bytes` under `key` (RFC 2104), as 20 bytes: for who signs
// so and cannot be told better (Mandrill).
Result<std::string> hmac_sha1(std::string_view key, std::string_view bytes);

// Are both the same bytes? How long it takes tells nothing but their lengths,
// so that a secret cannot be guessed one byte after the other.
Result<bool> same_in_constant_time(std::string_view a, std::string_view b);

// `bytes` in lower-case hexadecimal.
std::string to_hex(std::string_view bytes);

}  // namespace pony
