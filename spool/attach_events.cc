// A message's file may be moved at any time, by its name; who appends holds
// the file itself. So: open it where it is found, lock it (only those who
// attach do), look what it has, write, and see that it is still there under
// that name. If it is, whoever claims it from now on reads what was written.
// If it is not, look again where it has gone: what was read before we wrote
// may be on its way into a new file (Relocation::replace_in_file).
#include "spool/attach_events.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "core/address.h"
#include "spool/message_id.h"

namespace pony {
namespace {

constexpr std::size_t k_read_size = std::size_t{256} << 10;
constexpr std::size_t k_most_events = 10'000;
// So many messages are open, and share a sync, at once.
constexpr std::size_t k_messages_together = 128;
// From this many on one syncfs is cheaper than an fdatasync each.
constexpr std::size_t k_syncfs_from = 24;
// How often a message may move on under our hands.
constexpr int k_rounds = 5;
constexpr int k_poll_ms = 20;

enum class DryRun { no, yes };

// The part of a Message-ID before the '@', if that is an id.
std::string id_in_mail_id(std::string_view mail_id) {
  if (mail_id.starts_with('<')) mail_id.remove_prefix(1);
  const auto id = mail_id.substr(0, mail_id.find('@'));
  return is_message_id(id) ? std::string(id) : std::string();
}

// The id that a told event names itself.
std::string id_told_by(const ToldEvent& told) {
  if (is_message_id(told.message_id)) return told.message_id;
  return id_in_mail_id(told.mail_id);
}

// A provider's id in one spelling: some put it in angle brackets at times.
std::string_view bare(std::string_view id) {
  if (id.size() > 2 && id.front() == '<' && id.back() == '>')
    return id.substr(1, id.size() - 2);
  return id;
}

// Looking for messages by what their provider calls them --------------------

std::string key_of(std::string_view provider, std::string_view provider_id) {
  return std::string(provider).append("\t").append(bare(provider_id));
}

class ProviderIds {
 public:
  void want(const std::string& provider, const std::string& id) {
    if (id.empty()) return;
    wanted_.insert(key_of(provider, id));
    bare_.emplace(bare(id));
  }

  // Reads the log from its end, in ever larger steps: what is told is mostly
  // of today.
  Result<> search(EventLog& log, Time since, Time now) {
    Time until = now + std::chrono::hours(24);
    for (std::chrono::hours step{24}; !wanted_.empty() && until > since;
         step *= 2) {
      const Time from = std::max(since, until - step);
      auto read = log.read(from, until, [&](std::string_view line) {
        look_at(line);
        return !wanted_.empty();
      });
      if (!read && read.error().kind == Error::Kind::not_found) return {};
      if (!read) return read;
      until = from;
    }
    return {};
  }

  std::string id_of(const std::string& provider, const std::string& id) const {
    const auto found = found_.find(key_of(provider, id));
    return found == found_.end() ? std::string() : found->second;
  }

 private:
  void look_at(std::string_view line) {
    // Before it is parsed: nearly all lines are somebody else's.
    constexpr std::string_view k_member = "\"provider_id\":\"";
    const auto at = line.find(k_member);
    if (at == std::string_view::npos) return;
    auto id = line.substr(at + k_member.size());
    id = bare(id.substr(0, id.find('"')));
    if (!bare_.contains(std::string(id))) return;
    const auto event = parse_event(line);
    if (!event || !is_message_id(event->id)) return;
    const std::string key = key_of(event->provider, event->provider_id);
    if (wanted_.erase(key) > 0) found_.emplace(key, event->id);
  }

