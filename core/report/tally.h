// Events to counts and times: the rows of `pony report`. Gets events one by
// one and never asks where they come from; printing is another file's work.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"

namespace pony {

// Times in milliseconds, kept as a histogram whose buckets are a 32nd to a
// 64th of their time wide: memory is bounded, times below 64 ms are exact, and
// a percentile is at most a 64th (1.6 %) off: it is the middle of its bucket.
// A negative time (a clock set back) counts as 0.
class TimeHistogram {
 public:
  void add(std::int64_t milliseconds);
  void add(const TimeHistogram& others);
  // The time that `percent` (0 to 100) of all do not exceed, by nearest rank;
  // nothing when empty.
  std::optional<std::int64_t> percentile(double percent) const;
  std::uint64_t count() const { return count_; }

 private:
  // The buckets of one doubling. A row's times lie in few of them, and there
  // may be very many rows.
  using Page = std::array<std::uint64_t, 32>;

  Page& page(std::size_t number);

  std::vector<std::uint8_t> page_at_;  // by number: 1 + its place, 0: none
  std::vector<Page> pages_;
  std::uint64_t count_ = 0;
};

// What a row counts; the keys that rows are asked for decide it.
enum class TallyOf {
  messages,  // what became of them, and how long it took; deferred, attempts:
             // events
  attempts,  // with `provider`: outcomes, by the provider that gave them
  reasons,   // with `reason`: events that say why not, retried or not
  events,    // with `event`: how many of each
};

struct TallyRow {
  std::uint64_t queued = 0, sent = 0, failed = 0, deferred = 0, cancelled = 0,
                expired = 0, attempts = 0, unknown = 0;
  std::map<std::string, std::uint64_t> outcomes;  // of attempts only
  std::uint64_t events = 0;                       // of reasons and events only
  TimeHistogram queue_ms;                         // from acceptance to `sent`
  TimeHistogram provider_ms;                      // of each attempt

  // A fraction. Of messages: failed and expired among those sent, failed or
  // expired (a cancelled message says nothing about delivery). Of attempts:
  // those not accepted. 0 when there are none.
  double failure_rate() const;
  // Adds what another row counts.
  void add(const TallyRow& other);
};

// The keys of rows. A message with two tags counts in two rows, one without
// in the row whose tag is empty.
enum class TallyBy {
  tag,
  template_id,
  provider,
  pool,
  lang,
  domain,
  reason,  // without addresses: reason_key()
  day,     // UTC: "2026-11-21"
  hour,    // UTC: "2026-11-21T10"
  event
};
// The hour as rows are called by it.
std::string hour_text(Time time);
// The words of `--by` and of the output, and back.
std::string_view to_text(TallyBy by);
std::optional<TallyBy> tally_by(std::string_view name);
const std::vector<std::string_view>& tally_names();

class Tally {
 public:
  // Rows for each combination of values of `by` (each taken once); without
  // any there is one row.
  explicit Tally(const std::vector<TallyBy>& by);
  // Counts `event` if it has to do with what the rows count. One by one: the
  // same event told twice counts twice, and a message that failed, was retried
  // and sent counts as failed and as sent. Whoever has many events calls
  // count() (count.h), which knows better.
  void add(const Event& event);
  // Adds what somebody else counted: to a row, and to the total.
  void add_row(const std::vector<std::string>& key, const TallyRow& row);
  void add_total(const TallyRow& row);
  // Rows by their key (one value for each of by()), sorted by key.
  const std::map<std::vector<std::string>, TallyRow>& rows() const {
    return rows_;
  }
  // All events, each once, so with tags less than the sum of the rows.
  const TallyRow& total() const { return total_; }
  const std::vector<TallyBy>& by() const { return by_; }
  TallyOf of() const { return of_; }

 private:
  std::vector<TallyBy> by_;
  TallyOf of_ = TallyOf::messages;
  std::map<std::vector<std::string>, TallyRow> rows_;
  TallyRow total_;
};

}  // namespace pony
