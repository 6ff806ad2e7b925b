#include "core/mime/body_encoding.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace pony {
namespace {

constexpr std::size_t k_line = 78;          // RFC 5322, 2.1.1
constexpr std::size_t k_encoded_line = 76;  // RFC 2045, 6.7 and 6.8
constexpr std::string_view k_hex = "0123456789ABCDEF";
constexpr std::string_view k_base64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<bool, 256> make_printable() {
  std::array<bool, 256> table{};
  for (std::size_t c = ' '; c < 0x7F; ++c) table[c] = true;
  table['\t'] = true;
  return table;
}
// What a line of 7bit may hold here.
constexpr auto k_printable = make_printable();

constexpr std::array<bool, 256> make_not_base64() {
  std::array<bool, 256> table{};
  for (auto& entry : table) entry = true;
  for (const char c : k_base64) table[static_cast<unsigned char>(c)] = false;
  table['='] = false;
  return table;
}
constexpr auto k_not_base64 = make_not_base64();

bool is_printable(char c) {
  return k_printable[static_cast<unsigned char>(c)];
}

bool is_plain_quoted(char c) {
  return is_printable(c) && c != '=';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Calls use(line) for each line of `crlf_text`, without its end.
template <class Use>
void for_each_line(std::string_view crlf_text, Use use) {
  while (!crlf_text.empty()) {
    const auto end = std::min(crlf_text.find('\n'), crlf_text.size());
    use(crlf_text.substr(0, end == 0 ? 0 : end - 1));
    crlf_text.remove_prefix(std::min(end + 1, crlf_text.size()));
  }
}

void append_quoted_line(std::string& out, std::string_view line) {
  constexpr std::size_t k_room = k_encoded_line - 1;  // less the "=" at its end
  // A blank at the end of a line is lost on the way (RFC 2045, 6.7, 3).
  const bool ends_blank = !line.empty() && is_blank(line.back());
  const auto plain_end = line.size() - (ends_blank ? 1 : 0);
  std::size_t column = 0;
  std::size_t at = 0;
  while (true) {
    const auto run_end = std::min(plain_end, at + k_room - column);
    const auto run = at;
    while (at < run_end && is_plain_quoted(line[at])) ++at;
    out += line.substr(run, at - run);
    column += at - run;
    if (at == line.size()) break;

    const bool is_plain = at < plain_end && is_plain_quoted(line[at]);
    if (is_plain || column + 3 > k_room) {
      out += "=\r\n";
      column = 0;
      continue;
    }
    const auto byte = static_cast<unsigned char>(line[at]);
    out += '=';
    out += k_hex[byte >> 4U];
    out += k_hex[byte & 0xFU];
    column += 3;
    ++at;
  }
  out += "\r\n";
}

void append_base64_text(std::string& out, std::string_view text) {
  constexpr std::size_t k_bytes_a_line = k_encoded_line / 4 * 3;
  for (std::size_t at = 0; at < text.size(); at += k_bytes_a_line) {
    append_base64_run(out, text.substr(at, k_bytes_a_line));
    out += "\r\n";
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
  std::string out;
  out.reserve(text.size() + text.size() / 16 + 2);
  while (!text.empty()) {
    const auto* const line_end =
        std::find_if(text.begin(), text.end(),
                     [](char c) { return c == '\r' || c == '\n'; });
    const auto end = static_cast<std::size_t>(line_end - text.begin());
    out += text.substr(0, end);
    out += "\r\n";
    const bool is_pair = text.substr(end).starts_with("\r\n");
    text.remove_prefix(std::min(end + (is_pair ? 2 : 1), text.size()));
  }
  return out;
}

BodyEncoding choose_encoding(std::string_view crlf_text) {
  std::size_t longest = 0;
  std::size_t escaped = 0;  // bytes that quoted-printable spells in three
  std::size_t equals = 0;   // the same, but no trouble in 7bit
  for_each_line(crlf_text, [&](std::string_view line) {
    longest = std::max(longest, line.size());
    for (const char c : line) {
      escaped += is_printable(c) ? 0 : 1;
      equals += c == '=' ? 1 : 0;
    }
  });
  if (escaped == 0 && longest <= k_line) return BodyEncoding::seven_bit;

  // Both without their line breaks: one for each 75 bytes or so in either.
  const auto quoted = crlf_text.size() + 2 * (escaped + equals);
  const auto base64 = (crlf_text.size() + 2) / 3 * 4;
  return quoted <= base64 ? BodyEncoding::quoted_printable
                          : BodyEncoding::base64;
}

void append_encoded(std::string& out, std::string_view crlf_text,
                    BodyEncoding encoding) {
  switch (encoding) {
    case BodyEncoding::seven_bit:
      out += crlf_text;
      break;
    case BodyEncoding::quoted_printable:
      for_each_line(crlf_text, [&](std::string_view line) {
        append_quoted_line(out, line);
      });
      break;
    case BodyEncoding::base64:
      append_base64_text(out, crlf_text);
      break;
  }
}

void append_base64_run(std::string& out, std::string_view bytes) {
  const auto at = [&](std::size_t i) -> std::uint32_t {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto group = (at(i) << 16U) | (at(i + 1) << 8U) | at(i + 2);
    out += k_base64[group >> 18U];
    out += k_base64[(group >> 12U) & 0x3FU];
    out += i + 1 < bytes.size() ? k_base64[(group >> 6U) & 0x3FU] : '=';
    out += i + 2 < bytes.size() ? k_base64[group & 0x3FU] : '=';
  }
}

void append_base64_lines(std::string& out, std::string_view base64) {
  for (std::size_t at = 0; at < base64.size(); at += k_encoded_line) {
    if (at > 0) out += "\r\n";
    out += base64.substr(at, k_encoded_line);
  }
}

bool is_base64_text(std::string_view text) {
  bool foreign = false;
  for (const char c : text) {
    foreign |= k_not_base64[static_cast<unsigned char>(c)];
  }
  return !foreign;
}

}  // namespace pony
