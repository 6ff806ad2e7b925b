// Tests core/template/pattern.cc and filling.cc.
#include "core/template/pattern.h"

#include <doctest/doctest.h>

#include <kainjow/mustache.hpp>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/html_escape.h"
#include "core/json.h"
#include "core/template/filling.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("template");

namespace pony {
namespace {

using Words = std::vector<std::string>;
using Files = std::map<std::string, std::string, std::less<>>;

Json json(std::string_view text) {
  auto parsed = parse_json(text);
  REQUIRE_OK(parsed);
  return *parsed;
}

Result<Pattern> parsed(std::string_view text, Engine engine,
                       const NameRules& rules = {}, const Files& files = {}) {
  const Pattern::Partials partials =
      [&](std::string_view name) -> Result<std::optional<Pattern::Partial>> {
    const auto file = files.find(name);
    if (file == files.end()) return std::optional<Pattern::Partial>();
    return std::optional(
        Pattern::Partial{std::string(name) + ".html", file->second});
  };
  return Pattern::parse({text, "body", engine, &rules, &partials});
}

// `text` filled in, or what is missing: "[name@place]".
struct Filler {
  Engine engine;
  As as = As::text;
  NameRules rules = {};
  Files files = {};

  std::string operator()(std::string_view text, std::string_view values) const {
    const auto pattern = parsed(text, engine, rules, files);
    if (!pattern) return "refused: " + pattern.error().what;
    const auto given = json(values);
    Filling filling(given, "es", "es");
    auto out = filling.fill(*pattern, as);
    for (const auto& hole : filling.holes())
      out += "[" + hole.name + "@" + hole.place + "]";
    return out;
  }
};

const Filler k_simple{Engine::simple};
const Filler k_mustache{Engine::mustache};

// --- $name ---------------------------------------------------------------

TEST_CASE("a $name and a ${name} are replaced, $$ is a dollar, in any engine") {
  for (const auto& filled : {k_simple, k_mustache}) {
    CHECK(filled("Dear $name, ${n}th", R"({"name":"Ann","n":5})") ==
          "Dear Ann, 5th");
    CHECK(filled("$$name costs $$$price.", R"({"price":"9"})") ==
          "$name costs $9.");
    CHECK(filled("$a$b${a}b$_x1", R"({"a":1,"b":2,"_x1":3})") == "121b3");
    CHECK(filled("", "{}").empty());
  }
}

TEST_CASE("a dollar that starts no name stays") {
  for (const std::string text : {"$", "$25", "a $ b", "${", "${}", "${a",
                                 "${a b}", "${1}", "$\xC3\xA9", "$-", "100$"}) {
    CAPTURE(text);
    CHECK(k_simple(text, R"({"a":"no"})") == text);
    CHECK(k_mustache(text, R"({"a":"no"})") == text);
  }
}

TEST_CASE("a name ends where ASCII letters, digits and _ end") {
  CHECK(k_simple("$name\xC3\xA9", R"({"name":"Ren"})") == "Ren\xC3\xA9");
  CHECK(k_simple("$a-b $a.b", R"({"a":1})") == "1-b 1.b");
  CHECK(is_placeholder_name("_a1"));
  for (const auto* text : {"", "1a", "a-b", "$a", "\xC3\xA9"})
    CHECK_FALSE(is_placeholder_name(text));
}

TEST_CASE("a value is never looked at again") {
  const auto* values = R"({"a":"$25","b":"$$","c":"${a}$b{{a}}","d":"{{#a}}"})";
  CHECK(k_simple("$a|$b|$c|$d", values) == "$25|$$|${a}$b{{a}}|{{#a}}");
  CHECK(k_mustache("{{a}}|$b|{{{c}}}|$d", values) ==
        "$25|$$|${a}$b{{a}}|{{#a}}");
}

TEST_CASE("braces are text to the simple engine") {
  CHECK(k_simple("{{name}} {{#", "{}") == "{{name}} {{#");
}

// --- mustache ------------------------------------------------------------

TEST_CASE("a list is gone through, and an item's own keys come first") {
  CHECK(k_mustache("{{#items}}{{name}} {{price}} {{unit}};{{/items}}",
                   R"({"unit":"EUR","name":"no","items":[
                       {"name":"pen","price":2},
                       {"name":"ink","price":"19.90"}]})") ==
        "pen 2 EUR;ink 19.90 EUR;");
  CHECK(k_mustache("{{#tags}}<{{.}}>{{/tags}}", R"({"tags":["a",1,true]})") ==
        "<a><1><true>");
}

TEST_CASE("nothing, false, 0, an empty text and an empty list are not there") {
  for (const auto* value : {"null", "false", "\"\"", "[]", "0", "0.00"}) {
    CAPTURE(value);
    Filler filled{Engine::mustache};
    filled.rules.optional = {"x"};
    const auto values = R"({"x":)" + std::string(value) + "}";
    CHECK(filled("{{#x}}yes{{/x}}{{^x}}no{{/x}}", values) == "no");
  }
  for (const auto* value : {"true", "\"0\"", "1", "0.5", "{}", "[0]"}) {
    CAPTURE(value);
    const auto values = R"({"x":)" + std::string(value) + "}";
    CHECK(k_mustache("{{#x}}yes{{/x}}{{^x}}no{{/x}}", values) == "yes");
  }
}

TEST_CASE("dotted names walk into objects") {
  CHECK(k_mustache("{{a.b.c}} {{#a.b}}{{c}}{{/a.b}}",
                   R"({"a":{"b":{"c":"x"}}})") == "x x");
  // The first part decides: another 'a' further out is not asked.
  CHECK(k_mustache("{{#o}}{{a.b}}{{/o}}", R"({"a":{"b":1},"o":{"a":{}}})") ==
        "[a.b@body:1]");
}

TEST_CASE("an unknown name is a hole, wherever the text would use it") {
  CHECK(k_mustache("a\n{{x}}\n{{#y}}{{z}}{{/y}}", "{}") ==
        "a\n\n[x@body:2][y@body:3]");
  // Not where it would not be used.
  CHECK(k_mustache("{{#y}}{{z}}{{/y}}ok", R"({"y":false})") == "ok");
  CHECK(k_mustache("{{x}}", R"({"x":null})") == "[x@body:1]");
}

TEST_CASE("an item that lacks a key is told with the key that was meant") {
  const auto pattern =
      parsed("{{#items}}{{price}}{{/items}}", Engine::mustache);
  REQUIRE_OK(pattern);
  const auto values = json(R"({"items":[{"price":1},{"prise":2}]})");
  Filling filling(values, "en", "en");
  filling.fill(*pattern, As::text);
  REQUIRE(filling.holes().size() == 1);
  CHECK(filling.holes()[0].in_item);
  CHECK(filling.holes()[0].meant == "prise");
}

TEST_CASE("a list or an object cannot stand for a text") {
  CHECK(k_mustache("{{a}}{{b}}", R"({"a":[1],"b":{}})") ==
        "[a@body:1][b@body:1]");
}

TEST_CASE("an optional name may be missing") {
  Filler filled{Engine::mustache};
  filled.rules.optional = {"note", "discount"};
  CHECK(filled("{{#note}}<{{note}}>{{/note}}{{^note}}none{{/note}}", "{}") ==
        "none");
  CHECK(filled("{{#i}}{{n}}{{discount}};{{/i}}", R"({"i":[{"n":1}]})") == "1;");
}

TEST_CASE("{{lang}} is the language of the text, unless a value says so") {
  CHECK(k_mustache("{{lang}}", "{}") == "es");
  CHECK(k_simple("$lang", "{}") == "es");
  CHECK(k_mustache("{{lang}}", R"({"lang":"xx"})") == "xx");
}

TEST_CASE("a tag alone on its line leaves no empty line") {
  CHECK(k_mustache("<\n{{#a}}\n  x\n  {{/a}}  \n>", R"({"a":[1,2]})") ==
        "<\n  x\n  x\n>");
  CHECK(k_mustache("a\r\n{{! why }}\r\nb", "{}") == "a\r\nb");
  CHECK(k_mustache("{{#a}}\nx\n{{/a}}", R"({"a":true})") == "x\n");
  CHECK(k_mustache("a {{#a}}\nx\n{{/a}} b", R"({"a":true})") == "a \nx\n b");
}

TEST_CASE("a partial is put in where it is named, and has the same names") {
  Filler filled{Engine::mustache};
  filled.files = {{"head", "<{{title}}>\n"}, {"all", "{{> head}}$x"}};
  CHECK(filled("{{> head}}{{>all}}", R"({"title":"T","x":1})") ==
        "<T>\n<T>\n1");
  CHECK(filled("{{#i}}{{> head}}{{/i}}",
               R"({"i":[{"title":1},{"title":2}]})") == "<1>\n<2>\n");
  CHECK(filled("{{> head}}", "{}") == "<>\n[title@head.html:1]");
  CHECK(filled("x\n{{> tail}}", "{}") ==
        "refused: body:2: there is no partial 'tail'");
}

TEST_CASE("a partial within itself, and a bomb of partials, are refused") {
  Filler filled{Engine::mustache};
  filled.files = {{"a", "{{> b}}"}, {"b", "{{> a}}"}};
  CHECK(filled("{{> a}}", "{}").starts_with("refused: b.html:1: partial 'a'"));
  for (int i = 0; i < 9; ++i) {
    std::string text;
    for (int n = 0; n < 20; ++n) text += "{{> p" + std::to_string(i + 1) + "}}";
    filled.files["p" + std::to_string(i)] = text;
  }
  filled.files["p9"] = "boom";
  CHECK(filled("{{> p0}}", "{}").find("over 4 MiB") != std::string::npos);
}

TEST_CASE("more names than can be looked for in time are refused") {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "{{a}}";
  Filler filled{Engine::mustache};
  CHECK(filled(text, R"({"a": "x"})").size() == 10'000);
  CHECK(filled(text + "\n$a", "{}")
            .find("body:2: with its partials the text "
                  "has over 10,000 names") != std::string::npos);
}

TEST_CASE("of many holes the first hundred are told") {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += "{{a" + std::to_string(i) + "}}";
  const auto made = parsed(text, Engine::mustache);
  REQUIRE_OK(made);
  const Json none = Json::object();
  Filling filling(none, "en", "en");
  (void)filling.fill(*made, As::text);
  CHECK(filling.holes().size() == 100);
}

TEST_CASE("what an author gets wrong is told with file and line") {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"a\nb {{name", "body:2: '{{' is never closed"},
      {"\n{{#items}}x", "body:2: '{{#items}}' is never closed"},
      {"{{^items}}x", "body:1: '{{^items}}' is never closed"},
      {"x\n\n{{/items}}", "body:3: '{{/items}}' closes nothing"},
      {"{{#a}}\n{{#b}}\n{{/a}}\n{{/b}}",
       "body:3: '{{/a}}' stands where '{{/b}}' was wanted"},
      {"{{= <% %> =}}", "body:1: the braces of tags cannot be changed"},
      {"{{first name}}", "body:1: '{{first name}}' is no name"},
      {"{{}}", "body:1: '{{}}' is no name"},
      {"{{a..b}}", "body:1: '{{a..b}}' is no name"},
  };
  for (const auto& [text, what] : wrong) {
    CAPTURE(text);
    const auto pattern = parsed(text, Engine::mustache);
    CHECK_FAILS(pattern, config);
    CHECK(pattern.error().what == what);
  }
}

TEST_CASE("sections are not deeper than 32") {
  std::string text;
  for (int i = 0; i < 33; ++i) text += "{{#a}}";
  CHECK_FAILS(parsed(text, Engine::mustache), config);
}

TEST_CASE("lists within lists cannot grow beyond every mail") {
  std::string list = "[";
  for (int i = 0; i < 500; ++i) list += "0,";
  list += "0]";
  const auto filled =
      k_mustache("{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}",
                 R"({"a":)" + list + "}");
  CHECK(filled.ends_with("[a@body:1]"));
  const auto large = k_mustache(
      "{{#a}}{{#a}}{{t}}{{/a}}{{/a}}",
      R"({"t":")" + std::string(10'000, 'x') + R"(","a":)" + list + "}");
  CHECK(large.size() < (std::size_t{17} << 20));
  CHECK(large.find("[") != std::string::npos);
}

// --- contexts ------------------------------------------------------------

TEST_CASE("in HTML what has a meaning there is escaped, unless it is raw") {
  Filler filled{Engine::mustache, As::html};
  const auto* values = R"({"x":"<a href=\"x\">Q&A isn't</a>"})";
  const std::string escaped =
      "&lt;a href=&quot;x&quot;&gt;Q&amp;A isn&#39;t&lt;/a&gt;";
  const std::string raw = "<a href=\"x\">Q&A isn't</a>";
  CHECK(filled("{{x}}", values) == escaped);
  CHECK(filled("$x", values) == escaped);
  CHECK(filled("{{{x}}}{{&x}}", values) == raw + raw);
  filled.rules.raw = {"x"};
  CHECK(filled("{{x}}$x", values) == raw + raw);
  CHECK(k_mustache("{{x}}", values) == raw);
}

