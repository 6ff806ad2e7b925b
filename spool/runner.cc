#include "spool/runner.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "spool/bury.h"
#include "spool/message_id.h"
#include "spool/recovery.h"

namespace pony {
namespace {

using SteadyClock = std::chrono::steady_clock;

// How many settled messages are filed together, with one sync for all; fewer
// when the oldest of them has waited this long, or nothing else is left to do.
constexpr std::size_t k_filing_batch = 512;
constexpr Milliseconds k_filing_delay{250};
// The first of a thousand messages need not wait until the last is claimed.
constexpr int k_claims_a_turn = 64;
// Sessions wait this long at most while messages are filed; more often would
// only cost more syncs of the journal.
constexpr Milliseconds k_turn_while_filing{4};
// A loop looks at the spool this often even if no watch told it to, and at
// other runners' locks.
constexpr Milliseconds k_look_again{10'000};

Milliseconds since(SteadyClock::time_point start) {
  return std::chrono::duration_cast<Milliseconds>(SteadyClock::now() - start);
}

}  // namespace

struct Runner::InFlight {
  Fd file;
  std::shared_ptr<Delivery> delivery;
  std::vector<std::string> recipients;
  // Decided when it was claimed, in the journal with what follows from it: a
  // message that is put back untried leaves no trace of them.
  std::vector<Event> suppressed;
  std::vector<Event> events;        // not yet in the message's file
  std::optional<Event> attempting;  // started, no outcome yet
  // What the deliverer found out and later events repeat:
  std::string lang;
  std::string pool;
  std::optional<std::int64_t> latency_ms;
};

Runner::Runner(Spool& spool, RunnerFolder& folder, Deliverer& deliverer,
               RunOptions options)
    : spool_(spool),
      folder_(folder),
      deliverer_(deliverer),
      options_(std::move(options)),
      due_(spool.folders()),
      suppressions_(spool.folders()),
      started_(SteadyClock::now()) {}

Runner::~Runner() = default;

Result<RunSummary> Runner::run() {
  if (auto ok = recover_dead_runners(); !ok) return tl::unexpected(ok.error());
  claiming_ = true;
  while (!options_.stop() && may_claim()) {
    const auto due = due_.next_due();
    if (options_.has_news() || (due && *due <= spool_.clock().now()))
      looked_ = false;
    if (since(last_recovery_) > k_look_again) {
      options_.now_and_then();
      if (auto ok = recover_dead_runners(); !ok)
        return tl::unexpected(ok.error());
    }
    if (auto ok = claim_more(); !ok) return tl::unexpected(ok.error());
    const bool idle =
        in_flight_.empty() && decided_.empty() && settled_.empty();
    if (!idle) {
      const auto wait =
          more_to_claim_ ? Milliseconds(0) : waiting_time(spool_.clock().now());
      if (auto ok = turn(wait); !ok) return tl::unexpected(ok.error());
      continue;
    }
    if (more_to_claim_) continue;
    summary_.stalled = deliverer_.stalled();
    if (!summary_.stalled.empty() && !mail_is_due()) summary_.stalled.clear();
    if (!options_.loop) break;
    if (options_.on_idle(due_.watched_folders())) {
      looked_ = false;
      continue;
    }
    if (auto ok = turn(waiting_time(spool_.clock().now())); !ok)
      return tl::unexpected(ok.error());
    // The watch is a help, not a promise (a full queue of events, a file
    // system without them): each wait ends with a look.
    looked_ = false;
  }
  claiming_ = false;
  if (auto ok = finish(); !ok) return tl::unexpected(ok.error());
  return summary_;
}

Result<RunSummary> Runner::run_one(const std::string& id) {
  if (auto ok = suppressions_.refresh(); !ok) return tl::unexpected(ok.error());
  auto file = folder_.read(id);
  if (!file) return tl::unexpected(file.error());
  if (auto ok = start(id, std::move(*file)); !ok)
    return tl::unexpected(ok.error());
  while (!in_flight_.empty() && !options_.stop())
    if (auto ok = turn(Milliseconds(1000)); !ok)
      return tl::unexpected(ok.error());
  if (auto ok = finish(); !ok) return tl::unexpected(ok.error());
  return summary_;
}

bool Runner::may_claim() const {
  if (options_.limit && claimed_ >= *options_.limit) return false;
  if (options_.max_time && since(started_) >= *options_.max_time) return false;
  return true;
}

// No more claims: what is in flight may end within the grace time.
Result<> Runner::finish() {
  const auto began = SteadyClock::now();
  bool gave_up = false;
  while (!in_flight_.empty() || !decided_.empty()) {
    if (!gave_up && options_.stop() &&
        (options_.stop_now() || since(began) >= options_.grace)) {
      deliverer_.give_up();
      gave_up = true;
    }
    if (auto ok = turn(Milliseconds(250)); !ok) return ok;
  }
  return file_settled();
}

Milliseconds Runner::waiting_time(Time now) const {
  Milliseconds wait = k_look_again;
  if (const auto due = due_.next_due())
    wait = std::clamp(*due - now, Milliseconds(0), wait);
  if (options_.max_time)
    wait =
        std::clamp(*options_.max_time - since(started_), Milliseconds(0), wait);
  if (!summary_.stalled.empty()) wait = std::min(wait, Milliseconds(1000));
  return wait;
}

bool Runner::mail_is_due() {
  auto file = due_.next();
  if (!file && due_.look(spool_.clock().now())) file = due_.next();
  // Only asked; what it was is found again by the next look.
  looked_ = false;
  return file.has_value();
}

Result<> Runner::recover_dead_runners() {
  last_recovery_ = SteadyClock::now();
  auto recovered = recover(spool_, options_.policy, folder_.path());
  if (!recovered) return tl::unexpected(recovered.error());
  for (const auto& warning : recovered->warnings) options_.on_warning(warning);
  return {};
}

Result<> Runner::claim_more() {
  more_to_claim_ = false;
  for (int claims = 0; may_claim() && deliverer_.room() > 0; ++claims) {
    if (claims == k_claims_a_turn) {
      more_to_claim_ = true;
      return {};
    }
    auto file = due_.next();
    if (!file) {
      if (looked_) return {};
      if (auto ok = due_.look(spool_.clock().now()); !ok) return ok;
      file = due_.next();
      if (!file) {
        looked_ = true;
        return {};
      }
    }
    if (claims == 0)
      if (auto ok = suppressions_.refresh(); !ok) return ok;
    auto taken = claim(*file);
    if (!taken) return tl::unexpected(taken.error());
    if (*taken) ++claimed_;
  }
  return {};
}

// False when it was not ours to take: another runner was faster, or it is
// not due, not wanted, not a message.
Result<bool> Runner::claim(const DueFile& due_file) {
  const std::string_view own = id_of_file_name(due_file.name);
  const bool dropped = own.empty();
  if (!options_.wanted_id(own)) {
    due_.ignore(due_file.name);
    return false;
  }
  const std::string id =
      dropped ? new_message_id(spool_.clock().now()) : std::string(own);
  const std::string name =
      dropped ? id + std::string(k_dropped_suffix) : due_file.name;
  auto claimed = folder_.claim(due_file.folder, due_file.name, name);
  if (!claimed) {
    if (claimed.error().kind == Error::Kind::not_found) return false;
    // We are at work on a message of this name: the other one is left where
    // it is, for fsck to weigh the two.
    if (claimed.error().kind == Error::Kind::busy) {
      due_.ignore(due_file.name);
      options_.on_warning(id + ": " + claimed.error().what);
      return false;
    }
    return tl::unexpected(claimed.error());
  }

  if (dropped) {
    auto taken = take_in_dropped(id, due_file);
    if (!taken || !*taken) return taken;
  }
  auto read = folder_.read(id);
  if (!read) {
    if (read.error().kind == Error::Kind::temporary)
      return tl::unexpected(read.error());
    auto buried = bury_claim(message_file_name(id), id, read.error().what);
    if (!buried) return tl::unexpected(buried.error());
    return false;
  }
  const MessageFile& file = read->message;

  // The tail decides, not the folder it was found in: a crash may have left
  // a second name, a clock may have jumped.
  const Time now = spool_.clock().now();
  const History& history = file.history;
  const bool early = history.state == State::deferred && history.next_at &&
                     *history.next_at > now;
  const bool elsewhere = early || history.state == State::sent ||
                         history.state == State::failed ||
                         history.state == State::held;
  if (elsewhere || !options_.wanted(file.message)) {
    if (!elsewhere) due_.ignore(name);
    auto place = spool_.folders().place(
        elsewhere ? history.state : State::fresh, id, file.message.priority,
        early ? *history.next_at
              : (file.events.empty() ? now : file.events.back().ts));
    if (!place) return tl::unexpected(place.error());
    auto moved = spool_.folders().move(folder_.path(), message_file_name(id),
                                       *place, message_file_name(id));
    // A twin is there (two names of one message, after a power cut): it stays
    // in our folder, and the next recovery weighs the two.
    if (!moved && moved.error().kind == Error::Kind::busy) {
      options_.on_warning(id + ": " + moved.error().what);
      return false;
    }
    if (!moved) return tl::unexpected(moved.error());
    return false;
  }
  if (auto ok = start(id, std::move(*read)); !ok)
    return tl::unexpected(ok.error());
  return true;
}

Result<> Runner::start(const std::string& id, ClaimedFile file) {
  auto one = std::make_unique<InFlight>();
  one->file = std::move(file.file);
  one->delivery =
      std::make_shared<Delivery>(delivery_from(std::move(file.message)));
  for (const auto& address : one->delivery->message.recipients())
    one->recipients.push_back(address.email);
  one->lang = one->delivery->message.lang;
  one->pool = one->delivery->message.pool;
  ++summary_.processed;
  InFlight& started = *one;
  in_flight_[id] = std::move(one);
  if (auto expired =
          expired_before_try(*started.delivery, spool_.clock().now())) {
    settle(started, std::move(*expired));
    return {};
  }
  if (auto ok = drop_suppressed(started); !ok) return ok;
  if (auto ended = nobody_left(*started.delivery)) {
    settle(started, std::move(*ended));
    return {};
  }
  // What is in the deliverer's hands must not change under it.
  deliverer_.take(std::make_shared<const Delivery>(*started.delivery));
  return {};
}

// Settles those recipients who are to get no mail.
Result<> Runner::drop_suppressed(InFlight& one) {
  if (suppressions_.empty()) return {};
  Delivery& delivery = *one.delivery;
  for (const auto& email : one.recipients) {
    if (delivery.history.settled.contains(email)) continue;
    auto found = suppressions_.find(email);
    if (!found) return tl::unexpected(found.error());
    if (!*found) continue;
    Event event = spool_.event("suppressed", delivery.id, delivery.message);
    event.recipient = email;
    event.reason = to_text(**found);
    delivery.history.add(event, one.recipients);
    one.suppressed.push_back(std::move(event));
  }
  return {};
}

void Runner::note_suppressed(InFlight& one) {
  for (auto& event : std::exchange(one.suppressed, {})) {
    folder_.note(event);
    one.events.push_back(std::move(event));
  }
}

// A file that another program dropped: from here on it is a message like any
// other, under the id that its claim gave it.
Result<bool> Runner::take_in_dropped(const std::string& id,
                                     const DueFile& due_file) {
  const std::string name = id + std::string(k_dropped_suffix);
  Folders& folders = spool_.folders();
  const auto refuse = [&](const Error& error) -> Result<bool> {
    std::string reason = "'" + printable(due_file.name, 100) +
                         "' is not a valid message: " + error.what;
    for (const auto& problem : error.problems) {
      reason += "; ";
      if (!problem.place.empty()) reason += problem.place + ": ";
      reason += problem.what;
    }
    if (auto buried = bury_claim(name, id, reason); !buried)
      return tl::unexpected(buried.error());
    return false;
  };
  auto text = read_regular(folders.root(), folder_.path() + "/" + name,
                           k_message_limit, folders.trusted_owner());
  if (!text) {
    if (text.error().kind == Error::Kind::temporary)
      return tl::unexpected(text.error());
    return refuse(text.error());
  }
  auto json = parse_json(*text);
  if (!json) return refuse(json.error());
  auto message = message_from(*json);
  if (!message) return refuse(message.error());
  if (auto checked = options_.check(*message); !checked)
    return refuse(checked.error());

  // Its own file first, durable and in place; then the dropped one goes. A
  // crash in between leaves both under one id, and recovery knows which is
  // older.
  auto accepted = spool_.accept_into(folder_, *message, Mode::queue, id);
  if (!accepted && accepted.error().kind == Error::Kind::bad_data)
    return refuse(accepted.error());
  if (!accepted) return tl::unexpected(accepted.error());
  ::unlinkat(folders.root(), (folder_.path() + "/" + name).c_str(), 0);
  // The same idempotency key and content as an earlier message: nothing to do.
  return !accepted->duplicate;
}

Result<> Runner::bury_claim(const std::string& name, const std::string& id,
                            const std::string& reason) {
  auto buried = bury(spool_, folder_.path(), name, id, reason);
  // It was buried today and came back: it stays with us, for fsck.
  if (!buried && buried.error().kind != Error::Kind::busy) return buried;
  ++summary_.processed;
  ++summary_.failed;
  options_.on_warning(id + ": " + printable(reason, 1000));
  return {};
}

Result<> Runner::turn(Milliseconds max_wait) {
  // What was decided without a provider (an expired message) waits for none.
  if (!decided_.empty()) max_wait = Milliseconds(0);
  if (!settled_.empty())
    max_wait = in_flight_.empty() ? Milliseconds(0)
                                  : std::min(max_wait, k_filing_delay);
  absorb(deliverer_.poll(max_wait));
  if (auto ok = folder_.commit(); !ok)
    return wrap(ok.error(), "the journal of this run failed");
  deliverer_.confirmed();
  last_turn_ = SteadyClock::now();
  for (const auto& one : decided_) options_.on_durable(one.events.back());
  if (settled_.empty()) settled_since_ = SteadyClock::now();
  for (auto& one : decided_) settled_.push_back(std::move(one));
  decided_.clear();
  if (settled_.empty() || filing_) return {};
  if (settled_.size() >= k_filing_batch || in_flight_.empty() ||
      since(settled_since_) >= k_filing_delay)
    return file_settled();
  return {};
}

void Runner::absorb(Happenings happenings) {
  for (auto& event : happenings.events) {
    const auto it = in_flight_.find(event.id);
    if (it == in_flight_.end()) continue;
    InFlight& one = *it->second;
    if (!event.lang.empty()) one.lang = event.lang;
    if (!event.pool.empty()) one.pool = event.pool;
    spool_.describe(event, it->first, one.delivery->message);
    event.lang = one.lang;
    event.pool = one.pool;
    note_suppressed(one);
    folder_.note(event);
    if (event.event == "attempting") {
      one.attempting = std::move(event);
      continue;
    }
    if (event.event == "attempted") {
      one.attempting.reset();
      one.latency_ms = event.latency_ms;
    }
    one.delivery->history.add(event, one.recipients);
    one.events.push_back(std::move(event));
  }
  for (auto& round : happenings.rounds) {
    const auto it = in_flight_.find(round.id);
    if (it == in_flight_.end()) continue;
    if (round.untouched && !options_.no_retry) {
      put_back(*it->second);
      continue;
    }
    if (round.untouched) {
      // Nobody will come back for it, so it ends here, with the reason.
      round.not_tried = deliverer_.stalled();
      if (round.not_tried.empty())
        round.not_tried = "stopped before it was tried";
    }
    settle(*it->second, what_follows(*it->second->delivery, round,
                                     options_.policy, spool_.clock().now()));
  }
}

// Back to where it was due, as if it had not been claimed. What cannot be put
// back stays in our folder, and recovery puts it back.
void Runner::put_back(const InFlight& one) {
  const Delivery& delivery = *one.delivery;
  auto back = folder_.put_back(delivery.id, delivery.message.priority);
  if (!back) options_.on_warning(delivery.id + ": " + back.error().what);
  --summary_.processed;
  in_flight_.erase(std::string(delivery.id));
}

// The last event of a message for now: it says where the message goes.
void Runner::settle(InFlight& one, Event event) {
  const Delivery& delivery = *one.delivery;
  if (event.event == "deferred" && options_.no_retry) {
    Event last = ended_untried(delivery, "failed", event.reason);
    summary_.temporary = last.event == "failed";
    last.attempt = event.attempt;
    if (last.provider.empty()) last.provider = event.provider;
    event = std::move(last);
  }
  spool_.describe(event, delivery.id, delivery.message);
  event.lang = one.lang;
  event.pool = one.pool;
  const Time from =
      std::max(delivery.accepted_at,
               delivery.message.send_at.value_or(delivery.accepted_at));
  event.queue_ms = std::max<std::int64_t>(0, (event.ts - from).count());
  if (event.event == "sent") event.latency_ms = one.latency_ms;

  note_suppressed(one);
  if (event.event == "sent") ++summary_.sent;
  if (event.event == "deferred") ++summary_.deferred;
  if (event.event == "held") ++summary_.held;
  if (event.event == "failed" || event.event == "expired") ++summary_.failed;

  folder_.note(event);
  options_.on_settled(delivery, event);
  one.events.push_back(std::move(event));
  decided_.push_back({delivery.id, delivery.message.priority,
                      std::move(one.events), std::move(one.file)});
  in_flight_.erase(decided_.back().id);
}

// What only the journal knows of messages that are with us.
std::vector<Event> Runner::unfiled() const {
  std::vector<Event> events;
  for (const auto& [id, one] : in_flight_) {
    events.insert(events.end(), one->events.begin(), one->events.end());
    if (one->attempting) events.push_back(*one->attempting);
  }
  for (const auto* list : {&decided_, &settled_})
    for (const auto& one : *list)
      events.insert(events.end(), one.events.begin(), one.events.end());
  return events;
}

// Filing 512 messages takes as long as a provider takes to answer: it is cut
// into slices, and after each one those who wait for us have their turn.
Result<> Runner::file_settled() {
  auto filing = std::exchange(settled_, {});
  if (filing.empty()) return {};
  filing_ = true;
  auto filed = folder_.file(
      filing, spool_.log(), spool_.clock().now(),
      {[this] { return turn_while_filing(); }, [this] { return unfiled(); }});
  filing_ = false;
  return filed;
}

Result<> Runner::turn_while_filing() {
  if (since(last_turn_) < k_turn_while_filing) return {};
  if (claiming_ && !options_.stop())
    if (auto ok = claim_more(); !ok) return ok;
  return turn(Milliseconds(0));
}

}  // namespace pony
