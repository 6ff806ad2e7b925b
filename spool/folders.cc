#include "spool/folders.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "spool/message_id.h"

namespace pony {
namespace {

constexpr std::string_view k_version = "1\n";
constexpr std::array k_priorities = {Priority::high, Priority::normal,
                                     Priority::bulk};

bool is_shard(std::string_view name) {
  return name.size() == 1;
}
bool is_lane(std::string_view name) {
  return name == "high" || name == "bulk";
}

std::string octal(mode_t mode) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3)
    digits.push_back(static_cast<char>('0' + ((mode >> shift) & 7)));
  return digits;
}

// Makes `path` and what is missing above it.
Result<> make_folders(const std::string& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1);;
       slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    const bool last = slash == std::string::npos;
    if (::mkdir(part.c_str(), last ? mode : 0755) != 0 && errno != EEXIST) {
      auto error = fail_errno(errno, "cannot make the spool '" + path + "'");
      if (error.value().kind == Error::Kind::not_found ||
          error.value().kind == Error::Kind::disk)
        error.value().kind = Error::Kind::cannot_create;
      return error;
    }
    if (last) return {};
  }
}

bool is_removed(int folder) {
  struct stat info {};
  return ::fstat(folder, &info) == 0 && info.st_nlink == 0;
}

Result<gid_t> group_id(const std::string& group) {
  const struct group* entry = ::getgrnam(group.c_str());
  if (entry == nullptr)
    return fail(Error::Kind::config,
                "spool_group: there is no group '" + group + "'");
  return entry->gr_gid;
}

}  // namespace

std::string lane(const std::string& folder, Priority priority) {
  switch (priority) {
    case Priority::high:
      return folder + "/high";
    case Priority::bulk:
      return folder + "/bulk";
    case Priority::normal:
      break;
  }
  return folder;
}

Result<Folders> Folders::open(const std::string& path,
                              const std::string& group) {
  Folders folders;
  folders.path_ = path;
  if (!group.empty()) {
    folders.folder_mode_ = 02770;
    folders.file_mode_ = 0660;
    folders.trusted_owner_ = Owner::any;
  }
  // The modes above are meant as they stand.
  ::umask(group.empty() ? 0077 : 0007);

  auto root = open_folder(AT_FDCWD, path);
  if (!root) {
    if (root.error().kind != Error::Kind::not_found) {
      if (root.error().kind == Error::Kind::disk)
        root.error().kind = Error::Kind::cannot_create;
      return tl::unexpected(root.error());
    }
    if (auto made = make_folders(path, folders.folder_mode_); !made)
      return tl::unexpected(made.error());
    root = open_folder(AT_FDCWD, path);
    if (!root) return tl::unexpected(root.error());
    (void)::fchmod(root->get(), folders.folder_mode_);
  }
  folders.root_ = std::move(*root);

  struct stat info {};
  if (::fstat(folders.root(), &info) != 0)
    return fail_errno(errno, "cannot look at the spool '" + path + "'");
  const mode_t strangers = group.empty() ? S_IWGRP | S_IWOTH : S_IWOTH;
  if ((info.st_mode & strangers) != 0)
    return fail(Error::Kind::no_permission,
                "others can write to the spool '" + path + "' (mode " +
                    octal(info.st_mode & 07777) + ")",
                group.empty()
                    ? "try: chmod go-w " + path +
                          " (or name the group that may enqueue in spool_group)"
                    : "try: chmod o-w " + path);
  if (group.empty() && info.st_uid != ::geteuid() && ::geteuid() != 0)
    return fail(Error::Kind::no_permission,
                "the spool '" + path + "' belongs to another user");
  folders.device_ = info.st_dev;
  folders.owner_ = info.st_uid;
  folders.group_ = info.st_gid;
  folders.give_away_ = ::geteuid() == 0 && info.st_uid != 0;
  if (folders.give_away_) folders.trusted_owner_ = Owner::any;
  if (!group.empty()) {
    auto gid = group_id(group);
    if (!gid) return tl::unexpected(gid.error());
    if (info.st_gid != *gid &&
        ::fchown(folders.root(), static_cast<uid_t>(-1), *gid) != 0)
      return fail_errno(errno,
                        "cannot give the spool '" + path + "' to its group");
    (void)::fchmod(folders.root(), folders.folder_mode_);
    folders.group_ = *gid;
  }
  if (auto checked = folders.check_version(); !checked)
    return tl::unexpected(checked.error());
  return folders;
}

