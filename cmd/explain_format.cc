#include "cmd/explain_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <utility>

#include "cmd/queue_format.h"
#include "core/json.h"
#include "core/words.h"

namespace pony {
namespace {

// More are in `pony show` and in the JSON.
constexpr std::size_t k_events_told = 200;
constexpr std::size_t k_recipients_told = 30;
constexpr std::size_t k_name_limit = 100;

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::string quoted(std::string_view text) {
  return "\"" + printable(text) + "\"";
}

// "2026-11-21T21:14:00.000Z (in 9 min 0 s)".
std::string moment(Time time, Time now) {
  return format_time(time) + (time > now
                                  ? " (in " + span_words(time - now) + ")"
                                  : " (" + span_words(now - time) + " ago)");
}

bool is_feedback(std::string_view event) {
  constexpr std::array<std::string_view, 6> k_kinds = {
      "delivered", "bounced", "complained",
      "opened",    "clicked", "unsubscribed"};
  return std::find(k_kinds.begin(), k_kinds.end(), event) != k_kinds.end();
}

// The last that moved it, if anything did.
const Event* last_move(const std::vector<Event>& events) {
  for (auto event = events.rbegin(); event != events.rend(); ++event)
    if (state_after(event->event)) return &*event;
  return nullptr;
}

const Event* last_of(const std::vector<Event>& events, std::string_view kind) {
  for (auto event = events.rbegin(); event != events.rend(); ++event)
    if (event->event == kind) return &*event;
  return nullptr;
}

// --- Who has it

// What is known of one recipient.
struct Fate {
  std::string email;
  // accepted, rejected, unavailable, throttled, unknown, suppressed; empty:
  // nobody was asked yet.
  std::string outcome;
  std::string provider;
  std::string error;
};

class Fates {
 public:
  explicit Fates(const Story& story) {
    if (!story.listed.file) return;
    for (const auto& address : story.listed.file->message.recipients()) {
      emails_.push_back(address.email);
      fates_.push_back({address.email, {}, {}, {}});
    }
    for (const auto& event : story.events) {
      add(event);
      history_.add(event, emails_);
    }
  }

  const std::vector<Fate>& all() const { return fates_; }

 private:
  void set(const std::string& email, Outcome outcome, const Event& event,
           const std::string& error) {
    for (auto& fate : fates_)
      if (fate.email == email)
        fate = {email, std::string(to_text(outcome)), event.provider, error};
  }
  void add(const Event& event) {
    // A person asked for another try: only who has it is settled still.
    if (event.event == "retried")
      for (auto& fate : fates_)
        if (fate.outcome != "accepted") fate = {fate.email, {}, {}, {}};
    if (event.event == "suppressed")
      for (auto& fate : fates_)
        if (fate.outcome.empty() && fate.email == event.recipient)
          fate = {fate.email, "suppressed", {}, event.reason};
    if (event.event != "attempted" || !event.outcome) return;
    for (const auto& one : event.recipients)
      set(one.email, one.outcome, event, one.error);
    if (!event.recipients.empty()) return;
    for (auto& fate : fates_)
      if (fate.outcome != "suppressed" &&
          !history_.settled.contains(fate.email))
        fate = {fate.email, std::string(to_text(*event.outcome)),
                event.provider, event.error};
  }
  std::vector<std::string> emails_;
  std::vector<Fate> fates_;
  History history_;
};

std::string fate_words(const Fate& fate, bool is_done) {
  const std::string provider = printable(fate.provider, k_name_limit);
  const std::string why =
      fate.error.empty() ? std::string() : ": " + quoted(fate.error);
  if (fate.outcome == "accepted") return provider + " has it";
  if (fate.outcome == "rejected") return "refused by " + provider + why;
  if (fate.outcome == "suppressed")
    return "left out, as mail to it is suppressed" + why;
  if (fate.outcome == "unknown")
    return "may have it: " + provider + " gave no clear answer" + why;
  if (is_done) return "has not got it" + why;
  return fate.outcome.empty() ? "waits"
                              : "waits: " + provider + " could not" + why;
}

// --- What happened

std::string names(const std::vector<std::string>& list) {
  std::string text;
  for (const auto& one : list)
    text += (text.empty() ? "" : ", ") + printable(one, k_name_limit);
  return text;
}

using Emails = std::vector<std::string>;

// What `retry --to` did.
struct Replaced {
  Emails old;
  Emails with;
};

Emails emails_in(std::string_view list) {
  Emails emails;
  while (!list.empty()) {
    const auto end = std::min(list.find(", "), list.size());
    emails.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 2, list.size()));
  }
  return emails;
}

