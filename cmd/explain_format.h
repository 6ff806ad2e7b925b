// One message's story in plain sentences, for somebody who was woken up: when
// it came, what was tried and answered, who has it, and what happens next and
// why, with the command to type. And the same as facts, for programs.
//
// What providers said is quoted, cut and fit for a terminal. The sentences may
// change; the names in the JSON do not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmd/listing.h"
#include "core/clock.h"
#include "core/event.h"

namespace pony {

// A provider of the message's pool that may not be tried now.
struct RestingProvider {
  std::string name;
  std::string why;            // core/health.h, why_resting()
  std::optional<Time> until;  // nothing: until somebody resumes it
};

struct Story {
  Listed listed;
  std::vector<Event> events;
  std::string subject;  // as it is sent; empty when it cannot be made
  std::string pool;     // by which it goes; empty when there is none for it
  std::size_t pool_size = 0;  // its providers
  std::vector<RestingProvider> resting;
  std::optional<Time> gives_up_at;  // of a message that is still tried
};

std::string explain_text(const Story& story, Time now);

// One document, one line.
std::string explain_json(const Story& story, Time now);

// "120 ms", "3.2 s", "2 min 5 s", "4 h 10 min", "3 d 2 h"; never negative.
std::string span_words(Milliseconds span);

}  // namespace pony