  std::unordered_set<std::string> wanted_;
  std::unordered_set<std::string> bare_;  // the same without the provider
  std::unordered_map<std::string, std::string> found_;
};

// One message's file ----------------------------------------------------------

// What its events say, without the message itself, which may be large.
struct Tail {
  std::unordered_set<std::string> keys;
  std::size_t events = 0;
  Event first;  // has what describes the message
};

void take_line(std::string_view line, std::string_view id, Tail& tail) {
  auto event = parse_event(line);
  if (!event || event->id != id) return;
  ++tail.events;
  tail.keys.insert(event->natural_key());
  if (tail.first.event.empty()) tail.first = std::move(*event);
}

Result<Tail> read_tail(int fd, std::string_view id) {
  Tail tail;
  std::string buffer;
  bool in_message = true;  // the first line, which is passed over
  for (off_t offset = 0;;) {
    const std::size_t have = buffer.size();
    buffer.resize(have + k_read_size);
    const ssize_t n = ::pread(fd, buffer.data() + have, k_read_size, offset);
    if (n < 0 && errno == EINTR) {
      buffer.resize(have);
      continue;
    }
    if (n < 0) return fail_errno(errno, "cannot read a message");
    buffer.resize(have + static_cast<std::size_t>(n));
    if (n == 0) return tail;
    offset += n;
    std::size_t start = 0;
    for (auto end = buffer.find('\n', have); end != std::string::npos;
         end = buffer.find('\n', start)) {
      if (!in_message)
        take_line(std::string_view(buffer).substr(start, end - start), id,
                  tail);
      in_message = false;
      start = end + 1;
    }
    // Nothing of the message's own line is kept, however long it is.
    if (in_message) start = buffer.size();
    buffer.erase(0, start);
  }
}

// An open and locked file, and the name it was found under.
struct Held {
  Fd fd;
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t size = 0;
};

// not_found when there is no such message. `patience` is what is left of it.
Result<Held> hold(Folders& folders, const std::string& id,
                  Milliseconds& patience) {
  const std::string name = message_file_name(id);
  for (int round = 0;;) {
    auto found = folders.find(id, name);
    if (!found) return tl::unexpected(found.error());
    if (found->state == State::claimed && patience.count() > 0) {
      ::poll(nullptr, 0, k_poll_ms);
      patience -= Milliseconds(k_poll_ms);
      continue;
    }
    Held held;
    held.path = found->folder + "/" + name;
    struct stat info {};
    auto fd =
        open_regular(folders.root(), held.path, O_RDWR | O_APPEND,
                     k_message_file_limit, folders.trusted_owner(), &info);
    const bool gone = !fd && fd.error().kind == Error::Kind::not_found;
    if (gone && ++round < k_rounds) continue;
    if (!fd) return tl::unexpected(fd.error());
    if (auto locked = lock_whole(fd->get(), "a message"); !locked)
      return tl::unexpected(locked.error());
    held.fd = std::move(*fd);
    held.device = info.st_dev;
    held.inode = info.st_ino;
    return held;
  }
}

bool is_still_there(const Folders& folders, const Held& held) {
  struct stat info {};
  return ::fstatat(folders.root(), held.path.c_str(), &info,
                   AT_SYMLINK_NOFOLLOW) == 0 &&
         info.st_dev == held.device && info.st_ino == held.inode;
}

// Room on the disk before anything is written: half a line would be glued to
// what a runner writes next.
Result<> keep_room(int fd, std::size_t size) {
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return fail_errno(errno, "cannot look at a message");
  if (::fallocate(fd, FALLOC_FL_KEEP_SIZE, info.st_size,
                  static_cast<off_t>(size)) != 0 &&
      (errno == ENOSPC || errno == EDQUOT))
    return fail_errno(errno, "cannot add events to a message");
  return {};
}

// Whole lines by one write, between those of others.
Result<> append(int fd, std::string_view lines) {
  const ssize_t n = ::write(fd, lines.data(), lines.size());
  if (n == static_cast<ssize_t>(lines.size())) return {};
  const int error = n < 0 ? errno : ENOSPC;
  if (n > 0) (void)!::write(fd, "\n", 1);
  return fail_errno(error, "cannot add events to a message");
}

// Many of them ----------------------------------------------------------------

// A message and the events that are told of it, by their places in the list.
struct Group {
  std::string id;
  std::vector<std::size_t> events;
  Held held;
  std::string lines;  // of those that are new
};

class Attaching {
 public:
  Attaching(Spool& spool, std::span<ToldEvent> events,
            const AttachOptions& options, DryRun dry_run)
      : spool_(spool),
        events_(events),
        since_(options.since),
        patience_(options.patience),
        dry_run_(dry_run),
        became_(events.size(), Attached::no_message) {}