// As spool/relocate.cc writes it into the event; nothing: it replaced nobody.
std::optional<Replaced> replaced_by(const Event& event) {
  constexpr std::string_view k_to = "to: ";
  constexpr std::string_view k_arrow = " → ";
  const std::string_view reason = event.reason;
  const auto arrow = reason.find(k_arrow);
  if (event.event != "retried" || !reason.starts_with(k_to) ||
      arrow == std::string_view::npos || arrow < k_to.size())
    return std::nullopt;
  return Replaced{emails_in(reason.substr(k_to.size(), arrow - k_to.size())),
                  emails_in(reason.substr(arrow + k_arrow.size()))};
}

// Whom it was for when it came: its file has those that a retry put in.
Emails first_recipients(const Story& story) {
  Emails emails;
  for (const auto& address : story.listed.file->message.recipients())
    emails.push_back(address.email);
  for (auto event = story.events.rbegin(); event != story.events.rend();
       ++event) {
    const auto replaced = replaced_by(*event);
    if (!replaced) continue;
    Emails before;
    bool is_placed = false;
    for (auto& email : emails) {
      const auto& with = replaced->with;
      if (std::find(with.begin(), with.end(), email) == with.end())
        before.push_back(std::move(email));
      else if (!std::exchange(is_placed, true))
        before.insert(before.end(), replaced->old.begin(), replaced->old.end());
    }
    emails = std::move(before);
  }
  return emails;
}

std::string in_short(const Emails& all) {
  std::vector<std::string> words;
  for (const auto& email : all) words.push_back(printable(email));
  return joined_in_short(words, 3);
}

std::string by_words(const Event* event) {
  return event == nullptr || event->by.empty()
             ? std::string()
             : " by " + printable(event->by, k_name_limit);
}

std::string arrival(const Story& story) {
  const Listed& listed = story.listed;
  const Event* queued = last_of(story.events, "queued");
  if (!listed.file)
    return "A file that was to be a message came, " +
           counted(listed.size_bytes, "byte") + ".";
  const Message& message = listed.file->message;
  std::string text = "It came";
  if (listed.sender)
    text += " from " + (listed.sender->email.empty()
                            ? std::string("the null sender")
                            : printable(listed.sender->email));
  text += " for " + in_short(first_recipients(story)) + ", accepted" +
          by_words(queued) +
          (listed.file->mode == Mode::send ? " (pony send)" : "");
  if (!message.template_id.empty())
    text += ", from template '" + printable(message.template_id) + "'";
  if (!message.lang.empty()) text += " in '" + printable(message.lang) + "'";
  if (!message.tags.empty())
    text +=
        (message.tags.size() == 1 ? ", tag " : ", tags ") + names(message.tags);
  if (!message.pool.empty()) text += ", pool " + printable(message.pool);
  if (message.priority != Priority::normal)
    text += ", priority " + std::string(to_text(message.priority));
  if (!message.idempotency_key.empty())
    text += ", key " + quoted(message.idempotency_key);
  text += ".";
  if (queued != nullptr && !queued->reason.empty())
    text += " " + printable(queued->reason) + ".";
  if (message.send_at)
    text +=
        " It is not to be sent before " + format_time(*message.send_at) + ".";
  if (message.expires_at)
    text += " It is not wanted any more after " +
            format_time(*message.expires_at) + ".";
  return text;
}

// Was another provider asked in the same round?
bool is_followed_by_another(const std::vector<Event>& events, std::size_t at) {
  for (std::size_t i = at + 1; i < events.size(); ++i) {
    if (state_after(events[i].event)) return false;
    if (events[i].event == "attempted") return true;
  }
  return false;
}

