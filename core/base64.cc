#include "core/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace pony {
namespace {

constexpr std::uint8_t k_no_digit = 64;

constexpr std::array<std::uint8_t, 256> digit_values() {
  constexpr std::string_view k_alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint8_t, 256> values{};
  values.fill(k_no_digit);
  for (std::size_t i = 0; i < k_alphabet.size(); ++i)
    values[static_cast<std::uint8_t>(k_alphabet[i])] =
        static_cast<std::uint8_t>(i);
  return values;
}

}  // namespace

std::string decode_base64(std::string_view base64, std::size_t limit) {
  static constexpr auto k_values = digit_values();
  std::string bytes;
  bytes.reserve(std::min(base64.size() / 4 * 3 + 3, limit));
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : base64) {
    const std::uint8_t value = k_values[static_cast<std::uint8_t>(c)];
    if (value == k_no_digit || bytes.size() >= limit) break;
    held = (held << 6U | value) & 0xFFFFU;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(
        static_cast<char>(held >> static_cast<unsigned>(bits) & 0xFFU));
  }
  return bytes;
}

}  // namespace pony
