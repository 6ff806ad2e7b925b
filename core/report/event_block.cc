// Lines into columns; see event_block.h. Nearly every line has a label and a
// detail that were there before, told by a hash of its bytes: then nothing of
// it becomes a string.
#include "core/report/event_block.h"

#include <algorithm>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pony {
namespace {

std::uint64_t hash_on(std::uint64_t before, std::string_view text) {
  return XXH3_64bits_withSeed(text.data(), text.size(), before);
}

// The offsets of a block's times: its first event is in their middle.
constexpr std::int64_t k_before_first = std::int64_t{1} << 31;
constexpr std::int64_t k_ts_range = std::int64_t{1} << 32;

void append_number(std::string& key, std::uint32_t number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

const std::uint16_t* BlockBuilder::Seen::find(std::uint64_t hash) const {
  if (slots_.empty()) return nullptr;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].used; at = (at + 1) & mask) {
    if (slots_[at].hash == hash) return &slots_[at].number;
  }
  return nullptr;
}

void BlockBuilder::Seen::insert(std::uint64_t hash, std::uint16_t number) {
  constexpr std::size_t k_least = 1024;
  if (2 * (used_ + 1) > slots_.size()) {
    std::vector<Slot> old(std::max(k_least, 2 * slots_.size()));
    old.swap(slots_);
    used_ = 0;
    for (const Slot& slot : old)
      if (slot.used) insert(slot.hash, slot.number);
  }
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].used) at = (at + 1) & mask;
  slots_[at] = {hash, number, true};
  ++used_;
}

void BlockBuilder::Seen::clear() {
  slots_.clear();
  used_ = 0;
}

BlockBuilder::Added BlockBuilder::add(std::string_view line) {
  ScannedLine scanned;
  if (!scanner_.scan(line, scanned)) return add_slowly(line);
  if (!has_room(scanned.ts)) {
    // Full is told of events only; the rare line that looks like one until its
    // traits are read is not.
    if (!EventScanner::scan_traits(scanned.traits, traits_))
      return add_slowly(line);
    return Added::full;
  }
  std::uint16_t label = 0;
  if (!find_label(scanned, label)) return add_slowly(line);
  append(scanned.ts, scanned.key, scanned.message, scanned.time, label,
         find_detail(scanned));
  return Added::yes;
}

BlockBuilder::Added BlockBuilder::add_slowly(std::string_view line) {
  const auto event = parse_event(line);
  if (!event) return Added::unreadable;
  const EventFacts facts = facts_of(*event);
  if (!has_room(facts.ts)) return Added::full;
  append(facts.ts, facts.key, facts.message, facts.time, label_of(facts),
         detail_of(facts.domain, facts.why));
  return Added::yes;
}

bool BlockBuilder::has_room(std::int64_t ts) {
  if (block_.size() == 0) {
    block_.base_ts = ts - k_before_first;
    block_.first_ts = block_.last_ts = ts;
    return true;
  }
  const std::int64_t since_base = ts - block_.base_ts;
  return block_.size() < k_block_events && text_ < k_block_text &&
         since_base >= 0 && since_base < k_ts_range;
}

// False when the traits are not what scan_traits() knows.
bool BlockBuilder::find_label(const ScannedLine& scanned,
                              std::uint16_t& label) {
  std::uint64_t hash = hash_on(0, scanned.event);
  hash = hash_on(hash, scanned.provider);
  hash = hash_on(hash, scanned.outcome);
  hash = hash_on(hash, scanned.traits);
  if (const std::uint16_t* number = seen_labels_.find(hash)) {
    label = *number;
    return true;
  }
  if (!EventScanner::scan_traits(scanned.traits, traits_)) return false;
  EventFacts facts;
  facts.event = scanned.event;
  facts.outcome = scanned.outcome;
  facts.provider = scanned.provider;
  facts.template_id = traits_.template_id;
  facts.lang = traits_.lang;
  facts.pool = traits_.pool;
  facts.tags = traits_.tags;
  label = label_of(facts);
  seen_labels_.insert(hash, label);
  return true;
}

std::uint16_t BlockBuilder::find_detail(const ScannedLine& scanned) {
  const std::uint64_t hash = hash_on(hash_on(0, scanned.domain), scanned.why);
  if (const std::uint16_t* number = seen_details_.find(hash)) return *number;
  const std::uint16_t detail = detail_of(scanned.domain, scanned.why);
  seen_details_.insert(hash, detail);
  return detail;
}

void BlockBuilder::append(std::int64_t ts, std::uint64_t key,
                          std::uint64_t message, std::uint32_t time,
                          std::uint16_t label, std::uint16_t detail) {
  block_.key.push_back(key);
  block_.message.push_back(message);
  block_.ts.push_back(static_cast<std::uint32_t>(ts - block_.base_ts));
  block_.time.push_back(time);
  block_.label.push_back(label);
  block_.detail.push_back(detail);
  block_.first_ts = std::min(block_.first_ts, ts);
  block_.last_ts = std::max(block_.last_ts, ts);
  if (label_is_retried_[label] != 0) ++block_.retried;
}

std::uint32_t BlockBuilder::number_of(std::string_view text) {
  const auto [place, is_new] = strings_.try_emplace(
      std::string(text),
      static_cast<std::uint32_t>(block_.names.strings.size()));
  if (is_new) {
    block_.names.strings.emplace_back(text);
    text_ += text.size();
  }
  return place->second;
}

std::uint16_t BlockBuilder::label_of(const EventFacts& facts) {
  BlockNames& names = block_.names;
  std::string key;
  for (const std::string_view text :
       {facts.event, facts.outcome, facts.template_id, facts.provider,
        facts.pool, facts.lang})
    append_number(key, number_of(text));
  for (const std::string_view tag : facts.tags)
    append_number(key, number_of(tag));
  const auto [place, is_new] = labels_.try_emplace(
      std::move(key), static_cast<std::uint32_t>(names.labels.size()));
  if (!is_new) return static_cast<std::uint16_t>(place->second);

  const auto first_tag = static_cast<std::uint32_t>(names.tags.size());
  for (const std::string_view tag : facts.tags)
    names.tags.push_back(number_of(tag));
  names.labels.push_back({number_of(facts.event), number_of(facts.outcome),
                          number_of(facts.template_id),
                          number_of(facts.provider), number_of(facts.pool),
                          number_of(facts.lang), first_tag,
                          static_cast<std::uint32_t>(facts.tags.size())});
  label_is_retried_.push_back(facts.event == "retried" ? 1 : 0);
  return static_cast<std::uint16_t>(place->second);
}

std::uint16_t BlockBuilder::detail_of(std::string_view domain,
                                      std::string_view why) {
  BlockNames& names = block_.names;
  std::string key;
  append_number(key, number_of(domain));
  append_number(key, number_of(why));
  const auto [place, is_new] = details_.try_emplace(
      std::move(key), static_cast<std::uint32_t>(names.details.size()));
  if (is_new) names.details.push_back({number_of(domain), number_of(why)});
  return static_cast<std::uint16_t>(place->second);
}

EventBlock BlockBuilder::take() {
  text_ = 0;
  strings_.clear();
  labels_.clear();
  details_.clear();
  label_is_retried_.clear();
  seen_labels_.clear();
  seen_details_.clear();
  return std::exchange(block_, EventBlock());
}

}  // namespace pony
