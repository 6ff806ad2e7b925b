// Counting over blocks; see count.h. Sources are opened, which brings their
// digests up to date; the messages that were retried are collected, which are
// few; then all blocks are counted, in several passes when there are more
// events than may be told apart at a time: each pass has the messages of a
// part of all hashes.
#include "core/report/count.h"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/report/event_block.h"
#include "core/report/key_set.h"
#include "core/report/row_counter.h"
#include "core/report/source_blocks.h"

namespace pony {
namespace {

// When a message was retried last: the time, then the place among all events.
struct Moment {
  std::int64_t ts = 0;
  std::uint64_t place = 0;
  bool operator<(const Moment& other) const {
    return ts != other.ts ? ts < other.ts : place < other.place;
  }
};

// What a filter means for the labels and details of a block.
class BlockFilter {
 public:
  explicit BlockFilter(const EventFilter& filter) : filter_(filter) {
    constexpr std::int64_t k_far = INT64_MAX;
    first_ = filter.since ? filter.since->time_since_epoch().count() : -k_far;
    end_ = filter.until ? filter.until->time_since_epoch().count() : k_far;
  }

  bool asks_for_details() const {
    return !filter_.domains.empty() || !filter_.reasons.empty();
  }
  bool asks_for_times() const {
    return filter_.since.has_value() || filter_.until.has_value();
  }
  bool may_have(const SourceBlocks::Summary& block) const {
    return block.events > 0 && block.last_ts >= first_ && block.first_ts < end_;
  }
  bool has(std::int64_t ts) const { return ts >= first_ && ts < end_; }
  bool has_all(const EventBlock& block) const {
    return has(block.first_ts) && has(block.last_ts);
  }

  bool wants(const BlockNames& names, const BlockNames::Label& label) const {
    const auto& strings = names.strings;
    bool has_tag = filter_.tags.empty();
    for (std::uint32_t i = 0; i < label.tags && !has_tag; ++i)
      has_tag =
          is_any_of(strings[names.tags[label.first_tag + i]], filter_.tags);
    return has_tag && is_any_of(strings[label.event], filter_.events) &&
           is_any_of(strings[label.template_id], filter_.templates) &&
           is_any_of(strings[label.provider], filter_.providers) &&
           is_any_of(strings[label.pool], filter_.pools) &&
           is_any_of(strings[label.lang], filter_.langs);
  }
  bool wants(const BlockNames& names, const BlockNames::Detail& detail) const {
    return is_any_of(names.strings[detail.domain], filter_.domains) &&
           has_any_part(names.strings[detail.why], filter_.reasons);
  }

 private:
  const EventFilter& filter_;
  std::int64_t first_ = 0;
  std::int64_t end_ = 0;
};

class Count {
 public:
  Count(const CountSources& sources, const EventFilter& filter,
        std::span<Tally* const> tallies)
      : sources_(sources), filter_(filter) {
    for (Tally* tally : tallies) {
      counters_.emplace_back(*tally);
      counts_messages_ |= tally->of() == TallyOf::messages;
    }
  }

  // False: a digest was damaged and has to be read anew.
  Result<bool> run() {
    if (auto opened = open_all(); !opened)
      return tl::unexpected(opened.error());
    if (counts_messages_) {
      auto found = find_retried();
      if (!found || !*found) return found;
    }
    passes_ = 1 + asked_for_ / std::max<std::size_t>(sources_.told_apart, 1);
    for (pass_ = 0; pass_ < passes_; ++pass_) {
      seen_ = std::make_unique<KeySet>(asked_for_ / passes_);
      for (RowCounter& counter : counters_) counter.other_messages();
      auto counted = count_pass();
      if (!counted || !*counted) return counted;
    }
    for (RowCounter& counter : counters_) counter.finish();
    return true;
  }

  CountSummary& summary() { return summary_; }

