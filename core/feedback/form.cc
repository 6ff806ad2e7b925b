#include "core/feedback/form.h"

#include <algorithm>
#include <optional>

#include "core/hex_digit.h"

namespace pony {
namespace {

constexpr std::size_t k_most_fields = 100;

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
      continue;
    }
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

}  // namespace

Result<FormFields> parse_form(std::string_view body) {
  FormFields fields;
  while (!body.empty()) {
    const std::string_view field = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(field.size() + 1, body.size()));
    if (field.empty()) continue;
    if (fields.size() == k_most_fields)
      return fail(Error::Kind::bad_data, "more than 100 fields");
    const std::size_t equals = std::min(field.find('='), field.size());
    auto name = decoded(field.substr(0, equals));
    auto value = decoded(field.substr(std::min(equals + 1, field.size())));
    if (!name || !value)
      return fail(Error::Kind::bad_data, "a '%' without two digits");
    for (const auto& [known, unused] : fields)
      if (known == *name)
        return fail(Error::Kind::bad_data, "a field that comes twice");
    fields.emplace_back(std::move(*name), std::move(*value));
  }
  return fields;
}

}  // namespace pony
