#include "core/keyed_hash.h"

#include <bit>

#include "core/hex_digit.h"

namespace pony {
namespace {

struct State {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }
  void rounds(int count) {
    for (int i = 0; i < count; ++i) round();
  }
  void take(std::uint64_t word) {
    d ^= word;
    rounds(2);
    a ^= word;
  }
};

// Up to eight bytes, the first of them lowest.
std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    word = word << 8 | static_cast<unsigned char>(bytes[i]);
  return word;
}

std::string hex_of(std::uint64_t number) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string hex;
  for (int shift = 60; shift >= 0; shift -= 4)
    hex.push_back(k_digits[(number >> shift) & 15]);
  return hex;
}

}  // namespace

std::uint64_t keyed_hash(const HashKey& key, std::string_view text) {
  State state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
              key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  const std::uint64_t size = text.size();
  for (; text.size() >= 8; text.remove_prefix(8))
    state.take(word_of(text.substr(0, 8)));
  state.take(size << 56 | word_of(text));
  state.c ^= 0xff;
  state.rounds(4);
  return state.a ^ state.b ^ state.c ^ state.d;
}

std::string keyed_hash_text(const HashKey& key, std::string_view text) {
  return hex_of(keyed_hash(key, text));
}

std::string to_text(const HashKey& key) {
  return hex_of(key[0]) + hex_of(key[1]);
}

std::optional<HashKey> hash_key_from(std::string_view text) {
  if (text.size() != 32) return {};
  HashKey key{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = hex_value(text[i]);
    if (value < 0) return {};
    key[i / 16] = key[i / 16] << 4 | static_cast<std::uint64_t>(value);
  }
  return key;
}

}  // namespace pony
