#include "core/json_records.h"

#include <algorithm>
#include <utility>

namespace pony {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

// White space and, in an array, the commas and brackets around its elements.
void JsonRecords::skip_between() {
  for (; start_ < buffer_.size(); ++start_) {
    const char c = buffer_[start_];
    if (c == '\n') ++line_;
    if (is_space(c)) continue;
    if (!begun_ && c == '[') {
      begun_ = array_ = true;
      continue;
    }
    if (array_ && !array_ended_ && c == ',') continue;
    if (array_ && !array_ended_ && c == ']') {
      array_ended_ = true;
      continue;
    }
    break;
  }
  scan_ = start_;
}

// The record [start_, end) of the buffer.
std::optional<JsonRecords::Record> JsonRecords::take(std::size_t end) {
  Record record;
  record.line = line_;
  record.too_large = too_large_ || end - start_ > limit_;
  if (!record.too_large) record.text = buffer_.substr(start_, end - start_);
  line_ += static_cast<std::size_t>(
      std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(start_),
                 buffer_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
  start_ = scan_ = end;
  in_record_ = in_string_ = too_large_ = false;
  depth_ = 0;
  // What was given is dropped now and then, not for every record.
  if (start_ > (std::size_t{1} << 16) && start_ > buffer_.size() / 2) {
    buffer_.erase(0, start_);
    start_ = scan_ = 0;
  }
  return record;
}

// Could a '{' come next at this place of a well-formed record? Only after a
// colon, an opening bracket, or a comma inside an inner array.
bool JsonRecords::object_may_follow() const {
  if (in_string_) return false;
  std::size_t at = scan_;
  while (at > start_ && is_space(buffer_[at - 1])) --at;
  if (at == start_) return false;
  const char last = buffer_[at - 1];
  return last == ':' || last == '[' || (last == ',' && depth_ > 1);
}

std::optional<JsonRecords::Record> JsonRecords::next() {
  if (!in_record_) {
    skip_between();
    if (start_ == buffer_.size()) {
      buffer_.clear();
      start_ = scan_ = 0;
      return {};
    }
    begun_ = in_record_ = true;
  }
  for (; scan_ < buffer_.size(); ++scan_) {
    const char c = buffer_[scan_];
    if (c == '\n') {
      if (depth_ == 0 && !in_string_) return take(scan_);  // no object at all
      // An open record: does the next line begin a new one?
      if (array_) continue;
      if (scan_ + 1 == buffer_.size()) {
        if (finished_) continue;
        return {};  // the next line's first character decides
      }
      if (buffer_[scan_ + 1] == '{' && !object_may_follow()) return take(scan_);
      continue;
    }
    if (scan_ - start_ > limit_) {
      // Not kept: what is left of it only has to be found the end of.
      too_large_ = true;
    }
    if (in_string_) {
      if (c == '\\') {
        if (scan_ + 1 == buffer_.size()) break;  // its partner is to come
        ++scan_;
      } else if (c == '"') {
        in_string_ = false;
        if (depth_ == 0) return take(scan_ + 1);
      }
      continue;
    }
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      if (depth_ == 0) {
        if (scan_ > start_) return take(scan_);
        return take(scan_ + 1);  // a stray bracket
      }
      if (--depth_ == 0) return take(scan_ + 1);
    } else if (c == ',' && depth_ == 0 && array_ && scan_ > start_) {
      return take(scan_);
    }
  }
  if (too_large_) {
    // Keep the state, drop the bytes: memory stays bounded.
    line_ += static_cast<std::size_t>(
        std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(start_),
                   buffer_.begin() + static_cast<std::ptrdiff_t>(scan_), '\n'));
    buffer_.erase(start_, scan_ - start_);
    scan_ = start_;
  }
  if (finished_) {
    // Never closed: what is wrong is where its last byte is, not below it.
    std::size_t end = buffer_.size();
    while (end > start_ && is_space(buffer_[end - 1])) --end;
    return take(end);
  }
  return {};
}

}  // namespace pony
