#include "core/mime/body_encoding.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace pony {
namespace {

constexpr std::size_t k_line = 78;          // RFC 5322, 2.1.1
constexpr std::size_t k_encoded_line = 76;  // RFC 2045, 6.7 and 6.8
constexpr std::string_view k_crlf = "\r\n";
constexpr std::string_view k_hex = "0123456789ABCDEF";
constexpr std::string_view k_base64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// 1 or 0. These are numbers that are added up, not conditions, because g++ then
// looks at sixteen bytes at once.
int is_within(char c, char first, char last) {
  return c >= first && c <= last;
}

// What a line of 7bit may hold here.
int is_printable(char c) {
  return is_within(c, ' ', '~') + is_within(c, '\t', '\t');
}

int is_line_end(char c) {
  return is_within(c, '\r', '\r') + is_within(c, '\n', '\n');
}

int is_equals(char c) {
  return is_within(c, '=', '=');
}

int is_base64(char c) {
  return is_within(c, 'a', 'z') + is_within(c, 'A', 'Z') +
         is_within(c, '/', '9') + is_within(c, '+', '+') + is_equals(c);
}

// A byte in quoted-printable: as it is, or "=C3".
struct Quoted {
  std::array<char, 3> spelled;
  std::uint8_t length;
};

constexpr std::array<Quoted, 256> make_escaped() {
  std::array<Quoted, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c) {
    table[c] = {{'=', k_hex[c >> 4U], k_hex[c & 0xFU]}, 3};
  }
  return table;
}
constexpr auto k_escaped = make_escaped();

constexpr std::array<Quoted, 256> make_quoted() {
  auto table = k_escaped;
  for (std::size_t c = 0; c < table.size(); ++c) {
    const bool plain = (c >= ' ' && c <= '~' && c != '=') || c == '\t';
    if (plain) table[c] = {{static_cast<char>(c)}, 1};
  }
  return table;
}
constexpr auto k_quoted = make_quoted();

// The sum of t_is(c) over the bytes of `text`, in blocks of a fixed size.
template <int (*t_is)(char)>
std::size_t count_bytes(std::string_view text) {
  constexpr std::size_t k_block = 64;
  std::size_t count = 0;
  while (text.size() >= k_block) {
    const char* const block = text.data();
    std::uint8_t found = 0;
    for (std::size_t i = 0; i < k_block; ++i) {
      found = static_cast<std::uint8_t>(found + t_is(block[i]));
    }
    count += found;
    text.remove_prefix(k_block);
  }
  for (const char c : text) count += t_is(c);
  return count;
}

// Calls use(line) for each line of `text`, without its end: CRLF, LF or CR.
template <class Use>
void for_each_line(std::string_view text, Use use) {
  const bool has_cr = text.find('\r') != std::string_view::npos;
  while (!text.empty()) {
    const auto newline = text.find('\n');
    const bool has_newline = newline != std::string_view::npos;
    auto line = text.substr(0, newline);
    text.remove_prefix(has_newline ? newline + 1 : text.size());
    if (has_cr) {
      if (has_newline && line.ends_with('\r')) line.remove_suffix(1);
      for (auto end = line.find('\r'); end != std::string_view::npos;
           end = line.find('\r')) {
        use(line.substr(0, end));
        line.remove_prefix(end + 1);
      }
    }
    if (has_newline || !line.empty()) use(line);
  }
}

// Lines of quoted-printable on their way to the end of a string, some at a
// time: to append each by itself takes longer than to encode it. The last leave
// with flush().
class QuotedLines {
 public:
  explicit QuotedLines(std::string& out) : out_(out) {}

  // Adds a line of the text, as one line or more.
  void add(std::string_view line) {
    constexpr std::size_t k_room = k_encoded_line - 1;  // less the "="
    std::size_t column = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const auto byte = static_cast<unsigned char>(line[i]);
      // A blank at the end of a line is lost on the way (RFC 2045, 6.7, 3).
      const bool is_lost = i + 1 == line.size() && is_blank(line[i]);
      const auto& next = is_lost ? k_escaped[byte] : k_quoted[byte];
      if (column + next.length > k_room) {
        end_line(column, "=\r\n");
        column = 0;
      }
      // All three, whatever counts of them: no jump that depends on the text.
      std::memcpy(lines_.data() + size_ + column, next.spelled.data(), 3);
      column += next.length;
    }
    end_line(column, k_crlf);
  }

  void flush() {
    out_.append(lines_.data(), size_);
    size_ = 0;
  }

 private:
  void end_line(std::size_t column, std::string_view end) {
    std::memcpy(lines_.data() + size_ + column, end.data(), end.size());
    size_ += column + end.size();
    if (lines_.size() - size_ < k_longest_quoted) flush();
  }

  static constexpr std::size_t k_longest_quoted = k_encoded_line + 2;
  std::string& out_;
  std::size_t size_ = 0;
  std::array<char, 16 * k_longest_quoted> lines_;
};

