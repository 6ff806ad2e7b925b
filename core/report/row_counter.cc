// Rows found by number and counted; see row_counter.h.
#include "core/report/row_counter.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "core/outcome.h"

namespace pony {
namespace {

constexpr std::int64_t k_hour_ms = 3'600'000;
constexpr std::int64_t k_day_ms = 24 * k_hour_ms;
constexpr std::uint32_t k_total = 0xFFFFFFFF;

std::int64_t floor_divided(std::int64_t value, std::int64_t by) {
  const std::int64_t quotient = value / by;
  return quotient * by > value ? quotient - 1 : quotient;
}

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t hash = (a ^ (b * 0x9E3779B97F4A7C15U)) * 0xD6E8FEB86659FD93U;
  hash ^= hash >> 32;
  return hash;
}

// The tag's texts, each once; one empty text when there are none.
std::vector<std::string> tags_of(const BlockNames& names,
                                 const BlockNames::Label& label) {
  std::vector<std::string> tags;
  for (std::uint32_t i = 0; i < label.tags; ++i)
    tags.push_back(names.strings[names.tags[label.first_tag + i]]);
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  if (tags.empty()) tags.emplace_back();
  return tags;
}

const std::string& text_of(const BlockNames& names,
                           const BlockNames::Label& label, TallyBy by) {
  switch (by) {
    case TallyBy::template_id:
      return names.strings[label.template_id];
    case TallyBy::provider:
      return names.strings[label.provider];
    case TallyBy::pool:
      return names.strings[label.pool];
    case TallyBy::lang:
      return names.strings[label.lang];
    default:
      return names.strings[label.event];
  }
}

}  // namespace

std::uint32_t RowCounter::Parts::number_of(Key key) {
  const auto [place, is_new] = numbers.try_emplace(
      std::move(key), static_cast<std::uint32_t>(keys.size()));
  if (is_new) keys.push_back(&place->first);
  return place->second;
}

RowCounter::RowCounter(Tally& tally) : tally_(tally) {
  for (const TallyBy by : tally.by()) {
    switch (by) {
      case TallyBy::day:
        if (time_unit_ == 0) time_unit_ = k_day_ms;
        break;
      case TallyBy::hour:
        time_unit_ = k_hour_ms;
        break;
      case TallyBy::domain:
      case TallyBy::reason:
        detail_keys_.push_back(by);
        break;
      default:
        label_keys_.push_back(by);
    }
  }
}

bool RowCounter::needs_time() const {
  return tally_.of() == TallyOf::messages || tally_.of() == TallyOf::attempts;
}

void RowCounter::begin_block(const EventBlock& block) {
  block_ = &block;
  labels_.clear();
  parts_.clear();
  for (const auto& label : block.names.labels) use_label(block.names, label);
  details_.clear();
  if (!needs_detail()) return;
  const auto& strings = block.names.strings;
  for (const auto& detail : block.names.details) {
    Key key;
    for (const TallyBy by : detail_keys_)
      key.emplace_back(by == TallyBy::domain ? strings[detail.domain]
                                             : reason_key(strings[detail.why]));
    details_.push_back(detail_parts_.number_of(std::move(key)));
  }
}

void RowCounter::use_label(const BlockNames& names,
                           const BlockNames::Label& label) {
  LabelUse use;
  use.kind = event_kind(names.strings[label.event]);
  // An attempt whose outcome cannot be read may have delivered the message.
  use.outcome = static_cast<std::uint8_t>(
      outcome_from(names.strings[label.outcome]).value_or(Outcome::unknown));
  use.counted = is_counted(use.kind, tally_.of());
  use.first_part = static_cast<std::uint32_t>(parts_.size());
  if (use.counted) {
    std::vector<Key> keys = {{}};
    for (const TallyBy by : label_keys_) {
      const std::vector<std::string> values =
          by == TallyBy::tag ? tags_of(names, label)
                             : std::vector{text_of(names, label, by)};
      std::vector<Key> longer;
      for (const Key& key : keys) {
        for (const std::string& value : values) {
          longer.push_back(key);
          longer.back().push_back(value);
        }
      }
      keys = std::move(longer);
    }
    for (Key& key : keys)
      parts_.push_back(label_parts_.number_of(std::move(key)));
  }
  use.parts = static_cast<std::uint32_t>(parts_.size()) - use.first_part;
  labels_.push_back(use);
}