std::string answer_words(const Event& event) {
  const std::string provider = printable(event.provider, k_name_limit);
  const std::string after =
      event.latency_ms ? " after " + span_words(Milliseconds(*event.latency_ms))
                       : std::string();
  const std::string said =
      event.error.empty() ? std::string() : ": " + quoted(event.error);
  switch (*event.outcome) {
    case Outcome::accepted:
      return provider + " took it" + after +
             (event.provider_id.empty()
                  ? ""
                  : ", and knows it as " + printable(event.provider_id));
    case Outcome::rejected:
      return provider + " refused it for good" + after + said;
    case Outcome::unavailable:
      return provider + " could not take it" + after + said;
    case Outcome::throttled:
      return provider + " asked to be left alone for a while" + after + said;
    case Outcome::unknown:
      break;
  }
  return provider + " gave no clear answer" + after + said +
         "; the message may have been delivered";
}

std::string attempt(const Story& story, std::size_t at) {
  const Event& event = story.events[at];
  std::string text = fmt::format("Try {}", event.attempt);
  if (event.attempt == 1)
    text +=
        ", " + span_words(event.ts - story.listed.arrived) + " after it came";
  text += ": " + answer_words(event);
  for (const auto& one : event.recipients)
    text += "; " + printable(one.email) + " " +
            std::string(to_text(one.outcome)) +
            (one.error.empty() || one.error == event.error
                 ? ""
                 : " (" + quoted(one.error) + ")");
  if (!event.reduced.empty())
    text +=
        "; it cannot carry " + names(event.reduced) + ", which was left out";
  const bool goes_on = *event.outcome == Outcome::unavailable ||
                       *event.outcome == Outcome::throttled;
  if (goes_on && is_followed_by_another(story.events, at))
    text += ", so the next provider was asked";
  return text + ".";
}

std::string refused_in(const Event& event) {
  std::string text;
  for (const auto& one : event.recipients)
    text += (text.empty() ? "" : ", ") + printable(one.email);
  return text;
}

std::string with_reason(std::string text, const Event& event) {
  if (!event.reason.empty()) text += ": " + printable(event.reason);
  if (!event.error.empty()) text += ", " + quoted(event.error);
  return text + ".";
}

// Who it is about: feedback and suppressions name one recipient.
std::string whom(const Event& event) {
  return event.recipient.empty() ? "a recipient" : printable(event.recipient);
}

std::string feedback(const Event& event) {
  const std::string provider = event.provider.empty()
                                   ? "Somebody"
                                   : printable(event.provider, k_name_limit);
  const std::string who = whom(event);
  if (event.event == "delivered")
    return with_reason(provider + " says that " + who + " got it", event);
  if (event.event == "bounced")
    return with_reason(provider + " says that it bounced for " + who, event);
  if (event.event == "complained")
    return with_reason(provider + " says that " + who + " called it spam",
                       event);
  if (event.event == "opened")
    return with_reason(provider + " says that " + who + " opened it", event);
  if (event.event == "clicked")
    return with_reason(provider + " says that " + who + " followed a link",
                       event);
  return with_reason(
      provider + " says that " + who + " does not want such mail any more",
      event);
}

std::string until_words(const Event& event) {
  return event.next_at ? " until " + format_time(*event.next_at)
                       : std::string();
}

// An event as a sentence; empty for those that another sentence tells.
std::string sentence(const Story& story, std::size_t at) {
  const Event& event = story.events[at];
  const std::string& kind = event.event;
  if (kind == "queued") return {};
  if (kind == "attempted" && event.outcome) return attempt(story, at);
  if (kind == "skipped")
    return with_reason(printable(event.provider, k_name_limit) +
                           " was skipped, as it cannot carry this message",
                       event);
  if (kind == "sent") {
    std::string text = "It was sent, " +
                       span_words(event.ts - story.listed.arrived) +
                       " after it came";
    const std::string refused = refused_in(event);
    if (!refused.empty()) text += "; not to " + refused;
    return text + ".";
  }
  if (kind == "deferred")
    return with_reason("It was put off" + until_words(event), event);
  if (kind == "failed") return with_reason("It failed", event);
  if (kind == "expired") return with_reason("It expired", event);
  if (kind == "cancelled")
    return with_reason("It was cancelled" + by_words(&event), event);
  if (kind == "held")
    return with_reason("It was held" + by_words(&event), event);
  if (kind == "released")
    return with_reason("It was released" + by_words(&event) +
                           (event.next_at ? ", to wait" : "") +
                           until_words(event),
                       event);
  if (kind == "retried") {
    const std::string text = "It was brought back" + by_words(&event) +
                             (event.next_at ? ", to wait" : "") +
                             until_words(event);
    if (const auto replaced = replaced_by(event))
      return text + ", now for " + in_short(replaced->with) + " instead of " +
             in_short(replaced->old) + ".";
    return with_reason(text, event);
  }
  if (kind == "recovered")
    return with_reason("It was recovered" + by_words(&event), event);
  if (kind == "suppressed")
    return with_reason(
        "Mail to " + whom(event) + " is suppressed, so it was left out", event);
  if (is_feedback(kind)) return feedback(event);
  return with_reason(printable(kind, 40), event);
}