TEST_CASE("a value's line breaks become <br> only where the template asks") {
  Filler filled{Engine::simple, As::html};
  const auto* values = R"({"x":"a\nb\r\n<c>\rd"})";
  CHECK(filled("$x", values) == "a\nb\r\n&lt;c&gt;\rd");
  filled.rules.line_breaks = {"x"};
  CHECK(filled("$x", values) == "a<br>\nb<br>\n&lt;c&gt;<br>\nd");
  filled.as = As::text;
  CHECK(filled("$x", values) == "a\nb\r\n<c>\rd");
}

TEST_CASE("no value brings a line break into a header") {
  Filler filled{Engine::mustache, As::header};
  for (const auto* value : {"a\\nBcc: x@y", "a\\r", "\\u0000", "\\u2028"}) {
    CAPTURE(value);
    const auto values = R"({"x":")" + std::string(value) + "\"}";
    CHECK(filled("{{x}}", values) == "[x@body:1]");
    CHECK(filled("{{{x}}}", values) == "[x@body:1]");
    CHECK(filled("$x", values) == "[x@body:1]");
  }
}

TEST_CASE("in a URI a value is percent-encoded, unless it begins it") {
  Filler filled{Engine::simple, As::uri};
  const auto* values =
      R"({"u":"https://a.example/x?y=1","e":"a+b@c d/\u00e9"})";
  CHECK(filled("https://b.example/?e=$e", values) ==
        "https://b.example/?e=a%2Bb%40c%20d%2F%C3%A9");
  CHECK(filled("$u", values) == "https://a.example/x?y=1");
}

