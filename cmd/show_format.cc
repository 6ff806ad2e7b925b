#include "cmd/show_format.h"

#include <algorithm>

#include "cmd/event_words.h"
#include "cmd/queue_format.h"
#include "core/json.h"
#include "core/words.h"

namespace pony {
namespace {

// Recipients are many at times; a line of them says enough, --json the rest.
constexpr std::size_t k_addresses_shown = 20;

std::size_t decoded_size(std::string_view base64) {
  const auto padding = static_cast<std::size_t>(
      std::count(base64.end() - std::min<std::ptrdiff_t>(std::ssize(base64), 2),
                 base64.end(), '='));
  return base64.size() / 4 * 3 - padding;
}

void add_fact(std::string& text, std::string_view name,
              const std::string& value) {
  if (value.empty()) return;
  std::string label(name);
  label.resize(12, ' ');
  text += "  " + label + value + "\n";
}

std::string addresses(const std::vector<Address>& list) {
  std::vector<std::string> words;
  for (const auto& one : list) words.push_back(printable(to_text(one)));
  return joined_in_short(words, k_addresses_shown);
}

std::string list_text(const std::vector<std::string>& values) {
  std::vector<std::string> words;
  for (const auto& value : values) words.push_back(printable(value));
  return joined(words);
}

std::string attachments(const std::vector<Attachment>& list) {
  std::string text;
  for (const auto& one : list)
    text += (text.empty() ? "" : ", ") + printable(one.filename) + " (" +
            printable(one.content_type) + ", " +
            std::to_string(decoded_size(one.content)) + " bytes" +
            (one.cid.empty() ? "" : ", inline") + ")";
  return text;
}

std::string moment(Time time, Time now) {
  const Milliseconds ago = now - time;
  return format_time(time) + (ago.count() >= 0
                                  ? " (" + format_age(ago) + " ago)"
                                  : " (in " + format_age(-ago) + ")");
}

std::string sender(const std::optional<Address>& from) {
  if (!from) return {};
  return from->email.empty() ? "<>" : printable(to_text(*from));
}

// "deferred after 3 tries: main: 503 …".
std::string state_words(const Shown& shown) {
  const Listed& listed = shown.listed;
  std::string text(to_text(listed.state));
  const int attempts = listed.file ? listed.file->history.attempts : 0;
  if (attempts > 0)
    text += " after " +
            counted(static_cast<std::uint64_t>(attempts), "try", "tries");
  const std::string why = last_error_of(listed);
  if (!why.empty()) text += ": " + printable(why);
  return text;
}

void add_message(std::string& text, const Shown& shown, Time now) {
  const MessageFile& file = *shown.listed.file;
  const Message& message = file.message;
  add_fact(text, "from", sender(shown.listed.sender));
  add_fact(text, "to", addresses(message.to));
  add_fact(text, "cc", addresses(message.cc));
  add_fact(text, "bcc", addresses(message.bcc));
  add_fact(text, "reply to",
           message.reply_to ? printable(to_text(*message.reply_to)) : "");
  add_fact(text, "subject", printable(shown.subject));
  add_fact(text, "template",
           message.template_id +
               (message.lang.empty() ? "" : " (" + message.lang + ")"));
  add_fact(text, "attachments", attachments(message.attachments));
  if (!message.raw.empty())
    add_fact(
        text, "finished",
        "RFC 5322, " + std::to_string(decoded_size(message.raw)) + " bytes");
  add_fact(text, "tags", list_text(message.tags));
  add_fact(text, "priority", std::string(to_text(message.priority)));
  add_fact(text, "pool", printable(message.pool));
  add_fact(text, "key", printable(message.idempotency_key));
  if (message.send_at) add_fact(text, "send at", moment(*message.send_at, now));
  if (message.expires_at)
    add_fact(text, "expires at", moment(*message.expires_at, now));
  if (file.history.next_at && shown.listed.state == State::deferred)
    add_fact(text, "next try", moment(*file.history.next_at, now));
  if (file.unreadable_lines > 0)
    add_fact(text, "unreadable",
             std::to_string(file.unreadable_lines) +
                 " lines of its file (a crash while writing?)");
}

Json json_of_message(const Message& message, Contents contents) {
  Json json = to_json(message);
  if (contents == Contents::whole) return json;
  for (auto& member : json.members) {
    if (member.key == "raw") {
      const auto size = static_cast<std::int64_t>(decoded_size(message.raw));
      member = {"raw_size", Json::number(size)};
    }
    if (member.key != "attachments") continue;
    for (auto& attachment : member.value.items) {
      const auto size = decoded_size(attachment.text_of("content"));
      std::erase_if(attachment.members,
                    [](const JsonMember& one) { return one.key == "content"; });
      attachment.set("size", Json::number(static_cast<std::int64_t>(size)));
    }
  }
  return json;
}

std::string events_json(const std::vector<Event>& events) {
  std::string list;
  for (const auto& event : events) {
    append_line(list, event);
    list.back() = ',';
  }
  if (!list.empty()) list.pop_back();
  return "[" + list + "]";
}

// The last answer of a provider, with its own id for the message.
const Event* last_answer(const std::vector<Event>& events) {
  for (auto event = events.rbegin(); event != events.rend(); ++event)
    if (event->event == "attempted") return &*event;
  return nullptr;
}

void add_result(JsonWriter& line, const std::vector<Event>& events) {
  const Event* answer = last_answer(events);
  if (answer == nullptr) {
    line.null("result");
    return;
  }
  std::string json;
  append_line(json, *answer);
  json.pop_back();
  line.raw("result", json);
}

std::string emails(const Message& message) {
  std::string text;
  for (const auto& address : message.recipients())
    text += (text.empty() ? "" : ", ") + address.email;
  return text;
}

}  // namespace

std::string show_text(const Shown& shown, Time now) {
  const Listed& listed = shown.listed;
  std::string text = listed.id + "\n";
  add_fact(text, "state", state_words(shown));
  add_fact(text, "created", moment(listed.arrived, now));
  if (listed.file) add_message(text, shown, now);
  add_fact(text, "size", std::to_string(listed.size_bytes) + " bytes");
  add_fact(text, "file", printable(listed.folder + "/" + listed.name));
  if (!shown.events.empty()) text += "\n";
  for (const auto& event : shown.events) text += "  " + story_line(event);
  return text;
}

std::string show_json(const Shown& shown, Contents contents) {
  const Listed& listed = shown.listed;
  std::string out;
  JsonWriter line(out);
  line.field("id", listed.id);
  line.field("state", to_text(listed.state));
  line.field("folder", listed.folder);
  line.field("file", listed.folder + "/" + listed.name);
  line.field("size", static_cast<std::int64_t>(listed.size_bytes));
  line.field("accepted_at", format_time(listed.arrived));
  line.field("reason", last_error_of(listed));
  if (listed.file) {
    line.raw("message",
             to_text(json_of_message(listed.file->message, contents)));
  } else {
    line.null("message");
  }
  line.raw("events", events_json(shown.events));
  line.field("status", to_text(listed.state));
  line.field("created_at", format_time(listed.arrived));
  line.field("updated_at",
             format_time(shown.events.empty() ? listed.arrived
                                              : shown.events.back().ts));
  const Message none;
  const Message& message = listed.file ? listed.file->message : none;
  line.field("from_address", listed.sender ? listed.sender->email : "");
  line.field("to_address", emails(message));
  line.field("subject", shown.subject);
  add_result(line, shown.events);
  line.end();
  return out + "\n";
}

}  // namespace pony
