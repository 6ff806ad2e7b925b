#include "spool/message_tail.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "spool/message_file.h"

namespace pony {

Result<Event> read_last_event(Folders& folders, const std::string& path) {
  constexpr off_t k_tail = off_t{64} << 10;
  struct stat info {};
  auto fd = open_regular(folders.root(), path, O_RDONLY, k_message_file_limit,
                         folders.trusted_owner(), &info);
  if (!fd) return tl::unexpected(fd.error());
  std::string tail(static_cast<std::size_t>(std::min(k_tail, info.st_size)),
                   '\0');
  const ssize_t n = ::pread(fd->get(), tail.data(), tail.size(),
                            info.st_size - static_cast<off_t>(tail.size()));
  if (n < 0) return fail_errno(errno, "cannot read '" + path + "'");
  std::string_view lines(tail.data(), static_cast<std::size_t>(n));
  if (lines.ends_with('\n')) lines.remove_suffix(1);
  if (const auto at = lines.rfind('\n'); at != std::string_view::npos)
    lines.remove_prefix(at + 1);
  return parse_event(lines);
}

}  // namespace pony
