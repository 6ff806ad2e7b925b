#include "core/html/css.h"

#include <algorithm>
#include <optional>

#include "core/lower_case.h"

namespace pony {
namespace {

constexpr auto k_none = std::string_view::npos;
constexpr std::string_view k_spaces = " \t\r\n\f";

bool is_space(char c) {
  return k_spaces.find(c) != k_none;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(k_spaces);
  if (begin == k_none) return {};
  return text.substr(begin, text.find_last_not_of(k_spaces) + 1 - begin);
}

// Where what begins at `at` ends: a string, a comment, an escape, or a single
// character.
std::size_t behind_piece(std::string_view css, std::size_t at) {
  const char c = css[at];
  if (c == '\\') return std::min(at + 2, css.size());
  if (c == '"' || c == '\'') {
    // A string that is not closed ends with its line.
    for (++at; at < css.size() && css[at] != c && css[at] != '\n'; ++at)
      if (css[at] == '\\') ++at;
    return std::min(at + 1, css.size());
  }
  if (css.substr(at).starts_with("/*")) {
    const std::size_t end = css.find("*/", at + 2);
    return end == k_none ? css.size() : end + 2;
  }
  return at + 1;
}

// The first of `stops` from `at` on, outside of strings, comments and
// parentheses; the end if there is none.
std::size_t find_outside(std::string_view css, std::size_t at,
                         std::string_view stops) {
  std::size_t parentheses = 0;
  while (at < css.size()) {
    const char c = css[at];
    if (parentheses == 0 && stops.find(c) != k_none) return at;
    if (c == '(') ++parentheses;
    if (c == ')' && parentheses > 0) --parentheses;
    at = behind_piece(css, at);
  }
  return css.size();
}

// Behind the "}" that belongs to the "{" at `at`.
std::size_t behind_block(std::string_view css, std::size_t at) {
  std::size_t depth = 0;
  while (at < css.size()) {
    if (css[at] == '{') ++depth;
    if (css[at] == '}' && --depth == 0) return at + 1;
    at = behind_piece(css, at);
  }
  return css.size();
}

std::size_t behind_spaces(std::string_view css, std::size_t at) {
  while (at < css.size()) {
    const std::string_view rest = css.substr(at);
    if (is_space(css[at]))
      ++at;
    else if (rest.starts_with("/*"))
      at = behind_piece(css, at);
    else if (rest.starts_with("<!--"))
      at += 4;
    else if (rest.starts_with("-->"))
      at += 3;
    else
      break;
  }
  return at;
}

std::size_t behind_at_rule(std::string_view css, std::size_t at) {
  const std::size_t end = find_outside(css, at, "{;");
  if (end == css.size()) return end;
  return css[end] == ';' ? end + 1 : behind_block(css, end);
}

// A name from `at` on, which is moved behind it.
std::string_view take_name(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  while (at < text.size() && is_name_character(text[at])) ++at;
  return text.substr(begin, at - begin);
}

// Nothing when there is anything but a tag, classes and ids in it.
std::optional<CssCompound> parse_compound(std::string_view text) {
  CssCompound compound;
  std::size_t at = 0;
  compound.tag = in_lower_case(take_name(text, at));
  while (at < text.size()) {
    const char kind = text[at++];
    const std::string_view name = take_name(text, at);
    if (name.empty() || (kind != '.' && kind != '#')) return std::nullopt;
    (kind == '.' ? compound.classes : compound.ids).push_back(name);
  }
  return compound;
}

std::optional<CssSelector> parse_selector(std::string_view text) {
  CssSelector selector;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const std::size_t end = std::min(text.find_first_of(k_spaces), text.size());
    auto compound = parse_compound(text.substr(0, end));
    if (!compound) return std::nullopt;
    selector.path.push_back(std::move(*compound));
    text.remove_prefix(end);
  }
  if (selector.path.empty()) return std::nullopt;
  return selector;
}

std::vector<CssSelector> parse_selectors(std::string_view list) {
  std::vector<CssSelector> selectors;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = find_outside(list, at, ",");
    if (auto selector = parse_selector(list.substr(at, end - at)))
      selectors.push_back(std::move(*selector));
    at = end + 1;
  }
  return selectors;
}

std::optional<CssDeclaration> parse_declaration(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == k_none) return std::nullopt;
  CssDeclaration declaration;
  declaration.property = trimmed(text.substr(0, colon));
  std::string_view value = trimmed(text.substr(colon + 1));
  const std::size_t mark = value.rfind('!');
  if (mark != k_none &&
      in_lower_case(trimmed(value.substr(mark + 1))) == "important") {
    declaration.is_important = true;
    value = trimmed(value.substr(0, mark));
  }
  declaration.value = value;
  const bool is_name =
      std::all_of(declaration.property.begin(), declaration.property.end(),
                  is_name_character);
  if (declaration.property.empty() || !is_name || value.empty())
    return std::nullopt;
  return declaration;
}

}  // namespace

std::size_t CssSelector::specificity() const {
  std::size_t ids = 0, classes = 0, tags = 0;
  for (const auto& compound : path) {
    ids += compound.ids.size();
    classes += compound.classes.size();
    if (!compound.tag.empty()) ++tags;
  }
  constexpr std::size_t k_most = 1023;
  return std::min(ids, k_most) << 20 | std::min(classes, k_most) << 10 |
         std::min(tags, k_most);
}

std::vector<CssRule> parse_css(std::string_view sheet) {
  std::vector<CssRule> rules;
  for (std::size_t at = behind_spaces(sheet, 0); at < sheet.size();
       at = behind_spaces(sheet, at)) {
    if (sheet[at] == '@') {
      at = behind_at_rule(sheet, at);
      continue;
    }
    const std::size_t open = find_outside(sheet, at, "{");
    if (open == sheet.size()) break;
    const std::size_t end = behind_block(sheet, open);
    if (end == sheet.size() && (end == open + 1 || sheet.back() != '}')) break;
    CssRule rule;
    rule.selectors = parse_selectors(sheet.substr(at, open - at));
    if (!rule.selectors.empty()) {
      rule.declarations =
          parse_declarations(sheet.substr(open + 1, end - open - 2));
      rules.push_back(std::move(rule));
    }
    at = end;
  }
  return rules;
}

std::vector<CssDeclaration> parse_declarations(std::string_view block) {
  std::vector<CssDeclaration> declarations;
  for (std::size_t at = 0; at < block.size();) {
    at = behind_spaces(block, at);
    const std::size_t end = find_outside(block, at, ";");
    if (auto one = parse_declaration(block.substr(at, end - at)))
      declarations.push_back(*one);
    at = end + 1;
  }
  return declarations;
}

}  // namespace pony
