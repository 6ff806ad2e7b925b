// JSON, read strictly and written safely.
//
// Reading: one document a call, RFC 8259, UTF-8 only, no duplicate keys, at
// most 64 levels deep. Numbers keep their spelling ("19.90" stays "19.90": in
// a receipt that is a price), members keep their order. Writing: the one place
// where a string becomes a JSON string, so that no value can break a line of
// the event log. nlohmann/json does the parsing and is seen only in json.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace pony {

struct JsonMember;

// A JSON value. `text` is a string's value (UTF-8), a number as it was
// written, "true" or "false".
struct Json {
  enum class Kind : std::uint8_t {
    null,
    boolean,
    number,
    string,
    array,
    object
  };

  Kind kind = Kind::null;
  std::string text;
  std::vector<Json> items;
  std::vector<JsonMember> members;

  bool is(Kind k) const { return kind == k; }
  bool is_string() const { return kind == Kind::string; }
  bool is_object() const { return kind == Kind::object; }
  bool is_array() const { return kind == Kind::array; }
  // The member called `key` of an object, else nullptr.
  const Json* find(std::string_view key) const;
  // The member's text if it is a string (or number or boolean), else `other`.
  std::string_view text_of(std::string_view key,
                           std::string_view other = {}) const;
  // The member as an integer, else `other`.
  std::int64_t number_of(std::string_view key, std::int64_t other = 0) const;

  static Json string(std::string value);
  static Json number(std::int64_t value);
  static Json boolean(bool value);
  static Json array();
  static Json object();
  // Appends a member to an object and returns its value.
  Json& set(std::string key, Json value);
};

struct JsonMember {
  std::string key;
  Json value;
};

// Parses `text`, which holds exactly one document. bad_data names line and
// column, counted from `first_line`: "line 3, column 7: …".
Result<Json> parse_json(std::string_view text, std::size_t first_line = 1);

// The compact spelling of `value`, on one line.
std::string to_text(const Json& value);
// The same with two spaces a level, for people.
std::string to_pretty_text(const Json& value);
void append_json(std::string& out, const Json& value);

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8
// become U+FFFD; control characters, DEL, U+2028 and U+2029 are escaped.
void append_json_string(std::string& out, std::string_view text);

// Writes one flat object member by member, without building a tree: the way
// to the event log and to --json. Finish with end(), which closes the brace.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out);
  JsonWriter& field(std::string_view name, std::string_view value);
  JsonWriter& field(std::string_view name, const char* value);
  JsonWriter& field(std::string_view name, std::int64_t value);
  JsonWriter& field(std::string_view name, const std::vector<std::string>&);
  JsonWriter& null(std::string_view name);
  JsonWriter& boolean(std::string_view name, bool value);
  // `json` is valid JSON already (a nested object or array).
  JsonWriter& raw(std::string_view name, std::string_view json);
  void end();

 private:
  void key(std::string_view name);
  std::string& out_;
  bool first_ = true;
};

// The entry of `known` that is nearest to `word` by edit distance, if it is
// near enough to be what was meant; else empty.
std::string_view nearest(std::string_view word,
                         const std::vector<std::string_view>& known);
// "did you mean 'retry'?", or empty when nothing is near.
std::string did_you_mean(std::string_view word,
                         const std::vector<std::string_view>& known);

// Is `text` valid UTF-8 (RFC 3629: no surrogates, no overlong forms)?
bool is_utf8(std::string_view text);
bool is_ascii(std::string_view text);
// Has `text` a C0 control, DEL, a C1 control, U+2028 or U+2029? Such text is
// refused wherever it could reach a header or a log line.
bool has_control(std::string_view text);
// `text` fit for a terminal or an error: controls and bad UTF-8 shown as
// \xNN or \u{N}, cut at `limit` bytes with "…".
std::string printable(std::string_view text, std::size_t limit = 300);

}  // namespace pony
