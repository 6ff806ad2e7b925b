// Children of /bin/sh, and what we get to know of them.
#include "core/net/child_process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tests/support/an_attempt.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("net");

namespace pony {
namespace {

ChildCommand shell(const std::string& script, std::string in = {}) {
  ChildCommand command;
  command.argv = {"/bin/sh", "-c", script};
  command.in = std::move(in);
  command.out_limit = command.err_limit = 1000;
  command.time_limit = std::chrono::seconds(60);
  return command;
}

// Runs it to its end.
ChildResult run(ChildCommand command) {
  Reactor reactor;
  std::optional<ChildResult> result;
  auto child =
      ChildProcess::start(reactor, std::move(command), [&](ChildResult r) {
        REQUIRE_FALSE(result.has_value());
        result = std::move(r);
      });
  REQUIRE_OK(child);
  while (!result) reactor.turn(std::chrono::seconds(10));
  return *result;
}

bool is_alive(pid_t pid) {
  // A zombie that init has not yet reaped is dead as well.
  const std::string status =
      content_of("/proc/" + std::to_string(pid) + "/stat");
  return !status.empty() && status.find(") Z ") == std::string::npos;
}

}  // namespace

TEST_CASE("a child gets its stdin, and is told of whole") {
  std::string in(500'000, 'x');
  auto result = run(shell("wc -c; echo words >&2; exit 3", in));
  CHECK(result.exit_code == 3);
  CHECK(result.out == "500000\n");
  CHECK(result.err == "words\n");
  CHECK(result.in_written_whole);
  CHECK_FALSE(result.out_was_cut);
  CHECK(ending_in_words(result) == "exited with 3");
}

TEST_CASE("what a child prints beyond the limit is read and dropped") {
  auto command =
      shell("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2");
  command.err_limit = 10;
  auto result = run(command);
  CHECK(result.exit_code == 0);
  CHECK(result.out.size() == 1000);
  CHECK(result.err.size() == 10);
  CHECK(result.out_was_cut);
}

TEST_CASE("exactly the limit is not cut") {
  auto result = run(shell("head -c 1000 /dev/zero"));
  CHECK(result.out.size() == 1000);
  CHECK_FALSE(result.out_was_cut);
}

TEST_CASE("a child that does not read on is no trouble") {
  auto result = run(shell("exec <&-; exit 0", std::string(1'000'000, 'x')));
  CHECK(result.exit_code == 0);
  CHECK_FALSE(result.in_written_whole);
}

TEST_CASE("a child that ends at once had what fits into a pipe") {
  auto result = run(shell("exit 0", "a little"));
  CHECK(result.in_written_whole);
}

TEST_CASE("a child has three descriptors and a process group of its own") {
  int leaky = ::open("/dev/null", O_RDONLY);  // not close-on-exec
  REQUIRE(leaky >= 0);
  REQUIRE(leaky < 10);
  auto result =
      run(shell("for n in 0 1 2 3 4 5 6 7 8 9; do "
                "[ -e /proc/$$/fd/$n ] && printf '%s ' $n; done; "
                "read -r pid name state parent group rest < /proc/$$/stat; "
                "[ $group = $$ ] && echo leads"));
  ::close(leaky);
  CHECK(result.out == "0 1 2 leads\n");
}

TEST_CASE("signals that we ignore or block are not passed on") {
  ::sigset_t set;
  ::sigset_t old;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &set, &old);
  auto result = run(shell("kill -TERM $$; exit 0"));
  ::sigprocmask(SIG_SETMASK, &old, nullptr);
  CHECK_FALSE(result.exit_code.has_value());
  CHECK(result.ending == "ended by signal 15");
  // The reactor ignores SIGPIPE.
  CHECK(run(shell("kill -PIPE $$; exit 0")).ending == "ended by signal 13");
}

TEST_CASE("a child that is too slow is killed with all that it started") {
  auto command = shell("sleep 600 & echo $!; wait");
  command.time_limit = Milliseconds(300);
  auto result = run(command);
  CHECK_FALSE(result.exit_code.has_value());
  CHECK(result.ending == "no exit within 300ms");
  const pid_t grandchild = std::stoi(result.out);
  REQUIRE(grandchild > 0);
  // Killed with the child, before that could be reaped; gone when the kernel
  // has seen to it.
  while (is_alive(grandchild)) continue;
}

TEST_CASE("a grandchild that keeps the pipes open does not make us wait") {
  auto result = run(shell("sleep 600 & echo $!"));
  CHECK(result.exit_code == 0);
  const pid_t grandchild = std::stoi(result.out);
  CHECK(is_alive(grandchild));
  ::kill(grandchild, SIGKILL);
}

TEST_CASE("a grandchild that never stops printing does not make us wait") {
  auto result = run(shell("echo $$; yes & exit 0"));
  CHECK(result.exit_code == 0);
  ::kill(-std::stoi(result.out), SIGKILL);
}

TEST_CASE("kill_now ends it and tells before it returns") {
  Reactor reactor;
  int told = 0;
  auto child = ChildProcess::start(reactor, shell("exec sleep 600"),
                                   [&](const ChildResult& result) {
                                     CHECK(result.ending == "given up");
                                     ++told;
                                   });
  REQUIRE_OK(child);
  (*child)->kill_now("given up");
  CHECK(told == 1);
  (*child)->kill_now("again");
  CHECK(told == 1);
}

TEST_CASE("what a child said before its end is read, though nobody looked") {
  TempFolder folder;
  Reactor reactor;
  std::string out;
  auto child = ChildProcess::start(
      reactor,
      shell("echo said; : > " + (folder / "done") + "; exec sleep 600"),
      [&](const ChildResult& result) { out = result.out; });
  REQUIRE_OK(child);
  while (!std::filesystem::exists(folder / "done")) continue;
  (*child)->kill_now("given up");
  CHECK(out == "said\n");
}

TEST_CASE("who is told may destroy it") {
  Reactor reactor;
  std::unique_ptr<ChildProcess> child;
  bool told = false;
  auto started =
      ChildProcess::start(reactor, shell("exit 0"), [&](const ChildResult&) {
        child.reset();
        told = true;
      });
  REQUIRE_OK(started);
  child = std::move(*started);
  while (!told) reactor.turn(std::chrono::seconds(10));
}

TEST_CASE("a child whose owner goes is killed, and nobody is told") {
  Reactor reactor;
  bool told = false;
  {
    auto child = ChildProcess::start(reactor, shell("exec sleep 600"),
                                     [&](const ChildResult&) { told = true; });
    REQUIRE_OK(child);
  }
  reactor.turn(Milliseconds(0));
  CHECK_FALSE(told);
}

TEST_CASE("a program that is not there is an error") {
  Reactor reactor;
  auto command = shell("");
  command.argv = {"/no/such/program"};
  auto child = ChildProcess::start(reactor, command, [](const ChildResult&) {});
  REQUIRE_FALSE(child.has_value());
  CHECK(child.error().what ==
        "cannot start '/no/such/program': No such file or directory");
}

TEST_CASE("a name without a slash is looked for in PATH") {
  auto command = shell("");
  command.argv = {"true"};
  CHECK(run(command).exit_code == 0);
}

// One whose stdin stays open.
struct Listener {
  Reactor reactor;
  std::optional<ChildResult> result;
  std::unique_ptr<ChildProcess> child;

