#include "cmd/wait_for.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/json.h"
#include "spool/message_file.h"
#include "spool/message_id.h"

namespace pony {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr Milliseconds k_first_pause{10};
constexpr Milliseconds k_longest_pause{500};
constexpr Milliseconds k_second_look = std::chrono::minutes(1);
// Stands for ever, and lets no clock overflow.
constexpr Milliseconds k_longest_wait = std::chrono::hours(24 * 365 * 10);
constexpr std::size_t k_note_limit = std::size_t{64} << 10;
constexpr State k_ends[] = {State::sent, State::failed};

// The id of a file that is a message, or was to be one.
std::string id_in(std::string_view name) {
  if (const auto id = id_of_file_name(name); !id.empty())
    return std::string(id);
  if (!name.ends_with(k_dropped_suffix)) return {};
  name.remove_suffix(k_dropped_suffix.size());
  return is_message_id(name) ? std::string(name) : std::string();
}

// Days on which a message could end begin with the day before it was made, as
// clocks may be a day apart.
std::string first_day_of(const std::string& id) {
  return format_day(time_of_message_id(id) - std::chrono::hours(24));
}

// A message that moves may be missed where it was and where it comes to.
bool is_anywhere(Folders& folders, const std::string& id) {
  constexpr int k_looks = 3;
  for (int look = 0; look < k_looks; ++look)
    for (const auto& name :
         {message_file_name(id), id + std::string(k_dropped_suffix)}) {
      const auto found = folders.find(id, name);
      if (found || found.error().kind != Error::Kind::not_found) return true;
    }
  return false;
}

}  // namespace

OutcomeWait::OutcomeWait(Spool& spool, Each each)
    : spool_(spool),
      each_(std::move(each)),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  // First the watches, then the look: nothing ends in between unseen.
  watch_all();
}

bool OutcomeWait::watch(const std::string& folder, State state) {
  if (!inotify_) return false;
  const std::string path = spool_.folders().path() + "/" + folder;
  const int number = ::inotify_add_watch(
      inotify_.get(), path.c_str(),
      IN_MOVED_TO | IN_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW);
  if (number >= 0) watched_.insert_or_assign(number, Watched{folder, state});
  return number >= 0;
}

// A day's folder with its sub-folders for size.
void OutcomeWait::watch_day(const std::string& folder, State state) {
  if (!watch(folder, state)) return;
  auto shards = spool_.folders().sub_folders(folder);
  if (!shards) return;
  for (const auto& name : *shards)
    if (name.size() == 1) watch(folder + "/" + name, state);
}

void OutcomeWait::watch_all() {
  const std::string first =
      format_day(spool_.clock().now() - std::chrono::hours(24));
  for (const State state : k_ends) {
    const std::string top(to_text(state));
    watch(top, state);
    auto days = spool_.folders().sub_folders(top);
    if (!days) continue;
    for (const auto& day : *days)
      if (day >= first) watch_day(top + "/" + day, state);
  }
}

Result<std::vector<std::string>> OutcomeWait::add(
    std::span<const std::string> ids) {
  std::vector<std::string> unknown;
  for (const auto& id : ids) {
    if (pending_.contains(id)) continue;
    if (!is_message_id(id)) {
      unknown.push_back(id);
      continue;
    }
    auto found = spool_.folders().find(id, message_file_name(id));
    if (!found && found.error().kind == Error::Kind::not_found)
      found = spool_.folders().find(id, id + std::string(k_dropped_suffix));
    if (!found && found.error().kind == Error::Kind::not_found) {
      unknown.push_back(id);
      continue;
    }
    if (!found) return tl::unexpected(found.error());
    pending_.insert(id);
    if (found->state == State::sent || found->state == State::failed)
      end(id, found->folder, found->state);
  }
  // What ended while more ids were read is not told only after the last.
  if (auto taken = take_news(); !taken) return tl::unexpected(taken.error());
  return unknown;
}

EndOfWait OutcomeWait::read_end(const std::string& id,
                                const std::string& folder, State state) {
  EndOfWait ended{id, state, std::string(to_text(state)), {}, {}};
  if (auto file = spool_.read(folder, id)) {
    ended.provider = file->history.last_provider;
    ended.reason = file->history.reason;
    const auto last =
        std::find_if(file->events.rbegin(), file->events.rend(),
                     [](const Event& event) { return state_after(event); });
    if (last != file->events.rend()) ended.event = last->event;
    return ended;
  }
  // What was no valid message has its reason beside it.
  auto note =
      read_regular(spool_.folders().root(), folder + "/" + id + ".error",
                   k_note_limit, spool_.folders().trusted_owner());
  ended.reason = "it is no valid message";
  if (!note) return ended;
  if (auto event = parse_event(note->substr(0, note->find('\n')));
      event && !event->reason.empty())
    ended.reason = event->reason;
  return ended;
}

// False: it was none of ours.
bool OutcomeWait::end(const std::string& id, const std::string& folder,
                      State state) {
  if (pending_.erase(id) == 0) return false;
  each_(read_end(id, folder, state));
  return true;
}

