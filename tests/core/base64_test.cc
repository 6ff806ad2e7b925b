// Tests core/base64.cc.
#include "core/base64.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("core");

namespace pony {

TEST_CASE("base64 gives back the bytes that it was made of") {
  CHECK(decode_base64("") == "");
  CHECK(decode_base64("Zg==") == "f");
  CHECK(decode_base64("Zm8=") == "fo");
  CHECK(decode_base64("Zm9v") == "foo");
  CHECK(decode_base64("Zm9vYmFy") == "foobar");
  CHECK(decode_base64("+/8AgA==") == std::string("\xFB\xFF\0\x80", 4));
}

TEST_CASE("as much of base64 is decoded as is asked for") {
  CHECK(decode_base64("Zm9vYmFy", 4) == "foob");
  CHECK(decode_base64("Zm9vYmFy", 0) == "");
}

TEST_CASE("what is no base64 ends it") {
  CHECK(decode_base64("Zm9v\nYmFy") == "foo");
  CHECK(decode_base64("\xFF\xFE") == "");
  CHECK(decode_base64("Z") == "");
}

}  // namespace pony

TEST_SUITE_END();
