#include "core/mime/header_encoding.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/json.h"
#include "core/mime/body_encoding.h"

namespace pony {
namespace {

constexpr std::size_t k_line = 78;           // RFC 5322, 2.1.1: should
constexpr std::size_t k_longest_line = 998;  // and must
// RFC 2047, 2. Less the space before it this is an encoded-word's limit, 75.
constexpr std::size_t k_encoded_line = 76;
constexpr std::string_view k_word_begin = "=?utf-8?";
constexpr std::size_t k_word_overhead = 12;  // =?utf-8?B??=
// With less room than this an encoded-word begins on the next line. Enough
// for two characters of four bytes in Q.
constexpr std::size_t k_least_word = k_word_overhead + 24;
constexpr std::string_view k_hex = "0123456789ABCDEF";

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

// RFC 5322, 3.2.3.
bool is_atext(char c) {
  return is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-/=?^_`{|}~");
}

// RFC 5987's attr-char: RFC 2231's less what mail programs stumble over.
bool is_attribute_char(char c) {
  return is_alphanumeric(c) || is_one_of(c, "!#$&+-.^_`|~");
}

bool is_plain_in(char c, EncodedIn place) {
  if (is_alphanumeric(c) || is_one_of(c, "!*+-/")) return true;
  return place == EncodedIn::text && c > ' ' && c < '\x7f' &&
         !is_one_of(c, "=?_");
}

// The bytes of the character at `at`; on what is not UTF-8 still at least one.
std::size_t character_length(std::string_view text, std::size_t at) {
  auto end = at + 1;
  while (end < text.size() &&
         (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    ++end;
  }
  return end - at;
}

std::size_t q_length(char c, EncodedIn place) {
  return c == ' ' || is_plain_in(c, place) ? 1 : 3;
}

std::size_t q_length(std::string_view text, EncodedIn place) {
  std::size_t length = 0;
  for (const char c : text) length += q_length(c, place);
  return length;
}

// How many bytes of `text`, in whole characters, fit into `room` of Q.
std::size_t fit_q(std::string_view text, EncodedIn place, std::size_t room) {
  std::size_t taken = 0;
  std::size_t used = 0;
  while (taken < text.size()) {
    const auto next = character_length(text, taken);
    used += q_length(text.substr(taken, next), place);
    if (used > room && taken > 0) break;
    taken += next;
  }
  return taken;
}

// The same for base64, but only what needs no padding, unless it is the rest:
// GMime loses the second of two words that end in "=" (jstedfast/gmime#133).
// 0 where that would leave more than 12 bytes of room.
std::size_t fit_b(std::string_view text, std::size_t room) {
  const auto most = room / 4 * 3;
  if (text.size() <= most) return text.size();
  std::size_t taken = 0;
  std::size_t unpadded = 0;
  while (true) {
    const auto next = character_length(text, taken);
    if (taken > 0 && taken + next > most) break;
    taken += next;
    if (taken % 3 == 0) unpadded = taken;
  }
  return unpadded + 12 >= taken ? unpadded : 0;
}

void append_hex(std::string& out, char mark, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += mark;
  out += k_hex[byte >> 4U];
  out += k_hex[byte & 0xFU];
}

void append_q(std::string& out, std::string_view text, EncodedIn place) {
  for (const char c : text) {
    if (c == ' ') {
      out += '_';
    } else if (is_plain_in(c, place)) {
      out += c;
    } else {
      append_hex(out, '=', c);
    }
  }
}

// Readers trim the spaces at a value's ends, and some make one of several.
bool has_odd_spaces(std::string_view text) {
  return text.starts_with(' ') || text.ends_with(' ') ||
         text.find("  ") != std::string_view::npos;
}

// Would a reader take a part of `text` for an encoded-word?
bool looks_encoded(std::string_view text) {
  return text.find("=?") != std::string_view::npos;
}

// Calls use(word, spaces before it) for each word; spaces at the end are
// dropped.
template <class Use>
void for_each_word(std::string_view text, Use use) {
  std::size_t at = 0;
  while (true) {
    const auto begin = text.find_first_not_of(' ', at);
    if (begin == std::string_view::npos) return;
    const auto end = std::min(text.find(' ', begin), text.size());
    use(text.substr(begin, end - begin), begin - at);
    at = end;
  }
}

std::string in_quotes(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// `name` as atoms or a quoted-string (RFC 5322, 3.2), or nothing if it has to
// be encoded-words. It is not folded, for GMime leaves the line break in a
// name: a longer one is cut as encoded-words.
std::optional<std::string> plain_name(std::string_view name) {
  constexpr std::size_t k_room = k_line - 1;  // less the space before it
  if (!is_ascii(name) || has_odd_spaces(name) || looks_encoded(name)) return {};
  const bool atoms = std::all_of(
      name.begin(), name.end(), [](char c) { return is_atext(c) || c == ' '; });
  auto plain = atoms ? std::string(name) : in_quotes(name);
  if (plain.size() > k_room) return {};
  return plain;
}

constexpr std::string_view k_file_name = " filename";
// ` filename="…"` and, perhaps, the ";" of a parameter after it.
constexpr std::size_t k_longest_plain_file_name = k_line - 14;

bool is_plain_file_name(std::string_view name) {
  return name.size() <= k_longest_plain_file_name && is_ascii(name) &&
         name.find_first_of("\"\\") == std::string_view::npos &&
         !has_odd_spaces(name) && !looks_encoded(name);
}

// A name for programs that do not know RFC 2231: ASCII, short, and with the
// same ending, which decides what the file is opened with.
std::string ascii_file_name(std::string_view name) {
  std::string ascii;
  for (std::size_t at = 0; at < name.size(); at += character_length(name, at)) {
    const char c = name[at];
    const bool plain = c >= ' ' && c < '\x7f' && !is_one_of(c, "\"\\?");
    ascii += plain ? c : '_';
  }
  if (ascii.size() <= k_longest_plain_file_name) return ascii;
  const auto dot = ascii.rfind('.');
  const auto ending = dot != std::string::npos && ascii.size() - dot <= 12
                          ? ascii.substr(dot)
                          : std::string();
  ascii.resize(k_longest_plain_file_name - ending.size());
  return ascii + ending;
}

std::string percent_encoded(std::string_view character) {
  std::string encoded;
  for (const char c : character) {
    if (is_attribute_char(c)) {
      encoded += c;
    } else {
      append_hex(encoded, '%', c);
    }
  }
  return encoded;
}

// The values of filename*0*, filename*1*, …, each short enough for a line and
// split between whole characters.
std::vector<std::string> file_name_sections(std::string_view name) {
  // " filename*NNN*=" before and ";" behind.
  constexpr std::size_t k_room = k_line - 16;
  std::vector<std::string> sections{"utf-8''"};
  std::size_t at = 0;
  while (at < name.size()) {
    const auto length = character_length(name, at);
    const auto encoded = percent_encoded(name.substr(at, length));
    if (sections.back().size() + encoded.size() > k_room) {
      sections.emplace_back();
    }
    sections.back() += encoded;
    at += length;
  }
  return sections;
}

}  // namespace

HeaderLine::HeaderLine(std::string& out, std::string_view name)
    : out_(out), line_start_(out.size()), limit_(k_line) {
  out_ += name;
  out_ += ':';
}

void HeaderLine::fold() {
  out_ += "\r\n";
  line_start_ = out_.size();
  limit_ = k_line;
}

void HeaderLine::word(std::string_view word, std::size_t spaces) {
  const auto length = spaces + word.size();
  // A first word that is too long for any line stays behind the name: an empty
  // line before it would gain nothing.
  const bool gains = !is_empty_ || length <= k_line;
  if (column() + length > limit_ && gains) fold();
  is_empty_ = false;
  out_.append(spaces, ' ');
  out_ += word;
}

void HeaderLine::words(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  for_each_word(text, [&](std::string_view one, std::size_t spaces) {
    word(one, std::max<std::size_t>(spaces, 1));
  });
}

void HeaderLine::encoded(std::string_view text, EncodedIn place) {
  const bool as_q = q_length(text, place) <= (text.size() + 2) / 3 * 4;
  while (!text.empty()) {
    if (column() + 1 + k_least_word > k_encoded_line) fold();
    const auto room = k_encoded_line - column() - 1 - k_word_overhead;
    auto taken = as_q ? 0 : fit_b(text, room);
    out_ += ' ';
    out_ += k_word_begin;
    if (taken > 0) {
      out_ += "B?";
      append_base64_run(out_, text.substr(0, taken));
    } else {
      taken = fit_q(text, place, room);
      out_ += "Q?";
      append_q(out_, text.substr(0, taken), place);
    }
    out_ += "?=";
    limit_ = k_encoded_line;
    is_empty_ = false;
    text.remove_prefix(taken);
  }
}

void HeaderLine::address(std::string_view name, std::string_view email,
                         std::string_view after) {
  std::string last;
  if (name.empty()) {
    last = email;
  } else {
    last = '<';
    last += email;
    last += '>';
    if (const auto plain = plain_name(name)) {
      word(*plain);
    } else {
      encoded(name, EncodedIn::phrase);
    }
  }
  last += after;
  word(last);
}

void HeaderLine::end() {
  out_ += "\r\n";
}

bool can_fold(std::string_view name, std::string_view value) {
  bool fits = name.size() < k_longest_line;
  std::size_t before = name.size() + 1;
  for_each_word(value, [&](std::string_view word, std::size_t spaces) {
    if (before + spaces + 1 + word.size() > k_longest_line) fits = false;
    before = 0;
  });
  return fits;
}

void append_kept_header(std::string& out, std::string_view name,
                        std::string_view value) {
  HeaderLine line(out, name);
  line.words(value);
  line.end();
}

void append_text_header(std::string& out, std::string_view name,
                        std::string_view value) {
  // Python's email takes a line break behind the name for a space of the value.
  const auto first_word = std::min(value.find(' '), value.size());
  const bool plain = is_ascii(value) && !looks_encoded(value) &&
                     !value.starts_with(' ') && !value.ends_with(' ') &&
                     name.size() + 2 + first_word <= k_line &&
                     can_fold(name, value);
  if (plain) return append_kept_header(out, name, value);
  HeaderLine line(out, name);
  line.encoded(value, EncodedIn::text);
  line.end();
}

void append_file_name(std::string& out, std::string_view name) {
  if (name.empty()) return;
  const bool plain = is_plain_file_name(name);
  if (!plain) {
    // Before `filename`: Python's email takes the first of the two.
    const auto sections = file_name_sections(name);
    for (std::size_t i = 0; i < sections.size(); ++i) {
      out += ";\r\n";
      out += k_file_name;
      if (sections.size() > 1) out += '*' + std::to_string(i);
      out += "*=";
      out += sections[i];
    }
  }
  out += ";\r\n";
  out += k_file_name;
  out += "=\"";
  out += plain ? std::string(name) : ascii_file_name(name);
  out += '"';
}

}  // namespace pony
