// What a report needs to know of an event, and nothing else: the joint between
// those who read lines (event_scanner.h), those who keep what was read
// (event_block.h) and those who count it (tally.h, count.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"

namespace pony {

// No time: the event has none that is reported.
inline constexpr std::uint32_t k_no_time = 0xFFFFFFFF;

// Of a long reason this much is kept, and searched by --reason.
inline constexpr std::size_t k_kept_reason_bytes = 300;
// Rows are told apart by the beginning of a reason, of at most so many bytes.
inline constexpr std::size_t k_reason_bytes = 80;

// The longest beginning of `text` of at most `size` bytes that cuts no
// character.
std::string_view beginning_of(std::string_view text, std::size_t size);

// Why it was not delivered: the reason, or else the provider's words.
std::string_view why_of(const Event& event);

// The reason as rows are called by it, the same for every recipient, as a
// report with a row a recipient says nothing: of `why` (at most
// k_kept_reason_bytes count) without the addresses that it or a part of it
// begins with ("ann@example.com: 550 no"), "…" for others, and cut at
// k_reason_bytes, which "…" tells, too.
std::string reason_key(std::string_view why);

// Views into a line or an Event, good for as long as that is.
struct EventFacts {
  std::int64_t ts = 0;        // ms since 1970
  std::uint64_t key = 0;      // of Event::natural_key(), XXH3
  std::uint64_t message = 0;  // of the id, XXH3
  // Milliseconds, as many as fit: of `sent` since the message was accepted, of
  // `attempted` the provider's; k_no_time where there is none.
  std::uint32_t time = k_no_time;
  std::string_view event, outcome, template_id, provider, pool, lang, domain;
  std::string_view why;  // at most k_kept_reason_bytes
  std::vector<std::string_view> tags;
};

// The facts of `event`, which has to outlive them.
EventFacts facts_of(const Event& event);

// A time as EventFacts has it; below 0 counts as 0.
std::uint32_t kept_time(std::int64_t milliseconds);

}  // namespace pony
