#include "core/template/filling.h"

#include <algorithm>
#include <utility>

#include "core/html_escape.h"
#include "core/template/locale_format.h"

namespace pony {
namespace {

// Lists within lists multiply; a mail of this size no provider takes, and
// nobody waits for so many steps.
constexpr std::size_t k_max_output = std::size_t{16} << 20;
constexpr std::size_t k_max_steps = 5'000'000;
// Enough for a person; each is compared with those before it.
constexpr std::size_t k_most_holes = 100;

bool is_text_value(const Json& value) {
  return value.is(Json::Kind::string) || value.is(Json::Kind::number) ||
         value.is(Json::Kind::boolean);
}

bool is_zero(std::string_view number) {
  const auto mantissa = number.substr(0, number.find_first_of("eE"));
  return mantissa.find_first_of("123456789") == std::string_view::npos;
}

// As mustache.js has it: nothing, false, "", 0 and an empty list are not.
bool is_truthy(const Json* value) {
  if (value == nullptr) return false;
  switch (value->kind) {
    case Json::Kind::null:
      return false;
    case Json::Kind::boolean:
      return value->text == "true";
    case Json::Kind::number:
      return !is_zero(value->text);
    case Json::Kind::string:
      return !value->text.empty();
    case Json::Kind::array:
      return !value->items.empty();
    case Json::Kind::object:
      return true;
  }
  return false;
}

// `content` in the form that `formatter` gives it in the language `lang`.
Result<std::string> format_as(Formatter formatter, std::string_view lang,
                              std::string_view content) {
  switch (formatter) {
    case Formatter::number:
      return format_number(lang, content);
    case Formatter::money:
      return format_money(lang, content);
    case Formatter::date:
      return format_date(lang, content);
    case Formatter::time:
      return format_time(lang, content);
    case Formatter::datetime:
      return format_datetime(lang, content);
    case Formatter::none:
      break;
  }
  return std::string(content);
}

// null says as little as no value.
const Json* unless_null(const Json* value) {
  return value == nullptr || value->is(Json::Kind::null) ? nullptr : value;
}

// RFC 3986, 2.1: everything but the unreserved characters.
void append_percent_encoded(std::string& out, std::string_view value) {
  constexpr std::string_view k_hex = "0123456789ABCDEF";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                            c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      out += '%';
      out += k_hex[byte >> 4];
      out += k_hex[byte & 15];
    }
  }
}

void append_with_breaks(std::string& out, std::string_view html) {
  for (std::size_t i = 0; i < html.size(); ++i) {
    if (html[i] != '\r' && html[i] != '\n') {
      out += html[i];
      continue;
    }
    if (html[i] == '\r' && i + 1 < html.size() && html[i + 1] == '\n') ++i;
    out += "<br>\n";
  }
}

}  // namespace

Filling::Filling(const Json& values, std::string_view lang,
                 std::string_view locale)
    : scopes_{&values},
      lang_(Json::string(std::string(lang))),
      locale_(locale) {}

std::string Filling::fill(const Pattern& pattern, As as) {
  std::string out;
  fill(pattern, as, out);
  return out;
}

void Filling::fill(const Pattern& pattern, As as, std::string& out) {
  pattern_ = &pattern;
  as_ = as;
  steps_ = 0;
  // A value is seldom longer than this; a reallocation copies everything.
  out.reserve(out.size() + pattern.literal_size() +
              pattern.nodes().size() * 16);
  fill_range(0, pattern.nodes().size(), out);
}

void Filling::fill_range(std::size_t begin, std::size_t end, std::string& out) {
  const auto& nodes = pattern_->nodes();
  for (std::size_t i = begin; i < end;) {
    const auto& node = nodes[i];
    if (is_beyond(out)) return add_hole(Hole::Why::too_large, node);
    switch (node.kind) {
      case Pattern::Kind::literal:
        out += node.text;
        ++i;
        break;
      case Pattern::Kind::variable:
        put_variable(node, out);
        ++i;
        break;
      case Pattern::Kind::section:
      case Pattern::Kind::inverted:
        fill_section(i, out);
        i = node.end;
        break;
    }
  }
}

