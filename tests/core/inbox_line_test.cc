// Tests core/html/inbox_line.cc.
#include "core/html/inbox_line.h"

#include <doctest/doctest.h>

#include <string>

#include "core/json.h"

TEST_SUITE_BEGIN("html");

namespace pony {
namespace {

TEST_CASE("an inbox shows the first words of a mail, hidden ones too") {
  CHECK(inbox_line("<!DOCTYPE html><html><head><title>No</title>"
                   "<style>p > a {}</style><script>no</script></head>\n<body>"
                   "<div style=\"display:none\" title='a > b'>Your order "
                   "is\non its way</div><p>Dear <b>An</b>n,</p><p>x</p>") ==
        "Your order is on its way Dear Ann, x");
  CHECK(inbox_line("a &amp; b &lt;c&gt; &#39;d&#x27; &unknown; & e") ==
        "a & b <c> 'd' &unknown; & e");
  CHECK(inbox_line("1 < 2<!-- <p>no</p> -->!") == "1 < 2!");
  CHECK(inbox_line("<p>  </p>").empty());
}

TEST_CASE("the padding of a preheader keeps the mail's own words away") {
  std::string html = "<div>A word.";
  for (int i = 0; i < 44; ++i) html += "&#8199;&#847; ";
  html += "\xE2\x80\x8C</div><p>Dear Ann</p>";
  CHECK(inbox_line(html) == "A word.");
  CHECK(inbox_line("a &zwnj;&nbsp; <br> b") == "a b");
}

TEST_CASE("an inbox's line is short") {
  std::string html;
  for (int i = 0; i < 1000; ++i) html += "\xE3\x81\x82";
  CHECK(inbox_line(html).size() == 140 * 3);
}

TEST_CASE("any bytes have an inbox's line, in UTF-8 and without controls") {
  for (const std::string html : {"<",
                                 "</",
                                 "<!--",
                                 "<style",
                                 "<style>",
                                 "<p title=\"",
                                 "&#",
                                 "&#x;",
                                 "&#xD800;a",
                                 "&#99999999999;",
                                 "&#27;[31m",
                                 "\xE3\x81",
                                 "\xFF\xC3",
                                 "\xED\xA0\x80",
                                 "\xF4\x90\x80\x80",
                                 "a\x1B[31mb",
                                 "\xC2\x9B",
                                 "&#x202E;abc",
                                 "</style",
                                 "<!"}) {
    CAPTURE(html);
    const auto line = inbox_line(html);
    CHECK(is_utf8(line));
    CHECK_FALSE(has_control(line));
  }
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
