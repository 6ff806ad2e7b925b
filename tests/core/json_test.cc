// JSON is read strictly, and no value can break out of a written line.
#include "core/json.h"

#include <doctest/doctest.h>

#include "tests/support/require_ok.h"

namespace pony {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string error_of(std::string_view text) {
  const auto json = parse_json(text);
  return json ? "(was read)" : json.error().what;
}

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

TEST_SUITE_BEGIN("core");

TEST_CASE("a document is written as it was read") {
  for (const std::string_view text :
       {R"({"b":[1,{"a":null}],"a":true,"c":false,"":""})", "[]", "{}", "null",
        R"("x")", "19.90", "-0.0", "1E5", "18446744073709551616", "-12",
        R"(["ä","\u2028\u0000\u007f\"\\"])"}) {
    CAPTURE(text);
    const auto json = parse_json(text);
    REQUIRE_OK(json);
    CHECK(to_text(*json) == text);
  }
}

TEST_CASE("a number keeps its spelling") {
  const auto json = parse_json(R"({"price": 19.90, "count": 1.0e2})");
  REQUIRE_OK(json);
  CHECK(json->text_of("price") == "19.90");
  CHECK(json->text_of("count") == "1.0e2");
}

TEST_CASE("escapes are resolved, also those of pairs") {
  const auto json = parse_json(R"("a\n\u00e4\ud83d\ude00\/")");
  REQUIRE_OK(json);
  CHECK(json->text == "a\nä😀/");
}

