#include "core/html/preheader.h"

#include <algorithm>
#include <array>

#include "core/html/tag_scan.h"
#include "core/html/template_marks.h"

namespace pony {
namespace {

// Gmail shows some 100 characters, others up to 140.
constexpr int k_fillers = 100;

// What can stand in front of the body.
bool is_head_element(std::string_view name) {
  static constexpr std::array<std::string_view, 11> k_names = {
      "html", "head",   "title", "meta",     "link",    "style",
      "base", "script", "xml",   "noscript", "template"};
  return std::find(k_names.begin(), k_names.end(), name) != k_names.end();
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\xEF\xBB\xBF") ==
         std::string_view::npos;
}

}  // namespace

std::size_t preheader_place(std::string_view html) {
  const std::string source = without_marks(html, SilentMarks::become_spaces);
  TagScanner scanner(source);
  HtmlToken token;
  std::size_t at = 0;
  // Behind the last thing that belongs to the head, if there is no body.
  std::size_t place = 0;
  bool in_head = true;
  while (scanner.next(token)) {
    at += token.source.size();
    const bool is_tag = token.kind == HtmlToken::Kind::start_tag ||
                        token.kind == HtmlToken::Kind::end_tag;
    if (token.kind == HtmlToken::Kind::start_tag && token.name == "body")
      return at;
    if (!in_head || token.is_raw) continue;
    if (is_tag && is_head_element(token.name))
      place = at;
    else if (token.kind == HtmlToken::Kind::comment)
      place = token.source.starts_with("<!--") ? place : at;
    else if (is_tag || !is_blank(token.source))
      in_head = false;
  }
  return place;
}

std::string preheader_html(std::string_view escaped_text) {
  if (escaped_text.empty()) return {};
  std::string html =
      "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">";
  html += escaped_text;
  for (int i = 0; i < k_fillers; ++i) html += "&#847;&zwnj;&nbsp;";
  html += "</div>";
  return html;
}

}  // namespace pony
