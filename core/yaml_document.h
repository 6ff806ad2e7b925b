// YAML, read strictly: what yaml-cpp lets pass and people do not mean is a
// problem here, with its line. Files of people's settings go through this.
//
// Refused: bytes that are not UTF-8, control characters, duplicate keys,
// aliases, anchors and tags, a second document, and text that runs over the
// end of its line (yaml-cpp takes a quote that is never closed, and then
// swallows the keys below it); block scalars ("|") may. All text stays as it
// was written: what is a number or a duration is for the caller to say, so
// that `010` is never 8 and `no` is never false.
//
// Doesn't know: what any key means. yaml-cpp is seen only in the .cc; we take
// its events, not its nodes, which would cost as much again as the parsing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

struct YamlEntry;

// A value. `null` is nothing, `~` or `null`; `bad` was a problem, which has
// been told already: skip it.
struct YamlNode {
  enum class Kind : std::uint8_t { null, text, list, map, bad };

  Kind kind = Kind::null;
  int line = 1;
  std::string text;
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  // in the file's order, no key twice

  bool is(Kind k) const { return kind == k; }
};

struct YamlEntry {
  std::string key;
  int line = 1;
  YamlNode value;
};

struct YamlProblem {
  int line = 1;
  std::string what;
  std::string hint;
};

// `root` is bad when the text is no YAML at all; `null` when it is empty.
struct YamlDocument {
  YamlNode root;
  std::vector<YamlProblem> problems;
};

// Reads `text`, which holds one document. Total: any bytes give an answer.
YamlDocument read_yaml(std::string_view text);

}  // namespace pony