void append_quoted(std::string& out, std::string_view text) {
  QuotedLines lines(out);
  for_each_line(text, [&](std::string_view line) { lines.add(line); });
  lines.flush();
}

void append_with_crlf(std::string& out, std::string_view text) {
  for_each_line(text, [&](std::string_view line) {
    out += line;
    out += k_crlf;
  });
}

void append_base64_text(std::string& out, std::string_view text) {
  constexpr std::size_t k_bytes_a_line = k_encoded_line / 4 * 3;
  const std::string lines = with_crlf(text);
  const std::string_view bytes = lines;
  for (std::size_t at = 0; at < bytes.size(); at += k_bytes_a_line) {
    append_base64_run(out, bytes.substr(at, k_bytes_a_line));
    out += k_crlf;
  }
}

}  // namespace

std::string_view to_text(BodyEncoding encoding) {
  switch (encoding) {
    case BodyEncoding::seven_bit:
      return "7bit";
    case BodyEncoding::quoted_printable:
      return "quoted-printable";
    case BodyEncoding::base64:
      break;
  }
  return "base64";
}

std::string with_crlf(std::string_view text) {
  std::string lines;
  lines.reserve(text.size() + text.size() / 16 + 2);
  append_with_crlf(lines, text);
  return lines;
}

BodyEncoding choose_encoding(std::string_view text) {
  std::size_t lines = 0;
  std::size_t in_lines = 0;
  std::size_t longest = 0;
  for_each_line(text, [&](std::string_view line) {
    ++lines;
    in_lines += line.size();
    longest = std::max(longest, line.size());
  });
  // What quoted-printable spells in three bytes; of these "=" is no trouble in
  // 7bit.
  const auto foreign = text.size() - count_bytes<is_printable>(text) -
                       count_bytes<is_line_end>(text);
  if (foreign == 0 && longest <= k_line) return BodyEncoding::seven_bit;

  // Both without their line breaks: one for each 75 bytes or so in either.
  const auto equals = count_bytes<is_equals>(text);
  const auto size = in_lines + 2 * lines;
  const auto quoted = size + 2 * (foreign + equals);
  const auto base64 = (size + 2) / 3 * 4;
  return quoted <= base64 ? BodyEncoding::quoted_printable
                          : BodyEncoding::base64;
}

void append_encoded(std::string& out, std::string_view text,
                    BodyEncoding encoding) {
  switch (encoding) {
    case BodyEncoding::seven_bit:
      append_with_crlf(out, text);
      break;
    case BodyEncoding::quoted_printable:
      append_quoted(out, text);
      break;
    case BodyEncoding::base64:
      append_base64_text(out, text);
      break;
  }
}

void append_base64_run(std::string& out, std::string_view bytes) {
  const auto begin = out.size();
  out.resize(begin + (bytes.size() + 2) / 3 * 4, '=');
  char* to = out.data() + begin;
  while (bytes.size() >= 3) {
    const auto group =
        byte_at(bytes, 0) << 16U | byte_at(bytes, 1) << 8U | byte_at(bytes, 2);
    *to++ = k_base64[group >> 18U];
    *to++ = k_base64[(group >> 12U) & 0x3FU];
    *to++ = k_base64[(group >> 6U) & 0x3FU];
    *to++ = k_base64[group & 0x3FU];
    bytes.remove_prefix(3);
  }
  if (bytes.empty()) return;
  const bool has_two = bytes.size() == 2;
  const auto group =
      byte_at(bytes, 0) << 16U | (has_two ? byte_at(bytes, 1) : 0) << 8U;
  *to++ = k_base64[group >> 18U];
  *to++ = k_base64[(group >> 12U) & 0x3FU];
  if (has_two) *to = k_base64[(group >> 6U) & 0x3FU];
}

void append_base64_lines(std::string& out, std::string_view base64) {
  constexpr std::size_t k_whole_line = k_encoded_line + k_crlf.size();
  // A few lines at a time: to append each by itself takes four times as long.
  std::array<char, 32 * k_whole_line> lines;
  std::size_t filled = 0;
  while (base64.size() > k_encoded_line) {
    char* const line = lines.data() + filled;
    std::memcpy(line, base64.data(), k_encoded_line);
    std::memcpy(line + k_encoded_line, k_crlf.data(), k_crlf.size());
    base64.remove_prefix(k_encoded_line);
    filled += k_whole_line;
    if (filled < lines.size()) continue;
    out.append(lines.data(), filled);
    filled = 0;
  }
  out.append(lines.data(), filled);
  out += base64;
}

bool is_base64_text(std::string_view text) {
  return count_bytes<is_base64>(text) == text.size();
}

}  // namespace pony
