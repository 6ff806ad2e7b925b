// Which events a command is about: the same options in `events` and `report`.
#pragma once

#include "core/clock.h"
#include "core/report/event_filter.h"

namespace CLI {
class App;
}

namespace pony {

// Adds the options to a command's parser; `filter` and `clock` must outlive
// it. Moments are read (parse_moment) while the command line is.
void add_event_filter(CLI::App& app, EventFilter& filter, const Clock& clock);

}  // namespace pony
