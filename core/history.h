// What the events of a message's life add up to: which state it is in, who
// has it already, how often it was tried. Folded from the tail of its file,
// so it is the same for whoever reads it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"
#include "core/message.h"

namespace pony {

// The states of a message; each is a folder of the spool (HACKING.md).
enum class State { fresh, deferred, held, claimed, sent, failed };

// "new", "deferred", "held", "cur", "sent", "failed".
std::string_view to_text(State state);
std::optional<State> state_from(std::string_view text);

// The state that `event` leaves its message in, if it moves it at all.
std::optional<State> state_after(std::string_view event);
// The same with the time that the event names: what is queued, released or
// retried for a moment still to come is deferred until then.
std::optional<State> state_after(const Event& event);

struct History {
  State state = State::fresh;  // by the last event that moved the message
  int attempts = 0;            // providers tried, over all rounds
  int rounds = 0;              // times all providers failed: `deferred` events
  std::optional<Time> next_at;
  // When a person last let it go again: giving up counts from there.
  std::optional<Time> restarted_at;
  std::string last_provider;
  std::string last_error;
  std::string reason;  // of the last event that moved it
  // Recipients that are settled: accepted ones are never sent to again,
  // rejected ones (suppressed ones, too) when the message is retried. Of
  // unknown outcome are those whom a `deferred` event lists: they are counted
  // as failed while others wait for another try (on_unknown: fail).
  std::map<std::string, Outcome> settled;
  // Of the rejected ones those who were dropped untried, and why.
  std::map<std::string, std::string> suppressed;
  // Where the last outcome was unknown: that provider may have it, and since
  // when (the first time that its answer was lost).
  std::string unknown_at;
  Time unknown_since{};

  // Takes in the next event. `recipients` are all of the message's.
  void add(const Event& event, const std::vector<std::string>& recipients);
};

}  // namespace pony
