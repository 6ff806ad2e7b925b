#include "spool/purge.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <set>
#include <vector>

#include "core/compressed_file.h"

namespace pony {
namespace {

constexpr std::chrono::hours k_day{24};
constexpr std::uint64_t k_block = 512;  // of st_blocks, whatever the disk's is
constexpr std::size_t k_compared = std::size_t{1} << 16;

std::uint64_t bytes_on_disk(const struct stat& info) {
  return static_cast<std::uint64_t>(info.st_blocks) * k_block;
}

// Is a day's keeping over? Nothing of today's ever is.
bool is_over(Time day, std::chrono::seconds keep, Time now) {
  return now - (day + k_day) >= keep && now >= day + k_day;
}

class Purge {
 public:
  Purge(Spool& spool, const PurgeOptions& options)
      : folders_(spool.folders()),
        log_(spool.log()),
        options_(options),
        now_(spool.clock().now()) {}

  Result<PurgeSummary> run();

 private:
  Result<> purge_days(const std::string& state, std::chrono::seconds keep);
  Result<> purge_for_space();
  Result<> remove_day(const std::string& day_folder, Purged::Why why);
  Result<> remove_files(const std::string& folder, Purged& purged);
  Result<> purge_logs();
  Result<> remove_log(const std::string& name);
  Result<> compress_log(const std::string& name);
  Result<std::uint64_t> put_compressed(int from, const struct stat& of,
                                       const std::string& name,
                                       const std::string& as);
  Result<std::vector<std::string>> days_of(const std::string& state);
  void tell(const Purged& purged);