TEST_CASE("numbers, money and dates take the form of the language") {
  CHECK(k_mustache("{{#money}}{{t}} EUR{{/money}}", R"({"t":"1234.5"})") ==
        "1234,50\u00a0\u20ac");
  CHECK(k_mustache("{{#date}}{{date}}{{/date}}", R"({"date":"2026-11-21"})") ==
        "21 de noviembre de 2026");
  CHECK(k_mustache("{{#number}}{{n}}{{/number}}", R"({"n":12345.6})") ==
        "12.345,6");
  CHECK(k_mustache("{{#money}}{{t}} EUR{{/money}}", R"({"t":"a lot"})") ==
        "[money@body:1]");
  // Its value is missing, and that is what is said.
  CHECK(k_mustache("{{#money}}{{t}} EUR{{/money}}", "{}") == "[t@body:1]");
}

// --- names ---------------------------------------------------------------

TEST_CASE("every use of a name is known, with its section and place") {
  const auto pattern = parsed(
      "$b {{a}}\n{{#items}}{{price}}{{#money}}{{sum}} EUR{{/money}}{{/items}}"
      "{{^none}}{{.}}{{x.y}}{{/none}}",
      Engine::mustache, NameRules{{}, {"none"}, {}});
  REQUIRE_OK(pattern);
  Words said;
  for (const auto& use : pattern->uses())
    said.push_back(use.section + "/" + use.name + "@" + use.place +
                   (use.is_section ? "#" : "") + (use.optional ? "?" : ""));
  CHECK(said == Words{"/b@body:1", "/a@body:1", "/items@body:2#",
                      "items/price@body:2", "items/sum@body:2",
                      "/none@body:2#?", "/x.y@body:2"});
}

