#include "spool/relocate.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_map>
#include <utility>

#include "spool/message_id.h"

namespace pony {
namespace {

// A message that is on the move all the time is a runner's.
constexpr int k_chases = 5;

std::string_view event_of(Move move) {
  switch (move) {
    case Move::retry:
      return "retried";
    case Move::cancel:
      return "cancelled";
    case Move::hold:
      return "held";
    case Move::release:
      return "released";
  }
  return {};
}

using Objection = Relocation::Objection;

// May a message in `state` be moved so? Nothing: yes.
std::optional<Objection> objection(Move move, State state) {
  const bool ended = state == State::sent || state == State::failed;
  if (move == Move::retry && state == State::fresh)
    return Objection{"is due already", false, {}};
  if (move == Move::retry && state == State::sent)
    return Objection{"was sent: it is not sent again", true,
                     "a second copy is a new message: pony enqueue"};
  if (move == Move::hold && state == State::held)
    return Objection{"is held already", false, {}};
  if ((move == Move::hold || move == Move::cancel) && ended)
    return Objection{
        "has ended already, it is in " + std::string(to_text(state)) + "/",
        true,
        {}};
  if (move == Move::release && state != State::held)
    return Objection{
        "is not held, it is in " + std::string(to_text(state)) + "/", true,
        state == State::failed ? "to try it again: pony retry" : ""};
  return {};
}

// What it says of a message that has its last word in `expires_at`.
std::optional<Objection> expiry_objection(Move move, const Message& message,
                                          Time now) {
  const bool goes_out = move == Move::retry || move == Move::release;
  if (!goes_out || !message.expires_at || *message.expires_at > now) return {};
  return Objection{"is past its expires_at, " +
                       format_time(*message.expires_at) +
                       ": it would expire again",
                   true, "send its content as a new message: pony enqueue"};
}

Relocated not_moved(const std::string& id, State state,
                    const Objection& objection) {
  Relocated result{id, state, objection.said, false, {}};
  if (objection.refused)
    result.refused =
        Error{Error::Kind::refused, objection.said, objection.hint, {}};
  return result;
}

Relocated refused(const std::string& id, std::optional<State> state,
                  Error error) {
  Relocated result{id, state, error.what, false, {}};
  result.refused = std::move(error);
  return result;
}

// A message that its sender wants out later than now waits for that moment.
// Not so a second word from a person: retrying what is deferred makes it due.
std::optional<Time> waits_until(Move move, const MessageFile& file, Time now) {
  const auto& send_at = file.message.send_at;
  const bool respects =
      move == Move::release ||
      (move == Move::retry && file.history.state != State::deferred);
  return respects && send_at && *send_at > now ? send_at : std::nullopt;
}

std::string outcome_of(const Event& event) {
  std::string text = event.event;
  if (event.next_at) text += ", due at " + format_time(*event.next_at);
  if (!event.reason.empty()) text += ", " + event.reason;
  return text;
}

// The recipients that a new one is to replace.
std::vector<std::string> to_be_replaced(const Message& message,
                                        const History& history) {
  std::vector<std::string> rejected;
  std::vector<std::string> not_accepted;
  for (const auto& address : message.recipients()) {
    const auto it = history.settled.find(address.email);
    const bool is_settled = it != history.settled.end();
    if (is_settled && it->second == Outcome::accepted) continue;
    not_accepted.push_back(address.email);
    if (is_settled) rejected.push_back(address.email);
  }
  return rejected.empty() ? not_accepted : rejected;
}

// `message` to `with` instead of to `old`: in the list, and at the place, of
// the first that goes.
Message with_recipients(Message message, const std::vector<std::string>& old,
                        const std::vector<Address>& with) {
  bool placed = false;
  for (auto* list : {&message.to, &message.cc, &message.bcc}) {
    std::vector<Address> kept;
    for (auto& address : *list) {
      if (std::find(old.begin(), old.end(), address.email) == old.end()) {
        kept.push_back(std::move(address));
      } else if (!std::exchange(placed, true)) {
        kept.insert(kept.end(), with.begin(), with.end());
      }
    }
    *list = std::move(kept);
  }
  return message;
}

std::string listed(const std::vector<std::string>& emails) {
  std::string text;
  for (const auto& email : emails)
    text.append(text.empty() ? "" : ", ").append(email);
  return text;
}

}  // namespace

struct Relocation::Found {
  std::string id;
  std::string folder;
  State state = State::fresh;
};

// What becomes of a message that was read.
struct Relocation::Plan {
  bool moves = false;
  Relocated result;
  Event event;                    // when it moves
  std::optional<Message> mended;  // when its file is to be replaced
};

Result<RunnerFolder*> Relocation::runner() {
  if (!runner_) {
    auto made = RunnerFolder::create(spool_.folders());
    if (!made) return tl::unexpected(made.error());
    runner_.emplace(std::move(*made));
  }
  return &*runner_;
}

Result<std::vector<Relocated>> Relocation::move(
    std::span<const std::string> ids) {
  std::vector<Relocated> results;
  std::vector<Settled> settled;
  // An id that is given twice is one message, which we have already.
  std::unordered_map<std::string, std::size_t> seen;
  results.reserve(ids.size());
  for (const auto& id : ids) {
    const auto [it, is_new] = seen.emplace(id, results.size());
    if (!is_new) {
      results.push_back(results[it->second]);
      continue;
    }
    auto result = take(id, settled);
    if (!result) return wrap(result.error(), "message '" + id + "'");
    results.push_back(std::move(*result));
  }
  if (settled.empty()) return results;

  // In the journal first: then a death on the way leaves nothing half done.
  for (const auto& one : settled)
    for (const auto& event : one.events) runner_->note(event);
  if (auto ok = runner_->commit(); !ok) return tl::unexpected(ok.error());
  auto filed = runner_->file(settled, spool_.log(), spool_.clock().now(), {});
  if (!filed) return tl::unexpected(filed.error());
  return results;
}

Result<std::optional<Relocation::Found>> Relocation::find(
    const std::string& id) {
  const std::string name = message_file_name(id);
  if (!last_folder_.empty()) {
    struct stat info {};
    if (::fstatat(spool_.folders().root(), (last_folder_ + "/" + name).c_str(),
                  &info, AT_SYMLINK_NOFOLLOW) == 0)
      return std::optional(Found{id, last_folder_, last_state_});
  }
  auto found = spool_.folders().find(id, name);
  if (!found && found.error().kind == Error::Kind::not_found)
    return std::optional<Found>();
  if (!found) return tl::unexpected(found.error());
  if (found->state != State::claimed) {
    last_folder_ = found->folder;
    last_state_ = found->state;
  }
  return std::optional(Found{id, found->folder, found->state});
}

Result<Relocated> Relocation::take(const std::string& id,
                                   std::vector<Settled>& settled) {
  if (!is_message_id(id))
    return refused(id, {},
                   {Error::Kind::not_found,
                    "is no message id",
                    "an id is 26 letters and digits; see: pony queue",
                    {}});
  // It may move between being found and being claimed.
  for (int round = 0; round < k_chases; ++round) {
    auto found = find(id);
    if (!found) return tl::unexpected(found.error());
    if (!*found) {
      auto buried = take_buried(id);
      if (!buried) return tl::unexpected(buried.error());
      if (*buried) return **buried;
      return refused(
          id, {}, {Error::Kind::not_found, "there is no such message", {}, {}});
    }
    auto taken = take_found(**found, settled);
    if (!taken) return tl::unexpected(taken.error());
    if (*taken) return **taken;
  }
  return refused(
      id, State::claimed,
      {Error::Kind::busy, "is being moved all the time", "try again", {}});
}

std::optional<Objection> Relocation::objection_to(State state) const {
  // A bad recipient can be mended before the first try, too.
  if (!new_recipients_.empty() && state == State::fresh) return {};
  return objection(move_, state);
}

// Did we move it in this call? Who that was stands in its file, so we need not
// remember a million of them.
bool Relocation::has_moved(const MessageFile& file) const {
  return since_ && std::any_of(file.events.rbegin(), file.events.rend(),
                               [this](const Event& event) {
                                 return event.ts >= *since_ &&
                                        event.event == event_of(move_) &&
                                        event.by == spool_.by();
                               });
}

// Nothing: it has moved on.
Result<std::optional<Relocated>> Relocation::take_found(
    const Found& found, std::vector<Settled>& settled) {
  if (found.state == State::claimed)
    return std::optional(refused(
        found.id, State::claimed,
        {Error::Kind::busy,
         move_ == Move::cancel ? "is being delivered, it cannot be cancelled"
                               : "is being delivered",
         "try again when its outcome is known",
         {}}));
  // Most refusals need no claim; whatever is claimed is asked again.
  if (auto no = objection_to(found.state))
    return std::optional(not_moved(found.id, found.state, *no));
  if (dry_run_ == DryRun::yes) return look_at(found);

  auto own = runner();
  if (!own) return tl::unexpected(own.error());
  const std::string name = message_file_name(found.id);
  auto claimed = (*own)->claim(found.folder, name, name);
  if (!claimed && claimed.error().kind == Error::Kind::not_found) {
    last_folder_.clear();
    return std::optional<Relocated>();
  }
  if (!claimed) return tl::unexpected(claimed.error());
  auto read = (*own)->read(found.id);
  Result<MessageFile> file;
  if (read) {
    file = std::move(read->message);
  } else {
    file = tl::unexpected(read.error());
  }
  auto plan = plan_for(found, file);
  if (!plan) return tl::unexpected(plan.error());
  if (!plan->moves) {
    auto back = spool_.folders().move((*own)->path(), name, found.folder, name);
    if (!back) return tl::unexpected(back.error());
  } else if (plan->mended) {
    auto replaced = replace_in_file(*file, plan->event, *plan->mended);
    if (!replaced) return tl::unexpected(replaced.error());
  } else {
    settled.push_back({found.id,
                       file->message.priority,
                       {std::move(plan->event)},
                       std::move(read->file)});
  }
  return std::optional(std::move(plan->result));
}

Result<std::optional<Relocated>> Relocation::look_at(const Found& found) {
  auto file = spool_.read(found.folder, found.id);
  if (!file && file.error().kind == Error::Kind::not_found)
    return std::optional<Relocated>();
  auto plan = plan_for(found, file);
  if (!plan) return tl::unexpected(plan.error());
  if (plan->moves) plan->result.said = "would be " + plan->result.said;
  return std::optional(std::move(plan->result));
}

// What is to be done with the message in `file`, by its own tail. Errors: the
// file cannot be read now.
Result<Relocation::Plan> Relocation::plan_for(
    const Found& found, const Result<MessageFile>& file) const {
  Plan plan;
  if (!file && file.error().kind != Error::Kind::bad_data)
    return tl::unexpected(file.error());
  if (!file) {
    Error error = file.error();
    error.what =
        "its file in " + found.folder + "/ is no valid message: " + error.what;
    plan.result = refused(found.id, found.state, std::move(error));
    return plan;
  }
  const Time now = spool_.clock().now();
  auto no = objection_to(file->history.state);
  if (!no && has_moved(*file))
    no = Objection{
        "was " + std::string(event_of(move_)) + " a moment ago", false, {}};
  if (!no) no = expiry_objection(move_, file->message, now);
  if (no) {
    plan.result = not_moved(found.id, file->history.state, *no);
    return plan;
  }
  plan.moves = true;
  plan.event = spool_.event(event_of(move_), found.id, file->message);
  plan.event.next_at = waits_until(move_, *file, now);
  if (!new_recipients_.empty()) {
    const auto old = to_be_replaced(file->message, file->history);
    std::vector<std::string> with;
    for (const auto& address : new_recipients_) with.push_back(address.email);
    plan.event.reason = "to: " + listed(old) + " → " + listed(with);
    plan.mended = with_recipients(file->message, old, new_recipients_);
    plan.event.domain = spool_.event({}, {}, *plan.mended).domain;
  }
  plan.result = {
      found.id, state_after(plan.event), outcome_of(plan.event), true, {}};
  return plan;
}

// Files are only appended to, so other recipients need another file: all of
// the old one but its first line, and the event that says why. It is renamed
// over the claimed one: a death before that leaves the old, after it the new.
Result<> Relocation::replace_in_file(const MessageFile& file,
                                     const Event& retried,
                                     const Message& mended) {
  Folders& folders = spool_.folders();
  const std::string name = message_file_name(file.id);
  const std::string& folder = runner_->path();
  auto old = read_regular(folders.root(), folder + "/" + name,
                          k_message_file_limit, folders.trusted_owner());
  if (!old) return tl::unexpected(old.error());
  std::string content =
      message_line(file.id, file.accepted_at, file.mode, mended);
  content.append(*old, old->find('\n') + 1);
  if (content.back() != '\n') content.push_back('\n');
  std::string line;
  append_line(line, retried);
  content += line;

  const std::string temporary =
      file.id + "." + std::to_string(::getpid()) + ".retry";
  auto fd = folders.create_in_tmp(temporary);
  if (!fd) return tl::unexpected(fd.error());
  auto ok = write_all(fd->get(), content, temporary);
  if (ok) ok = sync_all(fd->get(), temporary);
  if (ok) ok = spool_.log().append(line, spool_.clock().now());
  if (ok) ok = spool_.log().sync();
  if (ok && ::renameat(folders.root(), ("tmp/" + temporary).c_str(),
                       folders.root(), (folder + "/" + name).c_str()) != 0)
    ok = fail_errno(errno, "cannot replace '" + folder + "/" + name + "'");
  if (!ok) {
    ::unlinkat(folders.root(), ("tmp/" + temporary).c_str(), 0);
    return ok;
  }
  ok = folders.sync(folder);
  auto place = place_after(folders, retried, mended.priority);
  if (!place) return tl::unexpected(place.error());
  if (ok) ok = folders.move(folder, name, *place, name);
  if (ok) ok = folders.sync(*place);
  return ok;
}

// What another program dropped and was no valid message lies in failed/ as
// it came. Retried, it is a dropped file again, which gets an id of its own.
Result<std::optional<Relocated>> Relocation::take_buried(
    const std::string& id) {
  Folders& folders = spool_.folders();
  const std::string name = id + std::string(k_dropped_suffix);
  auto found = folders.find(id, name);
  if (!found && found.error().kind == Error::Kind::not_found)
    return std::optional<Relocated>();
  if (!found) return tl::unexpected(found.error());
  if (found->state == State::fresh && move_ == Move::retry)
    return std::optional(
        Relocated{id, State::fresh, "is due already", false, {}});
  if (found->state != State::failed)
    return std::optional(
        refused(id, found->state,
                {Error::Kind::busy, "is being taken in", "try again", {}}));
  if (auto no = objection(move_, State::failed))
    return std::optional(not_moved(id, State::failed, *no));
  if (!new_recipients_.empty())
    return std::optional(
        refused(id, State::failed,
                {Error::Kind::bad_data,
                 "is no valid message: its recipients cannot be replaced",
                 "mend '" + folders.path() + "/" + found->folder + "/" + name +
                     "' and retry it without --to",
                 {}}));
  Event event;
  event.ts = spool_.clock().now();
  event.event = event_of(move_);
  event.id = id;
  event.by = spool_.by();
  event.reason = "put back as a dropped file, to get a new id";
  Relocated done{id, State::fresh, outcome_of(event), true, {}};
  if (dry_run_ == DryRun::yes) {
    done.said = "would be " + done.said;
    return std::optional(std::move(done));
  }
  std::string line;
  append_line(line, event);
  auto ok = folders.move(found->folder, name, "new", name);
  if (!ok && ok.error().kind == Error::Kind::not_found)
    return std::optional<Relocated>();
  if (ok) ok = folders.sync("new");
  if (ok) ok = spool_.log().append(line, event.ts);
  if (!ok) return tl::unexpected(ok.error());
  ::unlinkat(folders.root(), (found->folder + "/" + id + ".error").c_str(), 0);
  return std::optional(std::move(done));
}

}  // namespace pony