  Folders& folders_;
  EventLog& log_;
  const PurgeOptions& options_;
  Time now_;
  PurgeSummary summary_;
  std::optional<Error> failed_;  // the first; the rest was tried all the same
  std::set<std::string> gone_;   // days; with dry_run they are still there
};

Result<PurgeSummary> Purge::run() {
  if (auto done = purge_days("sent", options_.rules.sent); !done)
    return tl::unexpected(done.error());
  if (auto done = purge_days("failed", options_.rules.failed); !done)
    return tl::unexpected(done.error());
  if (auto done = purge_logs(); !done) return tl::unexpected(done.error());
  if (auto done = purge_for_space(); !done) return tl::unexpected(done.error());
  if (failed_) return tl::unexpected(*failed_);
  return summary_;
}

void Purge::tell(const Purged& purged) {
  summary_.messages += purged.messages;
  summary_.bytes += purged.bytes;
  options_.each(purged);
}

// "sent/2026-10-21" …, oldest first. What is not called like a day is not
// ours.
Result<std::vector<std::string>> Purge::days_of(const std::string& state) {
  auto names = folders_.sub_folders(state);
  if (!names) return tl::unexpected(names.error());
  std::vector<std::string> days;
  for (const auto& name : *names)
    if (parse_day(name)) days.push_back(state + "/" + name);
  return days;
}

Result<> Purge::purge_days(const std::string& state,
                           std::chrono::seconds keep) {
  auto days = days_of(state);
  if (!days) return tl::unexpected(days.error());
  for (const auto& folder : *days) {
    const auto day = parse_day(folder.substr(state.size() + 1));
    if (!is_over(*day, keep, now_)) continue;
    // One that cannot be removed keeps no other.
    if (auto done = remove_day(folder, Purged::Why::age); !done && !failed_)
      failed_ = done.error();
  }
  return {};
}

Result<> Purge::purge_for_space() {
  if (options_.rules.keep_free <= 0) return {};
  auto days = days_of("sent");
  if (!days) return tl::unexpected(days.error());
  std::deque<std::string> oldest_first(days->begin(), days->end());
  const std::uint64_t planned = options_.dry_run ? summary_.bytes : 0;
  std::uint64_t more_planned = 0;
  for (;;) {
    auto space =
        options_.disk_space ? options_.disk_space() : disk_space_of(folders_);
    if (!space) return tl::unexpected(space.error());
    const double free =
        static_cast<double>(space->free + planned + more_planned);
    if (free >= options_.rules.keep_free * static_cast<double>(space->total))
      return {};
    while (!oldest_first.empty() && gone_.contains(oldest_first.front()))
      oldest_first.pop_front();
    const std::string today = "sent/" + format_day(now_);
    if (oldest_first.empty() || oldest_first.front() >= today) {
      summary_.is_short_of_space = true;
      return {};
    }
    const std::uint64_t before = summary_.bytes;
    auto done = remove_day(oldest_first.front(), Purged::Why::disk);
    if (!done) return done;
    oldest_first.pop_front();
    if (options_.dry_run) more_planned += summary_.bytes - before;
  }
}

Result<> Purge::remove_day(const std::string& day_folder, Purged::Why why) {
  Purged purged{Purged::Done::removed, why, day_folder};
  auto fd = open_folder(folders_.root(), day_folder);
  if (!fd && fd.error().kind == Error::Kind::not_found) return {};
  if (!fd) return tl::unexpected(fd.error());
  std::vector<std::string> shards;  // sub-folders for size
  auto listed = for_each_name(fd->get(), [&](const char* name) {
    struct stat info {};
    if (::fstatat(fd->get(), name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(info.st_mode))
      shards.emplace_back(name);
    return true;
  });
  if (!listed) return listed;
  for (const auto& shard : shards) {
    const std::string folder = day_folder + "/" + shard;
    if (auto done = remove_files(folder, purged); !done) return done;
    if (!options_.dry_run)
      ::unlinkat(folders_.root(), folder.c_str(), AT_REMOVEDIR);
    folders_.forget(folder);
  }
  if (auto done = remove_files(day_folder, purged); !done) return done;
  if (!options_.dry_run) {
    // Not empty: something came in meanwhile, or is not ours. It stays.
    ::unlinkat(folders_.root(), day_folder.c_str(), AT_REMOVEDIR);
    folders_.forget(day_folder);
  }
  gone_.insert(day_folder);
  tell(purged);
  return {};
}

// Removes the files of a folder. The listing goes on while names vanish from
// it, which readdir(3) allows.
Result<> Purge::remove_files(const std::string& folder, Purged& purged) {
  auto fd = open_folder(folders_.root(), folder);
  if (!fd && fd.error().kind == Error::Kind::not_found) return {};
  if (!fd) return tl::unexpected(fd.error());
  int error = 0;
  auto listed = for_each_name(fd->get(), [&](const char* name) {
    struct stat info {};
    if (::fstatat(fd->get(), name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        S_ISDIR(info.st_mode))
      return true;
    if (!options_.dry_run && ::unlinkat(fd->get(), name, 0) != 0) {
      if (errno == ENOENT) return true;  // retried a moment ago
      error = errno;
      return false;
    }
    ++purged.messages;
    purged.bytes += bytes_on_disk(info);
    return true;
  });
  if (!listed) return listed;
  if (error != 0)
    return fail_errno(error, "cannot remove what is in '" + folder + "'");
  return {};
}

Result<> Purge::purge_logs() {
  auto files = log_.files({}, {});
  if (!files) return tl::unexpected(files.error());
  for (const auto& file : *files) {
    const auto day = parse_day(file.day);
    if (!day) continue;
    if (is_over(*day, options_.rules.log, now_)) {
      if (auto done = remove_log(file.name); !done && !failed_)
        failed_ = done.error();
    } else if (file.name == "events-" + file.day + ".jsonl" &&
               is_over(*day, options_.rules.compress_log + k_day, now_)) {
      // A day later than asked for at least: a process that was slow at
      // midnight may still write to yesterday's.
      if (auto done = compress_log(file.name); !done && !failed_)
        failed_ = done.error();
    }
  }
  return {};
}

Result<> Purge::remove_log(const std::string& name) {
  Purged purged{Purged::Done::removed, Purged::Why::age, "log/" + name};
  struct stat info {};
  if (::fstatat(folders_.root(), purged.path.c_str(), &info,
                AT_SYMLINK_NOFOLLOW) != 0)
    return {};
  if (!options_.dry_run &&
      ::unlinkat(folders_.root(), purged.path.c_str(), 0) != 0)
    return fail_errno(errno, "cannot remove '" + purged.path + "'");
  ++summary_.logs;
  purged.bytes = bytes_on_disk(info);
  tell(purged);
  return {};
}

// Does `whole` begin with all that the compressed file says?
Result<bool> begins_with(int whole, int compressed) {
  auto plain = open_source(whole, Compression::none, 0);
  if (!plain) return tl::unexpected(plain.error());
  auto packed = open_source(compressed, Compression::gzip, 0);
  if (!packed) return tl::unexpected(packed.error());
  std::string one(k_compared, '\0');
  std::string other(k_compared, '\0');
  for (;;) {
    auto got = (*packed)->read(one.data(), one.size());
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return true;
    for (std::size_t have = 0; have < *got;) {
      auto more = (*plain)->read(other.data() + have, *got - have);
      if (!more) return tl::unexpected(more.error());
      if (*more == 0) return false;
      have += *more;
    }
    if (one.compare(0, *got, other, 0, *got) != 0) return false;
  }
}

// events-D.jsonl becomes events-D.jsonl.gz: whole and durable under its new
// name before the old one goes. Who died in between left both, with the same
// in them: reports count an event once, and the next purge begins anew.
Result<> Purge::compress_log(const std::string& name) {
  const std::string path = "log/" + name;
  const std::string packed_path = path + ".gz";
  struct stat info {};
  auto from = open_regular(folders_.root(), path, O_RDONLY, SIZE_MAX,
                           folders_.trusted_owner(), &info);
  if (!from && from.error().kind == Error::Kind::not_found) return {};
  if (!from) return tl::unexpected(from.error());
  auto earlier = open_regular(folders_.root(), packed_path, O_RDONLY, SIZE_MAX,
                              folders_.trusted_owner(), nullptr);
  if (earlier) {
    auto same = begins_with(from->get(), earlier->get());
    if (!same) return tl::unexpected(same.error());
    // Somebody else's: both are read, so nothing is lost by leaving it alone.
    if (!*same) return {};
    if (::lseek(from->get(), 0, SEEK_SET) != 0)
      return fail_errno(errno, "cannot read '" + path + "'");
  }
  Purged purged{Purged::Done::compressed, Purged::Why::age, path};
  if (!options_.dry_run) {
    auto packed = put_compressed(from->get(), info, name, packed_path);
    if (!packed) return tl::unexpected(packed.error());
    struct stat now {};
    // Written to after all: the next purge compresses the rest with it.
    if (::fstat(from->get(), &now) != 0 || now.st_size != info.st_size)
      return {};
    if (::unlinkat(folders_.root(), path.c_str(), 0) != 0)
      return fail_errno(errno, "cannot remove '" + path + "'");
    if (auto synced = folders_.sync("log"); !synced) return synced;
    const std::uint64_t before = bytes_on_disk(info);
    purged.bytes = before > *packed ? before - *packed : 0;
  }
  ++summary_.compressed;
  tell(purged);
  return {};
}

// Answers with how many bytes of the disk it takes.
Result<std::uint64_t> Purge::put_compressed(int from, const struct stat& of,
                                            const std::string& name,
                                            const std::string& as) {
  const std::string temporary =
      fmt::format("{}.{}.gz", name, static_cast<long>(::getpid()));
  auto to = folders_.create_in_tmp(temporary);
  if (!to) return tl::unexpected(to.error());
  const std::string temporary_path = "tmp/" + temporary;
  const auto put = [&]() -> Result<std::uint64_t> {
    // Whoever sweeps tmp/ leaves alone what is locked.
    if (::flock(to->get(), LOCK_EX | LOCK_NB) != 0)
      return fail_errno(errno, "cannot lock '" + temporary_path + "'");
    if (auto done = compress_file(from, to->get()); !done)
      return tl::unexpected(done.error());
    const timespec times[2] = {of.st_atim, of.st_mtim};
    (void)::futimens(to->get(), times);  // as gzip(1) does; nothing needs it
    if (auto synced = sync_all(to->get(), temporary_path); !synced)
      return tl::unexpected(synced.error());
    struct stat packed {};
    if (::fstat(to->get(), &packed) != 0 ||
        ::renameat(folders_.root(), temporary_path.c_str(), folders_.root(),
                   as.c_str()) != 0)
      return fail_errno(errno, "cannot make '" + as + "'");
    if (auto synced = folders_.sync("log"); !synced)
      return tl::unexpected(synced.error());
    return bytes_on_disk(packed);
  };
  auto done = put();
  if (!done) ::unlinkat(folders_.root(), temporary_path.c_str(), 0);
  return done;
}

}  // namespace

Result<PurgeSummary> purge(Spool& spool, const PurgeOptions& options) {
  return Purge(spool, options).run();
}

Result<DiskSpace> disk_space_of(Folders& folders) {
  struct statvfs info {};
  if (::fstatvfs(folders.root(), &info) != 0)
    return fail_errno(
        errno, "cannot ask how full the disk of '" + folders.path() + "' is");
  return DiskSpace{info.f_bavail * info.f_frsize,
                   info.f_blocks * info.f_frsize};
}

}  // namespace pony
