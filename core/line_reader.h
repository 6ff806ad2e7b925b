// The lines of a log, one at a time. Gives whole lines only: what has no '\n'
// yet is not a line. Memory is bounded by the longest line that is taken.
// Doesn't know what is in a line.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "core/compressed_file.h"
#include "core/result.h"

namespace pony {

// An event that names an answer for each of 10,000 recipients is shorter (an
// answer has at most 1 KiB).
inline constexpr std::size_t k_longest_line = std::size_t{16} << 20;

class LineReader {
 public:
  // `offset` is where `source` begins in the file.
  LineReader(ByteSource& source, off_t offset)
      : source_(source), offset_(offset) {}

  // Puts the next line without its '\n' into `line`, where it is good until
  // the next call; false at the end. A line longer than k_longest_line is
  // given as an empty one, which is no event either.
  Result<bool> next(std::string_view& line) {
    if (const void* end =
            std::memchr(buffer_.data() + at_, '\n', filled_ - at_);
        end != nullptr) {
      take(line, static_cast<const char*>(end));
      return true;
    }
    return next_after_reading(line);
  }

  // Behind the last line that was given.
  off_t offset() const { return offset_; }

 private:
  void take(std::string_view& line, const char* end) {
    const auto size = static_cast<std::size_t>(end - (buffer_.data() + at_));
    line = size > k_longest_line ? std::string_view()
                                 : std::string_view(buffer_.data() + at_, size);
    at_ += size + 1;
    offset_ += static_cast<off_t>(size + 1);
  }
  Result<bool> next_after_reading(std::string_view& line);
  Result<bool> skip_long_line(std::string_view& line);
  Result<std::size_t> fill();

  ByteSource& source_;
  off_t offset_;
  std::string buffer_;
  std::size_t at_ = 0;      // where the next line begins
  std::size_t filled_ = 0;  // how much of the buffer has been read
};

}  // namespace pony
