// A file that a person asked for: --html FILE, --output FILE, --prometheus
// FILE.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

// Puts `content` in the place of `path`: written beside it and renamed, so
// that a reader sees the old file or the new one. cannot_create when there is
// no such folder, or something there that is no regular file (a symbolic
// link, a device: /dev/stdout is one, and root could replace it);
// no_permission, disk.
//
// `mode` is the file's, whatever the umask: what other users' programs are to
// read (node_exporter, a web server) is k_for_all even if root's cron made it.
inline constexpr mode_t k_for_owner = 0600;
inline constexpr mode_t k_for_all = 0644;
Result<> write_output_file(const std::string& path, std::string_view content,
                           mode_t mode = k_for_owner);

}  // namespace pony