// --- What happens next

struct Command {
  std::string why;  // "to try it now"
  std::string line;
};

struct Next {
  // none, run, wait, release, retry, mend
  std::string action = "none";
  std::optional<Time> at;
  std::string text;
  std::vector<Command> commands;
};

void add_resting(Next& next, const Story& story, Time now) {
  if (!story.resting.empty() && story.resting.size() == story.pool_size)
    next.text += " No provider of pool '" + printable(story.pool) +
                 "' may be asked now.";
  for (const auto& one : story.resting) {
    const std::string name = printable(one.name, k_name_limit);
    next.text += " Provider '" + name + "' rests" +
                 (one.until ? " until " + moment(*one.until, now)
                            : std::string(" until it is resumed")) +
                 (one.why.empty() ? "" : ": " + printable(one.why)) + ".";
    next.commands.push_back({"to let '" + name + "' be asked again",
                             "pony provider resume " + name});
  }
}

Next next_of_waiting(const Story& story, Time now) {
  const std::string& id = story.listed.id;
  const History& history = story.listed.file->history;
  Next next;
  next.at = story.listed.state == State::deferred ? history.next_at
                                                  : std::optional<Time>();
  if (next.at && *next.at > now) {
    next.action = "wait";
    next.text = history.attempts > 0 ? "It is tried again at "
                                     : "It waits for its time, ";
    next.text += moment(*next.at, now) + ", by whoever runs `pony run` then.";
    next.commands.push_back({"to try it now", "pony retry " + id});
  } else {
    next.action = "run";
    next.text = "It is due: the next `pony run` takes it.";
    next.commands.push_back({"to deliver what is due", "pony run"});
  }
  if (!history.unknown_at.empty())
    next.text += " " + printable(history.unknown_at, k_name_limit) +
                 " may have it already; it gets the same Message-ID again.";
  add_resting(next, story, now);
  if (story.pool.empty())
    next.text += " There is no pool for it: see `pony config check`.";
  if (story.gives_up_at)
    next.text += " If nobody takes it, it expires at " +
                 format_time(*story.gives_up_at) + ".";
  next.commands.push_back({"to keep it back", "pony hold " + id});
  next.commands.push_back({"to give it up", "pony cancel " + id});
  return next;
}

Next next_of_held(const Story& story) {
  const std::string& id = story.listed.id;
  Next next;
  next.action = "release";
  next.text = "It stays held until a person decides.";
  if (!story.listed.file->history.unknown_at.empty())
    next.text +=
        " Look at the provider first whether it has been delivered: "
        "released, it may arrive twice.";
  next.commands.push_back({"to let it go", "pony release " + id});
  next.commands.push_back({"to give it up", "pony cancel " + id});
  return next;
}

Next next_of_invalid(const Story& story) {
  const Listed& listed = story.listed;
  const std::string file = printable(listed.folder + "/" + listed.name);
  Next next;
  if (listed.state != State::failed) {
    next.action = "run";
    next.text = "The next `pony run` puts it into failed/, with the reason.";
    return next;
  }
  next.action = "mend";
  next.text = "Nothing, until somebody mends the file " + file +
              " in the spool and retries it; it gets a new id then.";
  next.commands.push_back(
      {"to try it again as it is", "pony retry " + listed.id});
  return next;
}

// May `email` be put into a command line as it is?
bool is_plain_word(std::string_view email) {
  return !email.starts_with('-') &&
         std::all_of(email.begin(), email.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') ||
                  std::string_view("@.-_+=").find(static_cast<char>(c)) !=
                      std::string_view::npos;
         });
}

// The command that lifts the suppressions which left nobody.
Command lifting(const std::vector<Fate>& fates) {
  constexpr std::size_t k_most_named = 5;
  std::string who;
  std::size_t named = 0;
  for (const auto& fate : fates) {
    if (fate.outcome != "suppressed") continue;
    if (++named > k_most_named || !is_plain_word(fate.email))
      return {"to lift it, first", "pony suppress remove ADDRESS"};
    who += " " + fate.email;
  }
  return {"to lift it, first", "pony suppress remove" + who};
}

