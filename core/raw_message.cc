#include "core/raw_message.h"

#include <algorithm>

#include "core/lower_case.h"

namespace pony {
namespace {

// The length of the line that `text` begins with, its end with it.
std::size_t line_size(std::string_view text) {
  const std::size_t end = text.find_first_of("\r\n");
  if (end == std::string_view::npos) return text.size();
  const bool is_crlf =
      text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
  return end + (is_crlf ? 2 : 1);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_line_end(char c) {
  return c == '\r' || c == '\n';
}

// The name in `line`, or nothing (RFC 5322, 3.6.8 and 4.5.8).
std::string_view name_in(std::string_view line) {
  std::string_view name = line.substr(0, line.find(':'));
  if (name.size() == line.size()) return {};
  while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
  const bool is_name = std::all_of(
      name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7F'; });
  return is_name ? name : std::string_view{};
}

}  // namespace

std::string_view header_of(std::string_view raw) {
  std::size_t at = 0;
  while (at < raw.size() && !is_line_end(raw[at]))
    at += line_size(raw.substr(at));
  return raw.substr(0, at);
}

bool next_field(std::string_view& header, RawField& field) {
  if (header.empty()) return false;
  std::size_t size = line_size(header);
  field.name = name_in(header.substr(0, size));
  while (size < header.size() && is_blank(header[size]))
    size += line_size(header.substr(size));
  field.whole = header.substr(0, size);
  field.value = field.name.empty()
                    ? field.whole
                    : field.whole.substr(field.whole.find(':') + 1);
  header.remove_prefix(size);
  return true;
}

bool is_called(const RawField& field, std::string_view name) {
  return field.name.size() == name.size() && in_lower_case(field.name) == name;
}

std::string unfolded(std::string_view value) {
  std::string line;
  line.reserve(value.size());
  std::copy_if(value.begin(), value.end(), std::back_inserter(line),
               [](char c) { return !is_line_end(c); });
  std::replace(line.begin(), line.end(), '\t', ' ');
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  line.erase(line.find_last_not_of(' ') + 1);
  line.erase(0, begin);
  return line;
}

void remove_fields(std::string& raw,
                   const std::function<bool(const RawField&)>& is_unwanted) {
  std::string_view header = header_of(raw);
  const std::size_t header_size = header.size();
  std::string kept;
  RawField field;
  while (next_field(header, field))
    if (!is_unwanted(field)) kept.append(field.whole);
  if (kept.size() < header_size) raw.replace(0, header_size, kept);
}

void prepend_field(std::string& raw, std::string_view name,
                   std::string_view value) {
  std::string line(name);
  line.append(": ").append(value).append("\r\n");
  raw.insert(0, line);
}

void mark_subject(std::string& raw, std::string_view mark) {
  std::string_view header = header_of(raw);
  RawField field;
  while (next_field(header, field)) {
    if (!is_called(field, "subject")) continue;
    const auto at = static_cast<std::size_t>(field.value.data() - raw.data());
    raw.insert(at, " " + std::string(mark));
    return;
  }
  prepend_field(raw, "Subject", mark);
}

}  // namespace pony