  explicit Listener(const std::string& script, std::string in = {}) {
    ChildCommand command = shell(script, std::move(in));
    command.input = ChildCommand::Input::stays_open;
    command.time_limit = Milliseconds(0);
    auto started = ChildProcess::start(
        reactor, std::move(command),
        [this](ChildResult ended) { result = std::move(ended); });
    REQUIRE_OK(started);
    child = std::move(*started);
  }
  void wait() {
    while (!result) reactor.turn(std::chrono::seconds(10));
  }
};

TEST_CASE("a child whose stdin stays open gets more, until that is ended") {
  Listener listener("cat", "first\n");
  listener.child->write("second\n");
  listener.reactor.turn(Milliseconds(0));
  listener.child->write("third\n");
  listener.child->end_input();
  listener.wait();
  CHECK(listener.result->out == "first\nsecond\nthird\n");
  CHECK(listener.result->exit_code == 0);
  CHECK(listener.result->in_unread == 0);
}

TEST_CASE("more than a pipe holds reaches a child whose stdin stays open") {
  Listener listener("wc -c");
  for (int i = 0; i < 10; ++i) listener.child->write(std::string(50'000, 'x'));
  CHECK(listener.child->unread() > 0);
  listener.child->end_input();
  listener.wait();
  CHECK(listener.result->out == "500000\n");
}

TEST_CASE("what a child has not read is known, also when it has died") {
  Listener listener("read line; exit 3", std::string(9, 'x') + "\n");
  // A shell reads byte by byte: the rest is left in the pipe.
  listener.child->write("0123456789\n");
  listener.wait();
  CHECK(listener.result->exit_code == 3);
  CHECK(listener.result->in_unread == 11);
}

TEST_CASE("what a child that closed its stdin has not read is known") {
  const std::string sign =
      "/tmp/pony-test-closed." + std::to_string(::getpid());
  Listener listener("exec <&-; : >" + sign + "; exec sleep 600");
  const std::string more(300'000, 'x');
  listener.child->write(more);
  while (::access(sign.c_str(), F_OK) != 0)
    listener.reactor.turn(Milliseconds(10));
  ::unlink(sign.c_str());
  listener.reactor.turn(Milliseconds(0));
  CHECK(listener.child->unread() == more.size());
  listener.child->write("more");
  CHECK(listener.child->unread() == more.size() + 4);
  listener.child->kill_now("enough");
  CHECK(listener.result->in_unread == more.size() + 4);
}

TEST_CASE("the first line is fit for an error") {
  CHECK(first_line("no\x1b[1m such\nmore", 100) == "no\\x1b[1m such");
  CHECK(first_line("", 100).empty());
}

}  // namespace pony

TEST_SUITE_END();
