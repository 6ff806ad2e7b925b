// What is due: the lanes of new/ and of the deferred buckets whose minute has
// come, merged by priority, each in order of acceptance.
//
// high before normal before bulk, yet none starves: of 21 messages taken while
// all three wait, 16 are high, 4 normal, 1 bulk. Bounded memory whatever the
// queue: at most k_lane_window names a lane are known, the oldest ones.
// Nothing that is not due is read, but for the bucket of the current minute:
// there the tail of a file says the second.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/clock.h"
#include "core/message.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

inline constexpr std::size_t k_lane_window = 8192;

struct DueFile {
  std::string folder;
  std::string name;  // "<id>.jsonl", or a dropped "*.json"
  Priority priority = Priority::normal;
};

class Due {
 public:
  explicit Due(Folders& folders) : folders_(folders) {}

  // The next file to claim, or nothing: then nothing is due that was there
  // at the last look().
  std::optional<DueFile> next();
  // Lists the spool again. Cheap when little is due.
  Result<> look(Time now);
  // Not to be given again by this object (unreadable, another pool's).
  void ignore(const std::string& name) { ignored_.insert(name); }
  // When the next deferred message becomes due, as far as is known: a
  // moment after which look() may find something.
  std::optional<Time> next_due() const { return next_due_; }
  // The folders where new work may appear, for a watch.
  std::vector<std::string> watched_folders() const;

 private:
  struct Lane {
    std::vector<DueFile> files;  // sorted, the oldest last
    int credit = 0;
  };
  Result<> look_into(const std::string& folder, Priority priority,
                     std::optional<Time> only_until);
  void remove_if_empty(const std::string& bucket);
  std::optional<Time> due_time(const std::string& folder,
                               const std::string& name);

  Folders& folders_;
  std::array<Lane, 3> lanes_;
  std::unordered_set<std::string> ignored_;
  // Due times of the current minute's bucket, so that each is read once.
  std::unordered_map<std::string, Time> due_times_;
  std::optional<Time> next_due_;
  std::string soonest_bucket_;
  std::set<std::string> shards_;  // sub-folders for size that had files
};

}  // namespace pony