Next next_of_failed(const Story& story, const std::vector<Fate>& fates,
                    Time now) {
  const std::string& id = story.listed.id;
  const Event* end = last_move(story.events);
  const auto& expires_at = story.listed.file->message.expires_at;
  Next next;
  if (expires_at && *expires_at <= now) {
    next.text = "Nothing: it is past its expires_at, and would expire again.";
    next.commands.push_back(
        {"to see its content, for a new message", "pony show --json " + id});
    return next;
  }
  next.action = "retry";
  next.text = "Nothing, unless somebody brings it back.";
  const bool is_refused =
      std::any_of(fates.begin(), fates.end(),
                  [](const Fate& fate) { return fate.outcome == "rejected"; });
  const bool is_suppressed = std::any_of(
      fates.begin(), fates.end(),
      [](const Fate& fate) { return fate.outcome == "suppressed"; });
  if (end != nullptr && end->event == "cancelled") {
    next.commands.push_back({"to undo the cancelling", "pony retry " + id});
    return next;
  }
  if (!story.listed.file->history.unknown_at.empty())
    next.text += " It may have been delivered: look at the provider first.";
  if (is_refused)
    next.commands.push_back(
        {"with another recipient", "pony retry " + id + " --to ADDRESS"});
  if (is_suppressed) next.commands.push_back(lifting(fates));
  next.commands.push_back({"to try it again", "pony retry " + id});
  add_resting(next, story, now);
  return next;
}

Next next_of_sent(const Story& story, const std::vector<Fate>& fates) {
  Next next;
  next.text = "Nothing: it is done.";
  const auto missed =
      std::count_if(fates.begin(), fates.end(), [](const Fate& fate) {
        return fate.outcome != "accepted" && fate.outcome != "suppressed";
      });
  if (missed > 0)
    next.text = "Nothing: who was not reached gets it only by a new message.";
  if (last_of(story.events, "bounced") != nullptr)
    next.text =
        "Nothing: it bounced after it was sent; a better address needs "
        "a new message.";
  return next;
}

Next next_of(const Story& story, const std::vector<Fate>& fates, Time now) {
  const Listed& listed = story.listed;
  if (!listed.file) return next_of_invalid(story);
  switch (listed.state) {
    case State::fresh:
    case State::deferred:
      return next_of_waiting(story, now);
    case State::held:
      return next_of_held(story);
    case State::sent:
      return next_of_sent(story, fates);
    case State::failed:
      return next_of_failed(story, fates, now);
    case State::claimed:
      break;
  }
  Next next;
  next.action = "wait";
  next.text =
      "A `pony run` is at it. Should that have died, the next one "
      "takes it over.";
  next.commands.push_back(
      {"to hear what becomes of it", "pony wait " + listed.id});
  return next;
}

// --- The answer in a sentence

std::string with_why(std::string text, const std::string& why) {
  return why.empty() ? text : text + ": " + why;
}

std::string sent_in_short(const Story& story, const std::vector<Fate>& fates) {
  const Event* end = last_move(story.events);
  std::string text = "was sent";
  if (end != nullptr && !end->provider.empty())
    text += " by " + printable(end->provider, k_name_limit);
  if (end != nullptr)
    text +=
        ", " + span_words(end->ts - story.listed.arrived) + " after it came";
  const auto has = std::count_if(
      fates.begin(), fates.end(),
      [](const Fate& fate) { return fate.outcome == "accepted"; });
  if (static_cast<std::size_t>(has) < fates.size())
    text += fmt::format(", to {} of {} recipients", has, fates.size());
  // The worst that was reported counts.
  if (last_of(story.events, "bounced") != nullptr)
    return text + ", and bounced";
  if (last_of(story.events, "complained") != nullptr)
    return text + ", and was called spam";
  if (last_of(story.events, "delivered") != nullptr)
    return text + ", and was delivered";
  return text;
}

