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

Result<Fd> open_day(Folders& folders, const std::string& day,
                    struct stat* info) {
  return open_regular(folders.root(), "log/events-" + day + ".jsonl", O_RDONLY,
                      SIZE_MAX, folders.trusted_owner(), info);
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

Result<EventLog::Position> place_of(Folders& folders, Time since,
                                    std::size_t most_bytes) {
  const Time from = since - k_slack;
  EventLog::Position position;
  for (const std::string& day : {format_day(from), format_day(since)}) {
    struct stat info {};
    auto fd = open_day(folders, day, &info);
    if (!fd && fd.error().kind == Error::Kind::not_found) continue;
    if (!fd) return tl::unexpected(fd.error());
    position[day] =
        find_in_day(fd->get(), info.st_size, format_time(from), most_bytes);
  }
  return position;
}

Result<EventLog::Position> end_of_log(Folders& folders, Time now) {
  EventLog::Position position;
  for (const Time time :
       {now - std::chrono::hours(24), now, now + std::chrono::hours(24)}) {
    const std::string day = format_day(time);
    struct stat info {};
    auto fd = open_day(folders, day, &info);
    if (fd) {
      position[day] = info.st_size;
    } else if (fd.error().kind != Error::Kind::not_found) {
      return tl::unexpected(fd.error());
    }
  }
  // A first day there must be: without one a reader would begin at the log's.
  position.try_emplace(format_day(now), 0);
  return position;
}

std::optional<Time> first_day_of(const EventLog::Position& position) {
  if (position.empty()) return std::nullopt;
  const auto day = parse_day(position.begin()->first);
  return day ? std::optional<Time>(*day) : std::nullopt;
}

std::string to_json_text(const EventLog::Position& position) {
  std::string text;
  JsonWriter writer(text);
  for (const auto& [day, offset] : position)
    writer.field(day, static_cast<std::int64_t>(offset));
  writer.end();
  return text;
}

std::optional<EventLog::Position> position_from(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || !json->is_object() || json->members.empty() ||
      json->members.size() > k_most_days)
    return std::nullopt;
  EventLog::Position position;
  for (const auto& member : json->members) {
    const std::int64_t offset = json->number_of(member.key, -1);
    if (!parse_day(member.key) || offset < 0) return std::nullopt;
    position[member.key] = offset;
  }
  return position;
}

}  // namespace pony
