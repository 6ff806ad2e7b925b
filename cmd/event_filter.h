// Which events a command is about: the same options in `events` and `report`.
// Values of one option are alternatives; different options must all hold.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/event.h"

namespace CLI {
class App;
}

namespace pony {

struct EventFilter {
  std::optional<Time> since;  // at it or later
  std::optional<Time> until;  // before it
  std::vector<std::string> events;
  std::vector<std::string> tags;
  std::vector<std::string> templates;
  std::vector<std::string> providers;
  std::vector<std::string> pools;
  std::vector<std::string> langs;

  bool matches(const Event& event) const;
};

// Adds the options to a command's parser; `filter` and `clock` must outlive
// it. Moments are read (parse_moment) while the command line is.
void add_event_filter(CLI::App& app, EventFilter& filter, const Clock& clock);

}  // namespace pony
