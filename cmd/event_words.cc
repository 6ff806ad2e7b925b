#include "cmd/event_words.h"

#include <string_view>

#include "core/json.h"
#include "core/words.h"

namespace pony {
namespace {

constexpr std::size_t k_event_columns = 10;

std::string head_of(const Event& event) {
  std::string name = printable(event.event, 40);
  name.resize(std::max(name.size(), k_event_columns), ' ');
  return format_time(event.ts) + "  " + name;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

// Appends " key=value"; quoted when it would not be one word.
void add_pair(std::string& line, std::string_view key,
              const std::string& value) {
  if (value.empty()) return;
  const std::string shown = printable(value);
  const bool one_word = shown.find_first_of(" \"=") == std::string::npos;
  line.append(" ").append(key).append("=");
  line.append(one_word ? shown : quoted(shown));
}

void add_pair(std::string& line, std::string_view key,
              const std::optional<std::int64_t>& value) {
  if (value) add_pair(line, key, std::to_string(*value));
}

std::string outcome_words(Outcome outcome) {
  switch (outcome) {
    case Outcome::unknown:
      return "unknown: the message may have been delivered";
    default:
      return std::string(to_text(outcome));
  }
}

// "main, try 1", "main", "try 1" or nothing.
std::string who(const Event& event) {
  std::string text = printable(event.provider, 100);
  if (event.attempt > 0)
    text += (text.empty() ? "try " : ", try ") + std::to_string(event.attempt);
  return text;
}

// What happened, as a list of facts.
std::vector<std::string> facts_of(const Event& event) {
  std::vector<std::string> facts;
  if (!event.recipient.empty()) facts.push_back(printable(event.recipient));
  if (event.outcome) {
    std::string outcome = outcome_words(*event.outcome);
    if (event.status != 0) outcome += " (" + std::to_string(event.status) + ")";
    facts.push_back(std::move(outcome));
  }
  if (!event.error.empty()) facts.push_back(printable(event.error));
  if (!event.reason.empty()) facts.push_back(printable(event.reason));
  for (const auto& one : event.recipients)
    facts.push_back(
        printable(one.email) + " " + std::string(to_text(one.outcome)) +
        (one.error.empty() ? "" : " (" + printable(one.error) + ")"));
  if (!event.reduced.empty())
    facts.push_back("not carried: " + printable(joined(event.reduced, ",")));
  if (event.next_at)
    facts.push_back(
        (event.event == "queued" ? "to be sent at " : "next try at ") +
        format_time(*event.next_at));
  // A `sent` event repeats what the attempt before it has said.
  if (event.outcome && !event.provider_id.empty())
    facts.push_back("known there as " + printable(event.provider_id));
  if (event.outcome && event.latency_ms)
    facts.push_back("took " + std::to_string(*event.latency_ms) + " ms");
  if (event.queue_ms && event.event == "sent")
    facts.push_back(format_age(Milliseconds(*event.queue_ms)) +
                    " after it was accepted");
  return facts;
}

}  // namespace

std::string log_line(const Event& event) {
  std::string line = head_of(event) + "  " + printable(event.id, 40) + " ";
  add_pair(line, "provider", event.provider);
  if (event.attempt > 0)
    add_pair(line, "attempt", std::to_string(event.attempt));
  add_pair(line, "latency_ms", event.latency_ms);
  add_pair(line, "queue_ms", event.queue_ms);
  add_pair(line, "provider_id", event.provider_id);
  add_pair(line, "template", event.template_id);
  add_pair(line, "lang", event.lang);
  add_pair(line, "pool", event.pool);
  add_pair(line, "tags", joined(event.tags, ","));
  add_pair(line, "domain", event.domain);
  if (event.next_at) add_pair(line, "next_at", format_time(*event.next_at));
  add_pair(line, "reduced", joined(event.reduced, ","));
  if (event.status != 0) add_pair(line, "status", std::to_string(event.status));
  if (event.outcome)
    add_pair(line, "outcome", std::string(to_text(*event.outcome)));
  for (const auto& one : event.recipients)
    add_pair(line, std::string(to_text(one.outcome)), one.email);
  add_pair(line, "recipient", event.recipient);
  add_pair(line, "error", event.error);
  add_pair(line, "reason", event.reason);
  while (line.ends_with(' ')) line.pop_back();
  return line + "\n";
}

std::string story_line(const Event& event) {
  std::string line = head_of(event);
  const std::string by = who(event);
  if (!by.empty()) line += "  " + by;
  std::string separator = by.empty() ? "  " : ": ";
  for (const auto& fact : facts_of(event)) {
    line += separator + fact;
    separator = "; ";
  }
  while (line.ends_with(' ')) line.pop_back();
  return line + "\n";
}

std::string cut_off_words(const std::string& name) {
  return "'log/" + printable(name) +
         "' is cut off or damaged: what it still has is read";
}

}  // namespace pony
