// One tally over blocks of columns: which row an event belongs to is asked once
// a label and a detail of each block, and then is a look into an array.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/report/event_block.h"
#include "core/report/event_kind.h"
#include "core/report/tally.h"

namespace pony {

class RowCounter {
 public:
  // For the rows of `tally`, to which finish() adds them.
  explicit RowCounter(Tally& tally);

  // Are these columns needed?
  bool needs_detail() const { return !detail_keys_.empty(); }
  bool needs_ts() const { return time_unit_ != 0; }
  bool needs_time() const;

  // What follows is about `block`, which stays until the next call.
  void begin_block(const EventBlock& block);
  // Does it count the events of this label of the block?
  bool counts(std::uint16_t label) const { return labels_[label].counted; }
  // Counts the block's event in `place` if it counts its label. What became of
  // a message does not count when that was `superseded` (is_fate()).
  enum class Fate { holds, superseded };
  void add(std::size_t place, Fate fate);

  // From now on no event is of a message that had one before.
  void other_messages() { unknown_.clear(); }
  // Hands over what was counted.
  void finish();

 private:
  using Key = std::vector<std::string>;
  struct LabelUse {
    EventKind kind = EventKind::other;
    std::uint8_t outcome = 0;
    bool counted = false;
    std::uint32_t first_part = 0, parts = 0;  // a range of parts_
  };
  struct Row {
    std::uint32_t label_part = 0, detail_part = 0;
    std::int32_t time_part = 0;
    TallyRow counts;
    std::array<std::uint64_t, 5> outcomes{};
  };
  // Numbers the values of some keys, in the order in which they come.
  struct Parts {
    std::map<Key, std::uint32_t> numbers;
    std::vector<const Key*> keys;
    std::uint32_t number_of(Key key);
  };

  void use_label(const BlockNames& names, const BlockNames::Label& label);
  std::int32_t time_part(std::size_t place) const;
  std::uint32_t row_of(std::uint32_t label_part, std::uint32_t detail_part,
                       std::int32_t time_part);
  void grow_slots();
  void count(Row& row, std::uint32_t number, const LabelUse& use,
             std::size_t place);
  Key key_of(const Row& row) const;

  Tally& tally_;
  // The tally's keys by what they depend on.
  std::vector<TallyBy> label_keys_, detail_keys_;
  std::int64_t time_unit_ = 0;  // ms; 0: rows do not depend on the time
  Parts label_parts_, detail_parts_;

  const EventBlock* block_ = nullptr;
  std::vector<LabelUse> labels_;        // by label of the block
  std::vector<std::uint32_t> parts_;    // of label_parts_
  std::vector<std::uint32_t> details_;  // of detail_parts_, by detail

  std::vector<Row> rows_;
  Row total_;
  std::vector<std::uint32_t> slots_;  // a hash table of 1 + a row's number
  // The messages with an outcome `unknown`, once a row: hashes of both.
  std::unordered_set<std::uint64_t> unknown_;
};

}  // namespace pony
