#include "spool/event_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <unordered_set>

namespace pony {
namespace {

constexpr std::string_view k_prefix = "events-";
constexpr std::string_view k_suffix = ".jsonl";
constexpr std::size_t k_read_size = std::size_t{1} << 18;

// "events-2026-11-21.jsonl" → "2026-11-21", else empty.
std::string_view day_of(std::string_view name) {
  if (!name.starts_with(k_prefix) || !name.ends_with(k_suffix)) return {};
  name.remove_prefix(k_prefix.size());
  name.remove_suffix(k_suffix.size());
  return name;
}

// Calls `each` with the whole lines of the file from `offset` on, which is
// moved behind them; false when it stopped.
Result<bool> read_lines(int fd, off_t& offset,
                        const std::function<bool(std::string_view)>& each) {
  std::string buffer;
  std::size_t start = 0;
  off_t end_of_buffer = offset;
  for (;;) {
    buffer.erase(0, start);
    start = 0;
    const std::size_t have = buffer.size();
    buffer.resize(have + k_read_size);
    const ssize_t n =
        ::pread(fd, buffer.data() + have, k_read_size, end_of_buffer);
    if (n < 0 && errno != EINTR)
      return fail_errno(errno, "cannot read the event log");
    buffer.resize(have + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n == 0) return true;
    end_of_buffer += std::max<ssize_t>(n, 0);
    const std::string_view view = buffer;
    // What was looked at before has no line end.
    for (auto end = view.find('\n', have); end != std::string_view::npos;
         end = view.find('\n', start)) {
      const auto line = view.substr(start, end - start);
      start = end + 1;
      offset += static_cast<off_t>(line.size()) + 1;
      if (!each(line)) return false;
    }
  }
}

// The day before the last that was read: processes that were slow at midnight
// may still write to it.
std::string oldest_open_day(const EventLog::Position& position) {
  if (position.size() < 2) return {};
  return std::prev(position.end(), 2)->first;
}

}  // namespace

Result<> EventLog::append(std::string_view lines, Time now) {
  if (lines.empty()) return {};
  const std::string day = format_day(now);
  if (!file_ || day != day_) {
    auto log = folders_.folder("log");
    if (!log) return tl::unexpected(log.error());
    const std::string name = std::string(k_prefix).append(day).append(k_suffix);
    // O_RDWR: the last byte has to be seen.
    Fd fd(::openat(
        *log, name.c_str(),
        O_CREAT | O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
        folders_.file_mode()));
    if (!fd) return fail_errno(errno, "cannot open 'log/" + name + "'");
    file_ = std::move(fd);
    day_ = day;
    if (auto ended = end_last_line(file_.get(), name); !ended) return ended;
  }
  // One write: a short one (disk full) leaves a torn line, which the rest
  // would only mix with others' lines. It is ended, and said.
  const ssize_t n = ::write(file_.get(), lines.data(), lines.size());
  if (n == static_cast<ssize_t>(lines.size())) return {};
  const int error = n < 0 ? errno : ENOSPC;
  file_ = Fd();
  return fail_errno(error, "cannot write the event log of " + day);
}

Result<> EventLog::sync() {
  if (!file_) return {};
  return sync_data(file_.get(), "the event log");
}

Result<> EventLog::read(
    std::optional<Time> since, std::optional<Time> until,
    const std::function<bool(std::string_view line)>& each) {
  Position from_the_start;
  return read_on(from_the_start, since, until, each);
}

Result<> EventLog::read_on(
    Position& position, std::optional<Time> since, std::optional<Time> until,
    const std::function<bool(std::string_view line)>& each) {
  auto log = folders_.existing("log");
  if (!log) return tl::unexpected(log.error());
  std::vector<std::string> days;
  auto listed = for_each_name(*log, [&](const char* name) {
    if (const auto day = day_of(name); !day.empty()) days.emplace_back(day);
    return true;
  });
  if (!listed) return listed;
  std::sort(days.begin(), days.end());
  const std::string oldest = oldest_open_day(position);
  for (const auto& day : days) {
    if (day < oldest) continue;
    // An event is written a moment after its time: a day's file may begin
    // with events of the day before.
    if (since && day < format_day(*since)) continue;
    if (until && day > format_day(*until + std::chrono::hours(24))) break;
    const std::string name = std::string(k_prefix).append(day).append(k_suffix);
    auto fd = open_regular(*log, name, O_RDONLY, SIZE_MAX,
                           folders_.trusted_owner(), nullptr);
    if (!fd && fd.error().kind == Error::Kind::not_found) continue;  // purged
    if (!fd) return tl::unexpected(fd.error());
    auto whole = read_lines(fd->get(), position[day], each);
    if (!whole) return tl::unexpected(whole.error());
    if (!*whole) return {};
  }
  return {};
}

Result<std::vector<std::string>> EventLog::keys_of(
    const std::vector<std::string>& ids, Time since) {
  std::vector<std::string> keys;
  const std::unordered_set<std::string_view> wanted(ids.begin(), ids.end());
  auto done = read(since, {}, [&](std::string_view line) {
    constexpr std::string_view k_member = "\"id\":\"";
    const auto at = line.find(k_member);
    if (at == std::string_view::npos) return true;
    if (!wanted.contains(line.substr(at + k_member.size(), 26))) return true;
    if (auto event = parse_event(line)) keys.push_back(event->natural_key());
    return true;
  });
  if (!done) return tl::unexpected(done.error());
  return keys;
}

}  // namespace pony
