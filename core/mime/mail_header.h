// The header of a mail that somebody else wrote, as its fields: where each of
// them begins and ends, byte for byte, so that one can be taken out and all
// the others stay as they came.
//
// Promises: any bytes give an answer; views into the mail, nothing is copied.
// Lenient as mail is: LF and CRLF, a space before the colon, folded lines.
// Doesn't know: what any field means.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/raw_message.h"
#include "core/result.h"

namespace pony {

// More is no header: 10,000 recipients with their names fit into it.
inline constexpr std::size_t k_mail_header_limit = std::size_t{4} << 20;

struct MailField {
  std::string_view name;   // as it is written
  std::string_view value;  // behind the colon, folds and all, no line end
  std::string_view raw;    // all of its lines, with their line ends
  std::size_t line = 1;    // of the mail, on which it begins

  // Is it called `other`? The case is ignored.
  bool is(std::string_view other) const;
};

struct MailHeader {
  std::vector<MailField> fields;
  // Bytes of the fields; what follows is the empty line, the body, or nothing.
  std::size_t size = 0;
  // Where the body begins, behind the empty line if there is one.
  std::size_t body = 0;
  // Is there an empty line? Without one the first line that is no field ended
  // the header, or there was nothing more.
  bool is_separated = false;
};

// The header at the beginning of `mail`. bad_data when it is larger than
// k_mail_header_limit.
Result<MailHeader> scan_mail_header(std::string_view mail);

// The line end that `mail` uses, by its first line: "\r\n" or "\n" (also
// when it has none).
std::string_view line_end_of(std::string_view mail);

}  // namespace pony
