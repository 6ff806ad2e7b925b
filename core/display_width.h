// How many cells of a terminal a text takes, and reading UTF-8 a character at
// a time. Any bytes will do: what is no UTF-8 counts as U+FFFD.
#pragma once

#include <cstddef>
#include <string_view>

namespace pony {

// One character of a text and the bytes it stands in.
struct Character {
  char32_t code = 0;
  std::string_view bytes;
};

// The character at the beginning of `text`, which must not be empty.
Character first_character(std::string_view text);

// Cells: 2 for what East Asian fonts show wide, 0 for what combines.
std::size_t display_width(char32_t code);
std::size_t display_width(std::string_view text);

}  // namespace pony
