#include "core/html/stripped_text.h"

#include <unistr.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "core/html/tag_scan.h"
#include "core/html/text_flow.h"

namespace pony {
namespace {

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names,
              std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_line_maker(std::string_view name) {
  static constexpr std::array<std::string_view, 20> k_names = {
      "address", "article", "aside",   "body", "br",     "center", "dd",
      "div",     "dt",      "footer",  "form", "header", "hr",     "li",
      "main",    "nav",     "section", "td",   "th",     "tr"};
  return contains(k_names, name);
}

bool is_gap_maker(std::string_view name) {
  static constexpr std::array<std::string_view, 13> k_names = {
      "blockquote", "dl", "h1", "h2", "h3",  "h4",   "h5",
      "h6",         "ol", "p",  "ul", "pre", "table"};
  return contains(k_names, name);
}

// The character that the entity `name` (without & and ;) stands for; empty
// when it is not known.
std::string entity(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6>
      k_names = {{{"amp", "&"},
                  {"lt", "<"},
                  {"gt", ">"},
                  {"quot", "\""},
                  {"apos", "'"},
                  {"nbsp", "\xC2\xA0"}}};
  for (const auto& [known, stands_for] : k_names)
    if (name == known) return std::string(stands_for);
  if (!name.starts_with('#')) return {};
  name.remove_prefix(1);
  const bool is_hex = name.starts_with('x') || name.starts_with('X');
  if (is_hex) name.remove_prefix(1);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(
      name.data(), name.data() + name.size(), code, is_hex ? 16 : 10);
  if (error != std::errc() || end != name.data() + name.size()) return {};
  std::array<std::uint8_t, 6> bytes{};
  const int length = u8_uctomb(bytes.data(), code, bytes.size());
  if (code == 0 || length <= 0) return "\xEF\xBF\xBD";
  return {bytes.begin(), bytes.begin() + length};
}

}  // namespace

std::string without_entities(std::string_view text) {
  constexpr std::size_t k_longest = 10;
  std::string out;
  while (!text.empty()) {
    const std::size_t amp = std::min(text.find('&'), text.size());
    out += text.substr(0, amp);
    text.remove_prefix(amp);
    if (text.empty()) break;
    const std::size_t end = text.substr(0, k_longest).find(';');
    const std::string character =
        end == std::string_view::npos ? "" : entity(text.substr(1, end - 1));
    if (character.empty()) {
      out.push_back('&');
      text.remove_prefix(1);
    } else {
      out += character;
      text.remove_prefix(end + 1);
    }
  }
  return out;
}

std::string stripped_text(std::string_view html, std::size_t width) {
  TextFlow flow(width);
  TagScanner scanner(html);
  HtmlToken token;
  while (scanner.next(token)) {
    if (token.kind == HtmlToken::Kind::text && !token.is_raw)
      flow.text(without_entities(token.source));
    if (token.kind != HtmlToken::Kind::start_tag &&
        token.kind != HtmlToken::Kind::end_tag)
      continue;
    if (is_gap_maker(token.name))
      flow.end_block(TextFlow::Gap::blank_line);
    else if (is_line_maker(token.name))
      flow.end_block(TextFlow::Gap::none);
  }
  return flow.finish();
}

}  // namespace pony
