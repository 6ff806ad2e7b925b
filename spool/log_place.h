// Places in the event log: where a moment's events begin, without reading what
// is before.
#pragma once

#include <cstddef>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "spool/event_log.h"

namespace pony {

// A position for EventLog::read_on from which on all events since `since` are
// to be met, some minutes of slack included: events are in the log in order,
// but for those that were long on their way. At most `most_bytes` of a day
// are read from there, the last ones. Finds it by halving, in microseconds.
// A day without a plain file is read whole.
Result<EventLog::Position> place_of(EventLog& log, Time since,
                                    std::size_t most_bytes = SIZE_MAX);
// Behind everything that is there at `now`.
Result<EventLog::Position> end_of_log(EventLog& log, Time now);

}  // namespace pony
