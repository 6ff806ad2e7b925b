// libcrypto by dlopen; see crypto.h. The table holds just what pony calls;
// types come from OpenSSL's headers.
#include "core/net/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <climits>

#include "core/shared_library.h"

namespace pony {
namespace {

constexpr const char* k_soname = "libcrypto.so.3";
constexpr const char* k_hint = "install OpenSSL 3 (Debian: libssl3)";

struct CryptoLibrary {
  decltype(&::EVP_sha256) sha256;
  decltype(&::EVP_Digest) digest;
  decltype(&::EVP_sha1) sha1;
  decltype(&::HMAC) hmac;
  decltype(&::CRYPTO_memcmp) compare;
};

Result<CryptoLibrary> open_library() {
  const auto library = SharedLibrary::open(k_soname, k_hint);
  if (!library) return tl::unexpected(library.error());
  CryptoLibrary crypto{};
  if (!library->find("EVP_sha256", crypto.sha256) ||
      !library->find("EVP_Digest", crypto.digest) ||
      !library->find("EVP_sha1", crypto.sha1) ||
      !library->find("HMAC", crypto.hmac) ||
      !library->find("CRYPTO_memcmp", crypto.compare)) {
    return library->unfit("lacks a function");
  }
  return crypto;
}

// Opened once for the process, as a library can only be.
const Result<CryptoLibrary>& crypto_library() {
  static const Result<CryptoLibrary> library = open_library();
  return library;
}

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

std::string bytes_of(const Digest& digest, unsigned size) {
  return {reinterpret_cast<const char*>(digest.data()), size};
}

tl::unexpected<Error> refused(std::string_view what) {
  return fail(Error::Kind::config,
              "'" + std::string(k_soname) + "' refuses " + std::string(what),
              k_hint);
}

using Algorithm = decltype(&::EVP_sha256);

Result<std::string> hmac(Algorithm CryptoLibrary::*algorithm,
                         std::string_view key, std::string_view bytes) {
  const auto& crypto = crypto_library();
  if (!crypto) return tl::unexpected<Error>(crypto.error());
  if (key.size() > INT_MAX) return refused("a key of this length");
  // HMAC() takes a null key for "the one of before", which there is none of.
  const char* key_data = key.empty() ? "" : key.data();
  Digest digest{};
  unsigned size = 0;
  if (crypto->hmac(((*crypto).*algorithm)(), key_data,
                   static_cast<int>(key.size()),
                   reinterpret_cast<const unsigned char*>(bytes.data()),
                   bytes.size(), digest.data(), &size) == nullptr)
    return refused("an HMAC");
  return bytes_of(digest, size);
}

}  // namespace

Result<std::string> sha256(std::string_view bytes) {
  const auto& crypto = crypto_library();
  if (!crypto) return tl::unexpected<Error>(crypto.error());
  Digest digest{};
  unsigned size = 0;
  if (crypto->digest(bytes.data(), bytes.size(), digest.data(), &size,
                     crypto->sha256(), nullptr) != 1)
    return refused("SHA-256");
  return bytes_of(digest, size);
}

Result<std::string> hmac_sha256(std::string_view key, std::string_view bytes) {
  return hmac(&CryptoLibrary::sha256, key, bytes);
}

Result<std::string> hmac_sha1(std::string_view key, std::string_view bytes) {
  return hmac(&CryptoLibrary::sha1, key, bytes);
}

Result<bool> same_in_constant_time(std::string_view a, std::string_view b) {
  const auto& crypto = crypto_library();
  if (!crypto) return tl::unexpected<Error>(crypto.error());
  return a.size() == b.size() &&
         (a.empty() || crypto->compare(a.data(), b.data(), a.size()) == 0);
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += k_digits[byte >> 4U];
    out += k_digits[byte & 0xFU];
  }
  return out;
}

}  // namespace pony
