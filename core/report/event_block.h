// Events in columns: what is counted of up to 65,536 of them, in 28 bytes each,
// and the texts that they have in common. A block is complete in itself: its
// dictionary has all that its columns speak of.
//
// Doesn't know files: digest.h keeps blocks, count.h counts them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/report/event_facts.h"
#include "core/report/event_scanner.h"

namespace pony {

inline constexpr std::size_t k_block_events = std::size_t{1} << 16;
// A block whose texts are that long is full: in a log of long ones that never
// repeat, memory is bounded all the same.
inline constexpr std::size_t k_block_text = std::size_t{8} << 20;

// The texts of a block. Numbers are places in `strings`.
struct BlockNames {
  // A combination that events have.
  struct Label {
    std::uint32_t event = 0, outcome = 0, template_id = 0, provider = 0,
                  pool = 0, lang = 0;
    std::uint32_t first_tag = 0, tags = 0;  // a range of `tags`
  };
  // Apart, as any label may come with any domain.
  struct Detail {
    std::uint32_t domain = 0, why = 0;
  };

  std::vector<std::string> strings;
  std::vector<std::uint32_t> tags;
  std::vector<Label> labels;
  std::vector<Detail> details;
};

struct EventBlock {
  BlockNames names;
  std::int64_t base_ts = 0;                // what `ts` counts from
  std::int64_t first_ts = 0, last_ts = 0;  // the least and the greatest
  std::uint32_t retried = 0;  // how many `retried` events there are
  // A row an event.
  std::vector<std::uint64_t> key, message;
  std::vector<std::uint32_t> ts;     // ms since base_ts
  std::vector<std::uint32_t> time;   // EventFacts::time
  std::vector<std::uint16_t> label;  // places in `names`
  std::vector<std::uint16_t> detail;

  std::size_t size() const { return key.size(); }
};

// Makes blocks of lines.
class BlockBuilder {
 public:
  enum class Added {
    yes,
    unreadable,  // the line is no event
    full         // the event belongs into the next block: take(), add again
  };
  Added add(std::string_view line);
  std::size_t size() const { return block_.size(); }
  // What was added since the last take(); the builder is empty then.
  EventBlock take();

 private:
  using Numbers = std::unordered_map<std::string, std::uint32_t>;

  // Numbers by a hash of the bytes that they stand for in a line.
  class Seen {
   public:
    // nullptr when it is new.
    const std::uint16_t* find(std::uint64_t hash) const;
    void insert(std::uint64_t hash, std::uint16_t number);
    void clear();

   private:
    struct Slot {
      std::uint64_t hash = 0;
      std::uint16_t number = 0;
      bool used = false;
    };
    std::vector<Slot> slots_;
    std::size_t used_ = 0;
  };

  Added add_slowly(std::string_view line);
  bool has_room(std::int64_t ts);
  bool find_label(const ScannedLine& scanned, std::uint16_t& label);
  std::uint16_t find_detail(const ScannedLine& scanned);
  void append(std::int64_t ts, std::uint64_t key, std::uint64_t message,
              std::uint32_t time, std::uint16_t label, std::uint16_t detail);
  std::uint32_t number_of(std::string_view text);
  std::uint16_t label_of(const EventFacts& facts);
  std::uint16_t detail_of(std::string_view domain, std::string_view why);

  EventScanner scanner_;
  EventBlock block_;
  Numbers strings_, labels_, details_;
  std::size_t text_ = 0;  // bytes of the block's strings
  std::vector<char> label_is_retried_;
  Seen seen_labels_, seen_details_;
  ScannedTraits traits_;
};

}  // namespace pony
