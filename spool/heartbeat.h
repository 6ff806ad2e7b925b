// When a runner was last alive: state/last_run, one line with the time. Who
// monitors asks for it; nothing else depends on it, so it is never synced.
#pragma once

#include <optional>

#include "core/clock.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

// A runner is alive, or has just finished. Costs one small write.
Result<> note_run(Folders& folders, Time now);

// When that was last noted; nothing when it never was or cannot be read as a
// time. Makes nothing. Errors: no_permission and its like.
Result<std::optional<Time>> last_run(Folders& folders);

}  // namespace pony
