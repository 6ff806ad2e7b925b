#include "core/config_reader.h"

#include <fmt/core.h>

#include <charconv>
#include <cstdlib>

#include "core/json.h"

namespace pony {
namespace {

using Kind = YamlNode::Kind;

// Long enough for everyone, and far from any overflow.
constexpr std::chrono::hours k_longest{100 * 365 * 24};
constexpr int k_largest_rate = 1'000'000'000;
constexpr std::size_t k_longest_host_name = 253;  // RFC 1035, 2.3.4

std::string_view word_for(const YamlNode& node) {
  switch (node.kind) {
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
    default:
      return "nothing";
  }
}

}  // namespace

void ConfigReader::refuse(int line, std::string what, std::string hint) {
  problems_.push_back({line, std::move(what), std::move(hint)});
}

void ConfigReader::refuse_value(const YamlEntry& entry, std::string_view wanted,
                                std::string hint) {
  const YamlNode& value = entry.value;
  if (value.is(Kind::bad)) return;  // told already
  const std::string found = value.is(Kind::text)
                                ? fmt::format("'{}'", printable(value.text, 80))
                                : std::string(word_for(value));
  refuse(entry.line,
         fmt::format("'{}' must be {}, not {}", entry.key, wanted, found),
         std::move(hint));
}

void ConfigReader::refuse_key(const YamlEntry& entry, std::string_view section,
                              const std::vector<std::string_view>& known) {
  std::string what = fmt::format("unknown key '{}'", printable(entry.key, 80));
  if (!section.empty()) what += fmt::format(" in '{}'", section);
  refuse(entry.line, std::move(what), did_you_mean(entry.key, known));
}

void ConfigReader::warn(int line, std::string_view what) {
  warnings_.push_back(fmt::format("{}: {}", place(line), what));
}

std::string ConfigReader::place(int line) const {
  return fmt::format("{}:{}", name_, line);
}

const std::string* ConfigReader::text(const YamlEntry& entry) {
  const YamlNode& value = entry.value;
  if (value.is(Kind::bad)) return nullptr;
  if (value.is(Kind::null) || (value.is(Kind::text) && value.text.empty())) {
    refuse(entry.line, fmt::format("'{}' has no value", entry.key));
    return nullptr;
  }
  if (!value.is(Kind::text)) {
    refuse(entry.line, fmt::format("'{}' must be one text, not {}", entry.key,
                                   word_for(value)));
    return nullptr;
  }
  if (has_control(value.text)) {
    refuse(entry.line,
           fmt::format("'{}' holds a line break or another control character",
                       entry.key));
    return nullptr;
  }
  return &value.text;
}

bool ConfigReader::is_map(const YamlEntry& entry) {
  if (entry.value.is(Kind::map)) return true;
  if (!entry.value.is(Kind::null)) refuse_value(entry, "a map");
  return false;
}

void ConfigReader::read(const YamlEntry& entry, std::string& out) {
  if (const std::string* value = text(entry)) out = *value;
}

void ConfigReader::read(const YamlEntry& entry, std::optional<Address>& out) {
  const std::string* value = text(entry);
  if (value == nullptr) return;
  auto address = parse_address(*value);
  if (address) {
    out = std::move(*address);
    return;
  }
  refuse(entry.line,
         fmt::format("'{}' is no address: {}", entry.key, address.error().what),
         address.error().hint);
}

void ConfigReader::read_argv(const YamlEntry& entry,
                             std::vector<std::string>& out) {
  const YamlNode& value = entry.value;
  const auto is_word = [](const YamlNode& item) {
    return item.is(Kind::text) && item.text.find('\0') == std::string::npos;
  };
  if (value.is(Kind::null)) return;
  if (!value.is(Kind::list) ||
      !std::all_of(value.items.begin(), value.items.end(), is_word)) {
    refuse_value(entry, "a list: a program and its arguments",
                 "write [/path/to/program, argument]; no shell is involved");
    return;
  }
  out.clear();
  for (const YamlNode& item : value.items) out.push_back(item.text);
  if (out.empty()) return;
  if (out.front().empty()) {
    refuse(entry.line, fmt::format("'{}' names no program", entry.key));
    return;
  }
  if (out.front().find('/') != std::string::npos)
    out.front() = absolute(out.front());
}

void ConfigReader::read_path(const YamlEntry& entry, std::string& out) {
  if (const std::string* value = text(entry)) out = absolute(*value);
}

void ConfigReader::read_number(const YamlEntry& entry, int& out, int least,
                               int most) {
  const std::string* value = text(entry);
  if (value == nullptr) return;
  const auto number = whole_number(*value);
  if (!number || *number < least || *number > most)
    refuse_value(entry, fmt::format("a number from {} to {}", least, most));
  else
    out = *number;
}

std::optional<Milliseconds> ConfigReader::duration(const YamlEntry& entry,
                                                   Milliseconds least) {
  const std::string* value = text(entry);
  if (value == nullptr) return std::nullopt;
  const auto parsed = parse_duration(*value);
  if (!parsed) {
    refuse_value(entry, "a duration", "such as 250ms, 30s, 15m, 4h or 5d");
    return std::nullopt;
  }
  if (*parsed < least || *parsed > k_longest) {
    refuse_value(entry,
                 fmt::format("a duration from {} to {}", format_duration(least),
                             format_duration(k_longest)));
    return std::nullopt;
  }
  return *parsed;
}

void ConfigReader::read_duration(const YamlEntry& entry,
                                 std::chrono::seconds& out,
                                 std::chrono::seconds least) {
  const auto value = duration(entry, least);
  if (!value) return;
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(*value);
  if (whole != *value)
    refuse_value(entry, "whole seconds");
  else
    out = whole;
}

void ConfigReader::read_duration(const YamlEntry& entry, Milliseconds& out) {
  if (const auto value = duration(entry, Milliseconds(1))) out = *value;
}

std::optional<RateLimit> ConfigReader::rate(std::string_view text) const {
  struct Unit {
    std::string_view name;
    int seconds;
  };
  static constexpr Unit k_units[] = {
      {"s", 1},     {"sec", 1},     {"second", 1}, {"m", 60},
      {"min", 60},  {"minute", 60}, {"h", 3600},   {"hour", 3600},
      {"d", 86400}, {"day", 86400}};
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto count = whole_number(text.substr(0, slash));
  if (!count || *count < 1 || *count > k_largest_rate) return std::nullopt;
  for (const Unit& unit : k_units)
    if (unit.name == text.substr(slash + 1))
      return RateLimit{*count, std::chrono::seconds(unit.seconds)};
  return std::nullopt;
}

void ConfigReader::read_rates(const YamlEntry& entry,
                              std::vector<RateLimit>& out) {
  std::vector<std::string> texts;
  read_list(entry, texts);
  out.clear();
  for (const std::string& text : texts) {
    if (const auto limit = rate(text)) {
      out.push_back(*limit);
      continue;
    }
    refuse(entry.line,
           fmt::format("'{}' must be a rate, not '{}'", entry.key,
                       printable(text, 80)),
           "such as 50/s, 1000/min, 5000/h or 100000/day");
  }
}

void ConfigReader::read_list(const YamlEntry& entry,
                             std::vector<std::string>& out) {
  if (!entry.value.is(Kind::list)) {
    if (const std::string* value = text(entry)) out = {*value};
    return;
  }
  out.clear();
  for (const YamlNode& item : entry.value.items) {
    if (item.is(Kind::bad)) continue;
    if (!item.is(Kind::text) || item.text.empty() || has_control(item.text)) {
      refuse(item.line, fmt::format("'{}' must be a list of texts", entry.key));
      continue;
    }
    out.push_back(item.text);
  }
}

std::string ConfigReader::absolute(std::string_view path) const {
  std::string out;
  if (path == "~" || path.starts_with("~/")) {
    const char* home = std::getenv("HOME");
    out = home == nullptr ? "" : home;
    path.remove_prefix(1);
  } else if (!path.starts_with('/')) {
    while (path.starts_with("./")) path.remove_prefix(2);
    out = folder_;
    if (!out.ends_with('/')) out += '/';
    if (path == ".") path = {};
  }
  out += path;
  while (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

std::vector<Problem> ConfigReader::take_problems() {
  std::stable_sort(problems_.begin(), problems_.end(),
                   [](const YamlProblem& a, const YamlProblem& b) {
                     return a.line < b.line;
                   });
  std::vector<Problem> problems;
  for (YamlProblem& problem : problems_) {
    problems.push_back({place(problem.line), std::move(problem.what),
                        std::move(problem.hint)});
  }
  problems_.clear();
  return problems;
}

std::optional<int> whole_number(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return {};
  int value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || value < 0) return {};
  return value;
}

std::optional<bool> truth(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

bool is_host_name(std::string_view text) {
  const auto is_host_byte = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  return !text.empty() && text.size() <= k_longest_host_name &&
         text.front() != '.' && text.front() != '-' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), is_host_byte);
}

}  // namespace pony