// --- a second pair of eyes -----------------------------------------------

// Random templates and data, of what mustache renderers agree on.
class Gambler {
 public:
  explicit Gambler(unsigned seed) : random_(seed) {}

  std::string text(int depth) {
    std::string out;
    for (int i = pick(6); i-- > 0;) {
      switch (pick(depth > 3 ? 5 : 8)) {
        case 0:
          out += "{{" + name() + "}}";
          break;
        case 1:
          out += "{{{" + name() + "}}}";
          break;
        case 2:
          out += "{{! no }}";
          break;
        case 3:
          out += "<\n";
          break;
        case 4:
          out += "a & b ";
          break;
        default: {
          const auto section = name();
          out += pick(3) == 0 ? "{{^" : "{{#";
          out += section + "}}";
          if (pick(2) == 0) out += "\n";
          out += text(depth + 1);
          if (pick(2) == 0) out += "\n";
          out += "{{/" + section + "}}";
        }
      }
    }
    return out;
  }

  Json object(int depth) {
    Json made = Json::object();
    for (const char c : std::string("abcd"))
      made.set(std::string(1, c), value(depth));
    return made;
  }

 private:
  int pick(int n) { return std::uniform_int_distribution<>(0, n - 1)(random_); }
  std::string name() {
    return std::string(1, static_cast<char>('a' + pick(4)));
  }
  Json value(int depth) {
    switch (pick(depth > 2 ? 3 : 6)) {
      case 0:
        return Json::string("<v>" + std::to_string(pick(100)));
      case 1:
        return Json::string("v & w");
      case 2:
        return Json::array();
      case 3:
        return object(depth + 1);
      default: {
        Json list = Json::array();
        for (int i = pick(4); i-- > 0;) list.items.push_back(object(depth + 1));
        return list;
      }
    }
  }