std::int32_t RowCounter::time_part(std::size_t place) const {
  if (time_unit_ == 0) return 0;
  const std::int64_t ts = block_->base_ts + block_->ts[place];
  return static_cast<std::int32_t>(floor_divided(ts, time_unit_));
}

std::uint32_t RowCounter::row_of(std::uint32_t label_part,
                                 std::uint32_t detail_part,
                                 std::int32_t time_part) {
  if (2 * (rows_.size() + 1) > slots_.size()) grow_slots();
  const std::size_t mask = slots_.size() - 1;
  const auto time = static_cast<std::uint32_t>(time_part);
  std::size_t at = mixed(mixed(label_part, detail_part), time) & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    const Row& row = rows_[slots_[at] - 1];
    if (row.label_part == label_part && row.detail_part == detail_part &&
        row.time_part == time_part)
      return slots_[at] - 1;
  }
  rows_.emplace_back();
  rows_.back().label_part = label_part;
  rows_.back().detail_part = detail_part;
  rows_.back().time_part = time_part;
  slots_[at] = static_cast<std::uint32_t>(rows_.size());
  return slots_[at] - 1;
}

void RowCounter::grow_slots() {
  constexpr std::size_t k_least = 256;
  slots_.assign(std::max(k_least, 2 * slots_.size()), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    const auto time = static_cast<std::uint32_t>(row.time_part);
    std::size_t at = mixed(mixed(row.label_part, row.detail_part), time) & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

void RowCounter::add(std::size_t place, Fate fate) {
  const LabelUse& use = labels_[block_->label[place]];
  if (!use.counted) return;
  if (fate == Fate::superseded && tally_.of() == TallyOf::messages) return;
  const std::uint32_t detail =
      needs_detail() ? details_[block_->detail[place]] : 0;
  const std::int32_t time = time_part(place);
  for (std::uint32_t i = 0; i < use.parts; ++i) {
    const std::uint32_t row = row_of(parts_[use.first_part + i], detail, time);
    count(rows_[row], row, use, place);
  }
  count(total_, k_total, use, place);
}

void RowCounter::count(Row& row, std::uint32_t number, const LabelUse& use,
                       std::size_t place) {
  const TallyOf of = tally_.of();
  TallyRow& counts = row.counts;
  if (of == TallyOf::events || of == TallyOf::reasons) ++counts.events;
  if (of == TallyOf::events) return;
  if (of != TallyOf::attempts) count_state(counts, use.kind);
  const std::uint32_t time = needs_time() ? block_->time[place] : k_no_time;
  if (use.kind == EventKind::attempted) {
    ++counts.attempts;
    ++row.outcomes[use.outcome];
    // Of messages each once, however many of its attempts ended so.
    if (use.outcome == static_cast<std::uint8_t>(Outcome::unknown) &&
        (of != TallyOf::messages ||
         unknown_.insert(mixed(block_->message[place], number)).second))
      ++counts.unknown;
    if (time != k_no_time) counts.provider_ms.add(time);
  }
  if (use.kind == EventKind::sent && time != k_no_time)
    counts.queue_ms.add(time);
}

RowCounter::Key RowCounter::key_of(const Row& row) const {
  const Key& of_label = *label_parts_.keys[row.label_part];
  const Time time{Milliseconds(row.time_part * time_unit_)};
  std::size_t label_at = 0;
  std::size_t detail_at = 0;
  Key key;
  for (const TallyBy by : tally_.by()) {
    if (by == TallyBy::day) {
      key.push_back(format_day(time));
    } else if (by == TallyBy::hour) {
      key.push_back(hour_text(time));
    } else if (by == TallyBy::domain || by == TallyBy::reason) {
      key.push_back((*detail_parts_.keys[row.detail_part])[detail_at++]);
    } else {
      key.push_back(of_label[label_at++]);
    }
  }
  return key;
}

void RowCounter::finish() {
  const auto with_outcomes = [this](Row& row) -> const TallyRow& {
    if (tally_.of() != TallyOf::attempts) return row.counts;
    for (std::size_t i = 0; i < row.outcomes.size(); ++i) {
      if (row.outcomes[i] > 0)
        row.counts.outcomes[std::string(to_text(static_cast<Outcome>(i)))] =
            row.outcomes[i];
    }
    return row.counts;
  };
  for (Row& row : rows_) tally_.add_row(key_of(row), with_outcomes(row));
  tally_.add_total(with_outcomes(total_));
}

}  // namespace pony
