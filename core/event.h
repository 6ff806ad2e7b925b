// An event of a message's life: one JSON object a line, the same in the
// message's own file and in the event log (contract: pony-spool(5), EVENTS).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/outcome.h"
#include "core/result.h"

namespace pony {

// What became of one recipient in an attempt.
struct RecipientOutcome {
  std::string email;
  Outcome outcome = Outcome::unknown;
  std::string error;
};

// Fields that do not belong to an event of its kind are left empty and are
// not written. Names and units are those of the JSON.
struct Event {
  Time ts{};
  std::string event;  // queued, attempted, skipped, sent, deferred, failed, …
  std::string id;     // the message
  std::string by;     // host:pid of who wrote it
  int attempt = 0;    // counts from 1; 0: not about an attempt
  std::string provider;
  std::optional<Outcome> outcome;
  std::string error;
  std::optional<std::int64_t> latency_ms;  // the provider's time
  std::optional<std::int64_t> queue_ms;    // from acceptance to this event
  std::string provider_id;
  int status = 0;
  std::vector<RecipientOutcome> recipients;  // only where they differ
  // The one address that the event is about: suppressed, bounced, opened, …
  std::string recipient;
  std::vector<std::string> reduced;
  std::optional<Time> next_at;  // deferred: the next try
  std::string reason;           // failed, skipped, held, expired, …
  // Of the message, so that the log answers without it:
  std::string template_id;
  std::string lang;
  std::string pool;
  std::vector<std::string> tags;
  std::string domain;  // of the first recipient

  // Two events with the same key are the same event, told twice.
  std::string natural_key() const;
};

// An address as a natural key has it: without dots at its end, which fill up
// the place of one that was overwritten (spool/forget.h).
std::string_view address_in_key(std::string_view address);

// The kinds of events that messages' files and the log can have, those of
// feedback last: schemas/event.json has the same and `attempting`, which stays
// in a run's journal. A log of a later version may have others.
const std::vector<std::string_view>& event_kinds();

// Appends the event as one line, with its '\n'.
void append_line(std::string& out, const Event& event);
// Reads what append_line writes; unknown members are ignored. bad_data when
// `json` is no event.
Result<Event> event_from(const Json& json);
Result<Event> parse_event(std::string_view line);

}  // namespace pony
