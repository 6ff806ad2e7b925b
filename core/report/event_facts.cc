// An event's facts, the slow and certain way; see event_facts.h.
#include "core/report/event_facts.h"

#include <algorithm>
#include <optional>

#include "core/outcome.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pony {
namespace {

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

std::uint64_t hash_of(std::string_view text) {
  return XXH3_64bits(text.data(), text.size());
}

std::optional<std::int64_t> time_of(const Event& event) {
  if (event.event == "sent") return event.queue_ms;
  if (event.event == "attempted") return event.latency_ms;
  return std::nullopt;
}

// What stands around an address in a sentence.
constexpr std::string_view k_before_address = "<([\"'";
constexpr std::string_view k_after_address = ">)]\"',;:.";

// Where in `word` an address is: "<ann@example.com>:" has one. Empty: none.
std::string_view address_in(std::string_view word) {
  const auto begin = word.find_first_not_of(k_before_address);
  if (begin == std::string_view::npos) return {};
  const auto end = word.find_last_not_of(k_after_address) + 1;
  if (end <= begin) return {};
  const auto address = word.substr(begin, end - begin);
  const auto at = address.find('@');
  const bool is_one =
      at != std::string_view::npos && at > 0 && at + 1 < address.size();
  return is_one ? address : std::string_view();
}

// Does a part of a sentence begin behind `text`?
bool ends_part(std::string_view text) {
  return text.empty() || text.ends_with(": ") || text.ends_with("; ") ||
         text.ends_with(", ");
}

// A word of a reason, without the address that may be in it.
void append_nameless(std::string& out, std::string_view word) {
  const auto address = address_in(word);
  if (address.empty()) {
    out += word;
    return;
  }
  const auto begin = static_cast<std::size_t>(address.data() - word.data());
  out += word.substr(0, begin);
  out += "…";
  out += word.substr(begin + address.size());
}

std::string without_addresses(std::string_view why) {
  std::string out;
  while (!why.empty()) {
    const auto space = why.find(' ');
    const auto word = why.substr(0, space);
    const bool is_last = space == std::string_view::npos;
    why.remove_prefix(is_last ? why.size() : space + 1);
    if (ends_part(out) && !is_last && !address_in(word).empty()) continue;
    append_nameless(out, word);
    if (!is_last) out += ' ';
  }
  return out;
}

}  // namespace

std::string_view beginning_of(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && is_continuation(text[size])) --size;
  return text.substr(0, size);
}

std::string_view why_of(const Event& event) {
  return event.reason.empty() ? event.error : event.reason;
}

std::string reason_key(std::string_view why) {
  const std::string text =
      without_addresses(beginning_of(why, k_kept_reason_bytes));
  const auto beginning = beginning_of(text, k_reason_bytes);
  std::string key(beginning);
  if (beginning.size() < text.size()) key += "…";
  return key;
}

std::uint32_t kept_time(std::int64_t milliseconds) {
  constexpr std::int64_t k_longest = k_no_time - 1;
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(milliseconds, 0, k_longest));
}

EventFacts facts_of(const Event& event) {
  EventFacts facts;
  facts.ts = event.ts.time_since_epoch().count();
  facts.key = hash_of(event.natural_key());
  facts.message = hash_of(event.id);
  if (const auto time = time_of(event)) facts.time = kept_time(*time);
  facts.event = event.event;
  if (event.outcome) facts.outcome = to_text(*event.outcome);
  facts.template_id = event.template_id;
  facts.provider = event.provider;
  facts.pool = event.pool;
  facts.lang = event.lang;
  facts.domain = event.domain;
  facts.why = beginning_of(why_of(event), k_kept_reason_bytes);
  facts.tags.assign(event.tags.begin(), event.tags.end());
  return facts;
}

}  // namespace pony
