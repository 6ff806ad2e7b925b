// Hashes, against the published vectors.
#include "core/net/crypto.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/require_ok.h"

namespace pony {
namespace {

std::string hex_of(const Result<std::string>& bytes) {
  REQUIRE_OK(bytes);
  return to_hex(*bytes);
}

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("sha256 gives the digests of FIPS 180-4") {
  CHECK(hex_of(sha256("")) ==
        "e3b0c44298fc1c149afbf4c8996fb924"
        "27ae41e4649b934ca495991b7852b855");
  CHECK(hex_of(sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223"
        "b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_of(sha256(std::string(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67"
        "f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("hmac_sha256 gives the codes of RFC 4231") {
  // 4.2, 4.3 and 4.7: a short key, a word, a key longer than a block.
  CHECK(hex_of(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b"
        "881dc200c9833da726e9376c2e32cff7");
  CHECK(hex_of(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c7"
        "5a003f089d2739839dec58b964ec3843");
  CHECK(hex_of(hmac_sha256(
            std::string(131, '\xaa'),
            "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f"
        "8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("hmac_sha1 gives the codes of RFC 2202") {
  CHECK(hex_of(hmac_sha1(std::string(20, '\x0b'), "Hi There")) ==
        "b617318655057264e28bc0b6fb378c8ef146be00");
  CHECK(hex_of(hmac_sha1("Jefe", "what do ya want for nothing?")) ==
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

TEST_CASE("bytes are the same when all of them are") {
  using namespace std::string_literals;
  CHECK(*same_in_constant_time("", ""));
  CHECK(*same_in_constant_time("abc\0d"s, "abc\0d"s));
  CHECK_FALSE(*same_in_constant_time("abc\0d"s, "abc\0e"s));
  CHECK_FALSE(*same_in_constant_time("abc", "abcd"));
  CHECK_FALSE(*same_in_constant_time("", "a"));
}

TEST_CASE("hmac_sha256 takes an empty key and an empty text") {
  CHECK(hex_of(hmac_sha256({}, {})) ==
        "b613679a0814d9ec772f95d778c35fc5"
        "ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("hashes are of all bytes, NUL too") {
  using namespace std::string_literals;
  CHECK(*sha256("a\0b"s) != *sha256("a"));
  CHECK(to_hex("\x00\x7f\xff"s) == "007fff");
}

TEST_SUITE_END();

}  // namespace pony
