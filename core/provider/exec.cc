// Delivery by a program of the user's own: one child an attempt.
//
// Promises: it gets everything that there is to a message, and its words are
// input from outside, read with limits. A child that is too slow is killed
// with all that it started; none is left behind.
// Doesn't know: what the answer means (exec_answer.cc).
#include "core/provider/exec.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/json.h"
#include "core/net/child_process.h"
#include "core/provider/exec_answer.h"

namespace pony {
namespace {

// How much of stderr, and of a check's stdout, is kept.
constexpr std::size_t k_longest_words = 1000;

class ExecProvider : public Provider {
 public:
  ExecProvider(const ProviderConfig& config, Reactor& reactor)
      : name_(config.name),
        command_(config.command),
        timeout_(config.timeout),
        limit_(std::max(1, config.connections)),
        running_(reactor) {}

  std::string_view name() const override { return name_; }
  std::string_view type() const override { return "exec"; }
  // What it cannot carry only the program can know; it answers rejected.
  std::optional<std::string> cannot_carry(const Attempt&) const override {
    return std::nullopt;
  }
  int room() const override {
    return limit_ - static_cast<int>(running_.size());
  }
  void start(Attempt attempt, Done done) override;
  void check(std::function<void(ProviderCheck)> checked) override;
  void shut_down() override;
  Result<std::string> preview(const Attempt& attempt,
                              std::vector<std::string>&) const override {
    return to_pretty_text(exec_request(attempt)) + "\n";
  }

 private:
  ChildCommand command_for(std::string_view what) const;
  ProviderCheck judge_check(const ChildResult& result) const;

  std::string name_;
  std::vector<std::string> command_;
  Milliseconds timeout_;
  int limit_;
  ChildProcesses running_;
};

ChildCommand ExecProvider::command_for(std::string_view what) const {
  ChildCommand command;
  command.argv = command_;
  command.argv.emplace_back(what);
  command.out_limit = k_longest_words;
  command.err_limit = k_longest_words;
  command.time_limit = timeout_;
  return command;
}

void ExecProvider::start(Attempt attempt, Done done) {
  ChildCommand command = command_for("send");
  command.in = to_text(exec_request(attempt)) + "\n";
  command.out_limit = exec_answer_limit(attempt.recipients.size());
  auto started = running_.start(
      std::move(command), [this, attempt, done](const ChildResult& result) {
        done({exec_verdicts(attempt, result, command_[0]), result.latency, {}});
      });
  if (!started)
    done({exec_not_started(attempt, started.error()), Milliseconds(0), {}});
}

ProviderCheck ExecProvider::judge_check(const ChildResult& result) const {
  const std::string out = first_line(result.out, k_longest_words);
  if (result.exit_code == 0) {
    return {true,
            out.empty() ? "'" + command_[0] + "' says that it works" : out};
  }
  const std::string err = first_line(result.err, k_longest_words);
  const std::string& words = err.empty() ? out : err;
  return {false,
          fmt::format("'{}' {}{}{}", command_[0], ending_in_words(result),
                      words.empty() ? "" : ": ", words)};
}

void ExecProvider::check(std::function<void(ProviderCheck)> checked) {
  auto started = running_.start(command_for("check"),
                                [this, checked](const ChildResult& result) {
                                  checked(judge_check(result));
                                });
  if (!started) checked({false, started.error().what});
}

void ExecProvider::shut_down() {
  running_.kill_all("given up");
}

}  // namespace

Result<std::unique_ptr<Provider>> make_exec_provider(
    const ProviderConfig& config, Reactor& reactor, const Clock&) {
  if (config.command.empty()) {
    return fail(Error::Kind::config,
                fmt::format("{}: provider '{}' names no program", config.place,
                            config.name));
  }
  return std::make_unique<ExecProvider>(config, reactor);
}

}  // namespace pony
