// Tests core/template/renderer.cc and language_fallback.cc.
#include "core/template/renderer.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

TEST_SUITE_BEGIN("template");

namespace pony {
namespace {

using Words = std::vector<std::string>;

std::string filled(std::string_view text,
                   const std::map<std::string, std::string, std::less<>>& by) {
  return fill_in(text, [&](std::string_view name) {
    const auto value = by.find(name);
    return value == by.end() ? "?" : value->second;
  });
}

TEST_CASE("a $name and a ${name} are replaced, $$ is a dollar") {
  CHECK(filled("Dear $name, ${n}th", {{"name", "Ann"}, {"n", "5"}}) ==
        "Dear Ann, 5th");
  CHECK(filled("$$name costs $$$price.", {{"price", "9"}}) ==
        "$name costs $9.");
  CHECK(filled("$a$b${a}b$_x1", {{"a", "1"}, {"b", "2"}, {"_x1", "3"}}) ==
        "121b3");
  CHECK(filled("", {}).empty());
}

TEST_CASE("a dollar that starts no name stays") {
  for (const std::string text : {"$", "$25", "a $ b", "${", "${}", "${a",
                                 "${a b}", "${1}", "$\xC3\xA9", "$-", "100$"}) {
    CAPTURE(text);
    CHECK(filled(text, {{"a", "no"}}) == text);
    CHECK(placeholder_names(text).empty());
  }
}

TEST_CASE("a name ends where ASCII letters, digits and _ end") {
  CHECK(filled("$name\xC3\xA9", {{"name", "Ren"}}) == "Ren\xC3\xA9");
  CHECK(filled("$a-b $a.b", {{"a", "1"}}) == "1-b 1.b");
  CHECK(is_placeholder_name("_a1"));
  for (const auto* text : {"", "1a", "a-b", "$a", "\xC3\xA9"})
    CHECK_FALSE(is_placeholder_name(text));
}

TEST_CASE("a value is never looked at again") {
  CHECK(filled("$a|$b|$c", {{"a", "$25"}, {"b", "$$"}, {"c", "${a}$b"}}) ==
        "$25|$$|${a}$b");
}

TEST_CASE("names come once each, in order of their first use") {
  CHECK(placeholder_names("$b $a ${b} $$c $a $d") == Words{"b", "a", "d"});
}

TEST_CASE("the line of a name's first use is found") {
  const std::string text = "$$b\n$bb\n\n${b} $b\n";
  CHECK(line_of_first_use(text, "b") == 4);
  CHECK(line_of_first_use(text, "bb") == 2);
  CHECK(line_of_first_use(text, "c") == 0);
}

TEST_CASE("what has a meaning in HTML is escaped") {
  CHECK(escape_html("<a href=\"x\">Q&A isn't</a>") ==
        "&lt;a href=&quot;x&quot;&gt;Q&amp;A isn&#39;t&lt;/a&gt;");
  CHECK(escape_html("Gr\xC3\xBC\xC3\x9F") == "Gr\xC3\xBC\xC3\x9F");
}

TEST_CASE("a language falls back to its base, then to the defaults") {
  CHECK(language_chain("es-MX", "de", "en") ==
        Words{"es-MX", "es", "de", "en"});
  CHECK(language_chain("zh-Hant-TW", "", "en-GB") ==
        Words{"zh-Hant-TW", "zh-Hant", "zh", "en-GB", "en"});
  CHECK(language_chain("de-x-formal", "", "") == Words{"de-x-formal", "de"});
  CHECK(language_chain("", "", "").empty());
}

TEST_CASE("languages are compared without case, es_MX is es-MX, once each") {
  CHECK(language_chain("ES_mx", "es-MX", "EN") == Words{"ES-mx", "ES", "EN"});
  CHECK(is_same_language("pt-BR", "PT_br"));
  CHECK_FALSE(is_same_language("pt-BR", "pt"));
}

TEST_CASE("no odd language makes the chain endless") {
  for (const auto* odd : {"-", "--", "a-", "-a", "x-a-b", "../..", "a-b-c-d-e"})
    CHECK(language_chain(odd, odd, odd).size() < 8);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
