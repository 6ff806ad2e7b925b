// What a spool gathers by itself and somebody has to sweep: files in tmp/
// whose writers died, idempotency keys whose window is over.
#pragma once

#include <functional>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "spool/folders.h"
#include "spool/spool.h"

namespace pony {

// Sweeps tmp/ and the idempotency keys, at most once an hour whoever calls
// (state/swept says when); else it costs one look at a file. Safe while
// others enqueue. Errors: disk and its like; nothing depends on it.
Result<> housekeep(Spool& spool, Time now);

enum class Sweep { remove, only_tell };
// Removes what lies in tmp/ unchanged for 36 h and whose writer is dead (its
// lock can be had), folders of runners that died at start included. `each`
// is told its path and whether it is gone. The time is that of the
// file system's stamps, the 36 h those of the maildir rules (maildir(5)).
Result<> sweep_tmp(
    Folders& folders, Time now, Sweep sweep,
    const std::function<void(const std::string& path, bool removed)>& each);

}  // namespace pony
