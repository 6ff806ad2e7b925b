// fsck: finds and mends what an unclean stop, a full disk or a strange hand
// left in a spool.
//
// Promises: safe while runners and enqueuers are at work. It only touches
// what it can claim (by rename, into a runner's folder of its own) and looks
// again before it acts; nothing is deleted but what exists twice with the
// same content, leftovers in tmp/, and empty folders.
// Doesn't know: how findings are shown.
// Known limits: messages that a living runner has claimed are not looked at;
// it remembers every id (32 bytes a message) and every event of the log (8).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "spool/policy.h"
#include "spool/spool.h"

namespace pony {

struct Finding {
  enum class Mended {
    no,
    yes,
    not_needed,  // something to know; counts as no problem
  };
  // "dead_runner", "twice", "misplaced", "no_message", "unknown_file",
  // "torn_line", "leftover", "empty_bucket", "folder", "log", "not_logged"
  std::string_view problem;
  std::string path;  // below the spool
  std::string what;
  Mended mended = Mended::no;
};

struct FsckOptions {
  Policy policy;  // for what dead runners held
  bool dry_run = false;
  std::function<void(const Finding&)> on_finding = [](const Finding&) {};
};

struct FsckSummary {
  std::size_t problems = 0;
  std::size_t mended = 0;
};

// Errors: the spool's (disk, no_permission); what was found before is told.
Result<FsckSummary> fsck(Spool& spool, const FsckOptions& options);

}  // namespace pony
