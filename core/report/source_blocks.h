// A log file as blocks of columns: those that its digest keeps, and those of
// the lines that are read now, which are kept there if that is possible, else
// in memory, else made again each time they are asked for.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/report/count.h"
#include "core/report/digest.h"
#include "core/report/event_block.h"
#include "core/result.h"

namespace pony {

class SourceBlocks {
 public:
  // Reads what its digest does not have of `file`; of lines that are written
  // meanwhile none. `room`: how many events may still be kept in memory.
  // Nothing when the file has gone.
  static Result<std::optional<SourceBlocks>> open(const CountSources& sources,
                                                  const CountSource& file,
                                                  std::size_t& room);

  // Of a block, before it is loaded.
  struct Summary {
    std::uint64_t events = 0;
    std::uint32_t retried = 0;
    std::int64_t first_ts = 0, last_ts = 0;
  };
  // All blocks, in the log's order.
  struct Total {
    std::uint64_t lines = 0, unreadable = 0, events = 0;
    std::uint64_t retried = 0;
    std::int64_t first_ts = 0, last_ts = 0;  // if there are events
    bool cut_off = false;  // a compressed file, which ends too early
  };
  const Total& total() const { return total_; }

  // Calls `each` with each block, with at least these parts of it; a block
  // that `wanted` does not want may be left out. False when the digest turned
  // out to be damaged and has to be read anew, as has all that was counted.
  Result<bool> visit(const std::vector<BlockPart>& parts,
                     const std::function<bool(const Summary& block)>& wanted,
                     const std::function<void(const EventBlock& block)>& each);

 private:
  SourceBlocks() = default;
  using Take =
      std::function<void(EventBlock block, const DigestSpan&, DigestEnd)>;
  // Makes blocks of the lines that the digest does not have.
  Result<> read_rest(const Take& take);
  void keep(EventBlock block, const DigestSpan& span, DigestEnd end,
            std::size_t& room);
  void add_up(const Summary& block, const DigestSpan& span, DigestEnd end);

  Compression form_ = Compression::none;
  Fd log_;
  std::uint64_t size_ = 0;  // of the log, when it was opened
  Digest digest_;
  std::vector<EventBlock> kept_;  // behind the digest's
  enum class Rest { kept, read_again };
  Rest rest_ = Rest::kept;
  Total total_;
};

}  // namespace pony
