#include "cmd/queue_format.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/json.h"
#include "core/mime/raw_mail.h"
#include "core/words.h"

namespace pony {
namespace {

constexpr std::size_t k_id_columns = 26;
constexpr int k_narrow = 110;
constexpr int k_sender_columns = 24;
// A recipient or two say which message it is; --json has all of them.
constexpr std::size_t k_recipients_shown = 3;

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(),
                    [](char byte) { return !is_continuation(byte); }));
}

std::string padded(std::string text, std::size_t columns) {
  const std::size_t have = columns_of(text);
  if (have < columns) text.append(columns - have, ' ');
  return text;
}

std::string right(std::string text, std::size_t columns) {
  const std::size_t have = columns_of(text);
  return have < columns ? std::string(columns - have, ' ') + text : text;
}

// At most `columns` wide, what is cut ends in "…". 0: uncut.
std::string cut(const std::string& text, std::size_t columns) {
  if (columns == 0 || columns_of(text) <= columns) return text;
  std::size_t end = 0;
  std::size_t used = 0;
  while (end < text.size()) {
    if (!is_continuation(text[end]) && used++ == columns - 1) break;
    ++end;
  }
  return text.substr(0, end) + "…";
}

std::string short_size(std::size_t bytes) {
  if (bytes < 1024) return std::to_string(bytes);
  auto amount = static_cast<double>(bytes);
  const char* unit = "KMGT";
  for (amount /= 1024; amount >= 1000 && unit[1] != '\0'; ++unit)
    amount /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, amount < 10 ? "%.1f%c" : "%.0f%c", amount,
                *unit);
  return text;
}

bool is_done(State state) {
  return state == State::sent || state == State::failed;
}

std::string recipients_in_short(const Listed& listed) {
  std::vector<std::string> words;
  for (const auto& email : open_recipients(listed))
    words.push_back(printable(email));
  return joined_in_short(words, k_recipients_shown);
}

std::string sender_of(const Listed& listed) {
  return listed.sender ? listed.sender->email : std::string();
}

std::string next_try(const Listed& listed, Time now) {
  switch (listed.state) {
    case State::fresh:
      return "due";
    case State::claimed:
      return "now";
    case State::deferred:
      break;
    default:
      return "-";
  }
  if (!listed.file || !listed.file->history.next_at) return "-";
  const Milliseconds wait = *listed.file->history.next_at - now;
  return wait.count() <= 0 ? "due" : format_age(wait);
}

// The words of Postfix's postqueue -j; new mail is its "incoming".
std::string_view queue_name(State state) {
  switch (state) {
    case State::fresh:
      return "incoming";
    case State::deferred:
      return "deferred";
    case State::held:
      return "hold";
    case State::claimed:
      return "active";
    case State::sent:
      return "sent";
    case State::failed:
      break;
  }
  return "failed";
}

// What the last attempt said about this recipient, where it told them apart.
const std::string* own_error(const MessageFile& file,
                             const std::string& email) {
  for (auto event = file.events.rbegin(); event != file.events.rend();
       ++event) {
    if (event->event != "attempted") continue;
    for (const auto& one : event->recipients)
      if (one.email == email) return &one.error;
    return nullptr;
  }
  return nullptr;
}

std::string recipients_json(const Listed& listed) {
  std::string list = "[";
  const std::string shared = last_error_of(listed);
  for (const auto& email : open_recipients(listed)) {
    if (list.size() > 1) list.push_back(',');
    const std::string* own = own_error(*listed.file, email);
    const std::string why =
        own != nullptr
            ? (own->empty() ? std::string()
                            : listed.file->history.last_provider + ": " + *own)
            : shared;
    JsonWriter entry(list);
    entry.field("address", email);
    if (!why.empty()) entry.field("delay_reason", why);
    entry.end();
  }
  return list + "]";
}

void field_or_null(JsonWriter& line, std::string_view key,
                   const std::string& value) {
  if (value.empty()) {
    line.null(key);
  } else {
    line.field(key, value);
  }
}

void time_or_null(JsonWriter& line, std::string_view key,
                  const std::optional<Time>& time) {
  if (time) {
    line.field(key, format_time(*time));
  } else {
    line.null(key);
  }
}

std::int64_t seconds_of(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch())
      .count();
}

}  // namespace

std::vector<std::string> open_recipients(const Listed& listed) {
  std::vector<std::string> emails;
  if (!listed.file) return emails;
  for (const auto& address : listed.file->message.recipients())
    if (is_done(listed.state) ||
        !listed.file->history.settled.contains(address.email))
      emails.push_back(address.email);
  return emails;
}

std::string last_error_of(const Listed& listed) {
  if (!listed.file) return listed.problem;
  const History& history = listed.file->history;
  if (listed.state == State::sent) return {};
  // What a person or a rule decided says more than the attempt before it.
  if (!history.reason.empty()) return history.reason;
  if (history.last_error.empty()) return {};
  return history.last_provider.empty()
             ? history.last_error
             : history.last_provider + ": " + history.last_error;
}

bool QueueTable::is_narrow() const {
  return width_ > 0 && width_ < k_narrow;
}

std::string QueueTable::who(const Listed& listed, int width) const {
  std::string sender = printable(sender_of(listed));
  if (sender.empty()) sender = listed.sender ? "<>" : "-";
  sender = padded(width > 0 ? cut(sender, k_sender_columns) : sender,
                  k_sender_columns);
  const std::size_t left =
      width > 0
          ? static_cast<std::size_t>(std::max(width - k_sender_columns - 2, 1))
          : 0;
  std::string recipients = recipients_in_short(listed);
  return sender + "  " + cut(recipients.empty() ? "-" : recipients, left);
}

