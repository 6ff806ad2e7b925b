// Attachments as HTTP APIs see them: by their names, and the types that the
// names stand for. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/rendered_message.h"

namespace pony {

// Does the HTML show it? As compose_mime() decides.
bool is_inline(const RenderedMessage& message, const Attachment& attachment);
// For parts that must have a name: the file's, or "attachment".
std::string_view file_name(const Attachment& attachment);

// What follows the last dot, in lower case; empty without a dot.
std::string extension_of(std::string_view filename);
// Is `extension` one of the `list`, which is separated by blanks?
bool is_one_of(std::string_view extension, std::string_view list);
// The first attachment whose extension is in `refused`; null when there is
// none.
const Attachment* with_extension(const RenderedMessage& message,
                                 std::string_view refused);

// The file name, with the usual extension for the attachment's type behind it
// when the one it has belongs to another type: "data" or "data.txt" that is
// text/csv becomes "data.csv" or "data.txt.csv". Types that are not widely
// known, and application/octet-stream, go with any name.
std::string typed_filename(const Attachment& attachment);

}  // namespace pony
