#include "core/template/template_folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/json.h"

namespace pony {
namespace {

// A template is copy for a mail; providers cut mails off at 10 to 40 MB, mail
// programs clip HTML at 102 KB.
constexpr off_t k_max_file_bytes = 1024L * 1024;
constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

// Opens `path` one component at a time, each with O_NOFOLLOW. -1 and errno.
// ".." cannot leave the root because no caller's path has one (ids and
// languages are checked names), and it is refused all the same.
int open_by_components(int folder_fd, std::string_view path, int flags) {
  const auto slash = path.find('/');
  const std::string part(path.substr(0, slash));
  if (part == "..") {
    errno = EXDEV;
    return -1;
  }
  if (slash == std::string_view::npos)
    return ::openat(folder_fd, part.c_str(), flags | O_NOFOLLOW);
  const Fd next(::openat(folder_fd, part.c_str(),
                         O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!next) return -1;
  return open_by_components(next.get(), path.substr(slash + 1), flags);
}

int open_beneath(int root_fd, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const long fd =
      ::syscall(SYS_openat2, root_fd, path.c_str(), &how, sizeof how);
  if (fd >= 0) return static_cast<int>(fd);
  // EPERM: container sandboxes that don't know the call answer so.
  if (errno != ENOSYS && errno != EPERM) return -1;
  return open_by_components(root_fd, path, flags);
}

bool is_folder(int parent_fd, const char* name) {
  struct stat info {};
  return ::fstatat(parent_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(info.st_mode);
}

}  // namespace

TemplateFolder::TemplateFolder(std::string root) : root_(std::move(root)) {}

void TemplateFolder::close() {
  root_fd_ = Fd();
}

std::string TemplateFolder::full_path(const std::string& path) const {
  return path == "." ? root_ : root_ + "/" + path;
}

Result<int> TemplateFolder::open_root() {
  if (root_fd_) return root_fd_.get();

  const std::string doing = "cannot open template folder '" + root_ + "'";
  Fd fd(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, doing);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(errno, doing);
  // Whoever writes the copy decides what our mails say.
  if ((info.st_mode & S_IWOTH) != 0)
    return fail(Error::Kind::no_permission,
                "template folder '" + root_ + "' can be written by anyone",
                "chmod o-w '" + root_ + "'");

  root_fd_ = std::move(fd);
  return root_fd_.get();
}

Result<Fd> TemplateFolder::open(const std::string& path, int flags) {
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());

  Fd fd(open_beneath(*root, path, flags | O_CLOEXEC | O_NOCTTY));
  if (fd) return fd;
  const std::string shown = printable(full_path(path));
  if (errno == ELOOP)
    return fail(Error::Kind::config, "'" + shown + "' is a symbolic link",
                "templates are read without following links");
  if (errno == ENOTDIR)
    return fail(Error::Kind::not_found, "'" + shown + "' is not a folder");
  return fail_errno(errno, "cannot open '" + shown + "'");
}

Result<std::optional<std::string>> TemplateFolder::read(
    const std::string& path) {
  // O_NONBLOCK: to open a FIFO would wait for a writer.
  const auto fd = open(path, O_RDONLY | O_NONBLOCK);
  if (!fd && fd.error().kind == Error::Kind::not_found)
    return std::optional<std::string>();
  if (!fd) return tl::unexpected(fd.error());

  const std::string shown = printable(full_path(path));
  struct stat info {};
  if (::fstat(fd->get(), &info) != 0)
    return fail_errno(errno, "cannot look at '" + shown + "'");
  if (!S_ISREG(info.st_mode))
    return fail(Error::Kind::config, "'" + shown + "' is not a regular file");
  if (info.st_size > k_max_file_bytes)
    return fail(Error::Kind::config,
                "'" + shown + "' is larger than a template may be (1 MiB)");
  auto text = read_all(fd->get(), k_max_file_bytes, shown);
  if (!text) return tl::unexpected(text.error());
  if (!is_utf8(*text))
    return fail(Error::Kind::config, "'" + shown + "' is not UTF-8");

  if (text->starts_with(k_byte_order_mark))
    text->erase(0, k_byte_order_mark.size());
  return std::optional<std::string>(std::move(*text));
}

Result<std::vector<std::string>> TemplateFolder::folders(
    const std::string& path) {
  return names(path, Entry::folder);
}

Result<std::vector<std::string>> TemplateFolder::files(
    const std::string& path) {
  return names(path, Entry::file);
}

Result<std::vector<std::string>> TemplateFolder::names(const std::string& path,
                                                       Entry wanted) {
  const auto fd = open(path, O_RDONLY | O_DIRECTORY);
  if (!fd) return tl::unexpected(fd.error());

  std::vector<std::string> names;
  const auto listed = for_each_name(fd->get(), [&](const char* name) {
    if (*name != '.' && is_folder(fd->get(), name) == (wanted == Entry::folder))
      names.emplace_back(name);
    return true;
  });
  if (!listed)
    return wrap(listed.error(),
                "cannot list '" + printable(full_path(path)) + "'");
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace pony
