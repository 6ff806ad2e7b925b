#include "spool/recovery.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include "spool/bury.h"
#include "spool/message_id.h"

namespace pony {
namespace {

constexpr std::size_t k_journal_limit = std::size_t{256} << 20;

// The lock of a runner's folder, if its runner is dead.
struct DeadRunner {
  std::string folder;  // "cur/<runner>"
  Fd lock;             // held by us; none when the runner left no lock
};

Result<std::optional<DeadRunner>> if_dead(Folders& folders,
                                          const std::string& folder) {
  DeadRunner dead{folder, {}};
  auto opened = open_folder(folders.root(), folder);
  if (!opened) {
    if (opened.error().kind == Error::Kind::not_found)
      return std::optional<DeadRunner>();
    return tl::unexpected(opened.error());
  }
  Fd lock(::openat(opened->get(), ".lock",
                   O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!lock) {
    // The lock was there before the folder showed in cur/: none means that
    // somebody removed it on the way out.
    if (errno == ENOENT) return std::optional(std::move(dead));
    return fail_errno(errno, "cannot open '" + folder + "/.lock'");
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return std::optional<DeadRunner>();
  dead.lock = std::move(lock);
  return std::optional(std::move(dead));
}

// The journal's events by message, in order.
using Journal = std::map<std::string, std::vector<Event>>;

Result<Journal> read_journal(Folders& folders, const std::string& folder) {
  Journal journal;
  auto fd = open_folder(folders.root(), folder);
  if (!fd) return tl::unexpected(fd.error());
  std::vector<std::string> names;
  auto listed = for_each_name(fd->get(), [&](const char* name) {
    if (std::string_view(name).starts_with("journal."))
      names.emplace_back(name);
    return true;
  });
  if (!listed) return tl::unexpected(listed.error());
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    auto text =
        read_regular(fd->get(), name, k_journal_limit, folders.trusted_owner());
    if (!text) return tl::unexpected(text.error());
    std::string_view rest = *text;
    for (auto end = rest.find('\n'); end != std::string_view::npos;
         end = rest.find('\n')) {
      // A line that does not parse was never synced: nothing followed it.
      if (auto event = parse_event(rest.substr(0, end)))
        journal[event->id].push_back(std::move(*event));
      rest.remove_prefix(end + 1);
    }
  }
  return journal;
}

// What the file has not got of what the journal says, and whether an attempt
// was under way.
struct Missing {
  std::vector<Event> events;
  std::optional<Event> attempting;
};

Missing missing_of(const MessageFile& file, const std::vector<Event>& journal) {
  std::unordered_set<std::string> known;
  for (const auto& event : file.events) known.insert(event.natural_key());
  Missing missing;
  for (const auto& event : journal) {
    if (event.event == "attempting") {
      missing.attempting = event;
      continue;
    }
    if (event.event == "attempted") missing.attempting.reset();
    if (known.insert(event.natural_key()).second)
      missing.events.push_back(event);
  }
  // The outcome is in the file, then: the journal was older.
  if (missing.attempting &&
      file.history.attempts >= missing.attempting->attempt)
    missing.attempting.reset();
  return missing;
}

class Recovery {
 public:
  Recovery(Spool& spool, const Policy& policy, Recovered& recovered)
      : spool_(spool), policy_(policy), recovered_(recovered) {}

  Result<> bring_back(const DeadRunner& dead, bool dry_run);

 private:
  Result<> bring_back_message(const std::string& folder, const std::string& id,
                              const std::vector<Event>& journal);
  Result<> bring_back_dropped(const std::string& folder,
                              const std::string& name);
  Result<> move_over_twin(const std::string& folder, const std::string& name,
                          const std::string& place);
  bool is_logged(const Event& event,
                 const std::unordered_set<std::string>& known);
  void decide(MessageFile& file, Missing& missing);
  Event described(Event event, const MessageFile& file) const;

  Spool& spool_;
  const Policy& policy_;
  Recovered& recovered_;
};

Result<> Recovery::bring_back(const DeadRunner& dead, bool dry_run) {
  Folders& folders = spool_.folders();
  auto fd = open_folder(folders.root(), dead.folder);
  if (!fd) {
    if (fd.error().kind == Error::Kind::not_found) return {};
    return tl::unexpected(fd.error());
  }
  std::vector<std::string> names;
  auto listed = for_each_name(fd->get(), [&](const char* name) {
    const std::string_view view = name;
    if (view != ".lock" && !view.starts_with("journal."))
      names.emplace_back(view);
    return true;
  });
  if (!listed) return listed;
  std::sort(names.begin(), names.end());
  if (dry_run) {
    for (const auto& name : names)
      recovered_.warnings.push_back("'" + dead.folder + "/" + name +
                                    "' is held by a dead runner");
    recovered_.messages += names.size();
    return {};
  }

  auto journal = read_journal(folders, dead.folder);
  if (!journal) return tl::unexpected(journal.error());
  bool all_gone = true;
  for (const auto& name : names) {
    const std::string id(id_of_file_name(name));
    auto ok = id.empty() ? bring_back_dropped(dead.folder, name)
                         : bring_back_message(dead.folder, id, (*journal)[id]);
    if (!ok && ok.error().kind == Error::Kind::busy) {
      recovered_.warnings.push_back(ok.error().what);
      all_gone = false;
      continue;
    }
    if (!ok && ok.error().kind != Error::Kind::not_found) return ok;
    ++recovered_.messages;
  }
  if (!all_gone) return {};

  // Nothing is left that the journal could be needed for.
  std::vector<std::string> rest;
  (void)for_each_name(fd->get(), [&](const char* name) {
    rest.emplace_back(name);
    return true;
  });
  for (const auto& name : rest)
    if (name.starts_with("journal.")) ::unlinkat(fd->get(), name.c_str(), 0);
  ::unlinkat(fd->get(), ".lock", 0);
  ::unlinkat(folders.root(), dead.folder.c_str(), AT_REMOVEDIR);
  folders.forget(dead.folder);
  return {};
}

// Adds what follows to `missing.events`: the last one moves the message.
void Recovery::decide(MessageFile& file, Missing& missing) {
  const Time now = spool_.clock().now();
  std::vector<std::string> recipients;
  for (const auto& address : file.message.recipients())
    recipients.push_back(address.email);
  for (const auto& event : missing.events) file.history.add(event, recipients);

  // `pony send` tries by itself only while it lives: its caller got no answer
  // and may well have called again.
  const bool was_sending =
      file.mode == Mode::send &&
      std::none_of(file.events.begin(), file.events.end(), [](const Event& e) {
        return e.event == "retried" || e.event == "released";
      });
  Event recovered = spool_.event("recovered", file.id, file.message);
  recovered.reason = "its runner died";
  if (missing.attempting) {
    const Event& started = *missing.attempting;
    Event attempted = started;
    attempted.event = "attempted";
    attempted.ts = now;
    attempted.outcome = Outcome::unknown;
    attempted.error = "the runner died before the answer was written down";
    file.history.add(attempted, recipients);
    missing.events.push_back(attempted);
    recovered.reason += " while provider '" + started.provider +
                        "' had the message: it may have been delivered";
    recovered.attempt = started.attempt;
    missing.events.push_back(recovered);

    Round round;
    round.id = file.id;
    round.provider = started.provider;
    round.attempt = started.attempt;
    for (const auto& email : recipients)
      if (!file.history.settled.contains(email))
        round.verdicts.push_back(
            {email, {Outcome::unknown, 0, attempted.error, {}, {}, true}});
    Delivery delivery{file.id, file.accepted_at, file.message, file.history};
    Event next = described(what_follows(delivery, round, policy_, now), file);
    if (was_sending && next.event == "deferred")
      next =
          described(ended_untried(delivery, "failed",
                                  "pony send was interrupted: it may have been "
                                  "delivered"),
                    file);
    next.lang = started.lang;
    next.pool = started.pool;
    missing.events.push_back(std::move(next));
    return;
  }
  const bool filed_by_journal =
      !missing.events.empty() && state_after(missing.events.back().event);
  const bool ended = file.history.state != State::fresh || filed_by_journal;
  if (ended) return;
  missing.events.push_back(recovered);
  if (!was_sending) return;
  const Delivery delivery{file.id, file.accepted_at, file.message,
                          file.history};
  missing.events.push_back(described(
      ended_untried(delivery, "failed",
                    "pony send was interrupted before it was delivered"),
      file));
}

// `event` with what every event of the message says.
Event Recovery::described(Event event, const MessageFile& file) const {
  spool_.describe(event, file.id, file.message);
  return event;
}

Result<> Recovery::bring_back_message(const std::string& folder,
                                      const std::string& id,
                                      const std::vector<Event>& journal) {
  Folders& folders = spool_.folders();
  const std::string name = message_file_name(id);
  auto file = spool_.read(folder, id);
  if (!file) {
    if (file.error().kind == Error::Kind::not_found ||
        file.error().kind == Error::Kind::temporary)
      return tl::unexpected(file.error());
    recovered_.warnings.push_back(id + ": " + printable(file.error().what));
    return bury(spool_, folder, name, id, file.error().what);
  }
  Missing missing = missing_of(*file, journal);
  decide(*file, missing);

  // The log may have some of them already: the runner writes it first.
  if (!missing.events.empty()) {
    auto logged =
        spool_.log().keys_of({id}, file->accepted_at - std::chrono::hours(24));
    // A log that cannot be read must not keep mail from being brought back:
    // reports count an event that is there twice once.
    std::unordered_set<std::string> known;
    if (logged) known.insert(logged->begin(), logged->end());
    std::string lines;
    for (const auto& event : missing.events)
      if (!is_logged(event, known)) append_line(lines, event);
    if (auto ok = spool_.log().append(lines, spool_.clock().now()); !ok)
      return ok;
    if (auto ok = spool_.log().sync(); !ok) return ok;
  }
  auto fd = open_folder(folders.root(), folder);
  if (!fd) return tl::unexpected(fd.error());
  if (auto ok = append_events(fd->get(), name, missing.events); !ok) return ok;

  std::optional<Event> last;
  for (const auto* events : {&file->events, &missing.events})
    for (const auto& event : *events)
      if (state_after(event.event)) last = event;
  // Claimed from new/ (or from a bucket that was due): back to new/.
  Result<std::string> place =
      last && *state_after(*last) != State::fresh &&
              !(*state_after(*last) == State::deferred &&
                last->next_at <= spool_.clock().now())
          ? place_after(folders, *last, file->message.priority)
          : folders.place(State::fresh, id, file->message.priority, {});
  if (!place) return tl::unexpected(place.error());
  auto moved = folders.move(folder, name, *place, name);
  if (!moved && moved.error().kind == Error::Kind::busy)
    moved = move_over_twin(folder, name, *place);
  if (!moved) return moved;
  recovered_.warnings.push_back(id + ": recovered from a dead runner, now in " +
                                *place);
  return folders.sync(*place);
}

// The log may spell the addresses otherwise than the journal does.
bool Recovery::is_logged(const Event& event,
                         const std::unordered_set<std::string>& known) {
  const auto keys = spool_.log().mask().keys_of(event);
  return std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
    return known.contains(key);
  });
}

// Where the message belongs lies another file of its name (a crash, or a
// strange hand). A file only grows: if one begins with the other, the longer
// one is all there is to know. busy when they tell different stories.
Result<> Recovery::move_over_twin(const std::string& folder,
                                  const std::string& name,
                                  const std::string& place) {
  Folders& folders = spool_.folders();
  const std::string from = folder + "/" + name;
  const std::string to = place + "/" + name;
  const auto read = [&](const std::string& path) {
    return read_regular(folders.root(), path, k_message_file_limit,
                        folders.trusted_owner());
  };
  auto ours = read(from);
  if (!ours) return tl::unexpected(ours.error());
  auto theirs = read(to);
  if (!theirs) return tl::unexpected(theirs.error());
  int done = 0;
  if (theirs->starts_with(*ours)) {
    done = ::unlinkat(folders.root(), from.c_str(), 0);
  } else if (ours->starts_with(*theirs)) {
    done = ::renameat(folders.root(), from.c_str(), folders.root(), to.c_str());
  } else {
    return fail(Error::Kind::busy,
                "'" + from + "' and '" + to +
                    "' are one message with two histories: look at both, and "
                    "remove one");
  }
  if (done != 0) return fail_errno(errno, "cannot move '" + from + "'");
  return {};
}

// A dropped file whose taking in was cut short: if its message exists the
// rest of the way is already behind it, else it is dropped again.
Result<> Recovery::bring_back_dropped(const std::string& folder,
                                      const std::string& name) {
  Folders& folders = spool_.folders();
  const std::string id =
      name.substr(0, std::min(name.size(), k_message_id_size));
  if (is_message_id(id) &&
      folders.find(id, message_file_name(id)).has_value()) {
    ::unlinkat(folders.root(), (folder + "/" + name).c_str(), 0);
    return {};
  }
  if (auto ok = folders.move(folder, name, "new", name); !ok) return ok;
  return folders.sync("new");
}

}  // namespace

Result<Recovered> recover(Spool& spool, const Policy& policy,
                          const std::string& own, bool dry_run) {
  Recovered recovered;
  auto runners = spool.folders().sub_folders("cur");
  if (!runners) return tl::unexpected(runners.error());
  for (const auto& runner : *runners) {
    const std::string folder = "cur/" + runner;
    if (folder == own) continue;
    auto dead = if_dead(spool.folders(), folder);
    if (!dead) {
      recovered.warnings.push_back(dead.error().what);
      continue;
    }
    if (!*dead) continue;
    auto ok = Recovery(spool, policy, recovered).bring_back(**dead, dry_run);
    if (!ok) return wrap(ok.error(), "cannot recover '" + folder + "'");
  }
  return recovered;
}

}  // namespace pony