  std::mt19937 random_;
};

kainjow::mustache::data data_of(const Json& value) {
  using kainjow::mustache::data;
  switch (value.kind) {
    case Json::Kind::array: {
      data list(data::type::list);
      for (const auto& item : value.items) list.push_back(data_of(item));
      return list;
    }
    case Json::Kind::object: {
      data object;
      for (const auto& [key, member] : value.members)
        object.set(key, data_of(member));
      return object;
    }
    default:
      return data(value.text);
  }
}

// The other takes a line with several tags for one that stands alone.
std::string without_white_space(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

TEST_CASE("every text knows the file and line on which it begins") {
  const auto pattern = parsed("one\n{{! gone\n}}\n two $$ {{a}}x\n{{>p}}\nend",
                              Engine::mustache, {}, {{"p", "in\n$b\nout\n"}});
  REQUIRE_OK(pattern);
  std::string found;
  for (const auto& node : pattern->nodes())
    found += pattern->place_of(node) + " '" + node.text + "'\n";
  CHECK(found ==
        "body:1 'one\n'\nbody:4 ' two $'\nbody:4 ' '\nbody:4 'a'\n"
        "body:4 'x\n'\np.html:1 'in\n'\np.html:2 'b'\np.html:2 '\nout\n'\n"
        "body:6 'end'\n");
}

TEST_CASE("random templates come out as another mustache renders them") {
  int compared = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    Gambler gambler(seed);
    const auto text = gambler.text(0);
    const auto values = gambler.object(0);
    const auto pattern = parsed(text, Engine::mustache);
    REQUIRE_OK(pattern);
    Filling filling(values, "en", "en");
    const auto ours = filling.fill(*pattern, As::html);
    // What is no text is a hole to us and nothing to the other.
    if (!filling.holes().empty()) continue;
    kainjow::mustache::mustache other(text);
    REQUIRE(other.is_valid());
    other.set_custom_escape(
        [](const std::string& s) { return escape_html(s); });
    CAPTURE(text);
    CAPTURE(to_text(values));
    CHECK(without_white_space(ours) ==
          without_white_space(other.render(data_of(values))));
    ++compared;
  }
  CHECK(compared > 1000);
}

TEST_CASE("a use tells in which form its value is put in") {
  const auto pattern = parsed(
      "$a {{#money}} {{b}} {{/money}} {{#money}}{{c}} EUR{{/money}}"
      "{{#l}}{{#date}}{{.}}{{/date}}{{/l}}{{^n}}{{d}}{{/n}}",
      Engine::mustache);
  REQUIRE_OK(pattern);
  const auto uses = pattern->uses();
  std::string told;
  for (const auto& use : uses) {
    told += use.name + (use.is_inverted ? "^" : "") +
            (use.has_texts ? "." : "") + (use.is_alone ? "!" : "") +
            std::to_string(static_cast<int>(use.formatter)) + " ";
  }
  CHECK(told == "a0 b!2 c2 l.!3 n^0 d0 ");
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
