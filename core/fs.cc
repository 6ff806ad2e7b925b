#include "core/fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace pony {
namespace {

std::string quoted(std::string_view doing, std::string_view what) {
  return std::string(doing) + " '" + std::string(what) + "'";
}

// openat that follows no symbolic link anywhere in `name`: O_NOFOLLOW alone
// guards only the last component. A path of our own (AT_FDCWD) may have some.
int open_beneath(int at, const std::string& name, int flags) {
  if (at == AT_FDCWD || name.find('/') == std::string::npos)
    return ::openat(at, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC);
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_NOFOLLOW | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return static_cast<int>(
      ::syscall(SYS_openat2, at, name.c_str(), &how, sizeof how));
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

int Fd::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

Result<> Fd::close(std::string_view what) {
  if (::close(release()) != 0)
    return fail_errno(errno, quoted("cannot close", what));
  return {};
}

Result<Fd> open_folder(int at, const std::string& name) {
  const int fd = open_beneath(at, name, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fail_errno(errno, quoted("cannot open folder", name));
  return Fd(fd);
}

Result<Fd> open_or_make_folder(int at, const std::string& name, mode_t mode,
                               bool* made) {
  if (made != nullptr) *made = false;
  const int fd = ::openat(at, name.c_str(),
                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0) return Fd(fd);
  if (errno != ENOENT)
    return fail_errno(errno, quoted("cannot open folder", name));
  if (::mkdirat(at, name.c_str(), mode) != 0 && errno != EEXIST)
    return fail_errno(errno, quoted("cannot make folder", name));
  auto folder = open_folder(at, name);
  if (!folder) return folder;
  // mkdir obeys the umask; what the caller asked for is what it gets. Another
  // process may have made it meanwhile: then the mode is its affair.
  struct stat info {};
  if (::fstat(folder->get(), &info) == 0 && info.st_uid == ::geteuid() &&
      (info.st_mode & 07777) != mode)
    (void)::fchmod(folder->get(), mode);
  if (::fsync(at) != 0 && at >= 0)
    return fail_errno(errno, quoted("cannot sync the parent of", name));
  if (made != nullptr) *made = true;
  return folder;
}

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<Fd> open_regular(int at, const std::string& name, int flags,
                        std::size_t limit, Owner owner, struct stat* info) {
  Fd fd(open_beneath(at, name, flags | O_NONBLOCK | O_NOCTTY));
  if (!fd) {
    // ELOOP: it is a symbolic link; ENXIO: a socket or a FIFO without reader.
    if (errno == ELOOP || errno == ENXIO || errno == EISDIR)
      return fail(Error::Kind::bad_data, quoted("not a regular file:", name));
    return fail_errno(errno, quoted("cannot open", name));
  }
  struct stat own {};
  struct stat& st = info != nullptr ? *info : own;
  if (::fstat(fd.get(), &st) != 0)
    return fail_errno(errno, quoted("cannot look at", name));
  if (!S_ISREG(st.st_mode))
    return fail(Error::Kind::bad_data, quoted("not a regular file:", name));
  if (owner == Owner::ours && st.st_uid != ::geteuid() && st.st_uid != 0)
    return fail(Error::Kind::bad_data,
                quoted("belongs to another user:", name));
  if (static_cast<std::size_t>(st.st_size) > limit)
    return fail(
        Error::Kind::bad_data,
        quoted("larger than " + std::to_string(limit) + " bytes:", name));
  return fd;
}

Result<std::string> read_all(int fd, std::size_t limit, std::string_view what,
                             std::size_t size) {
  std::string data;
  struct stat st {};
  if (size == 0 && ::fstat(fd, &st) == 0 && st.st_size > 0)
    size = static_cast<std::size_t>(st.st_size);
  // One byte more than expected: a read that leaves it empty was the last.
  data.resize(std::min(limit, std::max<std::size_t>(size, 4095)) + 1);
  std::size_t have = 0;
  for (;;) {
    const ssize_t n = ::read(fd, data.data() + have, data.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, quoted("cannot read", what));
    have += static_cast<std::size_t>(n);
    if (have > limit)
      return fail(
          Error::Kind::bad_data,
          quoted("larger than " + std::to_string(limit) + " bytes:", what));
    // A short read of a regular file of known size is its end.
    if (n == 0 || (size > 0 && have == size)) break;
    if (have == data.size()) data.resize(std::min(limit + 1, data.size() * 2));
  }
  data.resize(have);
  return data;
}

Result<std::string> read_regular(int at, const std::string& name,
                                 std::size_t limit, Owner owner) {
  struct stat info {};
  auto fd = open_regular(at, name, O_RDONLY, limit, owner, &info);
  if (!fd) return tl::unexpected(fd.error());
  return read_all(fd->get(), limit, name,
                  static_cast<std::size_t>(info.st_size));
}

Result<std::string> read_linked(const std::string& path, std::size_t limit) {
  const Fd fd(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return fail_errno(errno, quoted("cannot open", path));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return fail_errno(errno, quoted("cannot look at", path));
  if (!S_ISREG(info.st_mode))
    return fail(Error::Kind::bad_data, "'" + path + "' is no regular file");
  return read_all(fd.get(), limit, path);
}

Result<> write_all(int fd, std::string_view data, std::string_view what) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, quoted("cannot write", what));
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<> write_all_at(int fd, std::string_view data, std::uint64_t offset,
                      std::string_view what) {
  while (!data.empty()) {
    const ssize_t n =
        ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, quoted("cannot write", what));
    data.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<> sync_all(int fd, std::string_view what) {
  if (::fsync(fd) != 0) return fail_errno(errno, quoted("cannot sync", what));
  return {};
}

Result<> sync_data(int fd, std::string_view what) {
  if (::fdatasync(fd) != 0)
    return fail_errno(errno, quoted("cannot sync", what));
  return {};
}

Result<> lock_whole(int fd, std::string_view what) {
  while (::flock(fd, LOCK_EX) != 0)
    if (errno != EINTR)
      return fail_errno(errno, "cannot lock " + std::string(what));
  return {};
}

Result<> for_each_name(int folder,
                       const std::function<bool(const char* name)>& each) {
  // A descriptor of its own: readdir moves the offset that dup would share.
  const int fd =
      ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fail_errno(errno, "cannot list a folder");
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(fd), &::closedir);
  if (!dir) {
    const int error = errno;
    ::close(fd);
    return fail_errno(error, "cannot list a folder");
  }
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (!each(entry->d_name)) return {};
  }
  if (errno != 0) return fail_errno(errno, "cannot list a folder");
  return {};
}

Result<> end_last_line(int fd, std::string_view what) {
  // Another process may be in the middle of its write: the kernel shows what it
  // has copied so far. A line is torn when it does not grow any more.
  constexpr int k_milliseconds_of_a_write = 2;
  off_t seen = -1;
  for (;;) {
    struct stat st {};
    if (::fstat(fd, &st) != 0)
      return fail_errno(errno, quoted("cannot look at", what));
    if (st.st_size == 0) return {};
    char last = 0;
    if (::pread(fd, &last, 1, st.st_size - 1) == 1 && last == '\n') return {};
    if (st.st_size == seen) return write_all(fd, "\n", what);
    seen = st.st_size;
    ::poll(nullptr, 0, k_milliseconds_of_a_write);
  }
}

}  // namespace pony
