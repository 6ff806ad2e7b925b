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

}  // namespace

std::string_view beginning_of(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && is_continuation(text[size])) --size;
  return text.substr(0, size);
}

std::string_view why_of(const Event& event) {
  return event.reason.empty() ? event.error : event.reason;
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
