// How content gets into a mail body: line ends, and the transfer encodings of
// RFC 2045, section 6.
//
// Promises: what is written is 7-bit, its lines end in CRLF and are at most
// 78 bytes long. Doesn't know: parts, headers, boundaries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pony {

enum class BodyEncoding : std::uint8_t { seven_bit, quoted_printable, base64 };

// "7bit", "quoted-printable", "base64".
std::string_view to_text(BodyEncoding encoding);

// The encoding for a text: 7bit if that carries it (printable ASCII and tabs,
// lines of at most 78), else the shorter of the others.
BodyEncoding choose_encoding(std::string_view text);

// Appends `text` in `encoding`. Before that every CRLF, LF and CR in it becomes
// CRLF, and one more is added at its end if it had none: a text that ends in
// the middle of a line cannot be said in 7bit mail. Empty stays empty; 7bit
// only where choose_encoding() says so.
void append_encoded(std::string& out, std::string_view text,
                    BodyEncoding encoding);

// `text` with CRLF for each CRLF, LF and CR, and one more at its end if it had
// none. Empty stays empty.
std::string with_crlf(std::string_view text);

// Appends `bytes` in base64, padded, without a line break.
void append_base64_run(std::string& out, std::string_view bytes);
// Appends `base64`, which has no white space, in lines of 76; no line end
// behind the last.
void append_base64_lines(std::string& out, std::string_view base64);
// Has `text` only what base64 is written with? (Not: does it decode.)
bool is_base64_text(std::string_view text);

}  // namespace pony