 private:
  Result<> open_all() {
    std::size_t room = sources_.kept_events;
    for (const CountSource& file : sources_.files) {
      auto opened = SourceBlocks::open(sources_, file, room);
      if (!opened) return tl::unexpected(opened.error());
      if (!*opened) continue;
      add_up(file, (*opened)->total());
      blocks_.push_back(std::move(**opened));
    }
    return {};
  }

  void add_up(const CountSource& file, const SourceBlocks::Total& total) {
    ++summary_.files;
    summary_.lines += total.lines;
    summary_.unreadable += total.unreadable;
    if (total.cut_off) summary_.cut_off.push_back(file.name);
    if (total.events == 0) return;
    const Time first{Milliseconds(total.first_ts)};
    const Time last{Milliseconds(total.last_ts)};
    summary_.first = std::min(summary_.first.value_or(first), first);
    summary_.last = std::max(summary_.last.value_or(last), last);
    if (filter_.may_have({total.events, 0, total.first_ts, total.last_ts}))
      asked_for_ += total.events;
  }

  // Calls `each` with the blocks that `wanted` wants and the place of their
  // first event among all.
  Result<bool> visit(
      const std::vector<BlockPart>& parts,
      const std::function<bool(const SourceBlocks::Summary&)>& wanted,
      const std::function<void(const EventBlock&, std::uint64_t)>& each) {
    std::uint64_t next = 0;
    std::uint64_t place = 0;
    for (SourceBlocks& source : blocks_) {
      auto visited = source.visit(
          parts,
          [&](const SourceBlocks::Summary& block) {
            place = next;
            next += block.events;
            return wanted(block);
          },
          [&](const EventBlock& block) { each(block, place); });
      if (!visited || !*visited) return visited;
    }
    return true;
  }

  Result<bool> find_retried() {
    return visit(
        {BlockPart::names, BlockPart::message, BlockPart::ts, BlockPart::label},
        [this](const SourceBlocks::Summary& block) {
          return block.retried > 0 && filter_.may_have(block);
        },
        [this](const EventBlock& block, std::uint64_t place) {
          note_retried(block, place);
        });
  }

  void note_retried(const EventBlock& block, std::uint64_t place) {
    const BlockNames& names = block.names;
    for (std::size_t i = 0; i < block.label.size(); ++i) {
      const auto& label = names.labels[block.label[i]];
      if (event_kind(names.strings[label.event]) != EventKind::retried)
        continue;
      const Moment moment{block.base_ts + block.ts[i], place + i};
      if (!filter_.has(moment.ts)) continue;
      Moment& last =
          retried_.try_emplace(block.message[i], moment).first->second;
      last = std::max(last, moment);
    }
  }

  std::vector<BlockPart> parts_to_read() const {
    const auto any_needs = [this](bool (RowCounter::*needs)() const) {
      return std::any_of(
          counters_.begin(), counters_.end(),
          [needs](const RowCounter& counter) { return (counter.*needs)(); });
    };
    std::vector<BlockPart> parts = {BlockPart::names, BlockPart::key,
                                    BlockPart::label};
    if (counts_messages_ || passes_ > 1) parts.push_back(BlockPart::message);
    if (any_needs(&RowCounter::needs_ts) || filter_.asks_for_times() ||
        !retried_.empty())
      parts.push_back(BlockPart::ts);
    if (any_needs(&RowCounter::needs_time)) parts.push_back(BlockPart::time);
    if (any_needs(&RowCounter::needs_detail) || filter_.asks_for_details())
      parts.push_back(BlockPart::detail);
    return parts;
  }

  Result<bool> count_pass() {
    return visit(
        parts_to_read(),
        [this](const SourceBlocks::Summary& block) {
          return filter_.may_have(block);
        },
        [this](const EventBlock& block, std::uint64_t place) {
          count_block(block, place);
        });
  }

