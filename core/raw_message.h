// A finished message's bytes (RFC 5322): where its header ends, which fields
// stand in it, how one is taken out or put in.
//
// Promises: any bytes give an answer, in time that grows with their number. A
// line ends with CRLF, LF or CR, as that is what each becomes on the wire: what
// would be a field there is one here. Doesn't know: what a field's value means
// (core/mime), and the body.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace pony {

// A field of a header. A line that is none ("From " of an mbox, no colon) has
// an empty name.
struct RawField {
  std::string_view name;   // without the spaces before the colon
  std::string_view value;  // behind the colon, its line ends still in it
  std::string_view whole;  // both, up to the end of its last line
};

// The header of `raw`: up to its first empty line, which is not in it.
std::string_view header_of(std::string_view raw);

// Takes the first field off `header`, a header_of(). False when it is empty.
bool next_field(std::string_view& header, RawField& field);

// Is the field called `name` (in lower case)?
bool is_called(const RawField& field, std::string_view name);

// `value` on one line: without its line ends and the spaces around it; a tab
// is a space.
std::string unfolded(std::string_view value);

// Takes the fields out for which `is_unwanted` says so.
void remove_fields(std::string& raw,
                   const std::function<bool(const RawField&)>& is_unwanted);

// Puts a field on top of `raw`. `value` holds no line break.
void prepend_field(std::string& raw, std::string_view name,
                   std::string_view value);

// Writes `mark` before the first Subject's value; adds one if there is none.
void mark_subject(std::string& raw, std::string_view mark);

}  // namespace pony
