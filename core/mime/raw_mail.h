// A finished message as it goes over the wire.
//
// Promises: line ends become CRLF; Bcc, Resent-Bcc and X-Pony-Tags never leave;
// nothing else is changed. Doesn't know: what is in the message
// (mail_parser.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pony {

// `raw` with CRLF for each CRLF, LF and CR, one more at its end if it had none,
// and without the fields that are not for others to see.
std::string wire_form(std::string_view raw);

// What a server may not take of a message.
struct WireNeeds {
  bool eight_bit_header = false;
  bool eight_bit_body = false;
  bool nul = false;
  std::size_t longest_header_line = 0;  // bytes, without CRLF
  std::size_t longest_body_line = 0;

  bool eight_bit() const { return eight_bit_header || eight_bit_body; }
};
WireNeeds needs_of(std::string_view wire);

// RFC 5322, 2.1.1: the longest line, without its CRLF.
inline constexpr std::size_t k_longest_line = 998;

// The bytes of the longest line of `text`, without its LF or CRLF.
std::size_t longest_line(std::string_view text);

// The first field called `name` (in lower case) of the message that `raw` is
// or begins with, as text in UTF-8 on one line; empty when there is none.
std::string header_text(std::string_view raw, std::string_view name);

// The subject of a message in base64 (Message::raw), for people. Looks only at
// its beginning, so that a list of many large messages costs little.
std::string raw_subject(std::string_view base64);

}  // namespace pony
