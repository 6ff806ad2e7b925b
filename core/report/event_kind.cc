#include "core/report/event_kind.h"

#include <algorithm>
#include <array>

namespace pony {
namespace {

// In the order of EventKind.
constexpr std::array<std::string_view, 13> k_names = {
    "queued",     "sent",    "failed",    "deferred", "attempted",
    "cancelled",  "expired", "held",      "skipped",  "retried",
    "suppressed", "bounced", "complained"};

}  // namespace

EventKind event_kind(std::string_view event) {
  const auto* found = std::find(k_names.begin(), k_names.end(), event);
  return static_cast<EventKind>(found - k_names.begin());
}

bool is_counted(EventKind kind, TallyOf of) {
  switch (of) {
    case TallyOf::messages:
      return kind == EventKind::queued || kind == EventKind::deferred ||
             kind == EventKind::attempted || is_fate(kind);
    case TallyOf::attempts:
      return kind == EventKind::attempted || kind == EventKind::sent;
    case TallyOf::reasons:
      return kind == EventKind::failed || kind == EventKind::deferred ||
             kind == EventKind::expired || kind == EventKind::held ||
             kind == EventKind::skipped || kind == EventKind::suppressed ||
             kind == EventKind::bounced || kind == EventKind::complained;
    case TallyOf::events:
      return true;
  }
  return false;
}

void count_state(TallyRow& row, EventKind kind) {
  if (kind == EventKind::queued) ++row.queued;
  if (kind == EventKind::sent) ++row.sent;
  if (kind == EventKind::failed) ++row.failed;
  if (kind == EventKind::deferred) ++row.deferred;
  if (kind == EventKind::cancelled) ++row.cancelled;
  if (kind == EventKind::expired) ++row.expired;
}

bool is_fate(EventKind kind) {
  return kind == EventKind::sent || kind == EventKind::failed ||
         kind == EventKind::cancelled || kind == EventKind::expired;
}

}  // namespace pony
