#include "cmd/queue_fields.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "cmd/queue_format.h"
#include "core/json.h"
#include "core/mime/raw_mail.h"
#include "core/words.h"

namespace pony {
namespace {

constexpr std::size_t k_value_limit = 4096;

std::string time_text(const std::optional<Time>& time) {
  return time ? format_time(*time) : std::string();
}

// What is no valid message has only what its file's name and place tell.
template <std::string Message::*Member>
std::string of_message(const Listed& listed, Time) {
  return listed.file ? listed.file->message.*Member : std::string();
}

std::string id(const Listed& listed, Time) {
  return listed.id;
}

std::string state(const Listed& listed, Time) {
  return std::string(to_text(listed.state));
}

std::string size(const Listed& listed, Time) {
  return std::to_string(listed.size_bytes);
}

std::string age(const Listed& listed, Time now) {
  const auto age = std::chrono::floor<std::chrono::seconds>(
      std::max(now - listed.arrived, Milliseconds(0)));
  return std::to_string(age.count());
}

std::string arrived(const Listed& listed, Time) {
  return format_time(listed.arrived);
}

std::string from(const Listed& listed, Time) {
  return listed.sender ? listed.sender->email : std::string();
}

std::string to(const Listed& listed, Time) {
  return joined(open_recipients(listed), ",");
}

std::string subject(const Listed& listed, Time) {
  if (!listed.file) return {};
  const Message& message = listed.file->message;
  return message.raw.empty() ? message.subject : raw_subject(message.raw);
}

std::string tags(const Listed& listed, Time) {
  return listed.file ? joined(listed.file->message.tags, ",") : std::string();
}

std::string priority(const Listed& listed, Time) {
  return listed.file ? std::string(to_text(listed.file->message.priority))
                     : std::string();
}

std::string attempts(const Listed& listed, Time) {
  return listed.file ? std::to_string(listed.file->history.attempts)
                     : std::string();
}

std::string provider(const Listed& listed, Time) {
  return listed.file ? listed.file->history.last_provider : std::string();
}

std::string next(const Listed& listed, Time) {
  if (!listed.file || listed.state != State::deferred) return {};
  return time_text(listed.file->history.next_at);
}

std::string expires(const Listed& listed, Time) {
  return listed.file ? time_text(listed.file->message.expires_at)
                     : std::string();
}

std::string reason(const Listed& listed, Time) {
  return last_error_of(listed);
}

std::string file(const Listed& listed, Time) {
  return listed.folder + "/" + listed.name;
}

}  // namespace

const std::vector<QueueField>& queue_fields() {
  static const std::vector<QueueField> fields = {
      {"id", "its id; empty for a file that was dropped and not taken in", id},
      {"state", "new, deferred, held, cur, sent or failed", state},
      {"size", "bytes of its file", size},
      {"age", "seconds since it was accepted", age},
      {"arrived", "when it was accepted", arrived},
      {"from", "its sender; empty is the null sender", from},
      {"to",
       "who has not got it yet (of a message that is done: all), with "
       "commas",
       to},
      {"subject", "as the message gives it", subject},
      {"tags", "with commas", tags},
      {"template", "its template", of_message<&Message::template_id>},
      {"lang", "the language it asks for", of_message<&Message::lang>},
      {"pool", "the pool it asks for", of_message<&Message::pool>},
      {"priority", "high, normal or bulk", priority},
      {"attempts", "how many times a provider was tried", attempts},
      {"provider", "the last that was tried", provider},
      {"next", "when it is tried next, if that is still to come", next},
      {"expires", "its expires_at", expires},
      {"key", "its idempotency key", of_message<&Message::idempotency_key>},
      {"reason", "its last error, or the reason for its state", reason},
      {"file", "its file, below the spool", file},
  };
  return fields;
}

Result<const QueueField*> queue_field_called(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& field : queue_fields()) {
    if (field.name == name) return &field;
    names.push_back(field.name);
  }
  std::string hint = did_you_mean(name, names);
  if (hint.empty()) {
    hint = "there are:";
    for (const auto one : names) hint.append(" ").append(one);
  }
  return fail(Error::Kind::usage,
              "there is no field '" + printable(name, 40) + "'",
              std::move(hint));
}

std::string fields_line(const std::vector<const QueueField*>& fields,
                        const Listed& listed, Time now) {
  std::string line;
  for (const auto* field : fields) {
    if (field != fields.front()) line.push_back('\t');
    line += printable(field->value(listed, now), k_value_limit);
  }
  return line + "\n";
}

}  // namespace pony
