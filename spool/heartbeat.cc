#include "spool/heartbeat.h"

#include <string>
#include <string_view>

#include "spool/state_file.h"

namespace pony {
namespace {

constexpr const char* k_name = "last_run";  // in state/

}  // namespace

Result<> note_run(Folders& folders, Time now) {
  auto fd = open_state_file(folders, k_name);
  if (!fd) return tl::unexpected(fd.error());
  return write_state(fd->get(), format_time(now), k_name);
}

Result<std::optional<Time>> last_run(Folders& folders) {
  auto text = read_regular(folders.root(), std::string("state/") + k_name,
                           k_state_file_limit, folders.trusted_owner());
  if (!text) {
    if (text.error().kind == Error::Kind::no_permission)
      return tl::unexpected(text.error());
    return std::optional<Time>();
  }
  const auto time =
      parse_time(std::string_view(*text).substr(0, text->find(' ')));
  return time ? std::optional<Time>(*time) : std::nullopt;
}

}  // namespace pony