std::string QueueTable::header() const {
  std::string line =
      padded("ID", k_id_columns) + "  STATE      SIZE   AGE  TRIES  NEXT";
  if (!is_narrow())
    line += "  " + padded("SENDER", k_sender_columns) + "  RECIPIENTS";
  return line + "\n";
}

std::string QueueTable::lines(const Listed& listed) const {
  // A dropped file has no id before a runner takes it in.
  std::string line = padded(listed.id.empty() ? "-" : listed.id, k_id_columns);
  line += "  " + padded(std::string(to_text(listed.state)), 8);
  line += "  " + right(short_size(listed.size_bytes), 5);
  line += "  " + right(format_age(now_ - listed.arrived), 4);
  line +=
      "  " +
      right(listed.file ? std::to_string(listed.file->history.attempts) : "-",
            5);
  line += "  " + right(next_try(listed, now_), 4);
  const int used = static_cast<int>(columns_of(line)) + 2;
  if (is_narrow()) {
    line += "\n    " + who(listed, width_ - 4);
  } else {
    line += "  " + who(listed, width_ > 0 ? width_ - used : 0);
  }
  line += "\n";
  if (listed.id.empty())
    line += "    (dropped as " +
            printable(listed.folder + "/" + listed.name, 120) + ")\n";
  if (const std::string why = last_error_of(listed); !why.empty())
    line += "    (" + printable(why) + ")\n";
  return line;
}

std::string queue_total(std::uint64_t messages, std::uint64_t bytes) {
  if (messages == 0) return "Mail queue is empty\n";
  const std::uint64_t kbytes = std::max<std::uint64_t>((bytes + 512) / 1024, 1);
  return "-- " + std::to_string(kbytes) + " Kbytes in " +
         counted(messages, "Request") + ".\n";
}

std::string queue_json(const Listed& listed) {
  const MessageFile none;
  const MessageFile& file = listed.file ? *listed.file : none;
  const Message& message = file.message;
  std::string out;
  JsonWriter line(out);
  line.field("queue_name", queue_name(listed.state));
  field_or_null(line, "queue_id", listed.id);
  line.field("arrival_time", seconds_of(listed.arrived));
  line.field("message_size", static_cast<std::int64_t>(listed.size_bytes));
  line.boolean("forced_expire", false);
  line.field("sender", sender_of(listed));
  line.raw("recipients", recipients_json(listed));
  line.field("schema", std::int64_t{1});
  line.field("state", to_text(listed.state));
  line.field("priority", to_text(message.priority));
  line.field("tags", message.tags);
  field_or_null(line, "template", message.template_id);
  field_or_null(line, "lang", message.lang);
  field_or_null(line, "pool", message.pool);
  field_or_null(
      line, "subject",
      message.raw.empty() ? message.subject : raw_subject(message.raw));
  line.field("attempts", std::int64_t{file.history.attempts});
  field_or_null(line, "last_provider", file.history.last_provider);
  time_or_null(line, "next_attempt_at", file.history.next_at);
  time_or_null(line, "expires_at", message.expires_at);
  field_or_null(line, "key", message.idempotency_key);
  field_or_null(line, "reason", last_error_of(listed));
  line.field("file", listed.folder + "/" + listed.name);
  line.end();
  return out + "\n";
}

void QueueSummary::Row::add(Milliseconds age) {
  ++total;
  oldest = std::max(oldest, age);
  std::size_t bucket = 0;
  while (bucket + 1 < k_ages && age >= std::chrono::minutes(5 << bucket))
    ++bucket;
  ++by_age[bucket];
}

void QueueSummary::add(State state, Time arrived) {
  const Milliseconds age = std::max(now_ - arrived, Milliseconds(0));
  rows_[state].add(age);
  total_.add(age);
}

// "5m", "10m", … and "older".
std::string QueueSummary::age_name(std::size_t age) {
  return age + 1 == k_ages ? "older" : std::to_string(5 << age) + "m";
}

std::string QueueSummary::table() const {
  if (total_.total == 0) return queue_total(0, 0);
  std::string text = padded("STATE", 8) + right("TOTAL", 8);
  for (std::size_t age = 0; age < k_ages; ++age)
    text += right(age_name(age), 7);
  text += "  OLDEST\n";
  const auto add_row = [&](std::string_view name, const Row& row) {
    text += padded(std::string(name), 8) + right(std::to_string(row.total), 8);
    for (const auto count : row.by_age) text += right(std::to_string(count), 7);
    text += "  " + right(format_age(row.oldest), 6) + "\n";
  };
  for (const auto& [state, row] : rows_) add_row(to_text(state), row);
  if (rows_.size() > 1) add_row("all", total_);
  return text;
}

std::string QueueSummary::json_of(const Row& row) {
  std::string ages;
  JsonWriter age_members(ages);
  for (std::size_t age = 0; age < k_ages; ++age)
    age_members.field(age_name(age),
                      static_cast<std::int64_t>(row.by_age[age]));
  age_members.end();
  std::string out;
  JsonWriter members(out);
  members.field("total", static_cast<std::int64_t>(row.total));
  if (row.total == 0) {
    members.null("oldest_age_ms");
  } else {
    members.field("oldest_age_ms", std::int64_t{row.oldest.count()});
  }
  members.raw("ages", ages).end();
  return out;
}

std::string QueueSummary::json() const {
  std::string states;
  JsonWriter by_state(states);
  for (const auto& [state, row] : rows_)
    by_state.raw(to_text(state), json_of(row));
  by_state.end();
  // The total's members, then the states.
  std::string out = json_of(total_);
  out.pop_back();
  return out + ",\"states\":" + states + "}\n";
}

}  // namespace pony
