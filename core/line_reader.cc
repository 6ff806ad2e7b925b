// Lines out of blocks; see line_reader.h.
#include "core/line_reader.h"

#include <algorithm>

namespace pony {
namespace {

constexpr std::size_t k_block = std::size_t{1} << 18;

}  // namespace

// Reads a block behind what is there; how much, 0 at the end.
Result<std::size_t> LineReader::fill() {
  if (at_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + at_, filled_ - at_);
    filled_ -= at_;
    at_ = 0;
  }
  // Twice as much each time: a long line is not moved once a block.
  if (buffer_.size() < filled_ + k_block)
    buffer_.resize(filled_ + std::max(filled_, k_block));
  auto n = source_.read(buffer_.data() + filled_, buffer_.size() - filled_);
  if (n) filled_ += *n;
  return n;
}

Result<bool> LineReader::next_after_reading(std::string_view& line) {
  for (;;) {
    // What was looked at before has no line end.
    const std::size_t looked_at = filled_ - at_;
    if (looked_at > k_longest_line) return skip_long_line(line);
    auto n = fill();
    if (!n) return tl::unexpected(n.error());
    if (*n == 0) return false;
    const void* end =
        std::memchr(buffer_.data() + looked_at, '\n', filled_ - looked_at);
    if (end == nullptr) continue;
    take(line, static_cast<const char*>(end));
    return true;
  }
}

Result<bool> LineReader::skip_long_line(std::string_view& line) {
  off_t skipped = 0;
  for (;;) {
    skipped += static_cast<off_t>(filled_ - at_);
    at_ = filled_;
    auto n = fill();
    if (!n) return tl::unexpected(n.error());
    if (*n == 0) return false;
    const void* end = std::memchr(buffer_.data(), '\n', filled_);
    if (end == nullptr) continue;
    take(line, static_cast<const char*>(end));
    offset_ += skipped;
    line = {};
    return true;
  }
}

}  // namespace pony
