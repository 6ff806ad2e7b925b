#include "cmd/event_sink.h"

#include <sys/file.h>

#include <algorithm>
#include <utility>

#include "spool/log_place.h"
#include "spool/state_file.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

constexpr const char* k_state = "event_sink";
constexpr std::size_t k_longest_words = 500;
// How much is read of the log at once, and how much it may leave unread.
constexpr std::size_t k_bytes_a_turn = std::size_t{64} << 10;
constexpr std::size_t k_most_unread = std::size_t{128} << 10;
// An event is in the log so long after it is durable, or a little later.
constexpr Milliseconds k_soon{200};
constexpr Milliseconds k_awake{2000};
constexpr Milliseconds k_longest_pause = std::chrono::minutes(1);
constexpr Milliseconds k_between_keeps{1000};
constexpr Milliseconds k_look_again{50};
// Who was not fed for longer begins there: nobody waits for older news.
constexpr std::chrono::hours k_furthest_back{7 * 24};

}  // namespace

EventSink::EventSink(std::vector<std::string> argv, Spool& spool,
                     Reactor& reactor,
                     std::function<void(const std::string&)> warn,
                     SinkLimits limits)
    : argv_(std::move(argv)),
      spool_(spool),
      reactor_(reactor),
      warn_(std::move(warn)),
      limits_(limits),
      pause_(limits.pause) {
  if (!argv_.empty()) (void)take_lease();
}

EventSink::~EventSink() {
  reactor_.cancel(timer_);
  if (!lease_) return;
  if (program_) forget_what_was_read(program_->unread());
  program_.reset();
  keep_place();
}

void EventSink::something_happens() {
  if (argv_.empty()) return;
  awake_until_ = Steady::now() + k_awake;
  feed_soon();
}

void EventSink::look() {
  if (!argv_.empty()) feed();
}

void EventSink::feed_soon() {
  if (timer_ != 0) return;
  timer_ = reactor_.after(k_soon, [this] {
    timer_ = 0;
    feed();
    if (Steady::now() < awake_until_ || !given_.empty()) feed_soon();
  });
}

// False when another process feeds it.
bool EventSink::take_lease() {
  if (lease_) return true;
  auto fd = open_state_file(spool_.folders(), k_state);
  if (!fd) {
    if (failures_++ == 0) warn_("event_sink: " + fd.error().what);
    return false;
  }
  if (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) return false;
  const auto text = read_state(fd->get(), k_state);
  const Time now = spool_.clock().now();
  auto place = text ? EventLog::Position::from_json(*text) : std::nullopt;
  const bool is_new = !place || place->is_ahead_of(now) ||
                      *place->first_day() < now - k_furthest_back;
  if (is_new) {
    auto end = place && !place->is_ahead_of(now)
                   ? place_of(spool_.log(), now - k_furthest_back)
                   : end_of_log(spool_.log(), now);
    if (!end) {
      if (failures_++ == 0) warn_("event_sink: " + end.error().what);
      return false;
    }
    place = std::move(*end);
  }
  lease_ = std::move(*fd);
  place_ = *place;
  read_ = std::move(*place);
  if (is_new) keep_place();
  return true;
}

void EventSink::keep_place() {
  place_.forget_days_gone();
  std::string text = place_.to_json();
  if (text == kept_) return;
  if (write_state(lease_.get(), text, k_state)) kept_ = std::move(text);
}

void EventSink::feed() {
  const auto now = Steady::now();
  if (!take_lease()) return;
  if (program_) {
    forget_what_was_read(program_->unread());
    if (now >= next_keep_) {
      next_keep_ = now + k_between_keeps;
      keep_place();
    }
    if (program_->unread() > k_most_unread) return;
  } else if (now < not_before_) {
    return;
  }
  auto lines = read_lines();
  if (lines.empty()) return;
  awake_until_ = now + k_awake;
  feed_soon();
  if (program_) {
    program_->write(lines);
  } else {
    start(std::move(lines));
  }
}

// What comes next in the log.
std::string EventSink::read_lines() {
  std::string lines;
  auto read = spool_.log().read_on(
      read_, read_.first_day(), spool_.clock().now(),
      [&](std::string_view line) {
        // What a crash tore is no event.
        if (!line.starts_with('{') || !line.ends_with('}')) return true;
        lines.append(line).push_back('\n');
        given_.push_back({bytes_given_ + lines.size(), read_});
        return lines.size() < k_bytes_a_turn;
      });
  bytes_given_ += lines.size();
  read_.forget_days_gone();
  if (!read && failures_++ == 0) warn_("event_sink: " + read.error().what);
  return lines;
}

void EventSink::start(std::string lines) {
  ChildCommand command;
  command.argv = argv_;
  command.in = std::move(lines);
  command.input = ChildCommand::Input::stays_open;
  command.err_limit = k_longest_words;
  auto started =
      ChildProcess::start(reactor_, std::move(command),
                          [this](const ChildResult& result) { ended(result); });
  if (started) {
    program_ = std::move(*started);
    return;
  }
  rest(started.error().what);
}

void EventSink::forget_what_was_read(std::size_t unread) {
  const std::uint64_t read =
      bytes_given_ - std::min<std::uint64_t>(unread, bytes_given_);
  while (!given_.empty() && given_.front().end <= read) {
    place_ = std::move(given_.front().place);
    given_.pop_front();
    pause_ = limits_.pause;
  }
}

void EventSink::ended(const ChildResult& result) {
  const auto gone = std::move(program_);
  forget_what_was_read(result.in_unread);
  if (ending_ && given_.empty() && result.exit_code == 0) return;
  const auto words = first_line(result.err, k_longest_words);
  rest(ending_in_words(result) + (words.empty() ? "" : ": " + words));
}

// It is told again what it has not read, after a pause.
void EventSink::rest(const std::string& why) {
  given_.clear();
  bytes_given_ = 0;
  read_ = place_;
  not_before_ = Steady::now() + pause_;
  pause_ = std::min(pause_ * 2, k_longest_pause);
  if (failures_++ == 0)
    warn_("event_sink '" + printable(argv_[0], k_longest_words) +
          "': " + printable(why, k_longest_words) +
          "; what it was not told it will be told again");
}

void EventSink::finish(const std::function<bool()>& stop) {
  if (argv_.empty()) return;
  const auto end = Steady::now() + limits_.grace;
  const auto is_over = [&] { return Steady::now() >= end || stop(); };
  feed();
  // All that is there by now; what comes meanwhile is the next run's.
  while (program_ && !given_.empty() && !is_over()) {
    reactor_.turn(k_look_again);
    feed();
  }
  ending_ = true;
  // With its stdin open it can be seen what it leaves unread.
  if (program_ && given_.empty()) program_->end_input();
  while (program_ && given_.empty() && !is_over()) reactor_.turn(k_look_again);
  if (program_) program_->kill_now("killed, as the run ended");
  if (lease_) keep_place();
  ending_ = false;
  if (failures_ > 1)
    warn_("event_sink failed " + std::to_string(failures_ - 1) +
          (failures_ == 2 ? " more time" : " more times"));
  failures_ = 0;
}

}  // namespace pony
