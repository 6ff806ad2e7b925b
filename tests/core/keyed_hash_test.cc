// Tests core/keyed_hash.cc.
#include "core/keyed_hash.h"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("core");

namespace pony {
namespace {

// The reference's key: the bytes 0 to 15.
constexpr HashKey k_key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

// The bytes 0 to `size` - 1.
std::string bytes(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text.push_back(static_cast<char>(i));
  return text;
}

TEST_CASE("the hash is SipHash-2-4, by its authors' vectors") {
  CHECK(keyed_hash(k_key, bytes(0)) == 0x726fdb47dd0e0e31);
  CHECK(keyed_hash(k_key, bytes(1)) == 0x74f839c593dc67fd);
  CHECK(keyed_hash(k_key, bytes(7)) == 0xab0200f58b01d137);
  CHECK(keyed_hash(k_key, bytes(8)) == 0x93f5f5799a932462);
  CHECK(keyed_hash(k_key, bytes(15)) == 0xa129ca6149be45e5);
  CHECK(keyed_hash(k_key, bytes(63)) == 0x958a324ceb064572);
}

TEST_CASE("another key is another hash") {
  CHECK(keyed_hash({1, 2}, "ann@example.com") !=
        keyed_hash({2, 1}, "ann@example.com"));
  CHECK(keyed_hash_text(k_key, bytes(15)) == "a129ca6149be45e5");
}

TEST_CASE("a key comes back from its text, and nothing else is one") {
  CHECK(to_text(k_key) == "07060504030201000f0e0d0c0b0a0908");
  CHECK(hash_key_from(to_text(k_key)) == k_key);
  for (const std::string text :
       {"", "0706050403020100", "07060504030201000f0e0d0c0b0a090g",
        "07060504030201000f0e0d0c0b0a09080"})
    CHECK_FALSE(hash_key_from(text).has_value());
}

}  // namespace

TEST_SUITE_END();

}  // namespace pony
