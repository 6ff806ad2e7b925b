// Events to JSON lines and back. The order of the members is the contract's
// (pony-spool(5), EVENTS); what is empty is not written.
#include "core/event.h"

#include <utility>

namespace pony {
namespace {

void write_text(JsonWriter& line, std::string_view key,
                const std::string& value) {
  if (!value.empty()) line.field(key, value);
}

void write_number(JsonWriter& line, std::string_view key,
                  std::optional<std::int64_t> value) {
  if (value) line.field(key, *value);
}

void write_list(JsonWriter& line, std::string_view key,
                const std::vector<std::string>& values) {
  if (!values.empty()) line.field(key, values);
}

void write_recipients(JsonWriter& line,
                      const std::vector<RecipientOutcome>& recipients) {
  if (recipients.empty()) return;
  std::string list = "[";
  for (const RecipientOutcome& recipient : recipients) {
    if (list.size() > 1) list += ',';
    JsonWriter entry(list);
    entry.field("email", recipient.email);
    entry.field("outcome", to_text(recipient.outcome));
    write_text(entry, "error", recipient.error);
    entry.end();
  }
  list += ']';
  line.raw("recipients", list);
}

std::string text_in(const Json& json, std::string_view key) {
  return std::string(json.text_of(key));
}

std::optional<std::int64_t> number_in(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  if (value == nullptr || !value->is(Json::Kind::number)) return std::nullopt;
  return json.number_of(key);
}

std::vector<std::string> list_in(const Json& json, std::string_view key) {
  std::vector<std::string> texts;
  const Json* list = json.find(key);
  if (list == nullptr) return texts;
  for (const Json& item : list->items) {
    if (item.is_string()) texts.push_back(item.text);
  }
  return texts;
}

tl::unexpected<Error> no_event(std::string why) {
  return fail(Error::Kind::bad_data, "not an event: " + std::move(why));
}

// An outcome that we cannot read must not become one that we can: it decides
// whether somebody is sent to again.
Result<Outcome> outcome_in(const Json& json) {
  const std::string_view text = json.text_of("outcome");
  if (const auto outcome = outcome_from(text)) return *outcome;
  return no_event("'" + printable(text, 40) + "' is no outcome");
}

Result<std::vector<RecipientOutcome>> recipients_in(const Json& json) {
  std::vector<RecipientOutcome> recipients;
  const Json* list = json.find("recipients");
  if (list == nullptr) return recipients;
  for (const Json& entry : list->items) {
    const auto outcome = outcome_in(entry);
    if (!outcome) return tl::unexpected<Error>(outcome.error());
    recipients.push_back(
        {text_in(entry, "email"), *outcome, text_in(entry, "error")});
  }
  return recipients;
}

}  // namespace

std::string_view address_in_key(std::string_view address) {
  return address.substr(0, address.find_last_not_of('.') + 1);
}

// An attempt's events are known by the attempt and the provider. The others
// (held, released, opened, …) may well happen again, so their time and whom
// they are about belong to the key.
const std::vector<std::string_view>& event_kinds() {
  static const std::vector<std::string_view> kinds = {
      "queued",     "attempted", "skipped",    "sent",        "deferred",
      "failed",     "expired",   "cancelled",  "held",        "released",
      "retried",    "recovered", "suppressed", "delivered",   "bounced",
      "complained", "opened",    "clicked",    "unsubscribed"};
  return kinds;
}

std::string Event::natural_key() const {
  std::string key =
      id + '\t' + event + '\t' + std::to_string(attempt) + '\t' + provider;
  if (!recipient.empty()) key.append("\t").append(address_in_key(recipient));
  if (attempt > 0) return key;
  key += '\t' + format_time(ts);
  for (const RecipientOutcome& one : recipients) {
    key.append("\t").append(address_in_key(one.email));
  }
  return key;
}

void append_line(std::string& out, const Event& event) {
  JsonWriter line(out);
  line.field("ts", format_time(event.ts));
  line.field("event", event.event);
  line.field("id", event.id);
  write_text(line, "by", event.by);
  if (event.attempt > 0) line.field("attempt", std::int64_t{event.attempt});
  write_text(line, "provider", event.provider);
  if (event.outcome) line.field("outcome", to_text(*event.outcome));
  write_number(line, "latency_ms", event.latency_ms);
  write_number(line, "queue_ms", event.queue_ms);
  write_text(line, "provider_id", event.provider_id);
  if (event.status != 0) line.field("status", std::int64_t{event.status});
  write_text(line, "error", event.error);
  write_recipients(line, event.recipients);
  write_text(line, "recipient", event.recipient);
  write_list(line, "reduced", event.reduced);
  if (event.next_at) line.field("next_at", format_time(*event.next_at));
  write_text(line, "reason", event.reason);
  write_text(line, "template", event.template_id);
  write_text(line, "lang", event.lang);
  write_text(line, "pool", event.pool);
  write_list(line, "tags", event.tags);
  write_text(line, "domain", event.domain);
  line.end();
  out += '\n';
}

Result<Event> event_from(const Json& json) {
  if (!json.is_object()) return no_event("it is no object");
  Event event;
  event.event = text_in(json, "event");
  if (event.event.empty()) return no_event("it has no 'event'");
  event.id = text_in(json, "id");
  if (event.id.empty()) return no_event("it has no 'id'");
  const auto ts = parse_time(json.text_of("ts"));
  if (!ts) return no_event("'ts': " + ts.error().what);
  event.ts = *ts;

  if (json.find("outcome") != nullptr) {
    const auto outcome = outcome_in(json);
    if (!outcome) return tl::unexpected<Error>(outcome.error());
    event.outcome = *outcome;
  }
  auto recipients = recipients_in(json);
  if (!recipients) return tl::unexpected<Error>(recipients.error());
  event.recipients = std::move(*recipients);
  if (json.find("next_at") != nullptr) {
    const auto next_at = parse_time(json.text_of("next_at"));
    if (!next_at) return no_event("'next_at': " + next_at.error().what);
    event.next_at = *next_at;
  }

  event.by = text_in(json, "by");
  event.attempt = static_cast<int>(json.number_of("attempt"));
  event.provider = text_in(json, "provider");
  event.latency_ms = number_in(json, "latency_ms");
  event.queue_ms = number_in(json, "queue_ms");
  event.provider_id = text_in(json, "provider_id");
  event.status = static_cast<int>(json.number_of("status"));
  event.error = text_in(json, "error");
  event.recipient = text_in(json, "recipient");
  event.reduced = list_in(json, "reduced");
  event.reason = text_in(json, "reason");
  event.template_id = text_in(json, "template");
  event.lang = text_in(json, "lang");
  event.pool = text_in(json, "pool");
  event.tags = list_in(json, "tags");
  event.domain = text_in(json, "domain");
  return event;
}

Result<Event> parse_event(std::string_view line) {
  const auto json = parse_json(line);
  if (!json) return tl::unexpected<Error>(json.error());
  return event_from(*json);
}

}  // namespace pony
