#include "cmd/alerts.h"

#include <sys/file.h>

#include <algorithm>
#include <utility>

#include "core/host_name.h"
#include "core/json.h"
#include "spool/state_file.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Milliseconds k_between_looks = std::chrono::minutes(1);
constexpr Milliseconds k_program_may_take = std::chrono::seconds(10);
constexpr Milliseconds k_look_again{100};
constexpr std::size_t k_longest_words = 500;

std::string name_of(const std::string& kind) {
  return "alerts/" + kind;
}

// The file of this kind, locked; none while another process weighs it.
Result<Fd> open_locked(Folders& folders, const std::string& kind) {
  auto fd = open_state_file(folders, name_of(kind));
  if (fd && ::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) return Fd();
  return fd;
}

bool is_known(Folders& folders, const std::string& kind) {
  struct stat info {};
  return ::fstatat(folders.root(), ("state/" + name_of(kind)).c_str(), &info,
                   AT_SYMLINK_NOFOLLOW) == 0;
}

std::string word_for(CheckStatus severity) {
  switch (severity) {
    case CheckStatus::ok:
      return "recovered";
    case CheckStatus::warning:
      return "warning";
    case CheckStatus::critical:
      break;
  }
  return "critical";
}

}  // namespace

Alerts::Alerts(const Config& config, Spool& spool, Reactor& reactor,
               std::function<void(const std::string&)> warn)
    : config_(config),
      spool_(spool),
      reactor_(reactor),
      warn_(std::move(warn)),
      reader_(spool, config, VitalsReader::Care::enough_for_the_limits),
      running_(reactor),
      next_look_(Steady::now() + k_between_looks) {}

void Alerts::look_now_and_then() {
  if (are_wanted() && Steady::now() >= next_look_) look();
}

void Alerts::look() {
  next_look_ = Steady::now() + k_between_looks;
  const Time now = spool_.clock().now();
  auto vitals = reader_.read(now, config_.alerts.limits);
  if (!vitals) return failed(vitals.error().what);
  for (const auto& finding : judge(*vitals, config_.alerts.limits))
    weigh(finding, now);
}

void Alerts::weigh(const CheckFinding& finding, Time now) {
  Folders& folders = spool_.folders();
  if (finding.severity == CheckStatus::ok && !is_known(folders, finding.kind))
    return;
  auto fd = open_locked(folders, finding.kind);
  if (fd && !*fd) return;
  AlertState state;
  if (fd)
    if (const auto text = read_state(fd->get(), name_of(finding.kind)))
      state = alert_from(*text);
  const bool is_to_be_told =
      note_alert(state, finding.severity, now, config_.alerts.every);
  // Who cannot remember it (a full disk) tells it rather twice than never.
  if (!fd) {
    failed(fd.error().what);
  } else if (auto kept = write_state(fd->get(), to_json_text(state),
                                     name_of(finding.kind));
             !kept) {
    failed(kept.error().what);
  }
  // Whose program cannot be started takes the lock again.
  if (fd) *fd = Fd();
  if (is_to_be_told) tell(finding, state, now);
}

void Alerts::tell(const CheckFinding& finding, const AlertState& state,
                  Time now) {
  std::string line;
  JsonWriter(line)
      .field("ts", format_time(now))
      .field("event", "alert")
      .field("kind", finding.kind)
      .field("state", word_for(finding.severity))
      .field("since", format_time(state.since.value_or(now)))
      .field("sentence", printable(finding.sentence, 1000))
      .field("host", host_name())
      .field("spool", spool_.folders().path())
      .end();
  ChildCommand command;
  command.argv = config_.alerts.command;
  command.in = line + "\n";
  command.err_limit = k_longest_words;
  command.time_limit = k_program_may_take;
  auto started = running_.start(
      std::move(command),
      [this, kind = finding.kind](const ChildResult& result) {
        if (result.exit_code == 0) return;
        const auto words = first_line(result.err, k_longest_words);
        failed("'" + config_.alerts.command[0] + "': " +
               ending_in_words(result) + (words.empty() ? "" : ": " + words));
        was_not_told(kind);
      });
  if (started) return;
  failed(started.error().what);
  was_not_told(finding.kind);
}

void Alerts::was_not_told(const std::string& kind) {
  auto fd = open_locked(spool_.folders(), kind);
  if (!fd || !*fd) return;
  const auto text = read_state(fd->get(), name_of(kind));
  if (!text) return;
  AlertState state = alert_from(*text);
  alert_was_not_told(state);
  (void)write_state(fd->get(), to_json_text(state), name_of(kind));
}

void Alerts::failed(const std::string& why) {
  if (failures_++ == 0) warn_("alerts: " + printable(why, k_longest_words));
}

void Alerts::finish(const std::function<bool()>& stop) {
  if (!are_wanted()) return;
  look();
  const auto end = Steady::now() + k_program_may_take;
  while (running_.size() > 0 && Steady::now() < end && !stop())
    reactor_.turn(k_look_again);
  running_.kill_all("killed, as the run ended");
}

}  // namespace pony
