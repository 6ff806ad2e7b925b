// Tests core/json_records.cc.
#include "core/json_records.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("core");

namespace pony {
namespace {

using Words = std::vector<std::string>;

// Every record of `input`, fed in pieces of `piece` bytes.
std::vector<JsonRecords::Record> records_of(std::string_view input,
                                            std::size_t piece,
                                            std::size_t limit = 1000) {
  JsonRecords records(limit);
  std::vector<JsonRecords::Record> found;
  const auto take_all = [&] {
    while (auto record = records.next()) found.push_back(std::move(*record));
  };
  for (std::size_t at = 0; at < input.size(); at += piece) {
    records.feed(input.substr(at, piece));
    take_all();
  }
  records.finish();
  take_all();
  CHECK_FALSE(records.next().has_value());
  return found;
}

// Their texts, which must not depend on how the input is cut.
Words texts_of(std::string_view input) {
  Words whole;
  for (const auto& record : records_of(input, input.size() + 1))
    whole.push_back(record.text);
  for (const std::size_t piece : {1, 2, 3, 7}) {
    CAPTURE(piece);
    Words texts;
    for (const auto& record : records_of(input, piece))
      texts.push_back(record.text);
    CHECK(texts == whole);
  }
  return whole;
}

std::vector<std::size_t> lines_of(std::string_view input) {
  std::vector<std::size_t> lines;
  for (const auto& record : records_of(input, 1)) lines.push_back(record.line);
  return lines;
}

TEST_CASE("one message is one record, on one line or on many") {
  CHECK(texts_of(R"({"to":"a@b"})") == Words{R"({"to":"a@b"})"});
  const std::string pretty = "{\n  \"to\": [\n    {\n\"a\": 1},\n{}\n  ]\n}";
  CHECK(texts_of(pretty) == Words{pretty});
  CHECK(texts_of("\n\n " + pretty + "\r\n\n") == Words{pretty});
}

TEST_CASE("JSON Lines give a record a line, with the line on which it begins") {
  const std::string_view lines =
      "{\"a\":1}\r\n\n{\"b\":\n2}\n{\"c\":3}{\"d\":4}";
  CHECK(texts_of(lines) ==
        Words{"{\"a\":1}", "{\"b\":\n2}", "{\"c\":3}", "{\"d\":4}"});
  CHECK(lines_of(lines) == std::vector<std::size_t>{1, 3, 5, 5});
}

TEST_CASE("an array gives a record an element") {
  const std::string_view array = "[\n {\"a\":[1,{}]},\n\n {\"b\":2} ]\n";
  CHECK(texts_of(array) == Words{"{\"a\":[1,{}]}", "{\"b\":2}"});
  CHECK(lines_of(array) == std::vector<std::size_t>{2, 4});
  CHECK(texts_of("[]").empty());
  CHECK(texts_of("[1, \"x,]\", true]") == Words{"1", "\"x,]\"", "true"});

  JsonRecords records(100);
  records.feed("{}");
  (void)records.next();
  CHECK_FALSE(records.is_array());
  JsonRecords of_array(100);
  of_array.feed("[");
  (void)of_array.next();
  CHECK(of_array.is_array());
}

TEST_CASE("brackets, quotes and line ends inside a string end nothing") {
  const std::string tricky = R"({"t":"}{][\"\\","n":"\n"})";
  CHECK(texts_of(tricky + "\n" + tricky) == Words{tricky, tricky});
}

TEST_CASE("a broken line does not take the following ones with it") {
  CHECK(texts_of("{\"a\":[1\n{\"b\":2}\n") == Words{"{\"a\":[1", "{\"b\":2}"});
  CHECK(texts_of("{\"a\":\"torn\n{\"b\":2}\n") ==
        Words{"{\"a\":\"torn", "{\"b\":2}"});
  CHECK(texts_of("{\"a\":\"torn:\n{\"b\":2}\n") ==
        Words{"{\"a\":\"torn:", "{\"b\":2}"});
  CHECK(texts_of("}\n{\"b\":2}\n") == Words{"}", "{\"b\":2}"});
  CHECK(texts_of("what?\n{\"b\":2}\n") == Words{"what?", "{\"b\":2}"});
}

TEST_CASE("what is still open at the end of the input is given as it is") {
  CHECK(texts_of("{\"a\":1}\n{\"b\":") == Words{"{\"a\":1}", "{\"b\":"});
  CHECK(texts_of("{\"a\":\"\\") == Words{"{\"a\":\"\\"});
  CHECK(texts_of(" \n\t\r\n").empty());
  CHECK(texts_of("").empty());
}

TEST_CASE(
    "a record that is too large is told without its text, and costs "
    "none of the others") {
  const std::string large = "{\"a\":\"" + std::string(5000, 'x') + "\"}";
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{64}, large.size()}) {
    CAPTURE(piece);
    const auto records =
        records_of("{\"b\":1}\n" + large + "\n{\"c\":2}\n", piece, 100);
    REQUIRE(records.size() == 3);
    CHECK(records[0].text == "{\"b\":1}");
    CHECK(records[1].too_large);
    CHECK(records[1].text.empty());
    CHECK(records[1].line == 2);
    CHECK_FALSE(records[2].too_large);
    CHECK(records[2].text == "{\"c\":2}");
    CHECK(records[2].line == 3);
  }
}

TEST_CASE("a record of just the limit is not too large") {
  const std::string text = "{\"a\":\"" + std::string(92, 'x') + "\"}";
  REQUIRE(text.size() == 100);
  CHECK_FALSE(records_of(text, 7, 100).at(0).too_large);
  CHECK(records_of(text, 7, 99).at(0).too_large);
}

TEST_CASE(
    "a stream without end is read with the memory of its largest record") {
  JsonRecords records(1000);
  std::size_t found = 0;
  std::string record;
  for (int i = 0; i < 20'000; ++i) {
    record = "{\"i\":" + std::to_string(i) + "}\n";
    records.feed(record);
    while (const auto next = records.next()) {
      CHECK(next->text + "\n" == record);
      CHECK(next->line == found + 1);
      ++found;
    }
  }
  CHECK(found == 20'000);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
