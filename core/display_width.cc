// Text and its width; the tables are those of GNU libunistring.
#include "core/display_width.h"

#include <unistr.h>
#include <uniwidth.h>

#include <algorithm>

namespace pony {

Character first_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return {first, text.substr(0, 1)};
  ucs4_t code = 0;
  const int length = u8_mbtouc(
      &code, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  return {code, text.substr(0, static_cast<std::size_t>(std::max(1, length)))};
}

std::size_t display_width(char32_t code) {
  if (code < 0x7f) return 1;
  return static_cast<std::size_t>(std::max(0, uc_width(code, "UTF-8")));
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character next = first_character(text);
    width += display_width(next.code);
    text.remove_prefix(next.bytes.size());
  }
  return width;
}

}  // namespace pony
