// The kinds of events that tallies tell apart, and which of them a tally
// counts.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/report/tally.h"

namespace pony {

enum class EventKind : std::uint8_t {
  queued,
  sent,
  failed,
  deferred,
  attempted,
  cancelled,
  expired,
  held,
  skipped,
  retried,
  suppressed,
  bounced,
  complained,
  other
};

EventKind event_kind(std::string_view event);
bool is_counted(EventKind kind, TallyOf of);
// Counts one event among `row`'s queued, sent and so on, if it is one of them.
void count_state(TallyRow& row, EventKind kind);
// Does it say what became of a message? When that is retried it is no longer
// true.
bool is_fate(EventKind kind);

}  // namespace pony
