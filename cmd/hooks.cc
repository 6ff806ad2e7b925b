#include "cmd/hooks.h"

#include <algorithm>
#include <utility>

#include "core/words.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t k_longest_words = 500;
// How often finish() asks whether it is to stop.
constexpr Milliseconds k_look_again{250};

}  // namespace

Hooks::Hooks(const HooksConfig& config, Reactor& reactor,
             std::function<void(const std::string&)> warn, HookLimits limits)
    : reactor_(reactor),
      warn_(std::move(warn)),
      limits_(limits),
      on_sent_{"on_sent", config.on_sent},
      on_failed_{"on_failed", config.on_failed},
      on_breaker_{"on_breaker", config.on_breaker},
      running_(reactor) {}

Hooks::~Hooks() = default;

void Hooks::settled(const Event& event) {
  const bool bad = event.event == "failed" || event.event == "expired";
  if (!bad && event.event != "sent") return;
  Hook& hook = bad ? on_failed_ : on_sent_;
  if (hook.argv.empty()) return;
  std::string line;
  append_line(line, event);
  tell(hook, std::move(line));
}

void Hooks::breaker(const Json& event) {
  if (on_breaker_.argv.empty()) return;
  tell(on_breaker_, to_text(event) + "\n");
}

void Hooks::tell(Hook& hook, std::string line) {
  const bool full = waiting_.size() >= limits_.waiting ||
                    waiting_bytes_ + line.size() > limits_.bytes;
  if (full) {
    if (dropped_++ == 0)
      warn_(
          "events come faster than hooks end; hooks are not told of all of "
          "them");
    return;
  }
  waiting_bytes_ += line.size();
  waiting_.push_back({&hook, std::move(line)});
  start_waiting();
}

void Hooks::start_waiting() {
  while (!waiting_.empty() && running_.size() < limits_.at_once) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= next.line.size();
    start(*next.hook, std::move(next.line));
  }
}

void Hooks::start(Hook& hook, std::string line) {
  ChildCommand command;
  command.argv = hook.argv;
  command.in = std::move(line);
  command.err_limit = k_longest_words;
  command.time_limit = limits_.time;
  auto started = running_.start(
      std::move(command), [this, &hook](const ChildResult& result) {
        if (result.exit_code != 0) {
          const auto words = first_line(result.err, k_longest_words);
          failed(hook, "'" + hook.argv[0] + "': " + ending_in_words(result) +
                           (words.empty() ? "" : ": " + words));
        }
        start_waiting();
      });
  if (!started) failed(hook, started.error().what);
}

void Hooks::failed(Hook& hook, const std::string& why) {
  if (hook.failed++ == 0)
    warn_("hook " + hook.name + ": " + printable(why, k_longest_words));
}

void Hooks::finish(Milliseconds at_most, const std::function<bool()>& stop) {
  const auto end = Steady::now() + at_most;
  while (running_.size() > 0 && !stop()) {
    const auto left =
        std::chrono::duration_cast<Milliseconds>(end - Steady::now());
    if (left <= Milliseconds(0)) break;
    reactor_.turn(std::min(left, k_look_again));
  }
  dropped_ += std::exchange(waiting_, {}).size();
  waiting_bytes_ = 0;
  running_.kill_all("killed, the run ended");
  warn_of_the_rest();
}

// What was counted and not told yet.
void Hooks::warn_of_the_rest() {
  for (Hook* hook : {&on_sent_, &on_failed_, &on_breaker_}) {
    if (hook->failed > 1)
      warn_("hook " + hook->name + " failed " +
            counted(hook->failed - 1, "more time"));
    hook->failed = 0;
  }
  if (dropped_ > 0)
    warn_("hooks were not told of " + counted(dropped_, "event"));
  dropped_ = 0;
}

}  // namespace pony
