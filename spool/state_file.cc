#include "spool/state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace pony {
namespace {

constexpr std::size_t k_padded_to = 128;

Result<Fd> open_there(Folders& folders, int folder, const std::string& name) {
  return open_regular(folder, name, O_RDWR, k_state_file_limit,
                      folders.trusted_owner(), nullptr);
}

// Made beside and linked into place: who comes second takes the first's.
Result<Fd> make_there(Folders& folders, int folder, const std::string& name) {
  const std::string temporary = name + "." + std::to_string(::getpid());
  auto tmp = folders.folder("tmp");
  if (!tmp) return tl::unexpected(tmp.error());
  ::unlinkat(*tmp, temporary.c_str(), 0);  // a dead namesake's
  auto fd = folders.create_in_tmp(temporary);
  if (!fd) return fd;
  if (::renameat2(*tmp, temporary.c_str(), folder, name.c_str(),
                  RENAME_NOREPLACE) == 0)
    return fd;
  const int error = errno;
  ::unlinkat(*tmp, temporary.c_str(), 0);
  if (error == EEXIST) return open_there(folders, folder, name);
  return fail_errno(error, "cannot make 'state/" + name + "'");
}

}  // namespace

Result<Fd> open_state_file(Folders& folders, const std::string& name) {
  const auto slash = name.rfind('/');
  const std::string inside =
      slash == std::string::npos ? "state" : "state/" + name.substr(0, slash);
  const std::string last =
      slash == std::string::npos ? name : name.substr(slash + 1);
  auto folder = folders.folder(inside);
  if (!folder) return tl::unexpected(folder.error());
  auto fd = open_there(folders, *folder, last);
  if (fd || fd.error().kind != Error::Kind::not_found) return fd;
  // The folder itself may have been removed since it was opened.
  folders.forget(inside);
  folder = folders.folder(inside);
  if (!folder) return tl::unexpected(folder.error());
  return make_there(folders, *folder, last);
}

Result<std::string> read_state(int fd, std::string_view name) {
  std::string text(k_state_file_limit, '\0');
  const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  if (n < 0)
    return fail_errno(errno, "cannot read 'state/" + std::string(name) + "'");
  text.resize(static_cast<std::size_t>(n));
  return text;
}

Result<> write_state(int fd, std::string text, std::string_view name) {
  text.resize((text.size() / k_padded_to + 1) * k_padded_to - 1, ' ');
  text.push_back('\n');
  const std::string what = "state/" + std::string(name);
  if (auto written = write_all_at(fd, text, 0, what); !written) return written;
  if (::ftruncate(fd, static_cast<off_t>(text.size())) != 0)
    return fail_errno(errno, "cannot write '" + what + "'");
  return {};
}

}  // namespace pony
