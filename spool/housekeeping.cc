#include "spool/housekeeping.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace pony {
namespace {

constexpr std::chrono::hours k_leftover_age{36};
constexpr std::chrono::hours k_between_sweeps{1};

Time changed_at(const struct stat& info) {
  return Time(std::chrono::seconds(info.st_mtime));
}

// Is it old, whatever it is? `info` is filled in.
bool is_old(int folder, const char* name, Time now, struct stat& info) {
  return ::fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
         now - changed_at(info) > k_leftover_age;
}

// A lock on the file, if nobody else has one. Writers of tmp/ hold theirs for
// as long as they live.
Fd lock_of_dead(int folder, const std::string& name) {
  Fd fd(::openat(folder, name.c_str(),
                 O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) fd = Fd();
  return fd;
}

// True when it is a dead writer's file; then it is gone unless we only tell.
bool sweep_file(int tmp, const std::string& name, const struct stat& info,
                Sweep sweep, bool& removed) {
  Fd lock;
  if (S_ISREG(info.st_mode)) {
    lock = lock_of_dead(tmp, name);
    if (!lock) return false;
  }
  removed = sweep == Sweep::remove && ::unlinkat(tmp, name.c_str(), 0) == 0;
  return true;
}

bool is_runners(std::string_view name) {
  return name == ".lock" || name.starts_with("journal.");
}

// The folder of a runner that died before it showed in cur/: its lock and its
// journal, never a message.
bool sweep_folder(int tmp, const std::string& name, Sweep sweep,
                  bool& removed) {
  auto folder = open_folder(tmp, name);
  if (!folder) return false;
  std::vector<std::string> names;
  (void)for_each_name(folder->get(), [&](const char* inner) {
    names.emplace_back(inner);
    return true;
  });
  struct stat info {};
  const bool has_lock =
      ::fstatat(folder->get(), ".lock", &info, AT_SYMLINK_NOFOLLOW) == 0;
  const Fd lock = has_lock ? lock_of_dead(folder->get(), ".lock") : Fd();
  if (has_lock && !lock) return false;
  if (sweep == Sweep::only_tell) return true;
  for (const auto& inner : names)
    if (is_runners(inner)) ::unlinkat(folder->get(), inner.c_str(), 0);
  removed = ::unlinkat(tmp, name.c_str(), AT_REMOVEDIR) == 0;
  return true;
}

// Was the last sweep less than an hour ago? If not, it is now.
Result<bool> swept_lately(Folders& folders, Time now) {
  auto state = folders.folder("state");
  if (!state) return tl::unexpected(state.error());
  struct stat info {};
  if (::fstatat(*state, "swept", &info, AT_SYMLINK_NOFOLLOW) == 0) {
    const auto ago = now - changed_at(info);
    // A stamp of the future is a clock's accident.
    if (ago >= std::chrono::seconds(0) && ago < k_between_sweeps) return true;
  }
  const Fd fd(::openat(*state, "swept",
                       O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                       folders.file_mode()));
  if (!fd) return fail_errno(errno, "cannot write 'state/swept'");
  const timespec at{
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count(),
      0};
  const timespec times[2] = {at, at};
  if (::futimens(fd.get(), times) != 0)
    return fail_errno(errno, "cannot stamp 'state/swept'");
  return false;
}

}  // namespace

Result<> housekeep(Spool& spool, Time now) {
  auto lately = swept_lately(spool.folders(), now);
  if (!lately) return tl::unexpected(lately.error());
  if (*lately) return {};
  auto swept = sweep_tmp(spool.folders(), now, Sweep::remove,
                         [](const std::string&, bool) {});
  if (!swept) return swept;
  return spool.keys().sweep(now);
}

Result<> sweep_tmp(
    Folders& folders, Time now, Sweep sweep,
    const std::function<void(const std::string& path, bool removed)>& each) {
  auto tmp = open_folder(folders.root(), "tmp");
  if (!tmp) return tl::unexpected(tmp.error());
  std::vector<std::string> names;
  struct stat info {};
  auto listed = for_each_name(tmp->get(), [&](const char* name) {
    if (is_old(tmp->get(), name, now, info)) names.emplace_back(name);
    return true;
  });
  if (!listed) return listed;
  for (const auto& name : names) {
    if (!is_old(tmp->get(), name.c_str(), now, info)) continue;
    bool removed = false;
    const bool dead = S_ISDIR(info.st_mode)
                          ? sweep_folder(tmp->get(), name, sweep, removed)
                          : sweep_file(tmp->get(), name, info, sweep, removed);
    if (dead) each("tmp/" + name, removed);
  }
  return {};
}

}  // namespace pony