  Result<std::vector<Attached>> run();

 private:
  Result<> name_messages();
  Result<std::vector<Group>> hold_some(
      std::map<std::string, std::vector<std::size_t>>& left);
  Result<> look_at(Group& group);
  void describe(Event& event, const Event& first) const;
  Result<> write(std::vector<Group>& groups);
  Result<> sync(const std::vector<Group>& groups);
  Result<> follow(Group moved);
  Result<> add_missing(Group& group);

  Spool& spool_;
  std::span<ToldEvent> events_;
  Time since_;
  Milliseconds patience_;
  DryRun dry_run_;
  std::vector<Attached> became_;
};

// Gives each event the id of its message, if that can be told.
Result<> Attaching::name_messages() {
  ProviderIds ids;
  for (const ToldEvent& told : events_)
    if (id_told_by(told).empty())
      ids.want(told.event.provider, told.provider_id);
  auto searched = ids.search(spool_.log(), since_, spool_.clock().now());
  if (!searched) return searched;
  for (ToldEvent& told : events_) {
    told.event.id = id_told_by(told);
    if (told.event.id.empty())
      told.event.id = ids.id_of(told.event.provider, told.provider_id);
  }
  return {};
}

// What the log wants to know of the message, as its first event has it; the
// domain is that of the recipient it is about.
void Attaching::describe(Event& event, const Event& first) const {
  event.by = spool_.by();
  event.template_id = first.template_id;
  event.lang = first.lang;
  event.pool = first.pool;
  event.tags = first.tags;
  event.domain =
      event.recipient.empty() ? first.domain : domain_of(event.recipient);
}

// Fills in the lines that the file has not got.
Result<> Attaching::look_at(Group& group) {
  auto tail = read_tail(group.held.fd.get(), group.id);
  if (!tail) return tl::unexpected(tail.error());
  group.lines.clear();
  for (const std::size_t i : group.events) {
    Event& event = events_[i].event;
    const bool is_new = !tail->keys.contains(event.natural_key());
    if (is_new && tail->events >= k_most_events) {
      became_[i] = Attached::too_many;
      continue;
    }
    // In a second round it is we who added it.
    if (!is_new && became_[i] != Attached::added) became_[i] = Attached::known;
    if (!is_new) continue;
    became_[i] = Attached::added;
    ++tail->events;
    tail->keys.insert(event.natural_key());
    describe(event, tail->first);
    append_line(group.lines, event);
  }
  return {};
}

// Takes the next messages off the list and holds their files; in the order of
// the ids, as everybody does, so that nobody waits in a circle.
Result<std::vector<Group>> Attaching::hold_some(
    std::map<std::string, std::vector<std::size_t>>& left) {
  std::vector<Group> groups;
  while (!left.empty() && groups.size() < k_messages_together) {
    const auto first = left.begin();
    auto held = hold(spool_.folders(), first->first, patience_);
    if (held) {
      groups.push_back(
          {first->first, std::move(first->second), std::move(*held), {}});
      if (auto ok = look_at(groups.back()); !ok)
        return tl::unexpected(ok.error());
    } else if (held.error().kind != Error::Kind::not_found) {
      return wrap(held.error(), "message '" + first->first + "'");
    }
    left.erase(first);
  }
  return groups;
}

Result<> Attaching::sync(const std::vector<Group>& groups) {
  if (groups.size() >= k_syncfs_from) {
    if (::syncfs(spool_.folders().root()) != 0)
      return fail_errno(errno, "cannot sync the spool");
    return {};
  }
  for (const Group& group : groups)
    if (auto ok = sync_data(group.held.fd.get(), "a message"); !ok) return ok;
  return {};
}

// Log, then files, then a look whether these are where they were.
Result<> Attaching::write(std::vector<Group>& groups) {
  std::erase_if(groups, [](const Group& group) { return group.lines.empty(); });
  if (groups.empty()) return {};
  std::string lines;
  for (const Group& group : groups) {
    auto ok = keep_room(group.held.fd.get(), group.lines.size());
    if (!ok) return ok;
    lines += group.lines;
  }
  auto logged = spool_.log().append(lines, spool_.clock().now());
  if (logged) logged = spool_.log().sync();
  if (!logged) return logged;
  for (const Group& group : groups) {
    auto ended = end_last_line(group.held.fd.get(), group.held.path);
    if (!ended) return ended;
    if (auto ok = append(group.held.fd.get(), group.lines); !ok) return ok;
  }
  if (auto ok = sync(groups); !ok) return ok;
  std::erase_if(groups, [&](const Group& group) {
    return is_still_there(spool_.folders(), group.held);
  });
  // Nothing is locked while one is waited for: its holder may wait for us. But
  // open they stay, else another file may get the inode that tells them apart.
  for (const Group& group : groups) ::flock(group.held.fd.get(), LOCK_UN);
  for (Group& group : groups)
    if (auto ok = follow(std::move(group)); !ok) return ok;
  return {};
}

// The message has moved while we wrote. Mostly it is the same file, and has
// what was written; if it is another one, it may not.
Result<> Attaching::follow(Group moved) {
  for (int round = 0; round < k_rounds; ++round) {
    auto held = hold(spool_.folders(), moved.id, patience_);
    // Purged or forgotten in this moment: the log has it.
    if (!held && held.error().kind == Error::Kind::not_found) return {};
    if (!held) return tl::unexpected(held.error());
    const bool is_same =
        held->inode == moved.held.inode && held->device == moved.held.device;
    moved.held = std::move(*held);
    if (!is_same)
      if (auto ok = add_missing(moved); !ok) return ok;
    if (is_still_there(spool_.folders(), moved.held)) return {};
    ::flock(moved.held.fd.get(), LOCK_UN);
  }
  return {};
}

// Adds to another file of the message what the log has already.
Result<> Attaching::add_missing(Group& group) {
  if (auto ok = look_at(group); !ok) return ok;
  if (group.lines.empty()) return {};
  const int fd = group.held.fd.get();
  if (auto ok = keep_room(fd, group.lines.size()); !ok) return ok;
  if (auto ok = end_last_line(fd, group.held.path); !ok) return ok;
  if (auto ok = append(fd, group.lines); !ok) return ok;
  return sync_data(fd, "a message");
}

Result<std::vector<Attached>> Attaching::run() {
  if (auto named = name_messages(); !named)
    return tl::unexpected(named.error());
  std::map<std::string, std::vector<std::size_t>> left;
  for (std::size_t i = 0; i < events_.size(); ++i)
    if (!events_[i].event.id.empty()) left[events_[i].event.id].push_back(i);
  while (!left.empty()) {
    auto groups = hold_some(left);
    if (!groups) return tl::unexpected(groups.error());
    if (dry_run_ == DryRun::yes) continue;
    if (auto written = write(*groups); !written)
      return tl::unexpected(written.error());
  }
  return std::move(became_);
}

}  // namespace

Result<std::vector<Attached>> attach_events(Spool& spool,
                                            std::span<ToldEvent> events,
                                            const AttachOptions& options) {
  return Attaching(spool, events, options, DryRun::no).run();
}

Result<std::vector<Attached>> try_to_attach(Spool& spool,
                                            std::span<ToldEvent> events,
                                            const AttachOptions& options) {
  return Attaching(spool, events, options, DryRun::yes).run();
}

}  // namespace pony
