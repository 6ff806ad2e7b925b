// White space around a text, as configuration, headers and templates have it.
#pragma once

#include <string_view>

namespace pony {

inline constexpr std::string_view k_white_space = " \t\r\n";

// `text` without the white space (space, tab, CR, LF) around it.
inline std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(k_white_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(k_white_space) - first + 1);
}

// Nothing but white space?
inline bool is_blank(std::string_view text) {
  return text.find_first_not_of(k_white_space) == std::string_view::npos;
}

}  // namespace pony
