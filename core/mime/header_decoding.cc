#include "core/mime/header_decoding.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/base64.h"
#include "core/hex_digit.h"
#include "core/json.h"
#include "core/lower_case.h"
#include "core/raw_message.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_charset = 40;
// RFC 2047 allows 75; some write one word for a whole subject. A limit, so that
// a header of nothing but beginnings is not read once for each of them.
constexpr std::size_t k_longest_word = 2'000;

std::string from_latin1(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text.push_back(c);
    } else {
      text.push_back(static_cast<char>(0xC0U | byte >> 6U));
      text.push_back(static_cast<char>(0x80U | (byte & 0x3FU)));
    }
  }
  return text;
}

std::string as_it_looks(std::string_view bytes) {
  return is_utf8(bytes) ? std::string(bytes) : from_latin1(bytes);
}

// A charset's name comes from outside, and iconv takes more than names
// ("//TRANSLIT", paths of modules).
bool is_charset_name(std::string_view name) {
  return !name.empty() && name.size() <= k_longest_charset &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
                  c == ':';
         });
}

// Nothing when iconv does not know the charset. What is not of it becomes
// U+FFFD, byte by byte.
std::optional<std::string> by_iconv(std::string_view bytes,
                                    const std::string& charset) {
  const iconv_t converter = ::iconv_open("UTF-8", charset.c_str());
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  std::string text;
  std::array<char, 4096> buffer{};
  char* in = const_cast<char*>(bytes.data());  // iconv does not write there
  std::size_t left = bytes.size();
  while (left > 0) {
    char* out = buffer.data();
    std::size_t room = buffer.size();
    const std::size_t done = ::iconv(converter, &in, &left, &out, &room);
    text.append(buffer.data(), buffer.size() - room);
    if (done != static_cast<std::size_t>(-1) || errno == E2BIG) continue;
    text.append("\uFFFD");
    ++in;
    --left;
  }
  ::iconv_close(converter);
  return is_utf8(text) ? std::optional(std::move(text)) : std::nullopt;
}

struct EncodedWord {
  std::string_view charset;
  bool is_base64 = false;
  std::string_view text;
  std::size_t size = 0;  // of the whole
};

bool is_word_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < '\x7F'; });
}

// The encoded-word that `text` begins with, or nothing. Some write spaces into
// the Q form; they are not taken for a word's end only where RFC 2047 says so.
std::optional<EncodedWord> word_at(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  text = text.substr(0, k_longest_word);
  const std::size_t first = text.find('?', 2);
  if (first == std::string_view::npos || first - 2 > k_longest_charset ||
      first + 2 >= text.size() || text[first + 2] != '?') {
    return std::nullopt;
  }
  const char kind = text[first + 1];
  const bool is_base64 = kind == 'B' || kind == 'b';
  if (!is_base64 && kind != 'Q' && kind != 'q') return std::nullopt;
  const std::size_t begin = first + 3;
  const std::size_t end = text.find("?=", begin);
  if (end == std::string_view::npos) return std::nullopt;
  EncodedWord word;
  word.charset = text.substr(2, first - 2);
  // RFC 2231, 5: a language may follow the charset.
  word.charset = word.charset.substr(0, word.charset.find('*'));
  word.is_base64 = is_base64;
  word.text = text.substr(begin, end - begin);
  word.size = end + 2;
  if (!is_charset_name(word.charset) || !is_word_text(word.text))
    return std::nullopt;
  return word;
}

std::string from_q(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '=' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      bytes.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 +
                                        hex_value(text[i + 2])));
      i += 2;
    } else {
      bytes.push_back(text[i] == '_' ? ' ' : text[i]);
    }
  }
  return bytes;
}

std::string bytes_of(const EncodedWord& word) {
  return word.is_base64 ? decode_base64(word.text) : from_q(word.text);
}

std::string q_word(const EncodedWord& word) {
  constexpr std::string_view k_digits = "0123456789ABCDEF";
  std::string out = "=?" + std::string(word.charset) + "?Q?";
  for (const char c : bytes_of(word)) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9');
    if (is_plain) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('=');
    out.push_back(k_digits[byte >> 4U]);
    out.push_back(k_digits[byte & 0xFU]);
  }
  return out + "?=";
}

// Adjacent words of one charset are decoded as one: many programs cut
// characters in two between them.
class HeaderDecoder {
 public:
  std::string decode(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size()) {
      const auto word = word_at(line.substr(at));
      if (word) {
        take(*word);
        at += word->size;
        continue;
      }
      const std::size_t next = std::min(line.find("=?", at + 1), line.size());
      take(line.substr(at, next - at));
      at = next;
    }
    flush_bytes();
    out_.append(as_it_looks(blanks_));
    return std::move(out_);
  }

 private:
  void take(const EncodedWord& word) {
    blanks_.clear();
    const std::string charset = in_lower_case(word.charset);
    if (charset != charset_) flush_bytes();
    charset_ = charset;
    bytes_ += bytes_of(word);
    after_word_ = true;
  }
  void take(std::string_view text) {
    const bool is_blank =
        text.find_first_not_of(" \t") == std::string_view::npos;
    if (is_blank && after_word_) {
      // Belongs to the text only if no other word follows.
      blanks_ = text;
      return;
    }
    flush_bytes();
    out_.append(as_it_looks(blanks_)).append(as_it_looks(text));
    blanks_.clear();
    after_word_ = false;
  }
  void flush_bytes() {
    if (!bytes_.empty()) out_.append(to_utf8(bytes_, charset_));
    bytes_.clear();
  }

  std::string out_;
  std::string bytes_;
  std::string charset_;
  std::string blanks_;
  bool after_word_ = false;
};

}  // namespace

std::string to_utf8(std::string_view bytes, std::string_view charset) {
  const std::string name = in_lower_case(charset);
  if (name.empty() || name == "us-ascii" || (name == "utf-8" && is_utf8(bytes)))
    return as_it_looks(bytes);
  if (name == "iso-8859-1") return from_latin1(bytes);
  if (!is_charset_name(name)) return as_it_looks(bytes);
  if (auto text = by_iconv(bytes, name)) return std::move(*text);
  return as_it_looks(bytes);
}

std::string on_one_line(std::string_view text) {
  if (!has_control(text)) return std::string(text);
  std::string line;
  line.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t size = byte < 0xC0   ? 1
                             : byte < 0xE0 ? 2
                             : byte < 0xF0 ? 3
                                           : 4;
    const std::string_view character = text.substr(at, size);
    line.append(has_control(character) ? " " : character);
    at += size;
  }
  return line;
}

std::string decoded_header(std::string_view value) {
  return on_one_line(HeaderDecoder().decode(unfolded(value)));
}

bool has_b_words(std::string_view header) {
  return header.find("?B?") != std::string_view::npos ||
         header.find("?b?") != std::string_view::npos;
}

std::string with_q_words(std::string_view header) {
  std::string out;
  out.reserve(header.size() * 2);
  for (std::size_t at = 0; at < header.size();) {
    const auto word = word_at(header.substr(at));
    if (word) {
      if (word->is_base64) {
        out.append(q_word(*word));
      } else {
        out.append(header.substr(at, word->size));
      }
      at += word->size;
      continue;
    }
    const std::size_t next = std::min(header.find("=?", at + 1), header.size());
    out.append(header.substr(at, next - at));
    at = next;
  }
  return out;
}

}  // namespace pony