std::string headline(const Story& story, const std::vector<Fate>& fates) {
  const Listed& listed = story.listed;
  if (!listed.file) return "is no message: " + printable(listed.problem);
  const std::string why = printable(last_error_of(listed));
  const bool is_tried = listed.file->history.attempts > 0;
  const Event* end = last_move(story.events);
  switch (listed.state) {
    case State::fresh:
      return is_tried ? "is due for another try"
                      : "is due, and has not been tried yet";
    case State::deferred:
      if (!is_tried && why.empty()) return "waits for its time";
      return with_why("waits for another try", why);
    case State::held:
      return with_why("is held", why);
    case State::claimed:
      return "is being delivered";
    case State::sent:
      return sent_in_short(story, fates);
    case State::failed:
      break;
  }
  const std::string event = end != nullptr ? end->event : std::string();
  if (event == "cancelled") return "was cancelled";
  return with_why(event == "expired" ? "expired" : "failed", why);
}

// As the story begins, and the summary of its facts.
std::string first_sentence(const Story& story, const std::vector<Fate>& fates) {
  std::string text = story.listed.id;
  if (!story.subject.empty()) text += " " + quoted(story.subject);
  return text + " " + headline(story, fates) + ".";
}

void add_recipients(std::string& text, const Story& story,
                    const std::vector<Fate>& fates) {
  const bool is_plain =
      fates.size() < 2 &&
      std::all_of(fates.begin(), fates.end(), [](const Fate& fate) {
        return fate.outcome.empty() || fate.outcome == "accepted";
      });
  if (is_plain) return;
  const State state = story.listed.state;
  const bool is_done = state == State::sent || state == State::failed;
  text += "\nWho has it\n";
  for (std::size_t i = 0; i < fates.size() && i < k_recipients_told; ++i)
    text += "  " + printable(fates[i].email) + ": " +
            fate_words(fates[i], is_done) + "\n";
  if (fates.size() > k_recipients_told)
    text += fmt::format("  and {} more: pony explain --json {}\n",
                        fates.size() - k_recipients_told, story.listed.id);
}

// --- JSON

void text_or_null(JsonWriter& json, std::string_view key,
                  std::string_view value) {
  if (value.empty()) {
    json.null(key);
  } else {
    json.field(key, value);
  }
}

void number_or_null(JsonWriter& json, std::string_view key,
                    const std::optional<std::int64_t>& value) {
  if (value) {
    json.field(key, *value);
  } else {
    json.null(key);
  }
}

void time_or_null(JsonWriter& json, std::string_view key,
                  const std::optional<Time>& value) {
  text_or_null(json, key, value ? format_time(*value) : std::string());
}

// Appends an element to a JSON array that is still open.
JsonWriter element(std::string& list) {
  if (list.size() > 1) list.push_back(',');
  return JsonWriter(list);
}

std::string attempts_json(const std::vector<Event>& events) {
  std::string list = "[";
  for (const auto& event : events) {
    if (event.event != "attempted" || !event.outcome) continue;
    JsonWriter json = element(list);
    json.field("attempt", std::int64_t{event.attempt});
    json.field("ts", format_time(event.ts));
    json.field("provider", event.provider);
    json.field("outcome", to_text(*event.outcome));
    text_or_null(json, "error", event.error);
    number_or_null(json, "ms", event.latency_ms);
    number_or_null(json, "status",
                   event.status == 0 ? std::optional<std::int64_t>()
                                     : std::int64_t{event.status});
    text_or_null(json, "provider_id", event.provider_id);
    json.end();
  }
  return list + "]";
}

std::string recipients_json(const std::vector<Fate>& fates) {
  std::string list = "[";
  for (const auto& fate : fates) {
    JsonWriter json = element(list);
    json.field("email", fate.email);
    text_or_null(json, "outcome", fate.outcome);
    text_or_null(json, "provider", fate.provider);
    text_or_null(json, "error", fate.error);
    json.end();
  }
  return list + "]";
}

// All that happened besides attempts: moves, skipped providers, feedback.
std::string happened_json(const std::vector<Event>& events) {
  std::string list = "[";
  for (const auto& event : events) {
    if (event.event == "attempted") continue;
    JsonWriter json = element(list);
    json.field("ts", format_time(event.ts));
    json.field("event", event.event);
    text_or_null(json, "by", event.by);
    text_or_null(json, "provider", event.provider);
    text_or_null(json, "recipient", event.recipient);
    time_or_null(json, "next_at", event.next_at);
    text_or_null(json, "reason", event.reason);
    json.end();
  }
  return list + "]";
}