// The version file is made last: where it is, the fixed folders are too, and
// a one-shot enqueue looks no further.
Result<> Folders::check_version() {
  auto version = read_regular(root(), "version", 64, Owner::any);
  if (version) {
    if (*version == k_version) return {};
    return fail(Error::Kind::config,
                "the spool '" + path_ + "' was made by a later pony (version " +
                    printable(*version, 20) + ")",
                "use that version of pony, or another spool");
  }
  if (version.error().kind != Error::Kind::not_found)
    return tl::unexpected(version.error());

  struct statfs fs {};
  if (::fstatfs(root(), &fs) == 0 && fs.f_type == NFS_SUPER_MAGIC)
    return fail(Error::Kind::config, "the spool '" + path_ + "' is on NFS",
                "pony's locks and renames need a local file system");
  for (const char* name :
       {"tmp", "new", "new/high", "new/bulk", "deferred", "held", "cur", "sent",
        "failed", "log", "state", "state/keys"}) {
    auto made = folder(name);
    if (!made) {
      if (made.error().kind == Error::Kind::disk)
        made.error().kind = Error::Kind::cannot_create;
      return tl::unexpected(made.error());
    }
  }
  auto fd = create_in_tmp("version." + std::to_string(::getpid()));
  if (!fd) return tl::unexpected(fd.error());
  if (auto ok = write_all(fd->get(), k_version, "version"); !ok) return ok;
  if (auto ok = sync_all(fd->get(), "version"); !ok) return ok;
  const std::string temporary = "tmp/version." + std::to_string(::getpid());
  if (::renameat(root(), temporary.c_str(), root(), "version") != 0)
    return fail_errno(errno, "cannot make 'version' in the spool");
  return sync_all(root(), path_);
}

Result<int> Folders::folder(const std::string& relative) {
  if (const auto it = open_.find(relative); it != open_.end())
    return it->second.get();
  const auto slash = relative.rfind('/');
  int parent = root();
  if (slash != std::string::npos) {
    auto above = folder(relative.substr(0, slash));
    if (!above) return above;
    parent = *above;
  }
  const std::string name =
      slash == std::string::npos ? relative : relative.substr(slash + 1);
  bool made = false;
  auto fd = open_or_make_folder(parent, name, folder_mode_, &made);
  if (!fd && fd.error().kind == Error::Kind::not_found &&
      slash != std::string::npos) {
    // The parent was removed since we opened it (an emptied bucket).
    forget(relative.substr(0, slash));
    auto above = folder(relative.substr(0, slash));
    if (!above) return above;
    fd = open_or_make_folder(*above, name, folder_mode_, &made);
  }
  if (!fd) return wrap(fd.error(), "spool '" + path_ + "'");
  struct stat info {};
  if (::fstat(fd->get(), &info) != 0)
    return fail_errno(errno, "cannot look at '" + relative + "'");
  if (info.st_dev != device_)
    return fail(Error::Kind::config,
                "'" + relative + "' in the spool '" + path_ +
                    "' is on another file system",
                "a message moves by rename(2): keep the spool on one");
  if (made && give_away_ && ::fchown(fd->get(), owner_, group_) != 0)
    return fail_errno(errno,
                      "cannot give '" + relative + "' to the spool's owner");
  const int number = fd->get();
  open_.insert_or_assign(relative, std::move(*fd));
  return number;
}

// Buckets and days come and go: what is open is bounded. Only called where
// no descriptor of ours is in anybody's hands.
void Folders::close_some() {
  constexpr std::size_t k_most_open = 128;
  if (open_.size() > k_most_open) open_.clear();
}

Result<int> Folders::existing(const std::string& relative) {
  if (const auto it = open_.find(relative); it != open_.end())
    return it->second.get();
  auto fd = open_folder(root(), relative);
  if (!fd) return tl::unexpected(fd.error());
  const int number = fd->get();
  open_.insert_or_assign(relative, std::move(*fd));
  return number;
}

Result<std::string> Folders::place(State state, std::string_view id,
                                   Priority priority, Time when) {
  close_some();
  std::string relative;
  switch (state) {
    case State::fresh:
      relative = lane("new", priority);
      break;
    case State::deferred:
      relative = lane("deferred/" + format_minute(when), priority);
      break;
    case State::held:
      relative = "held";
      break;
    case State::sent:
    case State::failed:
      relative = std::string(to_text(state)) + "/" + format_day(when);
      break;
    case State::claimed:
      return fail(Error::Kind::usage, "a claim has a runner's folder");
  }
  auto fd = folder(relative);
  if (!fd) return tl::unexpected(fd.error());
  struct stat info {};
  if (::fstat(*fd, &info) == 0 && info.st_size > k_large_folder) {
    relative.append("/").push_back(id.back());
    if (auto shard = folder(relative); !shard)
      return tl::unexpected(shard.error());
  }
  return relative;
}

