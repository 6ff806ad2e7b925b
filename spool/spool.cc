#include "spool/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/host_name.h"
#include "spool/message_id.h"

namespace pony {
namespace {

constexpr std::size_t k_one_group_commit = 1000;

std::string by_this_process() {
  return host_name() + ":" + std::to_string(::getpid());
}

void remove_temporary(Folders& folders, const std::string& name) {
  ::unlinkat(folders.root(), ("tmp/" + name).c_str(), 0);
}

}  // namespace

// A message that is written in tmp/ but not in its place yet.
struct Spool::Staged {
  std::string id;
  std::string temporary;
  std::string place;
  Fd fd;
  std::vector<Event> events;  // the last says where it belongs

  void append_events(std::string& lines) const {
    for (const Event& event : events) append_line(lines, event);
  }
};

Spool::Spool(Folders folders, const SpoolOptions& options, const Clock& clock)
    : folders_(std::move(folders)),
      log_(folders_, options.log_addresses),
      keys_(folders_, options.idempotency_window),
      clock_(clock),
      by_(by_this_process()) {}

Result<std::unique_ptr<Spool>> Spool::open(const SpoolOptions& options,
                                           const Clock& clock) {
  auto folders = Folders::open(options.path, options.group);
  if (!folders) return tl::unexpected(folders.error());
  return std::unique_ptr<Spool>(new Spool(std::move(*folders), options, clock));
}

void Spool::describe(Event& event, std::string_view id,
                     const Message& message) const {
  event.ts = clock_.now();
  event.id = id;
  event.by = by_;
  event.template_id = message.template_id;
  event.lang = message.lang;
  event.pool = message.pool;
  event.tags = message.tags;
  for (const auto* list : {&message.to, &message.cc, &message.bcc}) {
    if (list->empty()) continue;
    event.domain = domain_of(list->front().email);
    break;
  }
}

Event Spool::event(std::string_view kind, std::string_view id,
                   const Message& message) const {
  Event event;
  event.event = kind;
  describe(event, id, message);
  return event;
}

// Writes the message to tmp/, under `id` or a fresh one.
Result<Spool::Staged> Spool::stage(const Message& message, Mode mode,
                                   std::string id, const Remarks& remarks) {
  Staged staged;
  const Time now = clock_.now();
  staged.id = id.empty() ? new_message_id(now) : std::move(id);
  Event& queued =
      staged.events.emplace_back(event("queued", staged.id, message));
  if (message.send_at && *message.send_at > now)
    queued.next_at = message.send_at;
  queued.reason = remarks.note;
  if (!remarks.hold_reason.empty())
    staged.events.emplace_back(event("held", staged.id, message)).reason =
        remarks.hold_reason;
  staged.temporary = staged.id + "." + std::to_string(::getpid());
  auto fd = folders_.create_in_tmp(staged.temporary);
  if (!fd) return tl::unexpected(fd.error());
  staged.fd = std::move(*fd);
  // The cleaner of tmp/ takes only what it can lock.
  (void)::flock(staged.fd.get(), LOCK_EX | LOCK_NB);
  std::string content = message_line(staged.id, now, mode, message);
  staged.append_events(content);
  if (auto written = write_all(staged.fd.get(), content, staged.temporary);
      !written) {
    remove_temporary(folders_, staged.temporary);
    return tl::unexpected(written.error());
  }
  return staged;
}

Result<Accepted> Spool::accept(const Message& message,
                               const std::string& note) {
  auto results = accept(std::span(&message, 1), note);
  return std::move(results.front());
}

Result<Accepted> Spool::accept_held(const Message& message,
                                    const std::string& reason,
                                    const std::string& note) {
  auto results =
      accept_batch(std::span(&message, 1),
                   {note, reason.empty() ? "held on arrival" : reason});
  return std::move(results.front());
}

std::vector<Result<Accepted>> Spool::accept(std::span<const Message> messages,
                                            const std::string& note) {
  std::vector<Result<Accepted>> results;
  results.reserve(messages.size());
  while (!messages.empty()) {
    const auto batch =
        messages.first(std::min(messages.size(), k_one_group_commit));
    for (auto& result : accept_batch(batch, {note, {}}))
      results.push_back(std::move(result));
    messages = messages.subspan(batch.size());
  }
  return results;
}

std::vector<Result<Accepted>> Spool::accept_batch(
    std::span<const Message> messages, const Remarks& remarks) {
  std::vector<Result<Accepted>> results(messages.size(), Accepted{});
  std::vector<std::pair<std::size_t, Staged>> staged;
  std::optional<Error> broken;  // nothing more can be accepted

  // Keys are locked in one order by everybody, or two batches would wait for
  // each other.
  std::set<std::pair<char, std::string_view>> keys;
  for (const auto& message : messages)
    if (!message.idempotency_key.empty())
      keys.emplace(IdempotencyKeys::lock_order(message.idempotency_key),
                   message.idempotency_key);
  for (const auto& [order, key] : keys)
    if (auto locked = keys_.lock(key); !locked) broken = locked.error();

  // What this batch itself has recorded: its messages are not in place yet.
  struct Recorded {
    std::string id;
    std::string digest;
  };
  std::unordered_map<std::string_view, Recorded> recorded;
  for (std::size_t i = 0; i < messages.size() && !broken; ++i) {
    const Message& message = messages[i];
    const std::string& key = message.idempotency_key;
    std::string digest;
    if (!key.empty()) {
      digest = content_digest(message);
      if (const auto it = recorded.find(key); it != recorded.end()) {
        if (it->second.digest == digest) {
          results[i] = Accepted{it->second.id, true};
        } else {
          results[i] = fail(Error::Kind::bad_data,
                            "idempotency_key '" + printable(key) +
                                "' was used for another message ('" +
                                it->second.id + "')",
                            "use a new key for new content");
        }
        continue;
      }
      auto earlier = keys_.find(key, digest, clock_.now());
      if (!earlier) {
        results[i] = tl::unexpected(earlier.error());
        continue;
      }
      if (!earlier->empty()) {
        results[i] = Accepted{*earlier, true};
        continue;
      }
    }
    auto one = stage(message, Mode::queue, {}, remarks);
    if (!one) {
      broken = one.error();
      break;
    }
    auto place = place_after(folders_, one->events.back(), message.priority);
    if (!place) {
      remove_temporary(folders_, one->temporary);
      broken = place.error();
      break;
    }
    one->place = std::move(*place);
    if (!key.empty()) {
      if (auto noted = keys_.record(key, one->id, digest, clock_.now());
          !noted) {
        remove_temporary(folders_, one->temporary);
        broken = noted.error();
        break;
      }
      recorded[key] = {one->id, digest};
    }
    // Many descriptors are not kept open: the group's sync needs none.
    if (messages.size() > 1) one->fd = Fd();
    results[i] = Accepted{one->id, false};
    staged.emplace_back(i, std::move(*one));
  }

  // One sync for all: for a single file fsync, for many syncfs, which costs a
  // fifth a message (HACKING.md, The spool's rate).
  if (!broken && !staged.empty()) {
    if (const Fd& only = staged.front().second.fd) {
      auto synced = sync_all(only.get(), "a message");
      if (!synced) broken = synced.error();
    } else if (::syncfs(folders_.root()) != 0) {
      broken = fail_errno(errno, "cannot sync the spool").value();
    }
    if (!broken && !keys.empty())
      if (auto synced = keys_.sync(); !synced) broken = synced.error();
  }

  // In place, one after the other; whatever fails, what is in place is made
  // durable and answered.
  std::set<std::string> targets;
  std::string lines;
  std::size_t in_place = 0;
  for (auto& [i, one] : staged) {
    if (broken) break;
    auto moved = folders_.move("tmp", one.temporary, one.place,
                               message_file_name(one.id));
    if (!moved) {
      broken = moved.error();
      break;
    }
    targets.insert(one.place);
    one.append_events(lines);
    ++in_place;
  }
  for (const auto& target : targets) {
    if (auto synced = folders_.sync(target); !synced) {
      // The names may or may not survive a power cut: nothing is promised.
      broken = synced.error();
      broken->hint = "some of the messages may have been queued all the same";
      in_place = 0;
    }
  }
  if (in_place > 0)
    (void)log_.append(lines, clock_.now());  // a copy; the files say it too
  if (broken) {
    for (std::size_t k = 0; k < staged.size(); ++k) {
      auto& [i, one] = staged[k];
      if (k < in_place) continue;
      remove_temporary(folders_, one.temporary);
      results[i] = tl::unexpected(*broken);
    }
    for (auto& result : results)
      if (result && result->id.empty()) result = tl::unexpected(*broken);
    // A duplicate of a message that was not accepted is not accepted either.
    for (auto& result : results) {
      if (!result || !result->duplicate) continue;
      for (std::size_t k = in_place; k < staged.size(); ++k)
        if (staged[k].second.id == result->id) {
          result = tl::unexpected(*broken);
          break;
        }
    }
  }
  keys_.release_locks();
  return results;
}

Result<Accepted> Spool::accept_into(RunnerFolder& runner,
                                    const Message& message, Mode mode,
                                    std::string id) {
  const std::string& key = message.idempotency_key;
  std::string digest;
  if (!key.empty()) {
    digest = content_digest(message);
    if (auto locked = keys_.lock(key); !locked)
      return tl::unexpected(locked.error());
    auto earlier = keys_.find(key, digest, clock_.now());
    if (!earlier || !earlier->empty()) {
      keys_.release_locks();
      if (!earlier) return tl::unexpected(earlier.error());
      return Accepted{*earlier, true};
    }
  }
  auto staged = stage(message, mode, std::move(id), {});
  if (!staged) {
    keys_.release_locks();
    return tl::unexpected(staged.error());
  }
  Result<> done = sync_all(staged->fd.get(), "a message");
  if (done && !key.empty()) {
    done = keys_.record(key, staged->id, digest, clock_.now());
    if (done) done = keys_.sync();
  }
  if (done)
    done = folders_.move("tmp", staged->temporary, runner.path(),
                         message_file_name(staged->id));
  if (done) done = folders_.sync(runner.path());
  keys_.release_locks();
  if (!done) {
    remove_temporary(folders_, staged->temporary);
    return tl::unexpected(done.error());
  }
  std::string line;
  staged->append_events(line);
  (void)log_.append(line, clock_.now());
  return Accepted{staged->id, false};
}

Result<MessageFile> Spool::read(const std::string& folder,
                                std::string_view id) {
  auto content =
      read_regular(folders_.root(), folder + "/" + message_file_name(id),
                   k_message_file_limit, folders_.trusted_owner());
  if (!content) return tl::unexpected(content.error());
  return parse_message_file(*content, id);
}

Result<Spool::Located> Spool::load(std::string_view id) {
  if (!is_message_id(id))
    return fail(Error::Kind::not_found,
                "'" + printable(id, 60) + "' is no message id",
                "an id is 26 letters and digits; see: pony queue");
  for (int round = 0;; ++round) {
    auto found = folders_.find(id, message_file_name(id));
    if (!found) return tl::unexpected(found.error());
    auto file = read(found->folder, id);
    // It may have moved on between the two.
    if (!file && file.error().kind == Error::Kind::not_found && round < 5)
      continue;
    if (!file)
      return wrap(file.error(), "cannot read '" + found->folder + "/" +
                                    message_file_name(id) + "'");
    return Located{std::move(*file), found->folder, found->state};
  }
}

}  // namespace pony
