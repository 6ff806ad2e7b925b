// Tests core/html/html_text.cc and what it is made of: text_flow, text_table,
// html_link, stripped_text, and the limits of html_tree.
#include "core/html/html_text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include "core/display_width.h"
#include "core/html/html_link.h"
#include "core/html/html_tree.h"
#include "core/html/stripped_text.h"
#include "core/html/text_flow.h"
#include "core/html/text_table.h"
#include "core/json.h"
#include "tests/support/hostile_html.h"

TEST_SUITE_BEGIN("html_text");

namespace pony {
namespace {

std::size_t widest_line(std::string_view text) {
  std::size_t widest = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    widest = std::max(widest, display_width(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return widest;
}

// --- words ---------------------------------------------------------------

TEST_CASE("white space collapses, across elements too") {
  CHECK(
      text_from_html("<p>  one\n\t two<b> three</b> <i> four</i>five  </p>") ==
      "one two three fourfive\n");
  CHECK(text_from_html("") == "");
  CHECK(text_from_html(" \n ") == "");
}

TEST_CASE("paragraphs and headings are set off by one blank line") {
  CHECK(text_from_html("a<p>b</p><p></p><p>c<div>d</div>e") ==
        "a\n\nb\n\nc\n\nd\ne\n");
  CHECK(text_from_html("<h1>Über uns</h1>x<h2>日本</h2><h3>c</h3>y") ==
        "Über uns\n========\n\nx\n\n日本\n----\n\nc\n\ny\n");
}

TEST_CASE("<br> ends a line, and two of them leave one free") {
  CHECK(text_from_html("a<br>b<br><br>c<br><div>d") == "a\nb\n\nc\nd\n");
  CHECK(text_from_html("<p>a<br></p><p>b") == "a\n\nb\n");
}

TEST_CASE("entities and no-break spaces become characters") {
  CHECK(text_from_html("&lt;b&gt; &amp;amp; 5&nbsp;&euro; &#x1F434;") ==
        "<b> &amp; 5 € 🐴\n");
}

TEST_CASE("characters without width are dropped, unless writing needs them") {
  CHECK(text_from_html("Do&shy;nau&#65279;dampf&#847;er") == "Donaudampfer\n");
  CHECK(text_from_html("a&zwnj;&nbsp;&#847;&zwnj;&nbsp;&zwnj;") == "a\n");
  CHECK(text_from_html("می&zwnj;خواهم 👩&zwj;👧") ==
        "می\xE2\x80\x8Cخواهم 👩\xE2\x80\x8D👧\n");
  CHECK(text_from_html("<pre>a\x1b[31mb\x07\x7f</pre>") ==
        "a\xEF\xBF\xBD[31mb\xEF\xBF\xBD\xEF\xBF\xBD\n");
}

TEST_CASE("what a mail program would not show is left out") {
  CHECK(text_from_html("<title>t</title><style>p{}</style><script>x</script>"
                       "<template>y</template>a<span hidden>b</span>"
                       "<!-- c --><div style='color:red; DISPLAY : none'>d"
                       "</div><p style=\"mso-hide:all\">e</p><textarea>f"
                       "</textarea><!--[if mso]>g<![endif]-->") == "a\n");
  CHECK(text_from_html("<noscript>shown</noscript>") == "shown\n");
  CHECK(text_from_html("<p style='x-display:none;display:block'>shown</p>") ==
        "shown\n");
}

TEST_CASE("nothing is escaped for a mailbox format") {
  CHECK(text_from_html("From me<br>&gt;From you<br>.") ==
        "From me\n>From you\n.\n");
}

// --- lines ---------------------------------------------------------------

TEST_CASE("lines are wrapped at 78 cells, between words only") {
  std::string html;
  for (int i = 0; i < 100; ++i) html += "word" + std::to_string(i) + " ";
  const std::string text = text_from_html(html);
  CHECK(widest_line(text) <= 78);
  CHECK(widest_line(text) > 70);
  const std::string address = "https://example.com/" + std::string(100, 'x');
  CHECK(text_from_html("See " + address + " there") ==
        "See\n" + address + "\nthere\n");
}

TEST_CASE("wide characters take two cells and may be parted") {
  std::string html;
  for (int i = 0; i < 50; ++i) html += "漢";
  CHECK(widest_line(text_from_html(html)) == 78);
  // 38 characters, then a full stop that may not begin a line.
  html = "x";
  for (int i = 0; i < 38; ++i) html += "漢";
  CHECK(text_from_html(html + "字。") == html + "\n字。\n");
}

TEST_CASE("a no-break space holds two words together") {
  const std::string long_word(70, 'a');
  CHECK(text_from_html(long_word + " 1&nbsp;000 km b") ==
        long_word + " 1 000\nkm b\n");
  CHECK(text_from_html(long_word + " 1000&nbsp;000 km b") ==
        long_word + "\n1000 000 km b\n");
}

TEST_CASE("preformatted text is kept as it is") {
  CHECK(text_from_html("a<pre>\n  b   c  \n\n    d\n</pre>e") ==
        "a\n\n  b   c\n\n    d\n\ne\n");
  const std::string wide(100, 'x');
  CHECK(text_from_html("<pre>" + wide + " y</pre>") == wide + " y\n");
}

// --- blocks --------------------------------------------------------------

TEST_CASE("lists have bullets or numbers, and hang") {
  CHECK(text_from_html("x<ul><li>a<ul><li>b</ul><li>c</ul>y") ==
        "x\n\n- a\n  - b\n- c\n\ny\n");
  CHECK(text_from_html("<ol start=9><li>a<li>b<br>c<li value=20>d</ol>") ==
        "9.  a\n10. b\n    c\n20. d\n");
  CHECK(text_from_html("<ul><li><p>a</p><p>b</p></li></ul>") == "- a\n\n  b\n");
  const std::string text =
      text_from_html("<ul><li>" + repeated("word ", 150) + "</ul>");
  CHECK(text.find("\n  word") != std::string::npos);
  CHECK(widest_line(text) <= 78);
}

TEST_CASE("numbers of lists may be anything") {
  CHECK(text_from_html("<ol start=-1><li>a<li>b</ol>") == "-1. a\n0.  b\n");
  CHECK(text_from_html("<ol start=99999999999999><li>a</ol>") == "1. a\n");
  CHECK(text_from_html("<ol start=2147483647><li>a<li>b</ol>").size() < 60);
}

TEST_CASE("quotes are marked, nested ones twice") {
  CHECK(text_from_html("a<blockquote><p>b</p><p>c</p><blockquote>d"
                       "</blockquote></blockquote>e") ==
        "a\n\n> b\n>\n> c\n>\n> > d\n\ne\n");
}

TEST_CASE("a rule is a line of dashes") {
  CHECK(text_from_html("a<hr>b") == "a\n\n" + std::string(40, '-') + "\n\nb\n");
}

TEST_CASE("terms and their definitions") {
  CHECK(text_from_html("<dl><dt>a<dd>b<dt>c<dd>d</dl>") ==
        "a\n    b\nc\n    d\n");
}

// --- links and images ----------------------------------------------------

TEST_CASE("a link is its text and its address") {
  CHECK(text_from_html(
            "<a href='https://a.example/?x=1&amp;y=2'>our page</a>,") ==
        "our page <https://a.example/?x=1&y=2>,\n");
  CHECK(text_from_html("<a href='mailto:a@b.example?subject=x'>write</a>") ==
        "write <a@b.example>\n");
  CHECK(text_from_html("<a href='tel:+123456'>call</a>") == "call <+123456>\n");
  CHECK(text_from_html("<a href='https://a.example/'>a </a>b") ==
        "a <https://a.example/> b\n");
}

TEST_CASE("a link whose text is the address stands once") {
  CHECK(text_from_html("<a href='https://a.example/'>https://a.example</a>") ==
        "https://a.example\n");
  CHECK(text_from_html("at <a href='https://a.example/'>www.A.example</a>.") ==
        "at https://a.example/.\n");
  CHECK(text_from_html("<a href='mailto:a@b.example'>a@b.example</a>") ==
        "a@b.example\n");
  CHECK(text_from_html("<a href='tel:+12345'>+1 (23) 45</a>") ==
        "+1 (23) 45\n");
}

TEST_CASE("links that lead nowhere are text") {
  for (const std::string href :
       {"#top", "javascript:alert(1)", " JaVa\tscript:x", "", "  ", "cid:x",
        "vbscript:x", "data:text/html,x"})
    CHECK(text_from_html("<a href='" + href + "'>a</a>") == "a\n");
  CHECK(text_from_html("<a name=x>a</a>") == "a\n");
}

TEST_CASE("an address can neither break a line nor end its bracket") {
  CHECK(text_from_html("<a href='https://a.example/&#10;> b\"c'>x</a>") ==
        "x <https://a.example/%3E%20b%22c>\n");
}

TEST_CASE("images are their alternative text") {
  CHECK(text_from_html("<img alt=Logo><img alt=''><img> x <img alt='y'>.") ==
        "Logo x y.\n");
  CHECK(text_from_html("<a href='https://f.example/'><img alt=Foo></a>"
                       "<a href='https://t.example/'><img alt=Bar></a>") ==
        "Foo <https://f.example/> Bar <https://t.example/>\n");
  CHECK(text_from_html("<a href='https://b.example/'><img src=buy.png></a>") ==
        "<https://b.example/>\n");
  CHECK(text_from_html("a<a href='https://b.example/'></a>") == "a\n");
}

TEST_CASE("a link that was never closed says its address once") {
  const std::string text =
      text_from_html("<p><a href='https://a.example/x'>one<p>two<p>three</p>");
  CHECK(text.find("a.example") == text.rfind("a.example"));
  CHECK(text.find("three") != std::string::npos);
}

// --- tables --------------------------------------------------------------

TEST_CASE("data stands in columns, numbers at the right") {
  CHECK(text_from_html(
            "<table><tr><th>Item<th>Price</tr><tr><td>Hay<td>€ 7.50</tr>"
            "<tr><td>Saddle<td>€ 120.00</tr></table>") ==
        "Item       Price\n"
        "------  --------\n"
        "Hay       € 7.50\n"
        "Saddle  € 120.00\n");
}

TEST_CASE("cells over several columns and rows keep the others in place") {
  CHECK(text_from_html("<table><tr><td>a<td>bb<td>3</tr>"
                       "<tr><td colspan=2>Total<td>12</tr>"
                       "<tr><td rowspan=2>r<td>s<td>1<tr><td>t<td>2</table>") ==
        "a  bb   3\nTotal  12\nr  s    1\n   t    2\n");
}

TEST_CASE("columns line up where characters are wide") {
  CHECK(text_from_html("<table><tr><td>日本<td>a</tr><tr><td>x<td>b</table>") ==
        "日本  a\nx     b\n");
}

TEST_CASE("a column that is too wide is wrapped in its place") {
  const std::string text =
      text_from_html("<table><tr><td>key<td>" + repeated("word ", 150) +
                     "<tr><td>k2<td>v</table>");
  CHECK(text.starts_with("key  word word"));
  CHECK(text.find("\n     word") != std::string::npos);
  CHECK(text.find("\nk2   v\n") != std::string::npos);
  CHECK(widest_line(text) <= 78);
}

TEST_CASE("what cannot be drawn in columns stands one cell a line") {
  const std::string address = "https://example.com/" + std::string(90, 'x');
  CHECK(text_from_html("<table><tr><td>a<td>" + address +
                       "<tr><td>b<td>c</table>") ==
        "a\n" + address + "\n\nb\nc\n");
}

TEST_CASE("tables for layout are read block by block") {
  CHECK(text_from_html("<table role=presentation><tr><td>a<td>b</table>c") ==
        "a\nb\nc\n");
  CHECK(text_from_html("<table><tr><td>a<tr><td>b</table>") == "a\nb\n");
  CHECK(text_from_html("<table><tr><td>x<td><table><tr><td>1<td>2</table>"
                       "</table>") == "x\n\n1  2\n");
  CHECK(text_from_html("<table><tr><td>&nbsp;<td> <td>a<td>"
                       "<h3>b</h3></table>") == "a\n\nb\n");
}

TEST_CASE("what is an amount") {
  for (const char* amount :
       {"1", "-3", "1.234,50 €", "$5.00", "12 %", "EUR 5", "US$5",
        "1\xC2\xA0"
        "000",
        "(12)", "−4", "5 kg"})
    CHECK_MESSAGE(is_amount(amount), amount);
  for (const char* other :
       {"", "-", "A5", "A-17", "5 apples", "a 5 b", "2026-01-02", "one", "n/a",
        "111111111111111111111111111111111"})
    CHECK_MESSAGE(!is_amount(other), other);
}

// --- anything else -------------------------------------------------------

TEST_CASE("a page within limits has a tree") {
  CHECK(HtmlTree::parse(""));
  CHECK(HtmlTree::parse(repeated("<tr><td>x</td></tr>\n", 200'000)));
  CHECK(HtmlTree::parse(repeated("<div>", 2'000)));
  CHECK_FALSE(HtmlTree::parse(repeated("<div>", 10'000)));
  CHECK_FALSE(HtmlTree::parse(repeated("<div>x", 10'000)));
  CHECK_FALSE(HtmlTree::parse(repeated("<div>x<br>", 10'000)));
  CHECK_FALSE(HtmlTree::parse("<p " + numbered("a", " ", 10'000) + ">"));
  CHECK_FALSE(HtmlTree::parse(repeated("<p>x", 2'000'000)));
}

TEST_CASE("without a tree the words are still there") {
  const std::string html = "<title>t</title><p>a&amp;b</p>" +
                           repeated("<div>", 100'000) + "c<br>d&nbsp;&#8364;";
  REQUIRE_FALSE(HtmlTree::parse(html));
  CHECK(text_from_html(html) == "a&b\n\nc\nd €\n");
}

TEST_CASE("stripping resolves the entities one must know, and no others") {
  CHECK(stripped_text("&lt;&#65;&#x42;&quot;&apos;&foo; & &#xD800;&#0;", 78) ==
        "<AB\"'&foo; & \xEF\xBF\xBD\xEF\xBF\xBD\n");
}

TEST_CASE("hostile pages give a bounded text") {
  for (const auto& html : hostile_pages(std::size_t{1} << 20)) {
    const std::string text = text_from_html(html);
    CHECK(is_utf8(text));
    CHECK_MESSAGE(text.size() <= 8 * html.size() + 1000, html.substr(0, 40));
  }
}

TEST_CASE("a long address in a broken page is not repeated") {
  const std::string text =
      text_from_html("<a href='" + std::string(100'000, 'x') + "'>" +
                     repeated("<p>x", 100'000));
  CHECK(text.size() < 400'000);
}

TEST_CASE("any bytes give UTF-8 without controls") {
  std::mt19937 random(1);
  for (int round = 0; round < 3'000; ++round) {
    const std::string text = text_from_html(random_page(random));
    CHECK(is_utf8(text));
    for (const char c : text)
      REQUIRE(
          (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t'));
  }
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
