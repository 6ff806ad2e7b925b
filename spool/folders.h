// The folders of a spool: where each message belongs, opened once, made
// durable when made, never reached through a symbolic link.
//
//   new/  new/high/  new/bulk/            a lane each: normal, high, bulk
//   deferred/<minute>/  …/high/  …/bulk/  the same lanes in every bucket
//   held/
//   cur/<runner>/
//   sent/<day>/  failed/<day>/
//
// A folder that grows beyond k_large_folder bytes (its own size: some 18,000
// names on ext4) gets sub-folders named after the last character of the id;
// what is in it stays where it is. Opening and renaming in a folder of a
// million names costs three to six times as much as in one of a thousand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/fs.h"
#include "core/history.h"
#include "core/message.h"
#include "core/result.h"

namespace pony {

inline constexpr off_t k_large_folder = off_t{1} << 20;

class Folders {
 public:
  // Opens the spool at `path`, making what is missing of it. `group`: the
  // group that may enqueue (folders 2770, files 0660), or empty (0700, 0600).
  // Errors: no_permission (strangers can write to it; it is another user's),
  // cannot_create, config (on NFS, of a later version, no such group).
  static Result<Folders> open(const std::string& path,
                              const std::string& group);

  const std::string& path() const { return path_; }
  int root() const { return root_.get(); }
  mode_t folder_mode() const { return folder_mode_; }
  mode_t file_mode() const { return file_mode_; }
  // What files may be read: in a spool of one user only that user's.
  Owner trusted_owner() const { return trusted_owner_; }

  // The descriptor of the folder with this path below the spool
  // ("sent/2026-11-21"), opened or made at the first call; good until the
  // next place() or move().
  Result<int> folder(const std::string& relative);
  // The same, but not_found instead of making it.
  Result<int> existing(const std::string& relative);
  // Forgets a folder that was removed meanwhile.
  void forget(const std::string& relative) { open_.erase(relative); }

  // The folder a message of this state belongs to; `when` is the due time
  // (deferred) or the day it ended (sent, failed). Sub-folders included.
  Result<std::string> place(State state, std::string_view id, Priority priority,
                            Time when);

  // Renames `name` from one folder to another; makes the target again if
  // somebody removed it as empty. not_found when the source is gone;
  // never replaces a file: busy then. The rename is durable after sync().
  Result<> move(const std::string& from, const std::string& name,
                const std::string& to, const std::string& new_name);
  Result<> sync(const std::string& relative);

  // Calls `each(folder, name)` for every file in the folder and in its
  // sub-folders for size; lanes are folders of their own. Stops on false.
  Result<> for_each_file(const std::string& relative,
                         const std::function<bool(const std::string& folder,
                                                  const char* name)>& each);

  // Names of the sub-folders of deferred/, cur/, sent/ or failed/, sorted.
  Result<std::vector<std::string>> sub_folders(const std::string& relative);

  // The folders in which messages of `state` may be: for deferred each
  // bucket and lane, for cur each runner, for sent and failed each day.
  Result<std::vector<std::string>> folders_of(State state);

  // A folder in which the file `name` is, or not_found. Days before `since`
  // are not looked at.
  struct Found {
    std::string folder;
    State state = State::fresh;
  };
  Result<Found> find(std::string_view id, const std::string& name);

  // A file made new in tmp/, for writing, with the spool's mode and owner.
  Result<Fd> create_in_tmp(const std::string& name);

 private:
  Folders() = default;
  Result<> check_version();
  void close_some();

  std::string path_;
  Fd root_;
  mode_t folder_mode_ = 0700;
  mode_t file_mode_ = 0600;
  Owner trusted_owner_ = Owner::ours;
  uid_t owner_ = 0;
  gid_t group_ = 0;
  dev_t device_ = 0;
  bool give_away_ = false;  // root at work in another user's spool
  std::map<std::string, Fd, std::less<>> open_;
};

// The lane's folder: "new" or "new/high"; "deferred/2026-…Z/bulk".
std::string lane(const std::string& folder, Priority priority);

}  // namespace pony
