// A program that we start and watch: what it reads, what it prints, how it
// ends, all inside the Reactor's turns.
//
// Promises: no shell; the program gets descriptors 0, 1 and 2 and no other,
// the usual signals and a process group of its own, which is killed whole. It
// is never waited for: what it started and left behind may hold its pipes, and
// its end is told all the same. What it prints beyond a limit is read and
// dropped, so that it never blocks on us.
// Doesn't know: what the words mean, or whether the work was done.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/net/reactor.h"
#include "core/result.h"

namespace pony {

struct ChildCommand {
  // The program and its arguments; a name without a slash is looked for in
  // PATH.
  std::vector<std::string> argv;
  std::string in;  // what it gets on stdin, which is then closed
  // Or it stays open: more comes by write(), until end_input().
  enum class Input { closed_after, stays_open };
  Input input = Input::closed_after;
  // How much of what it prints is kept; 0: that goes to /dev/null.
  std::size_t out_limit = 0;
  std::size_t err_limit = 0;
  // Then its group is killed; 0: it may run for as long as it likes.
  Milliseconds time_limit{0};
};

struct ChildResult {
  // Set if it ended by itself; else `ending` says how: "no exit within 10s",
  // "ended by signal 9", the words of kill_now().
  std::optional<int> exit_code;
  std::string ending;
  // All of `in` was handed over: it may know everything. (What the pipe holds
  // counts: it may have been read or not.)
  bool in_written_whole = false;
  std::size_t in_unread = 0;  // of what it was given: bytes it never read
  std::string out;
  std::string err;
  bool out_was_cut = false;
  Milliseconds latency{0};  // from the start to the end
};

class ChildProcess {
 public:
  using Done = std::function<void(ChildResult)>;

  // Starts it. `done` is called exactly once, from the reactor or from
  // kill_now(); it may destroy this object. Errors: fail_errno's ("cannot
  // start '/usr/bin/x': No such file or directory"); then `done` is not
  // called.
  static Result<std::unique_ptr<ChildProcess>> start(Reactor& reactor,
                                                     ChildCommand command,
                                                     Done done);
  // One that still runs is killed with its group; `done` is not called.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // With Input::stays_open: gives it more. What it does not read at once is
  // kept here, without a limit: ask unread() first.
  void write(std::string_view more);
  // Closes its stdin when all of that is written.
  void end_input();
  // How many bytes it was given and has not read.
  std::size_t unread() const;

  // Kills it with its group and calls `done` before it returns.
  void kill_now(std::string_view why);

 private:
  struct Output;
  struct State;
  explicit ChildProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Programs that run at the same time, each until it ends by itself or all are
// killed.
class ChildProcesses {
 public:
  // `reactor` outlives them.
  explicit ChildProcesses(Reactor& reactor) : reactor_(reactor) {}

  // As ChildProcess::start; when `done` is called, size() is one less.
  Result<> start(ChildCommand command, ChildProcess::Done done);
  std::size_t size() const { return running_.size(); }
  // Kills those that run; each `done` is called before it returns.
  void kill_all(std::string_view why);

 private:
  Reactor& reactor_;
  std::list<std::unique_ptr<ChildProcess>> running_;
};

// The first line of what a program printed, fit for an error: printable, at
// most `limit` bytes.
std::string first_line(std::string_view printed, std::size_t limit);

// How it ended, for an error: "exited with 3" or `ending`.
std::string ending_in_words(const ChildResult& result);

}  // namespace pony
