// A file that a person asked for: --html FILE.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

// Puts `content` in the place of `path`: written beside it and renamed, so
// that a reader sees the old file or the new one. cannot_create when there is
// no such folder, or something there that is no regular file (a symbolic
// link, a device: /dev/stdout is one, and root could replace it);
// no_permission, disk.
Result<> write_output_file(const std::string& path, std::string_view content);

}  // namespace pony
