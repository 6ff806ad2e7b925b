// Header text that others wrote to UTF-8: encoded-words (RFC 2047) and bytes
// without any encoding.
//
// Promises: any bytes give UTF-8 on one line without control characters; time
// and memory grow with their number. Doesn't know: addresses and parameters.
#pragma once

#include <string>
#include <string_view>

namespace pony {

// `bytes` of this charset (as MIME names it) in UTF-8; U+FFFD for each that is
// not of it. Without a charset, and of one that this machine does not know: as
// UTF-8 if they are, else as ISO 8859-1, which makes a character of each byte.
std::string to_utf8(std::string_view bytes, std::string_view charset);

// `text` fit for a line: control characters and line ends become spaces.
std::string on_one_line(std::string_view text);

// A field's value as text: unfolded, its encoded-words decoded, spaces between
// two of them dropped.
std::string decoded_header(std::string_view value);

// `header` with each B-encoded word rewritten as a Q-encoded one, or nothing
// when it has none. GMime before 3.2.14 loses the second of two adjacent
// B-words that end in "=" (jstedfast/gmime#133).
std::string with_q_words(std::string_view header);
bool has_b_words(std::string_view header);

}  // namespace pony
