// Tests core/html/inline_styles.cc, css.cc and template_marks.cc.
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "core/html/css.h"
#include "core/html/inline_styles.h"
#include "core/html/template_marks.h"
#include "tests/support/hostile_html.h"

TEST_SUITE_BEGIN("html_inline_styles");

namespace pony {
namespace {

// What `body` becomes with `sheet` in front of it, which must stay.
std::string with_sheet(const std::string& sheet, const std::string& body) {
  const std::string head = "<style>" + sheet + "</style>";
  const std::string out = inline_styles(head + body);
  REQUIRE(out.starts_with(head));
  return out.substr(head.size());
}

TEST_CASE("simple selectors become style attributes") {
  const std::string sheet =
      "p{color:red} .a { margin: 0 ; } #x{top:1px} td.b.c,th{left:0}"
      "div.d  p {right:0}";
  CHECK(with_sheet(sheet, "<p>x</p>") == "<p style=\"color: red\">x</p>");
  CHECK(with_sheet(sheet, "<I CLASS='z a'>") ==
        "<I style=\"margin: 0\" CLASS='z a'>");
  CHECK(with_sheet(sheet, "<i id=x/>") == "<i id=x/>");
  CHECK(with_sheet(sheet, "<i id=x>") == "<i style=\"top: 1px\" id=x>");
  CHECK(with_sheet(sheet, "<table><tr><td class='c b'><th><td class=b>") ==
        "<table><tr><td style=\"left: 0\" class='c b'>"
        "<th style=\"left: 0\"><td class=b>");
  CHECK(with_sheet(sheet, "<div class=d><i><p>") ==
        "<div class=d><i><p style=\"color: red; right: 0\">");
}

TEST_CASE("what is not simple stays in the sheet only") {
  CHECK(with_sheet("@media print{p{a:b}} @import 'x;y'; a:hover{c:d} a>b{e:f}"
                   "*{g:h} a[href]{i:j} /* p{k:l} */ <!-- i,b:after{m:n} -->",
                   "<p><a href=x><b></b></a><i></i>") ==
        "<p><a href=x><b></b></a><i style=\"m: n\"></i>");
  CHECK(inline_styles("<style media=print>p{a:b}</style><p>") ==
        "<style media=print>p{a:b}</style><p>");
  CHECK(inline_styles("<!--[if mso]><style>p{a:b}</style><![endif]--><p>") ==
        "<!--[if mso]><style>p{a:b}</style><![endif]--><p>");
  CHECK(with_sheet("p{a:b", "<p>") == "<p>");
}

TEST_CASE("specificity, order and importance decide as in CSS") {
  CHECK(with_sheet("#i{c:1} .k{c:2} p{c:3}", "<p id=i class=k>") ==
        "<p style=\"c: 1\" id=i class=k>");
  CHECK(with_sheet("p{c:1} p{c:2}", "<p>") == "<p style=\"c: 2\">");
  CHECK(with_sheet("p{c:1!important} #i{c:2}", "<p id=i>") ==
        "<p style=\"c: 1 !important\" id=i>");
  CHECK(with_sheet("p{m:0;n:1} p{m-l:2} p{n:3}", "<p>") ==
        "<p style=\"m: 0; m-l: 2; n: 3\">");
  CHECK(with_sheet("p{c:1;C:2}", "<p>") == "<p style=\"c: 1; C: 2\">");
}

TEST_CASE("an element's own style wins, but for what is important") {
  CHECK(with_sheet("p{c:1;d:2}", "<p style='c:5'>") == "<p style='d: 2; c:5'>");
  CHECK(with_sheet("p{c:1}", "<p style='c:5'>") == "<p style='c:5'>");
  CHECK(with_sheet("p{c:1!important}", "<p style='c:5'>") ==
        "<p style='c: 1 !important; c:5'>");
  CHECK(with_sheet("p{d:2}", "<p style=c:5>") == "<p style=\"d: 2; c:5\">");
  CHECK(with_sheet("p{d:2}", "<p style=''>") == "<p style='d: 2'>");
  CHECK(with_sheet("p{d:2}", "<p style>") == "<p style=\"d: 2\" style>");
  CHECK(with_sheet("p{d:2}", "<p style = \" c:5 \">") ==
        "<p style = \"d: 2;  c:5 \">");
}

TEST_CASE("values are escaped for the attribute they go into") {
  CHECK(with_sheet("p{f:\"A\",'B';u:url(x?a&b;c)}", "<p><p style='z:1'>") ==
        "<p style=\"f: &quot;A&quot;,'B'; u: url(x?a&amp;b;c)\">"
        "<p style='f: \"A\",&#39;B&#39;; u: url(x?a&amp;b;c); z:1'>");
}

TEST_CASE("a template keeps every byte where it was") {
  const std::string body =
      "<table>{{#items}}<tr><td class=a>{{name}}</td>$x</tr>{{/items}}"
      "<tr {{attrs}} class='a'><td class='{{#h}}a{{/h}}'></table></p>\r\n";
  CHECK(with_sheet(".a{b:c}", body) ==
        "<table>{{#items}}<tr><td style=\"b: c\" class=a>{{name}}</td>$x</tr>"
        "{{/items}}<tr style=\"b: c\" {{attrs}} class='a'>"
        "<td class='{{#h}}a{{/h}}'></table></p>\r\n");
  CHECK(with_sheet("p{c:{{ink}};d:$size}", "<p>") ==
        "<p style=\"c: {{ink}}; d: $size\">");
  CHECK(with_sheet("p{c:d;{{#x}}e:f;{{/x}}g:h}", "<p>") == "<p>");
}

TEST_CASE("elements that a browser repeats or invents are edited once") {
  CHECK(with_sheet("b{c:d}p{e:f}tbody{g:h}",
                   "<b><p>x<p>y</b></p></p>"
                   "<table><tr></table>") ==
        "<b style=\"c: d\"><p style=\"e: f\">x<p style=\"e: f\">y</b></p></p>"
        "<table><tr></table>");
}

TEST_CASE("without a sheet nothing changes") {
  CHECK(inline_styles("<p>\n</div>&\xff") == "<p>\n</div>&\xff");
  CHECK(inline_styles("<style></style><p>") == "<style></style><p>");
}

TEST_CASE("declarations end at semicolons outside strings and brackets") {
  const auto all = parse_declarations(
      " a:b;; c : url(data:x;y) ! IMPORTANT;/* d:e */ f:'g;h' ;i;:j; k:");
  REQUIRE(all.size() == 3);
  CHECK(all[1].value == "url(data:x;y)");
  CHECK(all[1].is_important);
  CHECK(all[2].value == "'g;h'");
}

TEST_CASE("marks are hidden without moving anything") {
  CHECK(
      without_marks("a{{b\nc}}d{{#e}}{{{f}}}{{", SilentMarks::become_spaces) ==
      "axxx\nxxxd      xxxxxxx{{");
  const auto ranges = inverted_sections("{{^a}}1{{^b}}2{{/b}}{{/a}}{{^c}}3");
  REQUIRE(ranges.size() == 1);
  CHECK(ranges[0].begin == 6);
  CHECK(ranges[0].end == 20);
  for (const char* value : {"$a", "${a}", " {{a}}/b", "$_"})
    CHECK_MESSAGE(begins_with_value(value), value);
  for (const char* other : {"", "$", "$5", "a$b", "{a}"})
    CHECK_MESSAGE(!begins_with_value(other), other);
}

// `html` with what inline_styles adds taken away again is `html`.
void check_only_added(const std::string& html) {
  const std::string out = inline_styles(html);
  REQUIRE(out.size() <= html.size() + (std::size_t{4} << 20));
  std::size_t at = 0;
  for (const char c : out)
    if (at < html.size() && html[at] == c) ++at;
  CHECK(at == html.size());
}

TEST_CASE("hostile pages lose nothing and do not swell") {
  for (const auto& html : hostile_pages(std::size_t{1} << 19))
    check_only_added(html);
  const std::string many = "<style>" + numbered(".a b", "{c:d}", 100'000);
  check_only_added(many + "b{x:y}</style>" + repeated("<b class=a>", 9'000));
}

TEST_CASE("any bytes lose nothing") {
  std::mt19937 random(2);
  for (int round = 0; round < 3'000; ++round)
    check_only_added(
        "<style>.a,b{c:d}table i{e:\"f\"}#c{g:h!important}</style>" +
        random_page(random));
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