std::string resting_json(const std::vector<RestingProvider>& resting) {
  std::string list = "[";
  for (const auto& one : resting) {
    JsonWriter json = element(list);
    json.field("provider", one.name);
    text_or_null(json, "why", one.why);
    time_or_null(json, "until", one.until);
    json.end();
  }
  return list + "]";
}

std::string next_json(const Next& next) {
  std::string commands = "[";
  for (const auto& command : next.commands)
    element(commands)
        .field("why", command.why)
        .field("command", command.line)
        .end();
  std::string out;
  JsonWriter json(out);
  json.field("action", next.action);
  time_or_null(json, "at", next.at);
  json.field("text", next.text);
  json.raw("commands", commands + "]");
  json.end();
  return out;
}

}  // namespace

std::string span_words(Milliseconds span) {
  span = std::max(span, Milliseconds(0));
  const auto whole = [&](auto unit) {
    return std::chrono::duration_cast<decltype(unit)>(span).count();
  };
  const auto ms = span.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (span < minutes(1))
    return fmt::format("{}.{} s", ms / 1000, ms % 1000 / 100);
  if (span < hours(1))
    return fmt::format("{} min {} s", whole(minutes()), whole(seconds()) % 60);
  if (span < hours(24))
    return fmt::format("{} h {} min", whole(hours()), whole(minutes()) % 60);
  return fmt::format("{} d {} h", whole(hours()) / 24, whole(hours()) % 24);
}

std::string explain_text(const Story& story, Time now) {
  const Listed& listed = story.listed;
  const Fates fates(story);
  std::string text = first_sentence(story, fates.all()) + "\n\n";
  text += format_time(listed.arrived) + "  " + arrival(story) + "\n";
  std::size_t told = 0;
  for (std::size_t i = 0; i < story.events.size(); ++i) {
    const std::string line = sentence(story, i);
    if (line.empty()) continue;
    if (++told > k_events_told) {
      text += "There is more: pony show " + listed.id + "\n";
      break;
    }
    text += format_time(story.events[i].ts) + "  " + line + "\n";
  }
  add_recipients(text, story, fates.all());
  const Next next = next_of(story, fates.all(), now);
  text += "\nWhat happens next\n  " + next.text + "\n";
  for (const auto& command : next.commands)
    text += "  " + command.why + ": " + command.line + "\n";
  return text;
}

std::string explain_json(const Story& story, Time now) {
  const Listed& listed = story.listed;
  const Message none;
  const Message& message = listed.file ? listed.file->message : none;
  const Fates fates(story);
  const Event* queued = last_of(story.events, "queued");
  const Event* end = last_move(story.events);
  const bool is_done =
      listed.state == State::sent || listed.state == State::failed;
  std::vector<std::string> providers;
  for (const auto& event : story.events)
    if (event.event == "attempted" &&
        std::find(providers.begin(), providers.end(), event.provider) ==
            providers.end())
      providers.push_back(event.provider);

  std::string out;
  JsonWriter json(out);
  json.field("schema", std::int64_t{1});
  json.field("id", listed.id);
  json.field("state", to_text(listed.state));
  json.field("summary", first_sentence(story, fates.all()));
  json.field("accepted_at", format_time(listed.arrived));
  text_or_null(json, "accepted_by",
               queued != nullptr ? queued->by : std::string());
  text_or_null(json, "sender",
               listed.sender ? listed.sender->email : std::string());
  text_or_null(json, "subject", story.subject);
  text_or_null(json, "template", message.template_id);
  text_or_null(json, "lang", message.lang);
  text_or_null(json, "pool", story.pool);
  json.field("tags", message.tags);
  // From acceptance to the end, or until now.
  json.field("took_ms",
             std::int64_t{std::max((is_done && end != nullptr ? end->ts : now) -
                                       listed.arrived,
                                   Milliseconds(0))
                              .count()});
  time_or_null(json, "ended_at",
               is_done && end != nullptr ? std::optional(end->ts)
                                         : std::optional<Time>());
  text_or_null(json, "reason", last_error_of(listed));
  json.field("providers", providers);
  json.raw("attempts", attempts_json(story.events));
  json.raw("recipients", recipients_json(fates.all()));
  json.raw("happened", happened_json(story.events));
  json.raw("resting", resting_json(story.resting));
  json.raw("next", next_json(next_of(story, fates.all(), now)));
  json.end();
  return out + "\n";
}

}  // namespace pony
