// Tests core/template/sample_values.cc.
#include "core/template/sample_values.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "core/template/filling.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("template");

namespace pony {
namespace {

std::vector<Pattern::Use> uses_of(std::string_view text) {
  auto pattern = Pattern::parse({text, "body", Engine::mustache});
  REQUIRE_OK(pattern);
  return pattern->uses();
}

// What is made up for `text` besides `given`: "VALUES | NAMES".
std::string samples(std::string_view text, std::string_view given = "{}") {
  auto json = parse_json(given);
  REQUIRE_OK(json);
  const auto made = with_samples(*json, uses_of(text));
  std::string out = to_text(made.values) + " |";
  for (const auto& name : made.made_up) out += " " + name;
  return out;
}

// `text` filled with samples; what is still missing in brackets.
std::string filled(std::string_view text, std::string_view given = "{}") {
  auto json = parse_json(given);
  REQUIRE_OK(json);
  auto pattern = Pattern::parse({text, "body", Engine::mustache});
  REQUIRE_OK(pattern);
  const auto made = with_samples(*json, pattern->uses());
  Filling filling(made.values, "en", "en");
  auto out = filling.fill(*pattern, As::text);
  for (const auto& hole : filling.holes()) out += "[" + hole.name + "]";
  return out;
}

TEST_CASE("a missing value is its name, for everybody to see") {
  CHECK(samples("Dear $name, {{order.number}} {{lang}}") ==
        R"({"name":"‹name›","order":{"number":"‹order.number›"}})"
        " | name order.number");
}

TEST_CASE("what was given stays, null is made up") {
  CHECK(samples("$name $team {{o.a}} {{o.b}}",
                R"({"name":"Ann","team":null,"o":{"b":1},"x":2})") ==
        R"({"name":"Ann","team":"‹team›","o":{"b":1,"a":"‹o.a›"},"x":2})"
        " | o.a team");
}

TEST_CASE("a section with names of its own is a list of two") {
  CHECK(filled("{{#items}}{{name}}: {{price}}; {{/items}}$total") ==
        "‹name›: ‹price›; ‹name›: ‹price›; ‹total›");
  CHECK(filled("{{#tags}}{{.}} {{/tags}}") == "‹tags 1› ‹tags 2› ");
  CHECK(filled("{{#a}}{{#b}}{{c}}{{/b}}{{/a}}") == "‹c›‹c›‹c›‹c›");
}

TEST_CASE("a section without names of its own is a condition") {
  CHECK(filled("{{#vip}}Dear {{name}}{{/vip}}{{^vip}}Hello{{/vip}} $name") ==
        "Dear ‹name› ‹name›");
  CHECK(filled("{{^paid}}please pay{{/paid}}") == "please pay");
  CHECK(filled("{{#note}}Note: {{note}} {{by}}{{/note}}") ==
        "Note: ‹note› ‹by›");
}

TEST_CASE("items that were given lack nothing afterwards") {
  CHECK(samples("{{#items}}{{name}} {{price}} {{unit}}{{/items}}",
                R"({"unit":"EUR","items":[{"name":"pen"},{"price":2}]})") ==
        R"({"unit":"EUR","items":[{"name":"pen","price":"‹price›"},)"
        R"({"price":2,"name":"‹name›"}]})"
        " | items.name items.price");
  CHECK(samples("{{#items}}{{a}}{{/items}}", R"({"items":[]})") ==
        R"({"items":[]} |)");
}

TEST_CASE("what is formatted has a form that can be") {
  CHECK(samples("{{#money}}{{a}}{{/money}} {{#money}}{{b}} EUR{{/money}} "
                "{{#money}}{{currency}} {{c}}{{/money}} "
                "{{#number}}{{d}}{{/number}}") ==
        R"({"a":"19.90 EUR","b":"19.90","c":"19.90","currency":"EUR",)"
        R"("d":"1234.5"} | a b c currency d)");
  CHECK(samples("{{#date}}{{a}}{{/date}} {{#time}}{{b}}{{/time}} "
                "{{#datetime}}{{c}}{{/datetime}} "
                "{{#datetime}}{{day}} {{the_time}}{{/datetime}}") ==
        R"({"a":"2026-11-21","b":"10:00","c":"2026-11-21T10:00:00Z",)"
        R"("day":"2026-11-21","the_time":"10:00"} | a b c day the_time)");
  CHECK(samples("{{#date}}{{at}}{{/date}} {{#time}}{{at}}{{/time}}") ==
        R"({"at":"2026-11-21T10:00:00Z"} | at)");
  CHECK(samples("{{#p}}{{#money}}{{.}}{{/money}};{{/p}}") ==
        R"({"p":["19.90 EUR","19.90 EUR"]} | p)");
}

TEST_CASE("lists within lists do not multiply without end") {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "{{#s" + std::to_string(i) + "}}";
  text += "{{x}}";
  for (int i = 20; i-- > 0;) text += "{{/s" + std::to_string(i) + "}}";
  CHECK(filled(text) == "‹x›‹x›‹x›‹x›‹x›‹x›‹x›‹x›");
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) deep += ".a";
  CHECK(samples("{{" + deep + "}}") == "{} |");
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
