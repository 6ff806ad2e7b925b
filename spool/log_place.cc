#include "spool/log_place.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/json.h"

namespace pony {
namespace {

// Events may be this much later in the log than their time says.
constexpr std::chrono::minutes k_slack{10};
// What is left to be read in order once this little is in question.
constexpr off_t k_near = off_t{256} << 10;
// No line is longer; within one step of the search a whole one is found.
constexpr std::size_t k_step = std::size_t{64} << 10;
constexpr std::size_t k_most_days = 1000;

Result<Fd> open_day(EventLog& log, const std::string& day, struct stat* info) {
  return log.open({"events-" + day + ".jsonl", day, Compression::none}, info);
}

struct Line {
  off_t start = 0;
  std::string ts;  // as it stands there; empty when it has none
};

// The first line that begins at or after `offset` (which is no line's middle
// only at 0); nothing when there is none within a step.
std::optional<Line> line_from(int fd, off_t offset) {
  std::string text(k_step, '\0');
  const ssize_t n = ::pread(fd, text.data(), text.size(), offset);
  if (n <= 0) return std::nullopt;
  std::string_view view(text.data(), static_cast<std::size_t>(n));
  std::size_t start = 0;
  if (offset > 0) {
    const auto end = view.find('\n');
    if (end == std::string_view::npos || end + 1 == view.size())
      return std::nullopt;
    start = end + 1;
  }
  view.remove_prefix(start);
  Line line{offset + static_cast<off_t>(start), {}};
  constexpr std::string_view k_begin = "{\"ts\":\"";
  constexpr std::size_t k_time = 24;  // "2026-11-22T10:00:00.123Z"
  if (view.starts_with(k_begin)) line.ts = view.substr(k_begin.size(), k_time);
  return line;
}

// The offset of a line from which on the day's events are not before `since`.
off_t find_in_day(int fd, off_t size, const std::string& since,
                  std::size_t most_bytes) {
  off_t low = 0;
  off_t high = size;
  if (static_cast<std::size_t>(size) > most_bytes)
    low = size - static_cast<off_t>(most_bytes);
  while (high - low > k_near) {
    const off_t middle = low + (high - low) / 2;
    const auto line = line_from(fd, middle);
    // A torn line, or a foreign hand's: what is behind it is not lost.
    if (!line || line->ts.empty() || line->ts >= since) {
      high = middle;
    } else {
      low = line->start;
    }
  }
  const auto line = line_from(fd, low);
  return line ? line->start : low;
}

}  // namespace

Result<EventLog::Position> place_of(EventLog& log, Time since,
                                    std::size_t most_bytes) {
  const Time from = since - k_slack;
  EventLog::Position position;
  for (const std::string& day : {format_day(from), format_day(since)}) {
    struct stat info {};
    auto fd = open_day(log, day, &info);
    if (!fd && fd.error().kind != Error::Kind::not_found)
      return tl::unexpected(fd.error());
    const off_t offset =
        fd ? find_in_day(fd->get(), info.st_size, format_time(from), most_bytes)
           : 0;
    if (auto set = log.go_on_at(position, day, offset); !set)
      return tl::unexpected(set.error());
  }
  return position;
}

Result<EventLog::Position> end_of_log(EventLog& log, Time now) {
  EventLog::Position position;
  for (const Time time :
       {now - std::chrono::hours(24), now, now + std::chrono::hours(24)}) {
    const std::string day = format_day(time);
    struct stat info {};
    auto fd = open_day(log, day, &info);
    if (!fd && fd.error().kind != Error::Kind::not_found)
      return tl::unexpected(fd.error());
    // Tomorrow's is there only where a clock is ahead.
    if (!fd && time > now) break;
    if (auto set = log.go_on_at(position, day, fd ? info.st_size : 0); !set)
      return tl::unexpected(set.error());
  }
  return position;
}

}  // namespace pony
