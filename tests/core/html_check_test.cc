// Tests core/html/check_html.cc, tag_scan.cc and preheader.cc.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>
#include <string>
#include <string_view>

#include "core/html/check_html.h"
#include "core/html/html_text.h"
#include "core/html/preheader.h"
#include "core/html/tag_scan.h"
#include "tests/support/hostile_html.h"

TEST_SUITE_BEGIN("html_check");

namespace pony {
namespace {

// The findings as "line: what", "!" before errors; one a line.
std::string said_of(std::string_view html) {
  std::string said;
  for (const auto& one : check_html(html))
    said += fmt::format("{}{}: {}\n", one.error ? "!" : "", one.line, one.what);
  return said;
}

TEST_CASE("a page as it should be has no findings") {
  CHECK(said_of("<!DOCTYPE html>\n<html lang=en>\n<head><meta charset=utf-8>"
                "<title>a <b</title><style>a>b{}</style></head><body>\n"
                "<!--[if mso]><table><tr><td><![endif]-->\n"
                "<p>one<p>two <br/> <a href=https://a.example/x/>b</a>\n"
                "<ul><li>a<li>b<ul><li>c</ul></ul><hr>"
                "<table><tr><th>x<td>y<tr><td>z<table><td>i</table></table>"
                "<select><option>a<option>b</select><dl><dt>a<dd>b</dl>"
                "<img src=cid:x alt=\"\"><o:p></o:p><svg><path d='x'/></svg>"
                "&nbsp; a & b &copy; &#8364; 1 < 2 &zwnj;</body></html>\n") ==
        "");
  CHECK(said_of("") == "");
}

// --- structure -------------------------------------------------------------

TEST_CASE("what is never closed is found where it begins") {
  CHECK(said_of("<div>\n<span>\n<p>\n</span>") ==
        "!1: '<div>' is never closed\n");
  CHECK(said_of("<table>\n<tr><td>x") == "!1: '<table>' is never closed\n");
  CHECK(said_of("<p>\n<a href='x>y</a>") ==
        "!2: the tag '<a' is never closed\n");
  CHECK(said_of("a\n<!-- b") == "!2: the comment is never closed\n");
}

TEST_CASE("an end tag that closes nothing is found") {
  CHECK(said_of("<div></div>\n</div>") == "!2: '</div>' closes nothing\n");
  CHECK(said_of("<p><div></div></p>") == "!1: '</p>' closes nothing\n");
  CHECK(said_of("<div><table><tr><td></div></td></tr></table></div>") ==
        "!1: '</div>' closes nothing\n");
  CHECK(said_of("x<br></br>") == "1: '</br>' closes nothing\n");
}

TEST_CASE("elements that cross are found once") {
  CHECK(said_of("<b>\n<i>\n</b>\n</i>") ==
        "!2: '<i>' is not closed before '</b>' in line 3\n");
  CHECK(said_of("<ul><li><b>x</ul>") ==
        "!1: '<b>' is not closed before '</ul>' in line 1\n");
  CHECK(said_of("<table><tr><td><b>x</td></tr></table>") ==
        "!1: '<b>' is not closed before '</td>' in line 1\n");
}

TEST_CASE("only empty elements close themselves") {
  CHECK(said_of("<div/>x<img src='https://a.example/' alt=a />") ==
        "!1: '<div/>' does not close itself\n");
}

TEST_CASE("an attribute given twice is found") {
  CHECK(said_of("<p class=a\n CLASS=b>") == "!2: '<p>' has 'class' twice\n");
}

// --- templates ---------------------------------------------------------------

TEST_CASE("template tags may stand anywhere") {
  CHECK(
      said_of("<table>{{#items}}<tr {{attrs}} {{more}}><td {{#hot}}class=\"h\""
              "{{/hot}}{{^hot}}class=\"c\"{{/hot}}>{{{raw}}} $x ${y}</td></tr>"
              "{{/items}}</table>{{! <div> }}\n"
              "<a href={{url}}>a</a><a href=\"{{ url }}/x\">b</a>"
              "<a href='$url'>c</a><a href='${url}'>d</a>"
              "<a href='https://{{host}}/?a={{ a }}'>e</a>"
              "<a href='{{#a}}https://a{{/a}}{{^a}}https://b{{/a}}'>f</a>"
              "<img {{img}}><html {{lang}}>") == "");
  CHECK(said_of("{{ a\n\n}}<b>") == "!3: '<b>' is never closed\n");
}

TEST_CASE("a section and its opposite count once") {
  CHECK(said_of("{{#a}}<div class=x>{{/a}}{{^a}}<div>{{/a}}</div>") == "");
  CHECK(said_of("{{^a}}<a href=x>y</a>{{/a}}") == "!1: href 'x' is relative\n");
}

TEST_CASE("with partials the structure is doubted, not judged") {
  CHECK(said_of("{{> header}}</div>") == "1: '</div>' closes nothing\n");
}

// --- addresses ---------------------------------------------------------------

TEST_CASE("addresses that lead nowhere are found") {
  const auto problem = [](const std::string& url) {
    const auto findings = check_html("<a href=\"" + url + "\">x</a>");
    return findings.empty() ? "" : findings.front().what;
  };
  for (const std::string good :
       {"https://a.example", "HTTP://a.example:80/?x=1&amp;y=2#z", "#top",
        "mailto:a@b.example?subject=x", "mailto:?subject=x", "mailto:$to",
        "tel:+1234", "cid:logo", "data:image/png;base64,xx", "sms:1",
        "https://$host/x", "https://xn--a.example/%20", "$a", "{{a}}",
        " https://a.example ", "myapp://open", "https://日本.example/"})
    CHECK_MESSAGE(problem(good) == "", good);
  CHECK(problem("") == "'href' is empty");
  CHECK(problem(" ") == "'href' is empty");
  CHECK(problem("/x") == "href '/x' is relative");
  CHECK(problem("www.a.example") == "href 'www.a.example' is relative");
  CHECK(problem("a.example:80/x") == "href 'a.example:80/x' is relative");
  CHECK(problem("//a.example") == "href '//a.example' has no scheme");
  CHECK(problem("http:/x") ==
        "href 'http:/x' lacks the '//' behind its scheme");
  CHECK(problem("https:///x") == "href 'https:///x' names no host");
  CHECK(problem("https://") == "href 'https://' names no host");
  CHECK(problem("https://a b") == "href 'https://a b' has a space in it");
  CHECK(problem("java&#115;cript:x") == "href 'java&#115;cript:x' is a script");
  CHECK(problem("mailto:ann") == "href 'mailto:ann' names no address");
  CHECK(problem("tel:") == "href 'tel:' has nothing behind its scheme");
  CHECK(problem("data:text/html,x") ==
        "href 'data:text/html,x' holds data that is no image");
  CHECK(problem("file:///x") == "href 'file:///x' is a file on one machine");
}

// --- warnings ----------------------------------------------------------------

TEST_CASE("what mail programs do not show is warned of") {
  CHECK(said_of("<img src='https://a.example/'>") ==
        "1: '<img>' has no 'alt'\n");
  CHECK(said_of("<html>") == "1: '<html>' has no 'lang'\n");
  CHECK(said_of("<form></form><iframe></iframe><script>a<b</script>") ==
        "1: '<form>' is dropped by mail programs\n"
        "1: '<iframe>' is dropped by mail programs\n"
        "1: '<script>' is dropped by mail programs\n");
  CHECK(said_of("<script type='application/ld+json'>{}</script>") == "");
  CHECK(said_of("<p onClick='x'>") ==
        "1: 'onclick' is dropped by mail programs\n");
  CHECK(said_of("a &foo; &nbsp; &amp; {{&x}}\n&fo; &;") ==
        "1: no entity '&foo;'\n2: no entity '&fo;'\n");
}

TEST_CASE("a page that Gmail would clip is warned of") {
  CHECK(said_of(std::string(102'400, 'x')) == "");
  CHECK(said_of(std::string(102'401, 'x')) ==
        "1: the page has 102401 bytes, Gmail shows the first 102400\n");
}

TEST_CASE("findings are bounded, in line order") {
  const auto findings = check_html(repeated("</b>\n", 100'000));
  CHECK(findings.size() == 101);
  CHECK(findings.back().what == "there are more findings");
  CHECK(said_of("<div>\n<img alt=''></b>\n") ==
        "!1: '<div>' is never closed\n!2: '</b>' closes nothing\n");
}

TEST_CASE("hostile pages are checked like others") {
  for (const auto& html : hostile_pages(std::size_t{1} << 20)) {
    const auto findings = check_html(html);
    CHECK(findings.size() <= 101);
    for (const auto& one : findings) REQUIRE(one.what.size() < 500);
    CHECK(preheader_place(html) <= html.size());
  }
  CHECK(check_html("<p " + repeated("href=x\n", 1'000'000) + ">").size() == 2);
  CHECK(check_html(repeated("&foo; ", 1'000'000)).size() == 101);
}

// --- tags
// ----------------------------------------------------------------------

TEST_CASE("all bytes of a page belong to one token") {
  std::mt19937 random(3);
  for (int round = 0; round < 5'000; ++round) {
    const std::string page = random_page(random);
    TagScanner scanner(page);
    HtmlToken token;
    std::string all;
    while (scanner.next(token)) {
      REQUIRE_FALSE(token.source.empty());
      all += token.source;
    }
    REQUIRE(all == page);
    (void)check_html(page);
    REQUIRE(preheader_place(page) <= page.size());
  }
}

TEST_CASE("attributes are read as browsers read them") {
  TagScanner scanner("<A b c=d e = 'f>\"' g=\"h\"i=j/k / =l>");
  HtmlToken token;
  REQUIRE(scanner.next(token));
  std::string all = token.name;
  for (const auto& one : token.attributes)
    all += fmt::format("|{}={}", one.name, one.value);
  CHECK(all == "a|b=|c=d|e=f>\"|g=h|i=j/k|=l=");
  CHECK_FALSE(token.closes_itself);
}

// --- the preheader
// ---------------------------------------------------------------

std::string with_preheader(std::string html) {
  return html.insert(preheader_place(html), "HERE");
}

TEST_CASE("a preheader stands first in the body") {
  CHECK(with_preheader("<html><head><style>body{}</style></head>"
                       "<!-- <body> --><body class='>'>x</body>") ==
        "<html><head><style>body{}</style></head>"
        "<!-- <body> --><body class='>'>HEREx</body>");
  CHECK(
      with_preheader("<!DOCTYPE html>\n<html>\n<head><title>a</title></head>\n"
                     "<p>x") ==
      "<!DOCTYPE html>\n<html>\n<head><title>a</title></head>HERE\n<p>x");
  CHECK(with_preheader("<p>x</p><style>y</style>") ==
        "HERE<p>x</p><style>y</style>");
  CHECK(with_preheader("<style>a{}</style>\n<p>x") ==
        "<style>a{}</style>HERE\n<p>x");
  CHECK(with_preheader("") == "HERE");
  CHECK(with_preheader("{{! <body> }}<BODY {{x}}>y") ==
        "{{! <body> }}<BODY {{x}}>HEREy");
}

TEST_CASE("a preheader is hidden, and no words of the page follow it") {
  const std::string html = preheader_html("50 &euro; off");
  CHECK(
      html.starts_with("<div style=\"display:none;max-height:0;"
                       "overflow:hidden;mso-hide:all\">50 &euro; off&#847;"));
  CHECK(html.ends_with("&nbsp;</div>"));
  CHECK(text_from_html(html + "<p>x") == "x\n");
  CHECK(preheader_html("") == "");
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
