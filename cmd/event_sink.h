// The program that is told every event: `event_sink` in pony.yaml(5). One
// program that stays, with JSON Lines on its stdin.
//
// It follows the event log: so it hears of what other processes did too
// (enqueue, cancel, a run that was killed), a hand-off costs nothing more, and
// what it cannot take yet waits in the log and not in memory. How far it is
// stands in state/event_sink, which is also the lock: one process at a time
// feeds it.
//
// Promises: mail never waits for it, but for at most SinkLimits::grace at the
// end of a run; every event of the log is told at least once, in the log's
// order. What it had read when it died is not told again.
// Known limits: what was logged before there was a sink is not told.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/fs.h"
#include "core/net/child_process.h"
#include "core/net/reactor.h"
#include "spool/event_log.h"
#include "spool/spool.h"

namespace pony {

struct SinkLimits {
  Milliseconds grace = std::chrono::seconds(5);  // at the end
  // After it died; doubled each time, up to a minute.
  Milliseconds pause = std::chrono::seconds(1);
};

class EventSink {
 public:
  // `argv` empty: there is none, and nothing here costs anything. `warn` is
  // told one sentence for a person.
  EventSink(std::vector<std::string> argv, Spool& spool, Reactor& reactor,
            std::function<void(const std::string&)> warn,
            SinkLimits limits = {});
  // Kills it if it still runs, and keeps its place.
  ~EventSink();
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;

  // Something is about to be in the log: it is fed in a moment.
  void something_happens();
  // Feeds what others have logged. Cheap when there is nothing.
  void look();
  // Turns the reactor until it was told all that is in the log, has read it
  // and has ended, at most for the grace time and until `stop` says so.
  void finish(const std::function<bool()>& stop = [] { return false; });

 private:
  // A line that it has been given, and where the log goes on behind it.
  struct Given {
    std::uint64_t end;  // in bytes since it was started
    EventLog::Position place;
  };

  bool take_lease();
  void keep_place();
  void feed();
  std::string read_lines();
  void start(std::string lines);
  void forget_what_was_read(std::size_t unread);
  void ended(const ChildResult& result);
  void rest(const std::string& why);
  void feed_soon();

  std::vector<std::string> argv_;
  Spool& spool_;
  Reactor& reactor_;
  std::function<void(const std::string&)> warn_;
  SinkLimits limits_;
  Fd lease_;
  EventLog::Position place_;  // it has read everything before
  EventLog::Position read_;   // where we read on
  std::string kept_;          // the place as the file has it
  std::unique_ptr<ChildProcess> program_;
  std::deque<Given> given_;
  std::uint64_t bytes_given_ = 0;
  bool ending_ = false;
  std::size_t failures_ = 0;
  Milliseconds pause_;
  std::chrono::steady_clock::time_point not_before_;
  std::chrono::steady_clock::time_point awake_until_;
  std::chrono::steady_clock::time_point next_keep_;
  Reactor::TimerId timer_ = 0;
};

}  // namespace pony
