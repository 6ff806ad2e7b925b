// The end of a message's file: its last event, without reading the rest. A
// message may have 50 MB, and who counts a million of them reads none whole.
#pragma once

#include <string>

#include "core/event.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

// The last event of the file at `path`, relative to the spool. Errors:
// not_found when it has moved on; bad_data when the last line is no event (a
// torn one, or the message itself) or longer than 64 KiB.
Result<Event> read_last_event(Folders& folders, const std::string& path);

}  // namespace pony
