#include "cmd/output_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/fs.h"
#include "core/json.h"

namespace pony {
namespace {

Result<> put_in_place(const Fd& fd, const std::string& beside,
                      const std::string& path, std::string_view content,
                      mode_t mode, const std::string& doing) {
  if (auto written = write_all(fd.get(), content, path); !written)
    return written;
  if (::fchmod(fd.get(), mode) != 0) return fail_errno(errno, doing);
  if (::rename(beside.c_str(), path.c_str()) != 0)
    return fail_errno(errno, doing);
  return {};
}

}  // namespace

Result<> write_output_file(const std::string& path, std::string_view content,
                           mode_t mode) {
  const std::string doing = "cannot write '" + printable(path, 200) + "'";
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return fail(Error::Kind::cannot_create, doing + ": it is no file",
                "'-' is standard output");
  const auto slash = path.rfind('/');
  const auto name = slash == std::string::npos ? 0 : slash + 1;
  std::string beside =
      path.substr(0, name) + "." + path.substr(name) + ".XXXXXX";
  Fd fd(::mkostemp(beside.data(), O_CLOEXEC));
  if (!fd) {
    auto error = fail_errno(errno, doing);
    if (error.value().kind == Error::Kind::not_found)
      error.value().kind = Error::Kind::cannot_create;
    return error;
  }
  auto written = put_in_place(fd, beside, path, content, mode, doing);
  if (!written) ::unlink(beside.c_str());
  return written;
}

}  // namespace pony
