// Waiting for what becomes of messages: `pony wait`, `enqueue --wait`.
//
// Promises: told by the kernel (inotify on sent/ and failed/), not by asking
// again and again; a day that begins meanwhile, and folders that are split
// for size, are watched too. What an overflow or a lack of watches hides is
// found by a look at the folders once a minute (without any watch: with
// pauses of 10 to 500 ms).
// Doesn't know: what is done with a message; that is `pony run`'s.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "cmd/context.h"
#include "core/clock.h"
#include "core/fs.h"
#include "core/result.h"
#include "spool/spool.h"

namespace pony {

// What became of a message.
struct EndOfWait {
  std::string id;
  State state = State::sent;  // sent or failed
  std::string event;          // sent, failed, expired, cancelled, gone
  std::string provider;       // the last that was tried
  std::string reason;         // why not; empty when it was sent
};

class OutcomeWait {
 public:
  // Called for each message once, as soon as its outcome is known.
  using Each = std::function<void(const EndOfWait&)>;

  OutcomeWait(Spool& spool, Each each);

  // Waits for these too; what has ended already is told at once. Ids that are
  // no message's are answered with. Errors: a folder cannot be read.
  Result<std::vector<std::string>> add(std::span<const std::string> ids);

  // Returns when nothing is left to wait for, or `limit` is over; without one
  // it waits for ever. Errors: a folder cannot be read.
  Result<> wait(std::optional<Milliseconds> limit);

  // Those whose outcome is not known yet.
  const std::unordered_set<std::string>& pending() const { return pending_; }

 private:
  struct Watched {
    std::string folder;  // "sent", "sent/2026-11-21", "sent/2026-11-21/K"
    State state = State::sent;
  };

  void watch_all();
  void watch_day(const std::string& folder, State state);
  bool watch(const std::string& folder, State state);
  Result<> look_for_all();
  void give_up_gone();
  Result<> take_news();
  Result<> take_name(int watch, std::string_view name);
  bool end(const std::string& id, const std::string& folder, State state);
  EndOfWait read_end(const std::string& id, const std::string& folder,
                     State state);

  Spool& spool_;
  Each each_;
  Fd inotify_;
  std::map<int, Watched> watched_;
  std::unordered_set<std::string> pending_;
  std::unordered_set<std::string> missing_;  // nowhere at the last look
};

// "failed: main: 550 no such user", "sent".
std::string outcome_words(const EndOfWait& end);

// Until each of `ids` is sent or failed, at most `limit` in all: 0 when all
// were sent, 69 when one failed, 75 when one is not yet known. Each is said.
Result<int> wait_for_outcome(Spool& spool, const std::vector<std::string>& ids,
                             Milliseconds limit, Context& context);

}  // namespace pony
