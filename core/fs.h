// Files as the spool needs them: descriptors that close themselves, *at calls
// that never follow a symbolic link, and writes that are checked to the end.
//
// POSIX calls, not Boost.Filesystem: what matters here is which descriptor is
// synced when, and that a path is looked up once. Boost serves where comfort
// counts (cmd/init.cc, tests).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  // Closes and says whether that worked: a late write error can hide there.
  Result<> close(std::string_view what);

 private:
  int fd_ = -1;
};

// A folder below `at` (AT_FDCWD for a path of our own). Refuses a symbolic
// link in the last component. Errors: fail_errno's.
Result<Fd> open_folder(int at, const std::string& name);

// The same, made with `mode` if it is missing; then its parent `at` is synced,
// so that what is put into the new folder cannot vanish with it. `made` tells
// whether it was.
Result<Fd> open_or_make_folder(int at, const std::string& name, mode_t mode,
                               bool* made = nullptr);

// Is there a folder at `path`, or a symbolic link to one?
bool is_folder(const std::string& path);

// A regular file for reading, at most `limit` bytes, owned by us or by root
// unless `owner` is any; never through a symbolic link, never waiting on a
// FIFO. bad_data when it is something else or larger.
enum class Owner { ours, any };
Result<Fd> open_regular(int at, const std::string& name, int flags,
                        std::size_t limit, Owner owner, struct stat* info);
// Its whole content.
Result<std::string> read_regular(int at, const std::string& name,
                                 std::size_t limit, Owner owner = Owner::any);
// The same of a file of the system's or of a person's own, which may well be
// a symbolic link (/etc/aliases): whoever names it here is to be trusted.
Result<std::string> read_linked(const std::string& path, std::size_t limit);
// What is left of an open file. `size`, if known, saves asking for it.
Result<std::string> read_all(int fd, std::size_t limit, std::string_view what,
                             std::size_t size = 0);

// Writes all of `data`, through short writes and EINTR.
Result<> write_all(int fd, std::string_view data, std::string_view what);
Result<> write_all_at(int fd, std::string_view data, std::uint64_t offset,
                      std::string_view what);
// fsync / fdatasync. Failed once means failed for good: never try the same
// descriptor again (Linux marks the pages clean; see HACKING.md).
Result<> sync_all(int fd, std::string_view what);
Result<> sync_data(int fd, std::string_view what);

// Takes the exclusive flock(2) of an open file, however long others hold it;
// signals do not end the wait. It goes with the descriptor. `what` is the
// sentence's object as it is to be read: "the keys", "'state/keys'".
Result<> lock_whole(int fd, std::string_view what);

// Calls `each` with every name in the folder except . and .., in no order;
// stops when it answers false. The listing streams: a million names cost no
// memory.
Result<> for_each_name(int folder,
                       const std::function<bool(const char* name)>& each);

// Ends the last line of the file, if a crash or a full disk left it open:
// writes a '\n' when the last byte is none.
Result<> end_last_line(int fd, std::string_view what);

}  // namespace pony