  void count_block(const EventBlock& block, std::uint64_t place) {
    for (RowCounter& counter : counters_) counter.begin_block(block);
    select(block);
    constexpr std::size_t k_ahead = 16;
    for (std::size_t i = 0; i < selected_.size(); ++i) {
      if (i + k_ahead < selected_.size())
        seen_->prefetch(block.key[selected_[i + k_ahead]]);
      const std::size_t at = selected_[i];
      if (!seen_->insert(block.key[at])) {
        ++summary_.repeated;
        continue;
      }
      const auto fate = fate_of(block, at, place);
      for (RowCounter& counter : counters_) counter.add(at, fate);
    }
  }

  // The events of the block that are asked for and in this pass.
  void select(const EventBlock& block) {
    const BlockNames& names = block.names;
    label_wanted_.assign(names.labels.size(), 0);
    label_fate_.assign(names.labels.size(), 0);
    for (std::size_t i = 0; i < names.labels.size(); ++i) {
      const auto label = static_cast<std::uint16_t>(i);
      const bool counted = std::any_of(
          counters_.begin(), counters_.end(),
          [label](const RowCounter& one) { return one.counts(label); });
      label_wanted_[i] = counted && filter_.wants(names, names.labels[i]);
      label_fate_[i] =
          is_fate(event_kind(names.strings[names.labels[i].event]));
    }
    detail_wanted_.clear();
    if (filter_.asks_for_details()) {
      for (const auto& detail : names.details)
        detail_wanted_.push_back(filter_.wants(names, detail));
    }
    const bool all_times = filter_.has_all(block);
    selected_.clear();
    for (std::size_t i = 0; i < block.label.size(); ++i) {
      if (label_wanted_[block.label[i]] == 0) continue;
      if (!detail_wanted_.empty() && detail_wanted_[block.detail[i]] == 0)
        continue;
      if (!all_times && !filter_.has(block.base_ts + block.ts[i])) continue;
      if (passes_ > 1 && pass_of(block.message[i]) != pass_) continue;
      selected_.push_back(static_cast<std::uint32_t>(i));
    }
  }

  std::uint64_t pass_of(std::uint64_t message) const {
    return ((message >> 32) * passes_) >> 32;
  }

  RowCounter::Fate fate_of(const EventBlock& block, std::size_t at,
                           std::uint64_t place) const {
    if (retried_.empty() || label_fate_[block.label[at]] == 0)
      return RowCounter::Fate::holds;
    const auto retried = retried_.find(block.message[at]);
    if (retried == retried_.end()) return RowCounter::Fate::holds;
    const Moment moment{block.base_ts + block.ts[at], place + at};
    return moment < retried->second ? RowCounter::Fate::superseded
                                    : RowCounter::Fate::holds;
  }

  const CountSources& sources_;
  BlockFilter filter_;
  std::vector<RowCounter> counters_;
  bool counts_messages_ = false;
  std::vector<SourceBlocks> blocks_;
  CountSummary summary_;
  std::uint64_t asked_for_ = 0;                        // at most so many events
  std::unordered_map<std::uint64_t, Moment> retried_;  // by message

  std::uint64_t passes_ = 1;
  std::uint64_t pass_ = 0;
  std::unique_ptr<KeySet> seen_;
  // Of the block that is being counted.
  std::vector<char> label_wanted_, label_fate_, detail_wanted_;
  std::vector<std::uint32_t> selected_;
};

}  // namespace

Result<CountSummary> count(const CountSources& sources,
                           const EventFilter& filter,
                           std::span<Tally* const> tallies) {
  // A digest that is damaged is cut off there and read anew; should others do
  // so at the same time, we do without.
  CountSources tried = sources;
  constexpr int k_tries = 3;
  for (int left = k_tries;; --left) {
    if (left == 1) tried.digests = -1;
    Count one(tried, filter, tallies);
    auto done = one.run();
    if (!done) return tl::unexpected(done.error());
    if (*done) return std::move(one.summary());
  }
}

}  // namespace pony
