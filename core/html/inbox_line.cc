// See inbox_line.h. Tags are skipped, not understood: what a mail program
// makes of a broken page nobody knows.
#include "core/html/inbox_line.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/lower_case.h"

namespace pony {
namespace {

constexpr std::size_t k_room = 140;
constexpr char32_t k_no_character = 0xFFFD;

// Their content is no text of the page.
constexpr std::array<std::string_view, 5> k_unread = {
    "script", "style", "title", "template", "noframes"};
// Words go on across these; every other tag stands between two words.
constexpr std::array<std::string_view, 15> k_inline = {
    "a",   "abbr",  "b",    "bdi",    "code", "em",  "font", "i",
    "ins", "small", "span", "strong", "sub",  "sup", "u"};

constexpr std::array<std::pair<std::string_view, char32_t>, 12> k_entities = {{
    {"amp", U'&'},
    {"lt", U'<'},
    {"gt", U'>'},
    {"quot", U'"'},
    {"apos", U'\''},
    {"nbsp", 0xA0},
    {"ensp", 0x2002},
    {"emsp", 0x2003},
    {"zwnj", 0x200C},
    {"zwj", 0x200D},
    {"shy", 0xAD},
    {"hellip", 0x2026},
}};

template <std::size_t N>
bool has(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

bool is_space(char32_t c) {
  return c == ' ' || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F ||
         c == 0x3000;
}

// Takes room in an inbox's memory, but none on the screen.
bool is_invisible(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x34F ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

// Takes the first character off `text`, which is not empty.
char32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80   ? 1
                           : first < 0xC2 ? 0
                           : first < 0xE0 ? 2
                           : first < 0xF0 ? 3
                           : first < 0xF5 ? 4
                                          : 0;
  char32_t c = size == 1 ? first : first & (0xFFU >> (size + 1));
  if (size == 0 || size > text.size()) {
    text.remove_prefix(1);
    return k_no_character;
  }
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) c = k_no_character;
    if (c != k_no_character) c = (c << 6) | (next & 0x3FU);
  }
  text.remove_prefix(size);
  return c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) ? k_no_character : c;
}

char32_t number_entity(std::string_view digits) {
  const bool hex = digits.starts_with('x') || digits.starts_with('X');
  if (hex) digits.remove_prefix(1);
  char32_t c = 0;
  for (const char digit : digits) {
    const char low = static_cast<char>(digit | 0x20);
    if (digit >= '0' && digit <= '9')
      c = c * (hex ? 16 : 10) + static_cast<char32_t>(digit - '0');
    else if (hex && low >= 'a' && low <= 'f')
      c = c * 16 + static_cast<char32_t>(low - 'a' + 10);
    else
      return 0;
    if (c > 0x10FFFF) return k_no_character;
  }
  return c >= 0xD800 && c < 0xE000 ? k_no_character : c;
}

// The same when it is written as an entity; one that is not known is its '&'.
char32_t take_resolved(std::string_view& text) {
  const auto end = text.substr(0, 12).find(';');
  if (text.front() == '&' && end != std::string_view::npos) {
    const auto name = text.substr(1, end - 1);
    char32_t c = 0;
    if (name.size() > 1 && name.front() == '#')
      c = number_entity(name.substr(1));
    for (const auto& [known, code] : k_entities)
      if (known == name) c = code;
    if (c != 0) {
      text.remove_prefix(end + 1);
      return c;
    }
  }
  return take_character(text);
}

// A line that is being written.
class Line {
 public:
  bool is_full() const { return taken_ >= k_room; }
  // A space or what stands for one; several in a row are one.
  void gap() {
    if (!gap_) ++taken_;
    gap_ = true;
  }
  void put(char32_t c) {
    if (is_space(c) || is_invisible(c)) {
      space_due_ = space_due_ || gap_;
      ++taken_;
      gap_ = false;
      space_due_ = space_due_ || is_space(c);
      return;
    }
    if ((gap_ || space_due_) && !out_.empty()) out_ += ' ';
    gap_ = space_due_ = false;
    append_utf8(out_, c);
    ++taken_;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
  std::size_t taken_ = 0;
  bool gap_ = false;
  bool space_due_ = false;
};

// Where the tag that `html` begins with ends: behind its '>'.
std::size_t tag_size(std::string_view html) {
  char quote = 0;
  for (std::size_t i = 1; i < html.size(); ++i) {
    if (quote != 0) {
      if (html[i] == quote) quote = 0;
    } else if (html[i] == '>') {
      return i + 1;
    } else if ((html[i] == '"' || html[i] == '\'') && html[i - 1] == '=') {
      quote = html[i];
    }
  }
  return html.size();
}

// How much of `html` is before "</name".
std::size_t size_until_end_of(std::string_view html, std::string_view name) {
  for (auto at = html.find("</"); at != std::string_view::npos;
       at = html.find("</", at + 2))
    if (in_lower_case(html.substr(at + 2, name.size())) == name) return at;
  return html.size();
}

// Takes the tag or comment at the beginning of `html`; false when it is none.
bool take_tag(std::string_view& html, Line& line) {
  if (html.starts_with("<!--")) {
    const auto end = html.find("-->", 4);
    html.remove_prefix(end == std::string_view::npos ? html.size() : end + 3);
    return true;
  }
  const std::size_t at = html.starts_with("</") ? 2 : 1;
  if (html.size() <= at) return false;
  const char first = html[at];
  const char low = static_cast<char>(first | 0x20);
  if (first != '!' && first != '?' && !(low >= 'a' && low <= 'z')) return false;
  const auto size = tag_size(html);
  const auto inside = html.substr(at, size - at);
  const auto name =
      in_lower_case(inside.substr(0, inside.find_first_of(" \t\r\n\f/>")));
  html.remove_prefix(size);
  if (at == 1 && has(k_unread, name))
    html.remove_prefix(size_until_end_of(html, name));
  if (!has(k_inline, name)) line.gap();
  return true;
}

}  // namespace

std::string inbox_line(std::string_view html) {
  Line line;
  while (!html.empty() && !line.is_full()) {
    if (html.front() == '<' && take_tag(html, line)) continue;
    if (is_blank(html.front())) {
      line.gap();
      html.remove_prefix(1);
    } else {
      line.put(take_resolved(html));
    }
  }
  return line.take();
}

}  // namespace pony
