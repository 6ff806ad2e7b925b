// Entities; see html_escape.h.
#include "core/html_escape.h"

#include <algorithm>

namespace pony {
namespace {

std::string_view entity_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_escaped_html(out, text);
  return out;
}

void append_escaped_html(std::string& out, std::string_view text) {
  for (;;) {
    const auto special = std::find_if(
        text.begin(), text.end(), [](char c) { return !entity_of(c).empty(); });
    out.append(text.begin(), special);
    if (special == text.end()) return;
    out += entity_of(*special);
    text.remove_prefix(static_cast<std::size_t>(special - text.begin()) + 1);
  }
}

}  // namespace pony
