// Places in the event log: where a moment's events begin, without reading what
// is before; and a reader's place, kept in a file for the next process.
#pragma once

#include <cstddef>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "spool/event_log.h"
#include "spool/folders.h"

namespace pony {

// A position for EventLog::read_on from which on all events since `since` are
// to be met, some minutes of slack included: events are in the log in order,
// but for those that were long on their way. At most `most_bytes` of a day
// are read from there, the last ones. Finds it by halving, in microseconds.
// A day without a plain file is read whole.
Result<EventLog::Position> place_of(Folders& folders, Time since,
                                    std::size_t most_bytes = SIZE_MAX);
// Behind everything that is there at `now`.
Result<EventLog::Position> end_of_log(Folders& folders, Time now);

// Since when days count for a reader who is at `position`: for read_on.
std::optional<Time> first_day_of(const EventLog::Position& position);

// {"2026-11-22":1234}, and back; a text that is none of ours is no position.
std::string to_json_text(const EventLog::Position& position);
std::optional<EventLog::Position> position_from(std::string_view text);

}  // namespace pony
