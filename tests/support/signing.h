// Keys of a test's own, made anew in each run, that sign as SendGrid and SNS
// do: by libcrypto, which pony opens and does not link.
#pragma once

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/shared_library.h"

namespace pony {

// A function of libcrypto's, by its name: CALL(EVP_PKEY_free)(key).
template <class Function>
Function in_libcrypto(const char* name) {
  static const auto library = SharedLibrary::open("libcrypto.so.3", "");
  Function function = nullptr;
  // Keys may go after the last test: no REQUIRE.
  if (!library || !library->find(name, function)) std::abort();
  return function;
}
#define CALL(name) ::pony::in_libcrypto<decltype(&::name)>(#name)

class TestKey {
 public:
  static TestKey p256() { return TestKey(EVP_PKEY_EC); }
  static TestKey rsa() { return TestKey(EVP_PKEY_RSA); }
  ~TestKey() { CALL(EVP_PKEY_free)(key_); }
  TestKey(const TestKey&) = delete;
  TestKey& operator=(const TestKey&) = delete;

  std::string signed_by(std::string_view bytes, const EVP_MD* hash) const {
    EVP_MD_CTX* context = CALL(EVP_MD_CTX_new)();
    REQUIRE(CALL(EVP_DigestSignInit)(context, nullptr, hash, nullptr, key_) ==
            1);
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    std::string signature(1024, '\0');
    std::size_t size = signature.size();
    REQUIRE(CALL(EVP_DigestSign)(
                context, reinterpret_cast<unsigned char*>(signature.data()),
                &size, data, bytes.size()) == 1);
    CALL(EVP_MD_CTX_free)(context);
    signature.resize(size);
    return signature;
  }
  std::string sha256_signature(std::string_view bytes) const {
    return signed_by(bytes, CALL(EVP_sha256)());
  }
  std::string sha1_signature(std::string_view bytes) const {
    return signed_by(bytes, CALL(EVP_sha1)());
  }

  // The public half, as SendGrid shows it before base64.
  std::string public_der() const {
    unsigned char* bytes = nullptr;
    const int size = CALL(i2d_PUBKEY)(key_, &bytes);
    REQUIRE(size > 0);
    std::string der(reinterpret_cast<char*>(bytes),
                    static_cast<std::size_t>(size));
    CALL(CRYPTO_free)(bytes, "", 0);
    return der;
  }

  // A certificate of it, good for a day from `from` on.
  std::string certificate(Time from) const {
    const auto since = std::chrono::system_clock::to_time_t(from);
    X509* x509 = CALL(X509_new)();
    CALL(X509_set_version)(x509, X509_VERSION_3);
    CALL(ASN1_TIME_set)(CALL(X509_getm_notBefore)(x509), since);
    CALL(ASN1_TIME_set)(CALL(X509_getm_notAfter)(x509), since + 86400);
    CALL(X509_set_pubkey)(x509, key_);
    REQUIRE(CALL(X509_sign)(x509, key_, CALL(EVP_sha256)()) > 0);
    BIO* out = CALL(BIO_new)(CALL(BIO_s_mem)());
    REQUIRE(CALL(PEM_write_bio_X509)(out, x509) == 1);
    char* text = nullptr;
    const long size = CALL(BIO_ctrl)(out, BIO_CTRL_INFO, 0, &text);
    std::string pem(text, static_cast<std::size_t>(size));
    CALL(BIO_free)(out);
    CALL(X509_free)(x509);
    return pem;
  }

 private:
  explicit TestKey(int type) {
    EVP_PKEY_CTX* context = CALL(EVP_PKEY_CTX_new_id)(type, nullptr);
    REQUIRE(CALL(EVP_PKEY_keygen_init)(context) == 1);
    if (type == EVP_PKEY_EC)
      REQUIRE(CALL(EVP_PKEY_CTX_set_ec_paramgen_curve_nid)(
                  context, NID_X9_62_prime256v1) == 1);
    else
      REQUIRE(CALL(EVP_PKEY_CTX_set_rsa_keygen_bits)(context, 2048) == 1);
    REQUIRE(CALL(EVP_PKEY_keygen)(context, &key_) == 1);
    CALL(EVP_PKEY_CTX_free)(context);
  }

  EVP_PKEY* key_ = nullptr;
};

inline std::string base64_of(std::string_view bytes) {
  constexpr std::string_view k_digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned value = 0;
    for (std::size_t k = 0; k < 3; ++k)
      value = value << 8U |
              (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k])
                                    : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out.push_back(i + k <= bytes.size()
                        ? k_digits[value >> (6U * (3U - k)) & 63U]
                        : '=');
  }
  return out;
}

}  // namespace pony
