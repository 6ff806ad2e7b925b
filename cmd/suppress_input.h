// Addresses to suppress as they come in files: plain ones, CSV as providers
// export it, JSON Lines of our own list. Which it is, the first line that is
// not blank tells: an object is JSON; a line that names a column for the
// address is a CSV header (separated by commas, semicolons or tabs); anything
// else is an address a line, with '#' for comments.
//
// Promises: any bytes may be fed; a record longer than 64 KiB is given as bad
// and costs no more than that; nothing is lost after a bad one.
// Doesn't know: the spool.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "spool/suppressions.h"

namespace pony {

class SuppressionInput {
 public:
  // What a record does not say: the reason, and since when.
  SuppressionInput(SuppressedFor reason, Time now)
      : reason_(reason), now_(now) {}

  struct Record {
    std::size_t line = 1;  // on which it begins
    Result<Suppression> entry;
  };

  // More input; and: there will be no more.
  void feed(std::string_view input) { buffer_.append(input); }
  void finish() { finished_ = true; }
  // The next record, or nothing until more is fed. Blank lines, comments and
  // the header are none.
  std::optional<Record> next();

 private:
  enum class Format { unknown, addresses, csv, json };
  struct Columns {
    std::optional<std::size_t> address, reason, since;
  };
  struct Text {
    std::string text;
    std::size_t line = 1;
    std::string trouble;  // it is no record, since …
  };
  struct End {
    std::size_t at = 0;     // in buffer_
    std::size_t lines = 0;  // line ends within
    bool in_quotes = false;
  };
  End end_of_record() const;
  std::optional<Text> next_text();
  bool is_header(std::string_view line);
  Result<Suppression> entry_in(std::string_view text) const;
  Result<Suppression> entry_in_csv(std::string_view text) const;

  SuppressedFor reason_;
  Time now_;
  Format format_ = Format::unknown;
  Columns columns_;
  char separator_ = ',';
  std::string buffer_;
  std::size_t start_ = 0;  // of the next record in buffer_
  std::size_t line_ = 1;   // of start_
  bool skipping_ = false;  // up to the next line end
  bool finished_ = false;
};

// A moment as providers write it: RFC 3339 (with a blank for the T, and
// without a zone, which is UTC then), a day, seconds or milliseconds since
// 1970, or RFC 5322's "Fri, 21 Oct 2011 11:02:55 GMT". bad_data otherwise.
Result<Time> parse_exported_time(std::string_view text);

// A provider's word for why: "HardBounce", "spam report", "550 5.1.1 …";
// nothing when it is none that we know.
std::optional<SuppressedFor> exported_reason(std::string_view text);

}  // namespace pony
