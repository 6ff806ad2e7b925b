// What a report needs of a log file, kept between reports: its events as
// blocks of columns (event_block.h) in a file of their own, so that the log
// need not be read again.
//
// A digest can always be thrown away, and is when it is in doubt: it says
// which bytes of which file it has read, and a block that is torn, damaged or
// another's has the wrong sum; what is behind it does not count either. It is
// never synced: what a power cut takes is read anew from the log.
//
// Any number of processes read; one at a time, which has the lock, writes. It
// may cut off and write anew what others are reading: they notice by the sums.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/compressed_file.h"
#include "core/fs.h"
#include "core/report/event_block.h"
#include "core/result.h"

namespace pony {

// Of which part of a log file a block tells, and how that went.
struct DigestSpan {
  std::uint64_t begin = 0;  // bytes of the log, not compressed
  std::uint64_t end = 0;
  std::uint64_t lines = 0;
  std::uint64_t unreadable = 0;  // how many of them are no events
};

// The end of a compressed file, which nothing can be appended to.
enum class DigestEnd : std::uint32_t { open = 0, whole = 1, cut_off = 2 };

// The parts that a block can be read by.
enum class BlockPart { names, key, message, ts, time, label, detail };
inline constexpr std::size_t k_block_parts = 7;

// As it lies in the file (numbers as this machine has them: a digest that
// came from another one has the wrong sums).
struct BlockHeader {
  std::uint32_t magic = 0;
  std::uint32_t events = 0;
  std::uint32_t names_size = 0;
  std::uint32_t retried = 0;
  std::int64_t base_ts = 0;
  std::int64_t first_ts = 0, last_ts = 0;
  DigestSpan span;
  std::int64_t log_mtime = 0;  // nanoseconds; when `span` was read
  DigestEnd end = DigestEnd::open;
  std::uint32_t tail_size = 0;  // the last bytes of the span
  std::uint64_t tail_hash = 0;
  std::array<std::uint64_t, k_block_parts> part_hash{};
  std::uint64_t hash = 0;  // of all before it, and of which file it is in
};

class Digest {
 public:
  // A digest that keeps nothing and can keep nothing.
  Digest() = default;
  // The digest of the log file `log_name`, which is `log` and was `info` when
  // it was opened: what there is of it in `folder`, and its lock unless another
  // has it. Never fails: without a digest the log has to be read.
  static Digest open(int folder, Owner owner, const std::string& log_name,
                     Compression form, int log, const struct stat& info);

  struct Stored {
    off_t offset = 0;
    BlockHeader header;
  };
  const std::vector<Stored>& blocks() const { return blocks_; }
  // How much of the log the blocks tell of.
  std::uint64_t end_of_log() const {
    return blocks_.empty() ? 0 : blocks_.back().header.span.end;
  }
  // Is there nothing left to read in a compressed log?
  bool has_all() const {
    return !blocks_.empty() && blocks_.back().header.end != DigestEnd::open;
  }
  bool is_writable() const { return writable_; }

  // Keeps a block. When it cannot (the disk is full), it gives up writing.
  // False: it is not kept.
  bool append(const EventBlock& block, const DigestSpan& span, DigestEnd end);
  // Reads parts of the `index`-th block into `block`; the others are left as
  // they are. False when they are not what was written: drop_from() then.
  bool load(std::size_t index, const std::vector<BlockPart>& parts,
            EventBlock& block) const;
  // Throws away this block and what follows it.
  void drop_from(std::size_t index);

 private:
  struct FileHeader;

  bool read_header(FileHeader& header) const;
  void read_blocks();
  bool knows_log() const;
  bool make_file();
  bool start_file(const DigestSpan& first);
  std::uint64_t log_hash(off_t from, std::size_t size) const;
  bool load_part(const Stored& stored, BlockPart part, void* to) const;

  int folder_ = -1;
  std::string name_;
  Fd file_;  // not made before there is something to keep
  bool writable_ = false;
  Compression form_ = Compression::none;
  int log_ = -1;
  struct stat log_info_ {};
  std::uint64_t seed_ = 0;  // of the blocks' hashes: the file header's
  std::vector<Stored> blocks_;
  off_t end_ = 0;  // behind the last block
};

// "events-2026-11-21.jsonl" → "events-2026-11-21.jsonl.digest".
std::string digest_name(const std::string& log_name);
// Removes the digests in `folder` of logs that are not among `log_names`.
void remove_other_digests(int folder,
                          const std::vector<std::string>& log_names);

}  // namespace pony
