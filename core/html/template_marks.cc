#include "core/html/template_marks.h"

#include <algorithm>
#include <optional>

#include "core/trimmed.h"

namespace pony {
namespace {

// A mustache tag.
struct Mark {
  ByteRange place;
  char kind = ' ';        // # ^ / ! > = & { or, for a plain value, a space
  std::string_view name;  // without kind and spaces
};

// The first mark at or behind `from`. One that never ends is none, and then
// there is no other behind it.
std::optional<Mark> find_mark(std::string_view source, std::size_t from) {
  const std::size_t begin = source.find("{{", from);
  if (begin == std::string_view::npos) return std::nullopt;
  const bool is_triple = source.substr(begin).starts_with("{{{");
  const std::string_view closing = is_triple ? "}}}" : "}}";
  const std::size_t end = source.find(closing, begin + closing.size());
  if (end == std::string_view::npos) return std::nullopt;
  Mark mark;
  mark.place = {begin, end + closing.size()};
  std::string_view inside = trimmed(
      source.substr(begin + closing.size(), end - begin - closing.size()));
  constexpr std::string_view k_kinds = "#^/!>=&";
  if (is_triple) {
    mark.kind = '{';
  } else if (!inside.empty() &&
             k_kinds.find(inside.front()) != std::string_view::npos) {
    mark.kind = inside.front();
    inside = trimmed(inside.substr(1));
  }
  mark.name = inside;
  return mark;
}

bool prints_value(char kind) {
  return kind == ' ' || kind == '&' || kind == '{';
}

}  // namespace

std::string without_marks(std::string_view source, SilentMarks silent) {
  std::string hidden(source);
  std::size_t at = 0;
  while (const auto mark = find_mark(source, at)) {
    const bool as_letters =
        prints_value(mark->kind) || silent == SilentMarks::become_letters;
    for (at = mark->place.begin; at < mark->place.end; ++at)
      if (hidden[at] != '\n') hidden[at] = as_letters ? 'x' : ' ';
  }
  return hidden;
}

std::vector<ByteRange> inverted_sections(std::string_view source) {
  std::vector<ByteRange> ranges;
  std::optional<Mark> open;
  std::size_t at = 0;
  while (const auto mark = find_mark(source, at)) {
    at = mark->place.end;
    if (!open && mark->kind == '^') {
      open = mark;
    } else if (open && mark->kind == '/' && mark->name == open->name) {
      ranges.push_back({open->place.end, mark->place.begin});
      open.reset();
    }
  }
  return ranges;
}

bool has_mark(std::string_view source, std::string_view kinds) {
  std::size_t at = 0;
  while (const auto mark = find_mark(source, at)) {
    if (kinds.find(mark->kind) != std::string_view::npos) return true;
    at = mark->place.end;
  }
  return false;
}

bool begins_with_value(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with("{{")) return true;
  if (text.size() < 2 || text[0] != '$') return false;
  const char next = text[1];
  return next == '{' || next == '_' || (next >= 'a' && next <= 'z') ||
         (next >= 'A' && next <= 'Z');
}

}  // namespace pony