Result<> Folders::move(const std::string& from, const std::string& name,
                       const std::string& to, const std::string& new_name) {
  close_some();
  auto source = existing(from);
  if (!source) return tl::unexpected(source.error());
  for (int round = 0;; ++round) {
    auto target = folder(to);
    if (!target) return tl::unexpected(target.error());
    if (::renameat2(*source, name.c_str(), *target, new_name.c_str(),
                    RENAME_NOREPLACE) == 0)
      return {};
    const int error = errno;
    if (error == EEXIST)
      return fail(Error::Kind::busy,
                  "'" + to + "/" + new_name + "' is there already");
    // ENOENT: the source is gone (somebody else was faster), or one of the
    // folders was removed as empty since we opened it. Then, once: the target
    // is made again; the source may have been, by somebody else.
    if (error == ENOENT && round == 0) {
      const bool new_source = is_removed(*source);
      const bool new_target = is_removed(*target);
      if (new_target) forget(to);
      if (new_source) {
        forget(from);
        source = existing(from);
        if (!source) return tl::unexpected(source.error());
      }
      if (new_source || new_target) continue;
    }
    return fail_errno(
        error, "cannot move '" + from + "/" + name + "' to '" + to + "'");
  }
}

Result<> Folders::sync(const std::string& relative) {
  auto fd = existing(relative);
  if (!fd) return tl::unexpected(fd.error());
  return sync_all(*fd, relative);
}

Result<> Folders::for_each_file(
    const std::string& relative,
    const std::function<bool(const std::string& folder, const char* name)>&
        each) {
  // Not kept open: there may be thousands of buckets and days.
  auto fd = open_folder(root(), relative);
  if (!fd) {
    if (fd.error().kind == Error::Kind::not_found) return {};
    return tl::unexpected(fd.error());
  }
  std::vector<std::string> shards;
  bool go_on = true;
  auto listed = for_each_name(fd->get(), [&](const char* name) {
    const std::string_view view = name;
    if (is_shard(view)) {
      shards.emplace_back(view);
    } else if (!is_lane(view)) {
      go_on = each(relative, name);
    }
    return go_on;
  });
  if (!listed) return listed;
  for (const auto& shard : shards) {
    if (!go_on) break;
    const std::string folder = relative + "/" + shard;
    auto below = open_folder(root(), folder);
    if (!below) continue;
    listed = for_each_name(below->get(), [&](const char* name) {
      go_on = each(folder, name);
      return go_on;
    });
    if (!listed) return listed;
  }
  return {};
}

Result<std::vector<std::string>> Folders::sub_folders(
    const std::string& relative) {
  auto fd = open_folder(root(), relative);
  if (!fd) return tl::unexpected(fd.error());
  std::vector<std::string> names;
  auto listed = for_each_name(fd->get(), [&](const char* name) {
    if (name[0] != '.') names.emplace_back(name);
    return true;
  });
  if (!listed) return tl::unexpected(listed.error());
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> Folders::folders_of(State state) {
  std::vector<std::string> folders;
  const std::string top(to_text(state));
  const auto add_lanes = [&](const std::string& folder) {
    for (const auto priority : k_priorities)
      folders.push_back(lane(folder, priority));
  };
  if (state == State::fresh) {
    add_lanes(top);
    return folders;
  }
  if (state == State::held) return std::vector<std::string>{top};
  auto names = sub_folders(top);
  if (!names) return names;
  for (const auto& name : *names) {
    if (state == State::deferred) {
      add_lanes(top + "/" + name);
    } else {
      folders.push_back(top + "/" + name);
    }
  }
  return folders;
}

Result<Folders::Found> Folders::find(std::string_view id,
                                     const std::string& name) {
  const std::string first_day = format_day(time_of_message_id(id));
  const auto is_in = [&](const std::string& folder) {
    struct stat info {};
    return ::fstatat(root(), (folder + "/" + name).c_str(), &info,
                     AT_SYMLINK_NOFOLLOW) == 0;
  };
  // A message may move while we look: a second round finds it where it went.
  for (int round = 0; round < 3; ++round) {
    for (const State state : {State::fresh, State::claimed, State::deferred,
                              State::held, State::sent, State::failed}) {
      auto folders = folders_of(state);
      if (!folders) return tl::unexpected(folders.error());
      for (auto& folder : *folders) {
        const bool by_day = state == State::sent || state == State::failed;
        // Clocks of enqueuer and runner may be a day apart.
        if (by_day && folder.substr(folder.find('/') + 1) < first_day &&
            round == 0)
          continue;
        if (is_in(folder)) return Found{folder, state};
        const std::string shard = folder + "/" + id.back();
        if (is_in(shard)) return Found{shard, state};
      }
    }
  }
  return fail(Error::Kind::not_found,
              "there is no message '" + std::string(id) + "'");
}

Result<Fd> Folders::create_in_tmp(const std::string& name) {
  auto tmp = folder("tmp");
  if (!tmp) return tl::unexpected(tmp.error());
  Fd fd(::openat(*tmp, name.c_str(),
                 O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC,
                 file_mode_));
  if (!fd) return fail_errno(errno, "cannot make 'tmp/" + name + "'");
  if (give_away_ && ::fchown(fd.get(), owner_, group_) != 0)
    return fail_errno(errno,
                      "cannot give 'tmp/" + name + "' to the spool's owner");
  return fd;
}

}  // namespace pony