// Has one of them ended unseen?
Result<> OutcomeWait::look_for_all() {
  if (pending_.empty()) return {};
  Folders& folders = spool_.folders();
  const std::vector<std::string> ids(pending_.begin(), pending_.end());
  const auto is_there = [&](const std::string& folder,
                            const std::string& name) {
    struct stat info {};
    return ::fstatat(folders.root(), (folder + "/" + name).c_str(), &info,
                     AT_SYMLINK_NOFOLLOW) == 0;
  };
  for (const State state : k_ends) {
    auto days = folders.folders_of(state);
    if (!days) return tl::unexpected(days.error());
    for (const auto& id : ids) {
      const std::string names[] = {message_file_name(id),
                                   id + std::string(k_dropped_suffix)};
      const std::string first = first_day_of(id);
      for (const auto& day : *days) {
        if (day.substr(day.find('/') + 1) < first) continue;
        const std::string shard = day + "/" + id.back();
        for (const auto& name : names) {
          if (is_there(day, name)) end(id, day, state);
          if (is_there(shard, name)) end(id, shard, state);
        }
      }
    }
  }
  give_up_gone();
  return {};
}

// Who was purged or forgotten meanwhile never ends. It takes two looks, a
// minute apart.
void OutcomeWait::give_up_gone() {
  std::unordered_set<std::string> missing;
  for (const auto& id : pending_)
    if (!is_anywhere(spool_.folders(), id)) missing.insert(id);
  for (const auto& id : missing)
    if (missing_.contains(id) && pending_.erase(id) > 0)
      each_({id, State::failed, "gone", {}, "it was purged or forgotten"});
  missing_ = std::move(missing);
}

// A name that appeared in a folder that is watched.
Result<> OutcomeWait::take_name(int number, std::string_view name) {
  const auto at = watched_.find(number);
  if (at == watched_.end()) return {};
  const Watched where = at->second;
  if (const std::string id = id_in(name); !id.empty()) {
    end(id, where.folder, where.state);
    return {};
  }
  // A day began, or a folder was split; something may be in it already.
  const bool is_day = where.folder == to_text(where.state);
  if (!is_day && name.size() != 1) return {};
  watch_day(where.folder + "/" + std::string(name), where.state);
  return look_for_all();
}

Result<> OutcomeWait::take_news() {
  alignas(inotify_event) char buffer[16384];
  for (;;) {
    const ssize_t n = ::read(inotify_.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {};
    for (ssize_t at = 0; at < n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        if (auto looked = look_for_all(); !looked) return looked;
        continue;
      }
      if ((event->mask & IN_IGNORED) != 0) {
        watched_.erase(event->wd);  // the number may come again
        continue;
      }
      if (event->len == 0) continue;
      const std::string_view name(event->name,
                                  ::strnlen(event->name, event->len));
      if (auto taken = take_name(event->wd, name); !taken) return taken;
    }
  }
}

Result<> OutcomeWait::wait(std::optional<Milliseconds> limit) {
  const auto begun = SteadyClock::now();
  const Milliseconds longest =
      std::min(limit.value_or(k_longest_wait), k_longest_wait);
  const bool is_told = !watched_.empty();
  Milliseconds pause = is_told ? k_second_look : k_first_pause;
  auto next_look = begun + pause;
  while (!pending_.empty()) {
    const auto now = SteadyClock::now();
    if (now - begun >= longest) break;
    if (now >= next_look) {
      if (auto looked = look_for_all(); !looked) return looked;
      if (!is_told) pause = std::min(pause * 2, k_longest_pause);
      next_look = now + pause;
      continue;
    }
    auto until = next_look;
    until = std::min(until, begun + longest);
    const auto left = std::chrono::ceil<Milliseconds>(until - now);
    pollfd waiting{inotify_.get(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready <= 0) continue;
    if (auto taken = take_news(); !taken) return taken;
  }
  return {};
}

std::string outcome_words(const EndOfWait& end) {
  if (end.state == State::sent)
    return "sent" +
           (end.provider.empty() ? "" : " via " + printable(end.provider, 100));
  return end.event + (end.reason.empty() ? "" : ": " + printable(end.reason));
}

Result<int> wait_for_outcome(Spool& spool, const std::vector<std::string>& ids,
                             Milliseconds limit, Context& context) {
  int code = 0;
  OutcomeWait waiting(spool, [&](const EndOfWait& end) {
    if (end.state == State::failed) code = 69;
    context.say(end.id + ": " + outcome_words(end));
  });
  auto unknown = waiting.add(ids);
  if (!unknown) return tl::unexpected(unknown.error());
  if (!unknown->empty())
    return fail(Error::Kind::not_found,
                "there is no message '" + unknown->front() + "' any more");
  auto done = waiting.wait(limit);
  if (!done) return tl::unexpected(done.error());
  for (const auto& id : ids)
    if (waiting.pending().contains(id)) context.say(id + ": not yet known");
  return code == 0 && !waiting.pending().empty() ? 75 : code;
}

}  // namespace pony
