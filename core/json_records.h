// One JSON document after the other, out of a stream without end: a single
// message, pretty-printed or not; an array of them; or JSON Lines.
//
// Only finds where each begins and ends; parse_json says whether it is JSON.
// A broken line of JSON Lines does not take the following ones with it: a
// record that is still open at the end of its line ends there when the next
// line begins with '{' where no object could begin.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pony {

class JsonRecords {
 public:
  // Records larger than `limit` bytes are given as `too_large`, without text.
  explicit JsonRecords(std::size_t limit) : limit_(limit) {}

  struct Record {
    std::string text;
    std::size_t line = 1;  // on which it begins
    bool too_large = false;
  };

  // More input; and: there will be no more.
  void feed(std::string_view input) { buffer_.append(input); }
  void finish() { finished_ = true; }
  // The next record, or nothing until more is fed.
  std::optional<Record> next();
  // Does the input (so far) hold an array?
  bool is_array() const { return array_; }

 private:
  std::optional<Record> take(std::size_t end);
  void skip_between();
  bool object_may_follow() const;

  std::size_t limit_;
  std::string buffer_;
  std::size_t start_ = 0;  // of the record (or the space before it)
  std::size_t scan_ = 0;   // how far it has been looked at
  std::size_t line_ = 1;   // of start_
  bool finished_ = false;
  bool array_ = false;
  bool array_ended_ = false;
  bool begun_ = false;  // the first record has been seen
  bool in_record_ = false;
  bool in_string_ = false;
  bool too_large_ = false;
  int depth_ = 0;
};

}  // namespace pony
