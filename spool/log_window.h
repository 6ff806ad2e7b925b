// What the event log says of the last hours, counted by minutes: messages that
// failed, attempts by provider, who delivered, and whose outcome is unknown.
//
// Built for those who ask again and again: the log is read once, from where
// the window begins, then only what was appended. Lines are searched, not
// parsed: a member's name in quotes cannot be part of a value, where a quote
// has a backslash before it. Bounded memory, whatever the log holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "core/result.h"
#include "spool/event_log.h"
#include "spool/folders.h"

namespace pony {

class LogWindow {
 public:
  struct Attempts {
    std::uint64_t all = 0;
    std::uint64_t failed = 0;  // neither accepted nor rejected
  };

  // The last `span`; of each day's file at most `most_bytes` are read for a
  // beginning: with more, the window begins later.
  LogWindow(Folders& folders, EventLog& log, Milliseconds span,
            std::size_t most_bytes = std::size_t{256} << 20)
      : folders_(folders), log_(log), span_(span), most_bytes_(most_bytes) {}

  // Reads on to the end of the log and forgets what is older than the window.
  // Errors: the log cannot be read.
  Result<> advance(Time now);

  // Messages that failed or expired since then.
  std::uint64_t failed_since(Time since) const;
  // In the whole window, by provider.
  std::map<std::string, Attempts> attempts() const;
  // Messages sent, by pool and the provider that took them.
  std::map<std::pair<std::string, std::string>, std::uint64_t> sent() const;
  // Messages of which an attempt's outcome is unknown, and that neither ended
  // nor were held since.
  std::size_t uncertain() const { return uncertain_.size(); }

 private:
  struct Minute {
    std::uint64_t failed = 0;
    std::map<std::string, Attempts, std::less<>> attempts;
    std::map<std::pair<std::string, std::string>, std::uint64_t> sent;
  };

  void take(std::string_view line, Time since);
  Minute* minute_of(std::string_view ts, Time since);
  void take_attempt(std::string_view line, Minute& minute);

  Folders& folders_;
  EventLog& log_;
  Milliseconds span_;
  std::size_t most_bytes_;
  bool begun_ = false;
  EventLog::Position position_;
  std::map<Time, Minute> minutes_;
  std::string last_ts_;  // to the minute
  Minute* last_minute_ = nullptr;
  std::set<std::string, std::less<>> uncertain_;
};

// The text of a flat member of an event's line, as it stands there (escapes
// and all); empty when there is none. `member` is its name with quotes and
// colon and the value's quote: "\"event\":\"".
std::string_view text_in_line(std::string_view line, std::string_view member);

}  // namespace pony