TEST_CASE("long strings arrive whole, one after the other") {
  const std::string a(5'000, 'a');
  const std::string b(9'000, 'b');
  const auto json = parse_json("[\"" + a + "\",\"x\",\"" + b + "\",\"y\"]");
  REQUIRE_OK(json);
  REQUIRE(json->items.size() == 4);
  CHECK(json->items[0].text == a);
  CHECK(json->items[1].text == "x");
  CHECK(json->items[2].text == b);
  CHECK(json->items[3].text == "y");
}

TEST_CASE("an error names line and column") {
  CHECK(error_of("{\n  \"a\": 1,\n  }") ==
        "line 3, column 3: while parsing object key - unexpected '}'; "
        "expected string literal");
  CHECK(error_of("{} x") ==
        "line 1, column 4: while parsing value - invalid literal");
  CHECK(error_of("[1,") ==
        "line 1, column 4: while parsing value - unexpected end of input; "
        "expected '[', '{', or a literal");
  CHECK(error_of("[\"ä\", nul]").starts_with("line 1, column 10: "));
  const auto later = parse_json("\n[", 40);
  REQUIRE_FALSE(later);
  CHECK(later.error().what.starts_with("line 41, column 2: "));
}

TEST_CASE("an error does not repeat the document or its controls") {
  const std::string what = error_of("\"\x1b[2J" + std::string(100'000, 'x'));
  CHECK(what.size() < 400);
  CHECK_FALSE(has_control(what));
}

TEST_CASE("duplicate keys are refused at any level and in any number") {
  CHECK(error_of(R"({"a": 1, "a": 2})") ==
        "line 1, column 10: the key 'a' is there already");
  CHECK(error_of(R"([{"x": {"a\"": 1, "a\"": 2}}])") ==
        "line 1, column 19: the key 'a\"' is there already");
  CHECK(error_of(R"({"a": 1, "\u0061": 2})") ==
        "line 1, column 10: the key 'a' is there already");
  std::string many = "{";
  for (int i = 0; i < 50'000; ++i) many += "\"k" + std::to_string(i) + "\":1,";
  CHECK(parse_json(many + "\"z\":1}"));
  CHECK_FAILS(parse_json(many + "\"k7\":1}"), bad_data);
  CHECK_FAILS(parse_json(many + "\"k49999\":1}"), bad_data);
  CHECK(parse_json(R"([{"a":1},{"a":1}])"));
}

TEST_CASE("more than 64 levels are refused, however many") {
  CHECK(parse_json(nested(64)));
  CHECK(error_of(nested(65)) == "line 1, column 65: more than 64 levels deep");
  CHECK_FAILS(parse_json(std::string(100'000, '[')), bad_data);
  CHECK_FAILS(parse_json(std::string(1'000'000, '{')), bad_data);
}

TEST_CASE("numbers that are none are refused") {
  CHECK(error_of("[1, 1e400]") ==
        "line 1, column 5: the number '1e400' is too large");
  CHECK(error_of("-1e400") ==
        "line 1, column 1: the number '-1e400' is too large");
  for (const std::string_view text :
       {"NaN", "Infinity", "-", "01", "1.", ".5", "+1", "0x10", "1e"}) {
    CAPTURE(text);
    CHECK_FAILS(parse_json(text), bad_data);
  }
}

TEST_CASE("what is not exactly one document is refused") {
  for (const std::string_view text :
       {"", " \n", "{} {}", "{}x", "[1,]", "{\"a\":1,}", "{a:1}", "'a'",
        "// c\n1", "\xEF\xBB\xBF{}", "tru", "\"a"}) {
    CAPTURE(text);
    CHECK_FAILS(parse_json(text), bad_data);
  }
}

TEST_CASE("a NUL byte does not end the input unseen") {
  using namespace std::string_view_literals;
  CHECK(error_of("{}\0{}"sv) == "line 1, column 3: a NUL byte");
  CHECK_FAILS(parse_json("\"a\0b\""sv), bad_data);
}

TEST_CASE("text that is not UTF-8 is refused") {
  for (const std::string_view text :
       {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
        "\"\xe2\x80\"", R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")",
        "\"\n\""}) {
    CAPTURE(text);
    CHECK_FAILS(parse_json(text), bad_data);
  }
}

TEST_CASE("members are found and read as text or number") {
  const auto json =
      parse_json(R"({"a":"x","n":-5,"f":1.5,"t":true,"z":null,"l":[]})");
  REQUIRE_OK(json);
  CHECK(json->text_of("a") == "x");
  CHECK(json->text_of("n") == "-5");
  CHECK(json->text_of("t") == "true");
  CHECK(json->text_of("z", "other") == "other");
  CHECK(json->text_of("l", "other") == "other");
  CHECK(json->text_of("none", "other") == "other");
  CHECK(json->number_of("n") == -5);
  CHECK(json->number_of("f", 9) == 9);
  CHECK(json->number_of("a", 9) == 9);
  CHECK(json->find("none") == nullptr);
}

TEST_CASE("a tree can be built by hand") {
  Json json = Json::object();
  json.set("s", Json::string("x"));
  json.set("n", Json::number(-1));
  json.set("b", Json::boolean(true));
  json.set("l", Json::array()).items.push_back(Json{});
  CHECK(to_text(json) == R"({"s":"x","n":-1,"b":true,"l":[null]})");
}

TEST_CASE("pretty text has two spaces a level") {
  const auto json = parse_json(R"({"a":[1,{}],"b":{"c":[]}})");
  REQUIRE_OK(json);
  CHECK(to_pretty_text(*json) ==
        "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": []\n  }\n"
        "}");
}

TEST_CASE("no string leaves its line or its quotes") {
  using namespace std::string_view_literals;
  CHECK(quoted("plain") == "\"plain\"");
  CHECK(quoted("") == "\"\"");
  CHECK(quoted("a\"b\\c") == R"("a\"b\\c")");
  CHECK(quoted("\r\n\t\0\x1b\x7f"sv) == R"("\r\n\t\u0000\u001b\u007f")");
  CHECK(quoted("\u2028x\u2029\u0085") == R"("\u2028x\u2029\u0085")");
  CHECK(quoted("ä😀") == "\"ä😀\"");
  CHECK(quoted("a\xff\xc3") == "\"a\uFFFD\uFFFD\"");
  CHECK(quoted("\xed\xa0\x80") == "\"\uFFFD\uFFFD\uFFFD\"");
}

TEST_CASE("any bytes become a string that reads back as one line") {
  std::uint32_t random = 1;
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes;
    for (int i = 0; i < 40; ++i) {
      random = random * 1'664'525 + 1'013'904'223;
      bytes += static_cast<char>(random >> 24);
    }
    const std::string line = quoted(bytes);
    CHECK_FALSE(has_control(line));
    const auto json = parse_json(line);
    REQUIRE_OK(json);
    if (is_utf8(bytes)) CHECK(json->text == bytes);
    CHECK(quoted(json->text) == line);
  }
}

TEST_CASE("the writer makes one flat object") {
  std::string out = ">";
  JsonWriter line(out);
  line.field("a", "x\n").field("n", std::int64_t{-7}).null("z");
  line.boolean("b", false).raw("r", "[1]");
  line.field("l", std::vector<std::string>{"p", "q\""}).end();
  CHECK(out ==
        R"(>{"a":"x\n","n":-7,"z":null,"b":false,"r":[1],"l":["p","q\""]})");
  std::string empty;
  JsonWriter(empty).end();
  CHECK(empty == "{}");
}

TEST_CASE("a misspelt word finds the one that was meant") {
  const std::vector<std::string_view> known = {"retry", "from", "to", "subject",
                                               "reply_to"};
  CHECK(nearest("retires", known) == "retry");
  CHECK(nearest("form", known) == "from");
  CHECK(nearest("subjet", known) == "subject");
  CHECK(nearest("SUBJECT", known) == "subject");
  CHECK(nearest("replyto", known) == "reply_to");
  CHECK(nearest("colour", known).empty());
  CHECK(nearest("x", known).empty());
  CHECK(nearest("", known).empty());
  CHECK(nearest(std::string(1'000'000, 'x'), known).empty());
  CHECK(did_you_mean("retires", known) == "did you mean 'retry'?");
  CHECK(did_you_mean("colour", known).empty());
}

TEST_CASE("UTF-8 is told from what only looks like it") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain ASCII that is longer than one word"));
  CHECK(is_utf8("ä€😀\u2028"));
  for (const std::string_view text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82",
        "eight by\xff", "\xc3("}) {
    CAPTURE(text);
    CHECK_FALSE(is_utf8(text));
  }
  CHECK(is_ascii("abc\n"));
  CHECK_FALSE(is_ascii("12345678ä"));
}

TEST_CASE("controls are seen wherever they hide") {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {"\n"sv, "\r"sv, "a\0b"sv, "\t"sv, "\x1b"sv, "\x7f"sv, "a\u0080"sv,
        "\u009f"sv, "ä\u2028"sv, "\u2029"sv}) {
    CHECK(has_control(text));
  }
  CHECK_FALSE(has_control("plain, ä \u00a0 \u2027 \u202f 😀"));
}

TEST_CASE("printable text shows what a terminal would obey") {
  CHECK(printable("ä\n\x1b[2J\x7f") == "ä\\x0a\\x1b[2J\\x7f");
  CHECK(printable("\xff\u0085\u2028\u202e") ==
        "\\xff\\u{85}\\u{2028}\\u{202e}");
  CHECK(printable("12345", 5) == "12345");
  CHECK(printable("123456", 5) == "12345…");
  CHECK(printable("1234ä", 5) == "1234…");
}

TEST_SUITE_END();

}  // namespace
}  // namespace pony
