// What a person does with messages that wait or have failed: retry, cancel,
// hold, release.
//
// Promises: a message is claimed first (by rename, into a runner's folder of
// our own), then its tail decides whether it may be moved, then the event is
// durable, then it is in its new place. So a runner and a person never have
// one message at once, and whatever kills us, recovery finishes or undoes
// what was begun.
// Doesn't know: the command line.
//
//   retry    failed, held   → new/, or deferred/ until a send_at to come
//            deferred       → new/: it is due now
//   cancel   new, deferred, held → failed/
//   hold     new, deferred  → held/
//   release  held           → new/, or deferred/ until a send_at to come
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/result.h"
#include "spool/spool.h"

namespace pony {

enum class Move { retry, cancel, hold, release };

struct Relocated {
  std::string id;
  // Where it is, if it is anywhere; with dry_run: would be.
  std::optional<State> state;
  // For a person: "held", "would be held", "is held already".
  std::string said;
  bool moved = false;  // or, with dry_run, would be
  // Why it was not moved. not_found: no such message; busy: a runner has it;
  // refused: its state does not allow it; bad_data: its file is no message.
  std::optional<Error> refused;
};

class Relocation {
 public:
  enum class DryRun { no, yes };
  // Why a message is not moved. Not `refused`: there is nothing to do.
  struct Objection {
    std::string said;
    bool refused = true;
    std::string hint;
  };
  Relocation(Spool& spool, Move move, DryRun dry_run)
      : spool_(spool), move_(move), dry_run_(dry_run) {}

  // Retry only, and for one message: these take the places of the recipients
  // that were rejected; if none was, of all that nobody has accepted.
  void replace_recipients(std::vector<Address> with) {
    new_recipients_ = std::move(with);
  }

  // For who lists while it moves: what this object has moved already, and
  // somebody else has brought back since, is left alone.
  void move_none_twice() { since_ = spool_.clock().now(); }

  // Moves those that may be moved, with one sync for all, and answers in the
  // order of `ids`. Errors: the spool's (disk, …); what was claimed by then
  // is brought back by the next runner.
  Result<std::vector<Relocated>> move(std::span<const std::string> ids);

 private:
  struct Found;
  struct Plan;
  Result<Relocated> take(const std::string& id, std::vector<Settled>& settled);
  Result<std::optional<Relocated>> take_found(const Found& found,
                                              std::vector<Settled>& settled);
  Result<std::optional<Relocated>> take_buried(const std::string& id);
  Result<std::optional<Relocated>> look_at(const Found& found);
  Result<std::optional<Found>> find(const std::string& id);
  std::optional<Objection> objection_to(State state) const;
  bool has_moved(const MessageFile& file) const;
  Result<Plan> plan_for(const Found& found,
                        const Result<MessageFile>& file) const;
  Result<> replace_in_file(const MessageFile& file, const Event& retried,
                           const Message& mended);
  Result<RunnerFolder*> runner();

  Spool& spool_;
  Move move_;
  DryRun dry_run_;
  std::vector<Address> new_recipients_;
  std::optional<Time> since_;
  std::optional<RunnerFolder> runner_;  // made when first needed
  // Ids come in the order of a listing: the next is where the last one was.
  std::string last_folder_;
  State last_state_ = State::fresh;
};

}  // namespace pony
