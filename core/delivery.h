// The joint of the house: a way to deliver. Messages go in, what became of
// them comes out; many are in flight at once. The spool's runner drives it
// and knows nothing of providers; core/pool implements it and knows nothing
// of folders.
//
// The order that keeps mail safe is in the calls: poll() tells which attempts
// are about to start, the runner makes that durable, confirmed() lets them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/event.h"
#include "core/history.h"
#include "core/message.h"
#include "core/outcome.h"

namespace pony {

// A claimed message on its way.
struct Delivery {
  std::string id;
  Time accepted_at{};
  Message message;
  History history;
};

struct RecipientVerdict {
  std::string email;
  Verdict verdict;
};

// What one round over the providers of a pool came to.
struct Round {
  std::string id;
  std::vector<RecipientVerdict> verdicts;  // of those that were to be reached
  std::string provider;                    // the last that was tried
  int attempt = 0;                         // the number of the last attempt
  // When nothing was tried: why (a template that cannot be rendered, no pool
  // of that name). The message waits and is tried again.
  std::string not_tried;
  // Then: when a provider is to be had again, if that is known.
  std::optional<Time> next_at;
  // Every provider rests, or we are to stop: nothing was tried, and the
  // message goes back as if it had not been claimed.
  bool untouched = false;
  // No provider of the pool can ever carry it: why, provider by provider.
  std::string cannot_be_carried;
};

struct Happenings {
  // In order: "attempting" (an attempt that waits for confirmed()),
  // "attempted" and "skipped". Only what the deliverer knows is filled in.
  std::vector<Event> events;
  std::vector<Round> rounds;

  bool empty() const { return events.empty() && rounds.empty(); }
};

class Deliverer {
 public:
  virtual ~Deliverer() = default;

  // How many more messages may be taken now.
  virtual int room() const = 0;
  // Starts a round for a message. It ends in a Round that poll() gives.
  virtual void take(std::shared_ptr<const Delivery> delivery) = 0;
  // What has happened since the last call; waits at most `max_wait` for it.
  virtual Happenings poll(Milliseconds max_wait) = 0;
  // Everything that poll() gave is durable: attempts may start.
  virtual void confirmed() = 0;
  // Every provider that could take mail rests: taking more would only defer
  // it. Empty: no; else one sentence for a person.
  virtual std::string stalled() const = 0;
  // Ends what is in flight now; poll() gives the rounds.
  virtual void give_up() = 0;
};

}  // namespace pony
