// Lower case where the standards say ASCII: header names, domains, keys.
#pragma once

#include <string>
#include <string_view>

namespace pony {

// `text` with A to Z as a to z and every other byte as it is, whatever the
// locale.
inline std::string in_lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace pony
