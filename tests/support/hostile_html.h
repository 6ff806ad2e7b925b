// Pages nobody writes in good faith: what the tests of core/html/ feed it.
#pragma once

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

// `text` again and again until there are `size` bytes.
inline std::string repeated(std::string_view text, std::size_t size) {
  std::string out;
  while (out.size() < size) out += text;
  return out;
}

// The same with a number between `before` and `after`, another each time.
inline std::string numbered(std::string_view before, std::string_view after,
                            std::size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i)
    out.append(before).append(std::to_string(i)).append(after);
  return out;
}

// Pages of about `size` bytes that cost a careless reader the square of that,
// or its stack.
inline std::vector<std::string> hostile_pages(std::size_t size) {
  std::vector<std::string> pages;
  for (const std::string_view text : {"<div>",
                                      "<b><i>",
                                      "<table>",
                                      "<table><td>",
                                      "<tr><td>x<td>y",
                                      "<a><b><p></a></b>",
                                      "<svg><title>",
                                      "<select><style><input>",
                                      "<template>",
                                      "<ul><li>",
                                      "<ol><li>x",
                                      "<blockquote>",
                                      "<dl><dd>x",
                                      "<!--",
                                      "<!---->",
                                      "<",
                                      "&",
                                      "&#x41;",
                                      "x ",
                                      "<p",
                                      "</p>",
                                      "</x>",
                                      "<nobr>",
                                      "<frameset>",
                                      "<isindex prompt=a>",
                                      "<h1>x",
                                      "<pre>x\n",
                                      "<style>a{",
                                      "<td colspan=1000 rowspan=60000>x",
                                      "{{#x}}",
                                      "{{",
                                      "$",
                                      "${",
                                      "<img alt='",
                                      "<a href='x' ",
                                      "\xff",
                                      "\xe2\x80\x8b",
                                      "漢"})
    pages.push_back(repeated(text, size));
  pages.push_back(std::string(size, '\0'));
  pages.push_back("<p " + numbered("a", " ", size) + ">");
  pages.push_back("<p style='" + numbered("a", ":b;", size) + "'>");
  pages.push_back(numbered("<p><b a=", ">", size));
  pages.push_back(numbered("<font size=", " color=1>", size));
  pages.push_back(repeated("<x>", 1500) + repeated("</y>", size));
  pages.push_back(repeated("<i>", 500) + repeated("<p>x", size));
  pages.push_back("<table>" + repeated("<tr><td>x<td>y", size));
  pages.push_back("<table><td>a" + repeated("<td>x", size));
  pages.push_back("<table><tr><td>a<td>" + repeated("<p>x", size));
  pages.push_back("<style>" + numbered(".a", "{b:c}", size / 2) + "</style>" +
                  numbered("<p class=a", ">", size / 2));
  pages.push_back("<style>" + numbered(".a{b", ":c}", size / 2) + "</style>" +
                  repeated("<p class=a>", size / 2));
  pages.push_back("<style>.a .b{c:d}.a{e:f}.b .a{g:h}</style><p class='" +
                  repeated("a ", size) + "'>" + repeated("<b class=b>", 999));
  return pages;
}

// Tags, attributes and odd bytes at random.
inline std::string random_page(std::mt19937& random) {
  static constexpr std::array<std::string_view, 64> k_names = {
      "a",        "b",          "i",        "p",
      "div",      "table",      "tr",       "td",
      "th",       "tbody",      "caption",  "col",
      "colgroup", "select",     "option",   "svg",
      "math",     "mi",         "desc",     "title",
      "style",    "script",     "template", "frameset",
      "html",     "head",       "body",     "form",
      "button",   "input",      "textarea", "noscript",
      "iframe",   "xmp",        "li",       "ul",
      "ol",       "dd",         "dt",       "dl",
      "nobr",     "font",       "h1",       "h2",
      "hr",       "br",         "image",    "isindex",
      "object",   "pre",        "rp",       "rt",
      "ruby",     "link",       "meta",     "x",
      "center",   "blockquote", "wbr",      "img",
      "s",        "q",          "em",       "foreignobject"};
  static constexpr std::array<std::string_view, 40> k_pieces = {
      " ",           "\n",          "word",      "&amp;",  "&#0;",
      "&#x110000;",  "&notin",      "<!--",      "-->",    "<![CDATA[",
      "]]>",         "<",           "</",        ">",      "/>",
      "\xff",        "\xc3",        "\"",        "'",      "=",
      "<?",          "<!",          "{{#x}}",    "{{/x}}", "{{^x}}",
      "{{",          "}}",          "{{{",       "$name",  "${",
      "漢字",        "&nbsp;",      "&zwnj;",    "12 €",   "\t",
      "{color:red}", ".a,b c{x:y}", "@media x{", "}",      "<!DOCTYPE html>"};
  static constexpr std::array<std::string_view, 8> k_attributes = {
      " class='a b'", " style=\"x:y", " id=c",      " href='https://x/'",
      " colspan=3",   " rowspan=2",   " alt=\"w\"", " hidden"};
  std::string page;
  const auto pick = [&](const auto& from) {
    return from[random() % from.size()];
  };
  for (auto length = random() % 60; length > 0; --length) {
    const auto kind = random() % 10;
    if (kind < 6) {
      page.append(kind < 4 ? "<" : "</").append(pick(k_names));
      while (random() % 3 == 0) page += pick(k_attributes);
      page += random() % 12 == 0 ? "/>" : ">";
    } else if (kind < 9) {
      page += pick(k_pieces);
    } else {
      page.push_back(static_cast<char>(random() % 256));
    }
  }
  return page;
}

}  // namespace pony
