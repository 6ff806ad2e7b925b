// The runner: claims what is due, has it delivered, settles what became of it.
//
// Promises: a message is delivered by one runner at a time; that an attempt
// starts is durable before it does, what it came to is durable before the
// message moves; whatever kills us, our messages are taken up by another
// runner once our lock is gone (spool/recovery.h).
// Doesn't know: providers, pools, SMTP. The Deliverer answers for all of them.
// Suppressed recipients (spool/suppressions.h) are settled before anybody is
// asked. A list of them that cannot be read stops the run: to write to them is
// worse than to wait.
// Order matters: an event is on disk before the rename that it explains, so a
// file in sent/ always says why.
// One turn of the loop costs one fdatasync, however many messages it moved.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/delivery.h"
#include "core/result.h"
#include "spool/due.h"
#include "spool/policy.h"
#include "spool/runner_folder.h"
#include "spool/spool.h"
#include "spool/suppressions.h"

namespace pony {

struct RunOptions {
  Policy policy;
  // Stay when nothing is due, and wait for more.
  bool loop = false;
  // At most this many messages, and this long; then finish what is in flight.
  std::optional<std::size_t> limit;
  std::optional<Milliseconds> max_time;
  // How long what is in flight may take once we are told to stop.
  Milliseconds grace = std::chrono::seconds(30);
  // A message that could not be delivered now ends in failed/ instead of
  // waiting for another try (`pony send`).
  bool no_retry = false;
  // Asked once a turn: are we to stop? May also do what its owner wants done
  // between turns.
  std::function<bool()> stop = [] { return false; };
  // Are we to stop without waiting for the grace time?
  std::function<bool()> stop_now = [] { return false; };
  // Which messages are ours to deliver; others are left alone.
  std::function<bool(const Message&)> wanted = [](const Message&) {
    return true;
  };
  // The same by the id alone, asked before a message is claimed.
  std::function<bool(std::string_view id)> wanted_id = [](std::string_view) {
    return true;
  };
  // The checks that a dropped file must pass, as `pony enqueue` does them;
  // may complete the message (its template's tags).
  std::function<Result<>(Message&)> check = [](Message&) { return Result<>{}; };
  // Told of every event that moves a message (it is not durable yet), and of
  // warnings.
  std::function<void(const Delivery&, const Event&)> on_settled =
      [](const Delivery&, const Event&) {};
  // Told of the same events once they are durable: from here on none of them
  // can be lost or decided otherwise.
  std::function<void(const Event&)> on_durable = [](const Event&) {};
  std::function<void(const std::string&)> on_warning = [](const std::string&) {
  };
  // Told before the runner waits for work: the folders that may get some.
  // True when it began to watch one of them just now: what came before that
  // was not seen, so the runner looks again before it waits.
  std::function<bool(const std::vector<std::string>&)> on_idle =
      [](const std::vector<std::string>&) { return false; };
  // Called every ten seconds or so, also while much is to be done.
  std::function<void()> now_and_then = [] {};
  // Has anything come to those folders since this was last asked?
  std::function<bool()> has_news = [] { return false; };
};

struct RunSummary {
  std::size_t processed = 0, sent = 0, deferred = 0, failed = 0, held = 0;
  // Mail is due and no provider can take it: why. The queue was left alone.
  std::string stalled;
  // With no_retry: the message could have been tried again.
  bool temporary = false;
};

class Runner {
 public:
  Runner(Spool& spool, RunnerFolder& folder, Deliverer& deliverer,
         RunOptions options);
  ~Runner();

  // Processes all that is due. Errors: disk and its like, when the spool
  // fails; messages that were claimed are left for recovery.
  Result<RunSummary> run();
  // Delivers one message that is in the runner's folder already.
  Result<RunSummary> run_one(const std::string& id);

 private:
  struct InFlight;

  Result<> claim_more();
  Result<bool> claim(const DueFile& file);
  Result<> start(const std::string& id, ClaimedFile file);
  Result<> drop_suppressed(InFlight& one);
  void note_suppressed(InFlight& one);
  Result<bool> take_in_dropped(const std::string& id, const DueFile& file);
  Result<> bury_claim(const std::string& name, const std::string& id,
                      const std::string& reason);
  Result<> turn(Milliseconds max_wait);
  void absorb(Happenings happenings);
  void settle(InFlight& one, Event event);
  void put_back(const InFlight& one);
  Result<> file_settled();
  Result<> turn_while_filing();
  Result<> finish();
  Result<> recover_dead_runners();
  Milliseconds waiting_time(Time now) const;
  bool may_claim() const;
  bool mail_is_due();
  std::vector<Event> unfiled() const;

  Spool& spool_;
  RunnerFolder& folder_;
  Deliverer& deliverer_;
  RunOptions options_;
  Due due_;
  Suppressions suppressions_;
  bool looked_ = false;
  bool claiming_ = false;  // not yet told to stop, and not for one alone
  bool filing_ = false;
  bool more_to_claim_ = false;
  RunSummary summary_;
  std::map<std::string, std::unique_ptr<InFlight>> in_flight_;
  std::vector<Settled> decided_;  // decided in this turn, not yet durable
  std::vector<Settled> settled_;  // durable in the journal, to be filed
  std::chrono::steady_clock::time_point settled_since_;
  std::chrono::steady_clock::time_point last_turn_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point last_recovery_;
  std::size_t claimed_ = 0;
};

}  // namespace pony
