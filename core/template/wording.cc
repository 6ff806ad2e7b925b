#include "core/template/wording.h"

#include <algorithm>

#include "core/json.h"

namespace pony {
namespace {

std::string in_quotes(std::string_view text, std::size_t limit) {
  return "'" + printable(text, limit) + "'";
}

}  // namespace

std::string quoted(std::string_view text) {
  return in_quotes(text, 100);
}

std::string quoted_name(std::string_view name) {
  return in_quotes(name, 60);
}

std::string quoted_path(std::string_view path) {
  return in_quotes(path, 200);
}

bool is_one_of(std::string_view name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace pony
