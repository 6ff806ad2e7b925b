// libcrypto by dlopen; see public_key.h. A table of its own: who only hashes
// need not have these looked up.
#include "core/net/public_key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <climits>
#include <ctime>
#include <memory>

#include "core/shared_library.h"

namespace pony {
namespace {

constexpr const char* k_soname = "libcrypto.so.3";
constexpr const char* k_hint = "install OpenSSL 3 (Debian: libssl3)";
constexpr int k_p256_bits = 256;
constexpr int k_fewest_rsa_bits = 2048;
// More than a rotation needs; a file of a million would take its time.
constexpr int k_most_certificates = 16;

struct KeyLibrary {
  decltype(&::EVP_sha1) sha1;
  decltype(&::EVP_sha256) sha256;
  decltype(&::EVP_MD_CTX_new) context_new;
  decltype(&::EVP_MD_CTX_free) context_free;
  decltype(&::EVP_DigestVerifyInit) verify_init;
  decltype(&::EVP_DigestVerify) verify;
  decltype(&::EVP_PKEY_free) key_free;
  decltype(&::EVP_PKEY_get_base_id) key_type;
  decltype(&::EVP_PKEY_get_bits) key_bits;
  decltype(&::d2i_PUBKEY) read_key;
  decltype(&::BIO_new_mem_buf) bio_new;
  decltype(&::BIO_free) bio_free;
  decltype(&::PEM_read_bio_X509) read_certificate;
  decltype(&::X509_free) certificate_free;
  decltype(&::X509_get_pubkey) key_of;
  decltype(&::X509_get0_notBefore) not_before;
  decltype(&::X509_get0_notAfter) not_after;
  decltype(&::X509_cmp_time) compare_time;
};

Result<KeyLibrary> open_library() {
  const auto library = SharedLibrary::open(k_soname, k_hint);
  if (!library) return tl::unexpected(library.error());
  KeyLibrary crypto{};
  if (!library->find("EVP_sha1", crypto.sha1) ||
      !library->find("EVP_sha256", crypto.sha256) ||
      !library->find("EVP_MD_CTX_new", crypto.context_new) ||
      !library->find("EVP_MD_CTX_free", crypto.context_free) ||
      !library->find("EVP_DigestVerifyInit", crypto.verify_init) ||
      !library->find("EVP_DigestVerify", crypto.verify) ||
      !library->find("EVP_PKEY_free", crypto.key_free) ||
      !library->find("EVP_PKEY_get_base_id", crypto.key_type) ||
      !library->find("EVP_PKEY_get_bits", crypto.key_bits) ||
      !library->find("d2i_PUBKEY", crypto.read_key) ||
      !library->find("BIO_new_mem_buf", crypto.bio_new) ||
      !library->find("BIO_free", crypto.bio_free) ||
      !library->find("PEM_read_bio_X509", crypto.read_certificate) ||
      !library->find("X509_free", crypto.certificate_free) ||
      !library->find("X509_get_pubkey", crypto.key_of) ||
      !library->find("X509_get0_notBefore", crypto.not_before) ||
      !library->find("X509_get0_notAfter", crypto.not_after) ||
      !library->find("X509_cmp_time", crypto.compare_time)) {
    return library->unfit("lacks a function");
  }
  return crypto;
}

// Opened once for the process, as a library can only be.
const Result<KeyLibrary>& key_library() {
  static const Result<KeyLibrary> library = open_library();
  return library;
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&::X509_free)>;

const unsigned char* bytes_in(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// What is no signature at all is a no as well: an error of libcrypto's says
// nothing else here.
bool verifies(const KeyLibrary& crypto, EVP_PKEY* key, const EVP_MD* hash,
              std::string_view bytes, std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context(
      crypto.context_new(), crypto.context_free);
  return context != nullptr &&
         crypto.verify_init(context.get(), nullptr, hash, nullptr, key) == 1 &&
         crypto.verify(context.get(), bytes_in(signature), signature.size(),
                       bytes_in(bytes), bytes.size()) == 1;
}

// Nobody is asked for the password of an encrypted file.
int no_password(char* /*out*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return 0;
}

bool is_in_force(const KeyLibrary& crypto, X509* certificate, Time now) {
  std::time_t at = std::chrono::system_clock::to_time_t(now);
  // Below nought: before `at`; nought is an error.
  return crypto.compare_time(crypto.not_before(certificate), &at) < 0 &&
         crypto.compare_time(crypto.not_after(certificate), &at) > 0;
}

}  // namespace

Result<bool> is_signed_by_p256(std::string_view der, std::string_view bytes,
                               std::string_view signature) {
  const auto& crypto = key_library();
  if (!crypto) return tl::unexpected<Error>(crypto.error());
  const unsigned char* at = bytes_in(der);
  Key key(der.size() > LONG_MAX
              ? nullptr
              : crypto->read_key(nullptr, &at, static_cast<long>(der.size())),
          crypto->key_free);
  if (key == nullptr || crypto->key_type(key.get()) != EVP_PKEY_EC ||
      crypto->key_bits(key.get()) != k_p256_bits)
    return fail(Error::Kind::config, "the public key is none of P-256");
  return verifies(*crypto, key.get(), crypto->sha256(), bytes, signature);
}

Result<bool> is_signed_by_certificate(std::string_view pem, Time now,
                                      RsaHash hash, std::string_view bytes,
                                      std::string_view signature) {
  const auto& crypto = key_library();
  if (!crypto) return tl::unexpected<Error>(crypto.error());
  if (pem.empty() || pem.size() > INT_MAX)
    return fail(Error::Kind::config, "there is no certificate");
  const std::unique_ptr<BIO, decltype(&::BIO_free)> input(
      crypto->bio_new(pem.data(), static_cast<int>(pem.size())),
      crypto->bio_free);
  if (input == nullptr)
    return fail(Error::Kind::temporary, "cannot read a certificate: no memory");
  int found = 0;
  int in_force = 0;
  while (found < k_most_certificates) {
    const Certificate certificate(
        crypto->read_certificate(input.get(), nullptr, no_password, nullptr),
        crypto->certificate_free);
    if (certificate == nullptr) break;
    const Key key(crypto->key_of(certificate.get()), crypto->key_free);
    if (key == nullptr || crypto->key_type(key.get()) != EVP_PKEY_RSA ||
        crypto->key_bits(key.get()) < k_fewest_rsa_bits)
      continue;
    ++found;
    if (!is_in_force(*crypto, certificate.get(), now)) continue;
    ++in_force;
    const EVP_MD* algorithm =
        hash == RsaHash::sha1 ? crypto->sha1() : crypto->sha256();
    if (verifies(*crypto, key.get(), algorithm, bytes, signature)) return true;
  }
  if (found == 0)
    return fail(Error::Kind::config,
                "there is no certificate with an RSA key of 2048 bits or more");
  if (in_force == 0)
    return fail(Error::Kind::config, "the certificate is out of date");
  return false;
}

}  // namespace pony
