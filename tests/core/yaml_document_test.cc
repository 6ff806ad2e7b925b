#include "core/yaml_document.h"

#include <doctest/doctest.h>

#include <string>

using pony::read_yaml;
using pony::YamlDocument;
using Kind = pony::YamlNode::Kind;

namespace {

// "line: what; line: what"
std::string problems_of(std::string_view text) {
  std::string out;
  for (const auto& problem : read_yaml(text).problems) {
    if (!out.empty()) out += "; ";
    out += std::to_string(problem.line) + ": " + problem.what;
  }
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("yaml");

TEST_CASE("maps, lists and texts come with their lines") {
  const YamlDocument document =
      read_yaml("a: {b: [1, two]}\n\nc: 'it''s'\nd:\n  - \"x\\\"y\" # why\n");

  CHECK(document.problems.empty());
  REQUIRE(document.root.is(Kind::map));
  REQUIRE(document.root.entries.size() == 3);
  const auto& b = document.root.entries[0].value.entries.at(0);
  CHECK(b.key == "b");
  CHECK(b.value.items.at(1).text == "two");
  const auto& c = document.root.entries[1];
  CHECK(c.line == 3);
  CHECK(c.value.text == "it's");
  CHECK(document.root.entries[2].value.items.at(0).text == "x\"y");
  CHECK(document.root.entries[2].value.items.at(0).line == 5);
}

TEST_CASE("text stays as it was written, whatever YAML makes of it") {
  const YamlDocument document = read_yaml("[010, yes, 1e3, 0x10, 2026-11-21]");

  REQUIRE(document.root.items.size() == 5);
  CHECK(document.root.items[0].text == "010");
  CHECK(document.root.items[1].text == "yes");
  CHECK(document.root.items[2].text == "1e3");
  CHECK(document.root.items[3].text == "0x10");
  CHECK(document.root.items[4].text == "2026-11-21");
}

TEST_CASE("nothing is null, an empty quote is text") {
  const YamlDocument document = read_yaml("a:\nb: ~\nc: ''\n");

  REQUIRE(document.root.entries.size() == 3);
  CHECK(document.root.entries[0].value.is(Kind::null));
  CHECK(document.root.entries[1].value.is(Kind::null));
  CHECK(document.root.entries[2].value.is(Kind::text));
}

TEST_CASE("an empty file and one of comments hold nothing, and are fine") {
  for (const char* text : {"", "# only a comment\n", "---\n", "\xEF\xBB\xBF"}) {
    const YamlDocument document = read_yaml(text);
    CHECK(document.problems.empty());
    CHECK(document.root.is(Kind::null));
  }
}

TEST_CASE("a byte order mark and CRLF line ends do no harm") {
  const YamlDocument document = read_yaml(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: \"2\"\r\nc: three words here\r\n");

  CHECK(document.problems.empty());
  REQUIRE(document.root.entries.size() == 3);
  CHECK(document.root.entries[0].value.text == "1");
  CHECK(document.root.entries[2].value.text == "three words here");
}

TEST_CASE("a block scalar may have many lines") {
  const YamlDocument document = read_yaml("a: |\n  x\n  y\nb: 1\n");

  CHECK(document.problems.empty());
  CHECK(document.root.entries.at(0).value.text == "x\ny\n");
}

TEST_CASE(
    "a comment hides its line and no other, and lines keep their number") {
  const YamlDocument document = read_yaml(
      "# one\na: 1 # two\n  \t# three\n\nb: '# four'\n#\nc: |\n  # five\n  x\n"
      "# six\n");

  CHECK(document.problems.empty());
  REQUIRE(document.root.entries.size() == 3);
  CHECK(document.root.entries[0].value.text == "1");
  CHECK(document.root.entries[1].line == 5);
  CHECK(document.root.entries[1].value.text == "# four");
  CHECK(document.root.entries[2].line == 7);
  CHECK(document.root.entries[2].value.text == "# five\nx\n");
  CHECK(problems_of("a: 'x\n# y\n'\n") ==
        "1: a quote is not closed on its line");
}

TEST_CASE("every duplicate key is told, and the first one counts") {
  const std::string text = "a: 1\nb: {c: 1, c: 2}\na: 2\n";

  CHECK(problems_of(text) == "2: duplicate key 'c'; 3: duplicate key 'a'");
  CHECK(read_yaml(text).root.entries.at(0).value.text == "1");
}

TEST_CASE("a quote that is never closed does not swallow the keys below it") {
  CHECK(problems_of("a: \"foo\nb: bar\n") ==
        "1: a quote is not closed on its line");
  CHECK(problems_of("a: 1\nb: 'foo\nc: 1\n") ==
        "2: a quote is not closed on its line");
  CHECK(problems_of("a: \"foo\\\nbar\"\n") ==
        "1: a quote is not closed on its line");
  // Accents before it: yaml-cpp counts bytes, and so do we.
  CHECK(problems_of("a: \xC3\xA9\xC3\xA9\nb: \"ok\"\nc: 'foo\n") ==
        "3: a quote is not closed on its line");
}

TEST_CASE("text that runs into the next line is a missing comma or colon") {
  CHECK(problems_of("a: [50/s\n  100/day]\n") ==
        "1: text runs over the end of its line");
  CHECK(problems_of("a: one\n  two\n") ==
        "1: text runs over the end of its line");
}

TEST_CASE("aliases, anchors, tags and second documents are refused") {
  CHECK(problems_of("a: &x 1\nb: *x\n") ==
        "1: anchors ('&name') are not supported; "
        "2: aliases ('*name') are not supported");
  CHECK(problems_of("a: !!int 3\n") == "1: tags ('!name') are not supported");
  CHECK(problems_of("a: ! 3\n") == "1: tags ('!name') are not supported");
  CHECK(problems_of("a: &x {b: 1}\n") ==
        "1: anchors ('&name') are not supported");
  CHECK(problems_of("a: 1\n---\nb: 2\n") == "2: a second document");
}

TEST_CASE("a key must be a word") {
  CHECK(problems_of("[a]: 1\n") == "1: a key must be a word");
  CHECK(problems_of("~: 1\n") == "1: a key must be a word");
}

TEST_CASE("what is no YAML is told with its line, and has no content") {
  const YamlDocument document = read_yaml("a: 1\nb: {c: 1\n");

  REQUIRE(document.problems.size() == 1);
  CHECK(document.problems[0].what.starts_with("this is not YAML: "));
  CHECK(document.root.is(Kind::bad));
  CHECK(problems_of("a:\n\t- b\n").starts_with("2: this is not YAML"));
}

TEST_CASE("bytes that are no text are refused before YAML sees them") {
  CHECK(problems_of("a: 1\nb: \xFF\n") == "2: not UTF-8");
  CHECK(problems_of(std::string("a: 1\0\n", 6)) ==
        "1: control character \\x00");
  CHECK(problems_of("a: 1\n\nb: \x1b[31m\n") == "3: control character \\x1b");
  CHECK(problems_of("a: 1\rb: 2\n") == "1: control character \\x0d");
}

TEST_CASE("a document nested too deep is refused, not a crash") {
  CHECK_FALSE(problems_of(std::string(100000, '[')).empty());
  CHECK_FALSE(problems_of(std::string(100000, '{')).empty());
}

TEST_SUITE_END();
