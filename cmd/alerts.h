// Alerts: a program that is told when something is wrong with the spool or the
// providers, and when it is over: `alerts` in pony.yaml(5). It does not travel
// by the mail that may be stuck.
//
// What was told stands in state/alerts/KIND, under a lock, so that of any
// number of runs one tells.
// Promises: mail does not wait for it, but for a look at the spool once a
// minute; what goes wrong here changes nothing about the mail.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "cmd/vitals_reader.h"
#include "core/alert.h"
#include "core/config.h"
#include "core/net/child_process.h"
#include "core/net/reactor.h"
#include "spool/spool.h"

namespace pony {

class Alerts {
 public:
  // What they refer to outlives the object. Nothing here costs anything
  // without `alerts`. `warn` is told one sentence for a person.
  Alerts(const Config& config, Spool& spool, Reactor& reactor,
         std::function<void(const std::string&)> warn);

  // Looks, if the last look was a minute ago.
  void look_now_and_then();
  // Looks, then turns the reactor until everybody is told, for at most ten
  // seconds and until `stop` says so.
  void finish(const std::function<bool()>& stop = [] { return false; });

 private:
  bool are_wanted() const { return !config_.alerts.command.empty(); }
  void look();
  void weigh(const CheckFinding& finding, Time now);
  void tell(const CheckFinding& finding, const AlertState& state, Time now);
  void was_not_told(const std::string& kind);
  void failed(const std::string& why);

  const Config& config_;
  Spool& spool_;
  Reactor& reactor_;
  std::function<void(const std::string&)> warn_;
  VitalsReader reader_;
  ChildProcesses running_;
  std::size_t failures_ = 0;
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace pony
