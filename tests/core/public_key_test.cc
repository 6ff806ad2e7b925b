// Signatures of keys that are made here: which are believed, and which never.
#include "core/net/public_key.h"

#include <doctest/doctest.h>

#include "tests/support/require_ok.h"
#include "tests/support/signing.h"

TEST_SUITE_BEGIN("core");

namespace pony {
namespace {

const Time k_now = SystemClock().now();
constexpr std::chrono::hours k_hour{1};

}  // namespace

TEST_CASE("p256: a signature is its text's and its key's alone") {
  const auto key = TestKey::p256();
  const std::string signature = key.sha256_signature("text");
  CHECK(*is_signed_by_p256(key.public_der(), "text", signature));
  CHECK_FALSE(*is_signed_by_p256(key.public_der(), "texu", signature));
  CHECK_FALSE(
      *is_signed_by_p256(TestKey::p256().public_der(), "text", signature));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string bad = signature;
    bad[i] = static_cast<char>(bad[i] ^ 0x40);
    CHECK_FALSE(*is_signed_by_p256(key.public_der(), "text", bad));
    CHECK_FALSE(
        *is_signed_by_p256(key.public_der(), "text", signature.substr(0, i)));
  }
}

TEST_CASE("p256: what is no such key is an error of the configuration") {
  const auto rsa = TestKey::rsa();
  CHECK_FAILS(is_signed_by_p256(rsa.public_der(), "", ""), config);
  CHECK_FAILS(is_signed_by_p256("", "", ""), config);
  CHECK_FAILS(is_signed_by_p256(std::string(91, '\x30'), "", ""), config);
}

TEST_CASE("rsa: a signature is its text's, its hash's and its key's alone") {
  const auto key = TestKey::rsa();
  const auto pem = key.certificate(k_now - k_hour);
  const auto good = [&](RsaHash hash, std::string_view text,
                        const std::string& signature) {
    const auto answer =
        is_signed_by_certificate(pem, k_now, hash, text, signature);
    REQUIRE_OK(answer);
    return *answer;
  };
  CHECK(good(RsaHash::sha256, "text", key.sha256_signature("text")));
  CHECK(good(RsaHash::sha1, "text", key.sha1_signature("text")));
  CHECK_FALSE(good(RsaHash::sha1, "text", key.sha256_signature("text")));
  CHECK_FALSE(good(RsaHash::sha256, "texu", key.sha256_signature("text")));
  CHECK_FALSE(good(RsaHash::sha256, "text", ""));
  CHECK_FALSE(good(RsaHash::sha256, "text", std::string(256, '\0')));
  CHECK_FALSE(
      good(RsaHash::sha256, "text", TestKey::rsa().sha256_signature("text")));
}

TEST_CASE(
    "rsa: one of several certificates is enough, one out of date is "
    "none") {
  const auto key = TestKey::rsa();
  const auto other = TestKey::rsa();
  const std::string signature = key.sha256_signature("text");
  const auto by = [&](const std::string& pem) {
    return is_signed_by_certificate(pem, k_now, RsaHash::sha256, "text",
                                    signature);
  };
  const auto now = key.certificate(k_now - k_hour);
  const auto old = key.certificate(k_now - 48 * k_hour);
  const auto later = key.certificate(k_now + k_hour);
  CHECK(*by(other.certificate(k_now - k_hour) + now));
  CHECK(*by("a remark\n" + old + now));
  CHECK_FAILS(by(old), config);
  CHECK_FAILS(by(later), config);
  CHECK_FAILS(by(""), config);
  CHECK_FAILS(by("no certificate"), config);
  CHECK_FAILS(by(TestKey::p256().certificate(k_now - k_hour)), config);
  std::string torn = now;
  torn.resize(torn.size() / 2);
  CHECK_FAILS(by(torn), config);
}

TEST_SUITE_END();

}  // namespace pony
