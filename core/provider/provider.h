// The seam behind which mail leaves: one object for each provider of the
// configuration. It tries what it is given, says what became of each
// recipient, and knows nothing of spools, pools, other providers or retries.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/config.h"
#include "core/net/reactor.h"
#include "core/outcome.h"
#include "core/rendered_message.h"
#include "core/result.h"

namespace pony {

// One try of one message at one provider. `recipients` are those still to be
// reached (a subset of the message's), as wire addresses are made from them.
struct Attempt {
  std::shared_ptr<const RenderedMessage> message;
  std::vector<std::string> recipients;
  int number = 1;
};

struct AttemptResult {
  std::vector<Verdict> verdicts;     // one for each of Attempt::recipients
  Milliseconds latency{0};           // from start() to the last answer
  std::vector<std::string> reduced;  // trimmings that were not carried
};

// What `pony provider check` found out, without sending anything.
struct ProviderCheck {
  bool works = false;
  // For a person, one line: "the key may send; account active", or why not.
  std::string words;
};

class Provider {
 public:
  using Done = std::function<void(AttemptResult)>;

  virtual ~Provider() = default;

  // The name in the configuration ("relay") and the type ("smtp").
  virtual std::string_view name() const = 0;
  virtual std::string_view type() const = 0;

  // Why this provider can never carry `attempt` (an essential it has no way
  // to say), or nothing. Does no I/O.
  virtual std::optional<std::string> cannot_carry(
      const Attempt& attempt) const = 0;

  // How many more attempts may be started now.
  virtual int room() const = 0;

  // Begins; never blocks on the network. `done` is called exactly once, from
  // the reactor or before start() returns. Once the provider may have the
  // whole message, what is not a clear answer is `unknown`; before that it is
  // `unavailable`; nothing that was not understood is `rejected`.
  virtual void start(Attempt attempt, Done done) = 0;

  // Finds out whether mail could be sent (reachable, TLS, credentials, rights),
  // sending none. `checked` is called exactly once, from the reactor or before
  // check() returns.
  virtual void check(std::function<void(ProviderCheck)> checked) = 0;

  // For how long it takes a second attempt with the same idempotency key (the
  // message's id and recipients) for the first: so long an attempt whose
  // outcome is unknown is best repeated here. Zero: it sends another copy.
  virtual std::chrono::seconds remembers_key_for() const {
    return std::chrono::seconds(0);
  }

  // Gives up what is in flight at once (each `done` is called: unknown when
  // its body had begun to leave, else unavailable) and closes idle sessions.
  virtual void shut_down() = 0;

  // The exact request or mail that `attempt` would send, secrets masked; and
  // the trimmings that it would not carry, as AttemptResult::reduced.
  virtual Result<std::string> preview(
      const Attempt& attempt, std::vector<std::string>& reduced) const = 0;
};

}  // namespace pony
