// What a spool keeps of what is done, and how long: days of sent/ and failed/
// and of the event log go when they are old enough, earlier when the disk is
// nearly full; logs that nobody writes to any more are compressed.
//
// Promises: safe while others enqueue, deliver, retry and report; a message
// that is not done is never touched; a failed one is never removed for want
// of space. Interrupted anywhere it leaves nothing that the next purge would
// not finish.
// Doesn't know: the configuration, how it is told.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "spool/spool.h"

namespace pony {

struct PurgeRules {
  // From the end of the UTC day: what was done on it is kept for at least so
  // long, and at most a day longer.
  std::chrono::seconds sent{0};
  std::chrono::seconds failed{0};
  std::chrono::seconds log{0};
  std::chrono::seconds compress_log{0};
  // A fraction of the file system. While less is free, the oldest days of
  // sent/ go early; today's never. 0: age alone decides.
  double keep_free = 0;
};

struct DiskSpace {
  std::uint64_t free = 0;  // for who is not root
  std::uint64_t total = 0;
};

// Something that was purged; with dry_run: would be.
struct Purged {
  enum class Done { removed, compressed };
  enum class Why { age, disk };
  Done done = Done::removed;
  Why why = Why::age;
  std::string path;          // below the spool: "sent/2026-10-21"
  std::size_t messages = 0;  // files, of a day of sent/ or failed/
  std::uint64_t bytes = 0;   // that were freed on the disk
};

struct PurgeOptions {
  PurgeRules rules;
  bool dry_run = false;
  std::function<void(const Purged&)> each = [](const Purged&) {};
  // How full the disk is; the spool's file system unless a test says so.
  std::function<Result<DiskSpace>()> disk_space = {};
};

struct PurgeSummary {
  std::size_t messages = 0;    // removed
  std::size_t logs = 0;        // removed
  std::size_t compressed = 0;  // logs
  std::uint64_t bytes = 0;     // freed
  // keep_free is not reached, and nothing is left that may go.
  bool is_short_of_space = false;
};

// Errors: disk and its like; what was purged by then was told.
Result<PurgeSummary> purge(Spool& spool, const PurgeOptions& options);

// How full the file system of the spool is.
Result<DiskSpace> disk_space_of(Folders& folders);

}  // namespace pony
