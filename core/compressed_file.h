// Bytes out of a file, whether it is as it was written, gzip (RFC 1952) or
// zstd (RFC 8878); and a file into gzip.
//
// Streams: memory does not depend on what is in the file, however much comes
// out of it. What somebody cut off or damaged gives what can still be read of
// it. Doesn't know: what the bytes mean, lines (core/line_reader.h), names of
// files other than how they end.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/result.h"

namespace pony {

enum class Compression : std::uint8_t { none, gzip, zstd };

// By the end of the name: ".gz", ".zst", else none.
Compression compression_of(std::string_view name);

// The bytes of a file, in order, once. The descriptor stays the caller's.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  // Puts up to `size` bytes to `to`; how many, 0 at the end. disk when the
  // file cannot be read.
  virtual Result<std::size_t> read(char* to, std::size_t size) = 0;
  // Has the end been reached where the compressed data do not end? What is
  // behind a damaged place counts as cut off.
  virtual bool is_cut_off() const { return false; }
};

// Reads `fd`, which is compressed as `form` says, from its `offset`-th byte
// (not compressed) on; to get there costs reading what is before it.
// temporary when there is no memory for it.
Result<std::unique_ptr<ByteSource>> open_source(int fd, Compression form,
                                                off_t offset);

// Writes what is left of `from` to `to` as one gzip member. Not durable: the
// caller syncs. disk when one cannot be read or written.
Result<> compress_file(int from, int to);

}  // namespace pony
