// $name replacement and HTML escaping: pure functions over text.
//
// Promises: what comes out of `value_of` is copied and never scanned, so no
// value can bring in another one. Knows no templates, files or languages.
#include "core/template/renderer.h"

#include <algorithm>
#include <optional>

namespace pony {
namespace {

// By hand and not <cctype>: names are ASCII in every locale.
bool is_name_start(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name_part(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}

std::string_view leading_name(std::string_view text) {
  if (text.empty() || !is_name_start(text.front())) return {};
  const auto end = std::find_if_not(text.begin(), text.end(), is_name_part);
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

// What a dollar stands for: `size` bytes of the text, which are a name, or,
// when `name` is empty, a dollar.
struct Marker {
  std::string_view name;
  std::size_t size;
};

// `text` begins with a dollar.
Marker marker_at(std::string_view text) {
  const std::string_view after = text.substr(1);
  if (after.starts_with('$')) return {{}, 2};
  if (const auto name = leading_name(after); !name.empty())
    return {name, name.size() + 1};
  if (after.starts_with('{')) {
    const auto name = leading_name(after.substr(1));
    const auto rest = after.substr(1 + name.size());
    if (!name.empty() && rest.starts_with('}')) return {name, name.size() + 3};
  }
  return {{}, 1};
}

// Calls on_text(piece) and on_name(name) for the whole of `text`, in order.
// Both get views into `text`.
template <class OnText, class OnName>
void walk(std::string_view text, OnText on_text, OnName on_name) {
  while (true) {
    const auto dollar = text.find('$');
    if (dollar == std::string_view::npos) break;
    const auto marker = marker_at(text.substr(dollar));
    if (marker.name.empty()) {
      on_text(text.substr(0, dollar + 1));
    } else {
      on_text(text.substr(0, dollar));
      on_name(marker.name);
    }
    text.remove_prefix(dollar + marker.size);
  }
  on_text(text);
}

}  // namespace

bool is_placeholder_name(std::string_view text) {
  return !text.empty() && leading_name(text).size() == text.size();
}

std::vector<std::string> placeholder_names(std::string_view text) {
  std::vector<std::string> names;
  walk(
      text, [](std::string_view) {},
      [&](std::string_view name) {
        if (std::find(names.begin(), names.end(), name) == names.end())
          names.emplace_back(name);
      });
  return names;
}

std::size_t line_of_first_use(std::string_view text, std::string_view name) {
  std::optional<std::size_t> found;
  walk(
      text, [](std::string_view) {},
      [&](std::string_view used) {
        if (!found && used == name)
          found = static_cast<std::size_t>(used.data() - text.data());
      });
  if (!found) return 0;
  const auto before = text.substr(0, *found);
  return 1 + static_cast<std::size_t>(
                 std::count(before.begin(), before.end(), '\n'));
}

std::string fill_in(
    std::string_view text,
    const std::function<std::string(std::string_view name)>& value_of) {
  std::string out;
  out.reserve(text.size());
  walk(
      text, [&](std::string_view piece) { out += piece; },
      [&](std::string_view name) { out += value_of(name); });
  return out;
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace pony
