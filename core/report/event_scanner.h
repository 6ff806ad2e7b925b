// Lines of the event log read for a report, some thirty times as fast as
// parse_event(): exactly the lines that append_line() writes, their members in
// its order. What is not exactly that (a string that is wanted and has an
// escape, members of others, another order, a torn line) is left to
// parse_event(), so both ways always tell the same
// (tests/core/event_scanner_test.cc).
//
// Knows no files, and makes no strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/report/event_facts.h"

namespace pony {

// A line's parts. Its traits are left as they are, from "template" to "tags":
// few lines differ in them, and who has seen them before need not read them.
struct ScannedLine {
  std::int64_t ts = 0;
  std::uint64_t key = 0;
  std::uint64_t message = 0;
  std::uint32_t time = k_no_time;
  std::string_view event, outcome, provider, why, domain;
  std::string_view traits;
};

// The traits read.
struct ScannedTraits {
  std::string_view template_id, lang, pool;
  std::vector<std::string_view> tags;
};

class EventScanner {
 public:
  // Reads `line` (without '\n') into `scanned`, whose views point into it. True
  // when it is an event if scan_traits() takes its traits; else `scanned` is
  // not to be used and parse_event() has to say what the line is.
  bool scan(std::string_view line, ScannedLine& scanned);
  // False when they are not as append_line() writes them.
  static bool scan_traits(std::string_view traits, ScannedTraits& scanned);

 private:
  bool read_time(const char* text, std::int64_t& ts);

  // The minute of the last time that was read: most lines have the same.
  std::string minute_ = "1970-01-01T00:00";
  std::int64_t minute_ms_ = 0;
};

}  // namespace pony
