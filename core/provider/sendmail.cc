// Delivery by a sendmail program: one child an attempt, watched by the loop.
//
// Promises: a child that is too slow is killed with all that it started; none
// is left behind. The envelope reaches it as arguments after "--", so nothing
// in it can be taken for an option.
// Doesn't know: what the program does with the mail after it said 0.
#include "core/provider/sendmail.h"

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/json.h"
#include "core/net/child_process.h"
#include "core/provider/envelope.h"
#include "core/provider/local_mail.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_error = 1000;

// What a sysexits.h number says of the message.
Outcome outcome_of_exit(int code) {
  switch (code) {
    case EX_OK:
      return Outcome::accepted;
    case EX_DATAERR:
    case EX_NOUSER:
    case EX_NOHOST:
      return Outcome::rejected;
    default:
      return Outcome::unavailable;
  }
}

void answer(const Provider::Done& done, std::size_t recipients,
            const Verdict& verdict, Milliseconds latency = Milliseconds(0)) {
  AttemptResult result;
  result.verdicts.assign(recipients, verdict);
  result.latency = latency;
  done(std::move(result));
}

class SendmailProvider : public Provider {
 public:
  SendmailProvider(const ProviderConfig& config, Reactor& reactor)
      : name_(config.name),
        command_(config.command),
        timeout_(config.timeout),
        limit_(std::max(1, config.connections)),
        running_(reactor) {
    if (command_.empty()) command_ = {"/usr/sbin/sendmail"};
  }
  std::string_view name() const override { return name_; }
  std::string_view type() const override { return "sendmail"; }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  int room() const override {
    return limit_ - static_cast<int>(running_.size());
  }
  void start(Attempt attempt, Done done) override;
  void check(std::function<void(ProviderCheck)> checked) override;
  void shut_down() override;
  Result<std::string> preview(const Attempt& attempt,
                              std::vector<std::string>& reduced) const override;

 private:
  Result<ChildCommand> command_for(const Attempt& attempt) const;
  Verdict verdict_of(const ChildResult& result) const;
  static Verdict not_started(const Error& error);

  std::string name_;
  std::vector<std::string> command_;
  Milliseconds timeout_;
  int limit_;
  ChildProcesses running_;
};

std::optional<std::string> SendmailProvider::cannot_carry(
    const Attempt& attempt) const {
  auto envelope = envelope_of(attempt);
  if (!envelope) return envelope.error().what;
  return std::nullopt;
}

Result<std::string> SendmailProvider::preview(const Attempt& attempt,
                                              std::vector<std::string>&) const {
  return local_mail(*attempt.message);
}

void SendmailProvider::start(Attempt attempt, Done done) {
  auto command = command_for(attempt);
  const std::size_t recipients = attempt.recipients.size();
  if (!command) return answer(done, recipients, not_started(command.error()));
  auto started = running_.start(
      std::move(*command), [this, recipients, done](const ChildResult& result) {
        answer(done, recipients, verdict_of(result), result.latency);
      });
  if (!started) answer(done, recipients, not_started(started.error()));
}

Result<ChildCommand> SendmailProvider::command_for(
    const Attempt& attempt) const {
  auto envelope = envelope_of(attempt);
  if (!envelope) return tl::unexpected<Error>(envelope.error());
  auto mail = local_mail(*attempt.message);
  if (!mail) return tl::unexpected<Error>(mail.error());
  ChildCommand command;
  command.argv = command_;
  command.argv.insert(
      command.argv.end(),
      {"-i", "-f", envelope->sender.empty() ? "<>" : envelope->sender, "--"});
  command.argv.insert(command.argv.end(), envelope->recipients.begin(),
                      envelope->recipients.end());
  command.in = std::move(*mail);
  command.err_limit = k_longest_error;
  command.time_limit = timeout_;
  return command;
}

Verdict SendmailProvider::not_started(const Error& error) {
  Verdict verdict;
  verdict.error = printable(error.what, k_longest_error);
  if (error.kind == Error::Kind::bad_data) {
    verdict.outcome = Outcome::rejected;
    verdict.counts_against_provider = false;
  }
  return verdict;
}

Verdict SendmailProvider::verdict_of(const ChildResult& result) const {
  Verdict verdict;
  if (!result.exit_code) {
    // The only thing known is how much it got.
    verdict.outcome =
        result.in_written_whole ? Outcome::unknown : Outcome::unavailable;
    verdict.error = fmt::format("'{}': {}", command_[0], result.ending);
    return verdict;
  }
  verdict.outcome = outcome_of_exit(*result.exit_code);
  if (verdict.outcome != Outcome::accepted) {
    const std::string words = first_line(result.err, k_longest_error);
    verdict.error =
        fmt::format("'{}' exited with {}{}{}", command_[0], *result.exit_code,
                    words.empty() ? "" : ": ", words);
  } else if (!result.in_written_whole) {
    verdict.outcome = Outcome::unknown;
    verdict.error = fmt::format(
        "'{}' exited with 0 before it had read the message", command_[0]);
  }
  return verdict;
}

// There is no way to ask a sendmail program more than whether it is there.
void SendmailProvider::check(std::function<void(ProviderCheck)> checked) {
  const std::string& program = command_.front();
  if (::access(program.c_str(), X_OK) != 0)
    return checked(
        {false, "cannot run '" + program + "': " + std::strerror(errno)});
  checked({true, "'" + program + "' can be run"});
}

void SendmailProvider::shut_down() {
  running_.kill_all("given up");
}

}  // namespace

Result<std::unique_ptr<Provider>> make_sendmail_provider(
    const ProviderConfig& config, Reactor& reactor, const Clock&) {
  return std::make_unique<SendmailProvider>(config, reactor);
}

}  // namespace pony
