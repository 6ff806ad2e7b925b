// Programs that the configuration wants to be told of what happens: `hooks`
// in pony.yaml(5). The event is one JSON line on their stdin.
//
// Promises: delivery never waits for a hook, only for its being started; few
// run at once, the rest waits in a line that has an end. What a hook does
// changes nothing about the mail.
// Known limit: an event is told at most once, and not at all by a run that is
// killed before it could.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/event.h"
#include "core/json.h"
#include "core/net/child_process.h"
#include "core/net/reactor.h"

namespace pony {

struct HookLimits {
  Milliseconds time = std::chrono::seconds(10);  // then it is killed
  std::size_t at_once = 4;
  std::size_t waiting = 10'000;             // events in the line
  std::size_t bytes = 16U * 1024U * 1024U;  // of these
};

class Hooks {
 public:
  // `warn` is told one sentence for a person.
  Hooks(const HooksConfig& config, Reactor& reactor,
        std::function<void(const std::string&)> warn, HookLimits limits = {});
  // Kills what still runs.
  ~Hooks();

  // Tells on_sent of `sent`, on_failed of `failed` and `expired`; nobody of
  // any other event. The event is durable.
  void settled(const Event& event);
  // Tells on_breaker.
  void breaker(const Json& event);

  // Turns the reactor until every hook has ended, at most for so long and
  // until `stop` says so; kills what is left, and warns of what was not told
  // yet.
  void finish(
      Milliseconds at_most,
      const std::function<bool()>& stop = [] { return false; });

 private:
  struct Hook {
    std::string name;  // "on_sent"
    std::vector<std::string> argv;
    std::size_t failed = 0;
  };
  struct Waiting {
    Hook* hook;
    std::string line;
  };

  void tell(Hook& hook, std::string line);
  void start_waiting();
  void start(Hook& hook, std::string line);
  void failed(Hook& hook, const std::string& why);
  void warn_of_the_rest();

  Reactor& reactor_;
  std::function<void(const std::string&)> warn_;
  HookLimits limits_;
  Hook on_sent_;
  Hook on_failed_;
  Hook on_breaker_;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  ChildProcesses running_;
  std::size_t dropped_ = 0;
};

}  // namespace pony
