// A listed message as `pony queue` tells it: a line for people, an object for
// programs (a superset of postqueue -j), and the counts by state and age.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cmd/listing.h"
#include "core/clock.h"

namespace pony {

// "main: 503 service unavailable", or the reason for its state; may be empty.
std::string last_error_of(const Listed& listed);

// Those whom the message still has to reach; of one that is done, all.
std::vector<std::string> open_recipients(const Listed& listed);

// The table, a message at a time, so that a long queue streams. For people: it
// may change.
class QueueTable {
 public:
  // `width`: the terminal's columns; 0: as wide as it gets.
  QueueTable(int width, Time now) : width_(width), now_(now) {}

  std::string header() const;
  std::string lines(const Listed& listed) const;

 private:
  bool is_narrow() const;
  std::string who(const Listed& listed, int width) const;

  int width_;
  Time now_;
};

// "-- 11 Kbytes in 2 Requests.", or "Mail queue is empty", as mailq ends:
// monitoring greps for it.
std::string queue_total(std::uint64_t messages, std::uint64_t bytes);

// One object, one line, with its '\n'.
std::string queue_json(const Listed& listed);

// How many, by state and age.
class QueueSummary {
 public:
  explicit QueueSummary(Time now) : now_(now) {}

  void add(State state, Time arrived);
  std::string table() const;
  std::string json() const;  // one document

 private:
  // Up to 5, 10, 20 … 1280 minutes, and older: the buckets of Postfix's qshape.
  static constexpr std::size_t k_ages = 10;
  struct Row {
    std::uint64_t total = 0;
    std::array<std::uint64_t, k_ages> by_age{};
    Milliseconds oldest{0};

    void add(Milliseconds age);
  };
  static std::string age_name(std::size_t age);
  static std::string json_of(const Row& row);

  Time now_;
  std::map<State, Row> rows_;
  Row total_;
};

}  // namespace pony