void Filling::put_variable(const Pattern::Node& node, std::string& out) {
  const Json* value = value_of(node.text);
  if (value == nullptr) {
    if (!node.optional) add_hole(Hole::Why::missing, node);
  } else if (!is_text_value(*value)) {
    add_hole(Hole::Why::not_text, node,
             value->is_array() ? "is a list" : "is an object");
  } else if (is_one_line() && has_control(value->text)) {
    add_hole(Hole::Why::control, node);
  } else {
    put_value(node, value->text, out);
  }
}

void Filling::put_value(const Pattern::Node& node, std::string_view value,
                        std::string& out) {
  if (as_ == As::uri && !node.raw && !out.empty()) {
    append_percent_encoded(out, value);
  } else if (as_ != As::html || (node.raw && !node.line_breaks)) {
    out += value;
  } else if (!node.line_breaks) {
    append_escaped_html(out, value);
  } else {
    append_with_breaks(out, node.raw ? std::string(value) : escape_html(value));
  }
}

void Filling::fill_section(std::size_t index, std::string& out) {
  const auto& node = pattern_->nodes()[index];
  if (node.formatter != Formatter::none) return fill_formatted(index, out);
  const Json* value = value_of(node.text);
  if (value == nullptr && !node.optional) {
    add_hole(Hole::Why::missing, node);
    return;
  }
  const bool truthy = is_truthy(value);
  if (node.kind == Pattern::Kind::inverted) {
    if (!truthy) fill_range(index + 1, node.end, out);
    return;
  }
  if (!truthy) return;
  const auto within = [&](const Json& scope) {
    scopes_.push_back(&scope);
    fill_range(index + 1, node.end, out);
    scopes_.pop_back();
  };
  if (!value->is_array()) return within(*value);
  for (const auto& item : value->items) {
    if (is_beyond(out)) return add_hole(Hole::Why::too_large, node);
    within(item);
  }
}

void Filling::fill_formatted(std::size_t index, std::string& out) {
  const auto& node = pattern_->nodes()[index];
  const auto holes_before = holes_.size();
  std::string content;
  const As outside = std::exchange(as_, As::text);
  fill_range(index + 1, node.end, content);
  as_ = outside;
  // Without its value there is nothing to be wrong with; nor is there when it
  // may be missing.
  if (holes_.size() != holes_before || content.empty()) return;
  auto formatted = format_as(node.formatter, locale_, content);
  if (!formatted) {
    add_hole(Hole::Why::bad_form, node, formatted.error().what);
  } else if (is_one_line() && has_control(*formatted)) {
    add_hole(Hole::Why::control, node);
  } else {
    put_value(node, *formatted, out);
  }
}

// Once it is, it stays so: everything that is still open ends.
bool Filling::is_beyond(const std::string& out) {
  return ++steps_ > k_max_steps || out.size() > k_max_output;
}

const Json* Filling::value_of(std::string_view name) const {
  if (name == ".") return scopes_.back();
  // The first part is looked for from the inside out, the others in what it
  // is (mustache(5), "Dotted names").
  const auto dot = name.find('.');
  const auto first = name.substr(0, dot);
  const Json* found = nullptr;
  for (auto scope = scopes_.rbegin();
       scope != scopes_.rend() && found == nullptr; ++scope)
    found = (*scope)->find(first);
  found = unless_null(found);
  if (found == nullptr && name == "lang") return &lang_;
  for (auto rest = name; found != nullptr && rest.find('.') != rest.npos;) {
    rest.remove_prefix(rest.find('.') + 1);
    found = unless_null(found->find(rest.substr(0, rest.find('.'))));
  }
  return found;
}

void Filling::add_hole(Hole::Why why, const Pattern::Node& node,
                       std::string what) {
  const bool known =
      std::any_of(holes_.begin(), holes_.end(), [&](const Hole& hole) {
        return hole.why == why && hole.name == node.text;
      });
  if (known || holes_.size() == k_most_holes) return;
  Hole hole{why, node.text,         pattern_->place_of(node), std::move(what),
            {},  scopes_.size() > 1};
  if (hole.in_item && scopes_.back()->is_object()) {
    std::vector<std::string_view> keys;
    for (const auto& [key, value] : scopes_.back()->members)
      keys.push_back(key);
    hole.meant = nearest(node.text, keys);
  }
  holes_.push_back(std::move(hole));
}

}  // namespace pony
