#include "spool/due.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "core/event.h"
#include "spool/message_file.h"
#include "spool/message_id.h"
#include "spool/message_tail.h"

namespace pony {
namespace {

constexpr std::array<int, 3> k_weights = {16, 4, 1};
constexpr std::array<Priority, 3> k_order = {Priority::high, Priority::normal,
                                             Priority::bulk};

// Older first. Dropped files have names of their own and sort among them.
bool older(const DueFile& a, const DueFile& b) {
  return a.name < b.name;
}

bool is_ours(std::string_view name) {
  return !id_of_file_name(name).empty() || name.ends_with(k_dropped_suffix);
}

}  // namespace

std::optional<DueFile> Due::next() {
  // Smooth weighted round robin: every waiting lane earns its weight, the
  // richest is served and pays for all.
  Lane* best = nullptr;
  int total = 0;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& one = lanes_[i];
    if (one.files.empty()) {
      one.credit = 0;
      continue;
    }
    one.credit += k_weights[i];
    total += k_weights[i];
    if (best == nullptr || one.credit > best->credit) best = &one;
  }
  if (best == nullptr) return {};
  best->credit -= total;
  DueFile file = std::move(best->files.back());
  best->files.pop_back();
  // If it comes back, it comes with another time.
  due_times_.erase(file.name);
  return file;
}

Result<> Due::look(Time now) {
  for (auto& one : lanes_) one.files.clear();
  next_due_.reset();
  soonest_bucket_.clear();
  for (const auto priority : k_order)
    if (auto ok = look_into(lane("new", priority), priority, {}); !ok)
      return ok;

  auto buckets = folders_.sub_folders("deferred");
  if (!buckets) return tl::unexpected(buckets.error());
  for (const auto& bucket : *buckets) {
    const auto minute = parse_minute(bucket);
    if (!minute) continue;  // not ours
    if (*minute > now) {
      if (!next_due_ || *minute < *next_due_) next_due_ = *minute;
      if (soonest_bucket_.empty()) soonest_bucket_ = "deferred/" + bucket;
      break;
    }
    const bool current = *minute + std::chrono::minutes(1) > now;
    if (current) soonest_bucket_ = "deferred/" + bucket;
    for (const auto priority : k_order) {
      auto ok = look_into(lane("deferred/" + bucket, priority), priority,
                          current ? std::optional(now) : std::nullopt);
      if (!ok) return ok;
    }
    if (!current) remove_if_empty("deferred/" + bucket);
  }
  for (auto& one : lanes_) {
    std::sort(one.files.begin(), one.files.end(),
              [](const DueFile& a, const DueFile& b) { return older(b, a); });
  }
  return {};
}

// rmdir refuses what is not empty. Who is about to move a message in makes
// the folder anew (Folders::move).
void Due::remove_if_empty(const std::string& bucket) {
  const auto is_gone = [&](const std::string& folder) {
    if (::unlinkat(folders_.root(), folder.c_str(), AT_REMOVEDIR) != 0)
      return errno == ENOENT;
    folders_.forget(folder);
    return true;
  };
  auto shard = shards_.lower_bound(bucket + "/");
  while (shard != shards_.end() && shard->starts_with(bucket + "/"))
    shard = is_gone(*shard) ? shards_.erase(shard) : std::next(shard);
  for (const char* name : {"/high", "/bulk", ""}) (void)is_gone(bucket + name);
}

Result<> Due::look_into(const std::string& folder, Priority priority,
                        std::optional<Time> only_until) {
  auto& files = lanes_[static_cast<std::size_t>(priority)].files;
  return folders_.for_each_file(
      folder, [&](const std::string& where, const char* name) {
        const std::string_view view = name;
        if (!is_ours(view)) return true;
        if (where.size() > folder.size()) shards_.insert(where);
        DueFile file{where, std::string(view), priority};
        if (ignored_.contains(file.name)) return true;
        const bool full = files.size() >= k_lane_window;
        // A heap of the oldest: its front is the youngest of them.
        if (full && !older(file, files.front())) return true;
        if (only_until) {
          const auto due = due_time(where, file.name);
          if (due && *due > *only_until) {
            if (!next_due_ || *due < *next_due_) next_due_ = due;
            return true;
          }
        }
        if (full) {
          std::pop_heap(files.begin(), files.end(), older);
          files.pop_back();
        }
        files.push_back(std::move(file));
        std::push_heap(files.begin(), files.end(), older);
        return true;
      });
}

std::optional<Time> Due::due_time(const std::string& folder,
                                  const std::string& name) {
  if (const auto it = due_times_.find(name); it != due_times_.end())
    return it->second;
  const auto event = read_last_event(folders_, folder + "/" + name);
  if (!event || !event->next_at) return {};
  if (due_times_.size() > k_lane_window) due_times_.clear();
  due_times_[name] = *event->next_at;
  return event->next_at;
}

std::vector<std::string> Due::watched_folders() const {
  std::vector<std::string> folders = {"new", "new/high", "new/bulk",
                                      "deferred"};
  if (!soonest_bucket_.empty()) {
    folders.push_back(soonest_bucket_);
    folders.push_back(soonest_bucket_ + "/high");
    folders.push_back(soonest_bucket_ + "/bulk");
  }
  folders.insert(folders.end(), shards_.begin(), shards_.end());
  return folders;
}

}  // namespace pony
