// What the sections of pony.yaml have in common: taking one value as a number,
// a duration, a path …, and collecting what is wrong with its line, so that
// all problems are told at once. Doesn't know which keys there are.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/result.h"
#include "core/yaml_document.h"

namespace pony {

// Reads values into the places of a Config. A value that is wrong becomes a
// problem, and its place keeps what it had.
class ConfigReader {
 public:
  // `name` is what places call the file; relative paths start from `folder`.
  ConfigReader(std::string_view name, std::string_view folder)
      : name_(name), folder_(folder) {}

  void refuse(int line, std::string what, std::string hint = {});
  // "'port' must be a number, not 'abc'": `wanted` is "a number".
  void refuse_value(const YamlEntry& entry, std::string_view wanted,
                    std::string hint = {});
  // An unknown `entry` of `section` (empty: the top), with the nearest of
  // `known`.
  void refuse_key(const YamlEntry& entry, std::string_view section,
                  const std::vector<std::string_view>& known);
  void warn(int line, std::string_view what);
  // "pony.yaml:14"
  std::string place(int line) const;

  // The text of a value (numbers and `yes` are text too); nullptr when it is
  // something else, empty or has a control character.
  const std::string* text(const YamlEntry& entry);
  // Whether the value is a map. One that was left empty is none, silently:
  // people comment out what is below a key.
  bool is_map(const YamlEntry& entry);

  void read(const YamlEntry& entry, std::string& out);
  void read(const YamlEntry& entry, std::optional<Address>& out);
  // An argv; its program is taken as a path if it has a slash.
  void read_argv(const YamlEntry& entry, std::vector<std::string>& out);
  // An absolute path: "~/" is the home, relative ones begin in the folder.
  void read_path(const YamlEntry& entry, std::string& out);
  void read_number(const YamlEntry& entry, int& out, int least, int most);
  // Whole seconds.
  void read_duration(const YamlEntry& entry, std::chrono::seconds& out,
                     std::chrono::seconds least = std::chrono::seconds(1));
  void read_duration(const YamlEntry& entry, Milliseconds& out);
  // "50/s", "100000/day", one or a list of them.
  void read_rates(const YamlEntry& entry, std::vector<RateLimit>& out);
  // A text, or a list of texts.
  void read_list(const YamlEntry& entry, std::vector<std::string>& out);

  // `path` made absolute, without "./" and slashes at its end.
  std::string absolute(std::string_view path) const;

  // Remembers that a secret stands in the file itself.
  void note_plain_secret(int line) {
    if (plain_secret_line_ == 0) plain_secret_line_ = line;
  }
  // The line of the first such secret, or 0.
  int plain_secret_line() const { return plain_secret_line_; }

  // Everything that was refused, by line.
  std::vector<Problem> take_problems();
  std::vector<std::string> take_warnings() { return std::move(warnings_); }

 private:
  std::optional<Milliseconds> duration(const YamlEntry& entry,
                                       Milliseconds least);
  std::optional<RateLimit> rate(std::string_view text) const;

  std::string_view name_;
  std::string_view folder_;
  int plain_secret_line_ = 0;
  std::vector<YamlProblem> problems_;
  std::vector<std::string> warnings_;
};

// A key of a section, and how its value gets into a T.
template <class T>
struct ConfigField {
  std::string_view key;
  void (*read)(ConfigReader& reader, const YamlEntry& entry, T& out);
};

template <class T>
std::vector<std::string_view> keys_of(std::span<const ConfigField<T>> fields) {
  std::vector<std::string_view> keys;
  for (const auto& field : fields) keys.push_back(field.key);
  return keys;
}

// The field called `key`, or nullptr.
template <class T>
const ConfigField<T>* find_field(std::span<const ConfigField<T>> fields,
                                 std::string_view key) {
  for (const auto& field : fields)
    if (field.key == key) return &field;
  return nullptr;
}

// Reads the map `node`, which `section` names, into `out`.
template <class T>
void read_fields(ConfigReader& reader, const YamlNode& node,
                 std::string_view section,
                 std::span<const ConfigField<T>> fields, T& out) {
  for (const YamlEntry& entry : node.entries) {
    const auto* field = find_field(fields, entry.key);
    if (field == nullptr)
      reader.refuse_key(entry, section, keys_of(fields));
    else
      field->read(reader, entry, out);
  }
}

// A whole decimal number; "010" and "+1" are none: whoever writes them may
// mean something else.
std::optional<int> whole_number(std::string_view text);
// "true" or "false"; YAML's yes, on and so on are none.
std::optional<bool> truth(std::string_view text);
// A host name as it may stand in a URL; non-ASCII ones too.
bool is_host_name(std::string_view text);

}  // namespace pony
