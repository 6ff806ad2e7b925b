// Events and tallies for tests of what a report looks like.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/event.h"
#include "core/report/tally.h"

namespace pony {

// 2026-11-21T10:30:00Z
inline constexpr Time k_half_past_ten{Milliseconds{1795257000000}};

inline Event an_event(std::string name) {
  Event event;
  event.ts = k_half_past_ten;
  event.event = std::move(name);
  event.id = "01JD3X7Q9K0000000000000000";
  event.provider = "main";
  event.template_id = "welcome";
  event.lang = "es";
  event.pool = "default";
  event.tags = {"signup"};
  event.domain = "example.com";
  return event;
}

inline Event tagged(std::string name, std::vector<std::string> tags) {
  Event event = an_event(std::move(name));
  event.tags = std::move(tags);
  return event;
}

inline Event an_attempt(std::string provider, Outcome outcome,
                        std::int64_t latency_ms = 100) {
  Event event = an_event("attempted");
  event.provider = std::move(provider);
  event.outcome = outcome;
  event.latency_ms = latency_ms;
  return event;
}

inline Event with_reason(std::string name, std::string reason) {
  Event event = an_event(std::move(name));
  event.reason = std::move(reason);
  return event;
}

inline Event sent_after(std::int64_t queue_ms) {
  Event event = an_event("sent");
  event.queue_ms = queue_ms;
  return event;
}

inline Tally tally_of(const std::vector<TallyBy>& by,
                      const std::vector<Event>& events) {
  Tally tally(by);
  for (const Event& event : events) tally.add(event);
  return tally;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  for (auto end = text.find('\n'); end != std::string::npos;
       end = text.find('\n', from)) {
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

}  // namespace pony
