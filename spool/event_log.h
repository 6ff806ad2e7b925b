// The event log: log/events-<YYYY-MM-DD>.jsonl, one event a line, the copy of
// what the messages' files say, in order of time, for those who count.
//
// Any number of processes append: one write() a call with O_APPEND, whole
// lines. A crash or a full disk can cut the last line: the next writer ends
// it first, readers skip what does not parse.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/event.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

class EventLog {
 public:
  explicit EventLog(Folders& folders) : folders_(folders) {}

  // Appends whole lines to the day's file. Not durable before sync().
  Result<> append(std::string_view lines, Time now);
  // Makes what was appended durable.
  Result<> sync();

  // How far a reader is: an offset by day.
  using Position = std::map<std::string, off_t>;

  // Calls `each` with every line of the days that may hold events of
  // [since, until), oldest day first; a torn last line is left out. Stops on
  // false.
  Result<> read(std::optional<Time> since, std::optional<Time> until,
                const std::function<bool(std::string_view line)>& each);
  // The same from `position` on, which is moved: another call gives what was
  // appended since. Of days gone by only the last is looked at again.
  Result<> read_on(Position& position, std::optional<Time> since,
                   std::optional<Time> until,
                   const std::function<bool(std::string_view line)>& each);

  // The natural keys of the logged events of these messages since `since`:
  // what a recovery need not write again.
  Result<std::vector<std::string>> keys_of(const std::vector<std::string>& ids,
                                           Time since);

 private:
  Folders& folders_;
  std::string day_;
  Fd file_;
};

}  // namespace pony
