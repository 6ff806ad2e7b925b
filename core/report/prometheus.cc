// Metrics; see prometheus.h.
#include "core/report/prometheus.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/outcome.h"
#include "core/report/report_figures.h"

namespace pony {
namespace {

// Labels

// Backslash, quote and line feed are what the format escapes. All else may
// stand as it is, if it is UTF-8.
std::string label_value(const std::string& text) {
  if (!is_utf8(text)) return label_value(printable(text, 4 * text.size()));
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string label(std::string_view name, const std::string& value) {
  return fmt::format("{}=\"{}\"", name, label_value(value));
}

// by="tag,lang"
std::string by_label(const Tally& tally) {
  std::string names;
  for (const TallyBy by : tally.by()) {
    if (!names.empty()) names += ',';
    names += to_text(by);
  }
  return label("by", names);
}

// by="tag",tag="signup". An empty value is the same as no such label; with
// `by` there the series are still told apart.
std::string labels_of(const Tally& tally, const TallyKey& key) {
  std::string labels = by_label(tally);
  for (std::size_t i = 0; i < key.size(); ++i)
    labels += "," + label(to_text(tally.by()[i]), key[i]);
  return labels;
}

void append_head(std::string& out, std::string_view name, std::string_view type,
                 std::string_view help) {
  out += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

void append_sample(std::string& out, std::string_view name,
                   const std::string& labels, std::string_view value) {
  out += fmt::format("{}{{{}}} {}\n", name, labels, value);
}

// Counts

// A metric with a value for each of a row's counts, told apart by a label.
struct Family {
  std::string_view name;
  std::string_view label;  // empty: there is but one count
  std::string_view help;
};

void append_counts(std::string& out, const Tally& tally, const Family& family,
                   std::vector<Count> (*counts)(const TallyRow&)) {
  append_head(out, family.name, "gauge", family.help);
  for (const auto& [key, row] : tally.rows()) {
    const std::string labels = labels_of(tally, key);
    for (const Count& count : counts(row)) {
      const std::string which =
          family.label.empty()
              ? std::string()
              : "," + label(family.label, std::string(count.name));
      append_sample(out, family.name, labels + which,
                    std::to_string(count.value));
    }
  }
}

constexpr Family k_messages = {
    "pony_report_messages", "state",
    "Messages by what became of them in the span of the report; falls when the "
    "span moves on or the log is purged."};
constexpr Family k_attempts = {
    "pony_report_attempts", "outcome",
    "Attempts of providers to deliver in the span of the report."};
constexpr Family k_reasons = {
    "pony_report_reasons", "then",
    "Events that say why not, in the span of the report."};
constexpr Family k_events = {"pony_report_events", "",
                             "Events in the span of the report."};

std::vector<Count> states_of(const TallyRow& row) {
  return {{"queued", row.queued},       {"sent", row.sent},
          {"failed", row.failed},       {"deferred", row.deferred},
          {"cancelled", row.cancelled}, {"expired", row.expired}};
}

// Of messages no more is counted than which outcomes nobody knows.
std::vector<Count> known_and_unknown(const TallyRow& row) {
  return {{"known", without(row.attempts, row.unknown)},
          {"unknown", row.unknown}};
}

std::vector<Count> outcomes_of(const TallyRow& row) {
  std::vector<Count> counts = counts_of(row, TallyOf::attempts);
  counts.erase(counts.begin());  // their sum
  return counts;
}

std::vector<Count> ends_of(const TallyRow& row) {
  return {
      {"failed", row.failed},
      {"deferred", row.deferred},
      {"expired", row.expired},
      {"other", without(row.events, row.failed + row.deferred + row.expired)}};
}

std::vector<Count> all_of(const TallyRow& row) {
  return {{"", row.events}};
}

// Histograms

struct TimeCount {
  std::int64_t ms;
  std::uint64_t count;
};

// The time of the one that comes `rank`th, counted from 1. In the middle
// between two ranks, so that rounding cannot change which one is meant.
std::int64_t time_at(const TimeHistogram& times, std::uint64_t rank) {
  const double percent = (static_cast<double>(rank) - 0.5) * 100 /
                         static_cast<double>(times.count());
  return times.percentile(percent).value_or(0);
}

// The last rank that has the same time as `rank`.
std::uint64_t last_alike(const TimeHistogram& times, std::uint64_t rank) {
  const std::int64_t ms = time_at(times, rank);
  std::uint64_t alike = rank;
  std::uint64_t end = times.count() + 1;
  while (end - alike > 1) {
    const std::uint64_t middle = alike + (end - alike) / 2;
    (time_at(times, middle) == ms ? alike : end) = middle;
  }
  return alike;
}

// Each time that the histogram tells, and how often.
std::vector<TimeCount> times_of(const TimeHistogram& times) {
  std::vector<TimeCount> all;
  for (std::uint64_t rank = 1; rank <= times.count(); ++rank) {
    const std::uint64_t last = last_alike(times, rank);
    all.push_back({time_at(times, rank), last - rank + 1});
    rank = last;
  }
  return all;
}

struct Bound {
  std::string_view seconds;
  std::int64_t ms;
};

// A mail waits from no time to a day, a provider answers within a minute.
constexpr std::array<Bound, 12> k_queue_bounds = {{{"0.1", 100},
                                                   {"0.5", 500},
                                                   {"1", 1000},
                                                   {"5", 5000},
                                                   {"15", 15000},
                                                   {"60", 60000},
                                                   {"300", 300000},
                                                   {"900", 900000},
                                                   {"3600", 3600000},
                                                   {"14400", 14400000},
                                                   {"43200", 43200000},
                                                   {"86400", 86400000}}};
constexpr std::array<Bound, 12> k_provider_bounds = {{{"0.01", 10},
                                                      {"0.025", 25},
                                                      {"0.05", 50},
                                                      {"0.1", 100},
                                                      {"0.25", 250},
                                                      {"0.5", 500},
                                                      {"1", 1000},
                                                      {"2.5", 2500},
                                                      {"5", 5000},
                                                      {"10", 10000},
                                                      {"30", 30000},
                                                      {"60", 60000}}};
using Bounds = std::array<Bound, 12>;

// Milliseconds as seconds, exactly.
std::string seconds_text(double ms) {
  return fmt::format("{}", ms / 1000);
}

// A time that is a bound (a provider's timeout, say) is told up to a 64th later
// and still belongs below it.
void append_histogram(std::string& out, std::string_view name,
                      const std::string& labels, const TimeHistogram& times,
                      const Bounds& bounds) {
  if (times.count() == 0) return;
  const std::vector<TimeCount> all = times_of(times);
  auto next = all.begin();
  std::uint64_t seen = 0;
  for (const Bound& bound : bounds) {
    for (; next != all.end() && next->ms <= bound.ms + bound.ms / 64; ++next)
      seen += next->count;
    out += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, labels,
                       bound.seconds, seen);
  }
  double sum = 0;
  for (const TimeCount& one : all)
    sum += static_cast<double>(one.ms) * static_cast<double>(one.count);
  out += fmt::format(
      "{0}_bucket{{{1},le=\"+Inf\"}} {2}\n{0}_sum{{{1}}} {3}\n"
      "{0}_count{{{1}}} {2}\n",
      name, labels, times.count(), seconds_text(sum));
}

void append_times(std::string& out, const Tally& tally) {
  constexpr std::string_view k_queue = "pony_report_queue_seconds";
  append_head(out, k_queue, "histogram",
              "From acceptance to being sent, of messages sent in the span of "
              "the report; at most 2 % off.");
  for (const auto& [key, row] : tally.rows())
    append_histogram(out, k_queue, labels_of(tally, key), row.queue_ms,
                     k_queue_bounds);
  constexpr std::string_view k_provider = "pony_report_provider_seconds";
  append_head(out, k_provider, "histogram",
              "What providers took for an attempt in the span of the report; "
              "at most 2 % off.");
  for (const auto& [key, row] : tally.rows())
    append_histogram(out, k_provider, labels_of(tally, key), row.provider_ms,
                     k_provider_bounds);
}

// The span

void append_moment(std::string& out, const Tally& tally, std::string_view name,
                   std::string_view help, Time moment) {
  append_head(out, name, "gauge", help);
  append_sample(out, name, by_label(tally),
                fmt::format("{:.3f}", static_cast<double>(
                                          moment.time_since_epoch().count()) /
                                          1000));
}

void append_span(std::string& out, const Tally& tally, const ReportSpan& span) {
  if (span.since)
    append_moment(out, tally, "pony_report_since_timestamp_seconds",
                  "When the span of the report begins; not there if with the "
                  "log.",
                  *span.since);
  append_moment(out, tally, "pony_report_until_timestamp_seconds",
                "When the span of the report ends.",
                span.until.value_or(span.now));
}

}  // namespace

std::string to_prometheus(const Tally& tally, const ReportSpan& span) {
  std::string out;
  switch (tally.of()) {
    case TallyOf::messages:
      append_counts(out, tally, k_messages, states_of);
      append_counts(out, tally, k_attempts, known_and_unknown);
      break;
    case TallyOf::attempts:
      append_counts(out, tally, k_attempts, outcomes_of);
      break;
    case TallyOf::reasons:
      append_counts(out, tally, k_reasons, ends_of);
      break;
    case TallyOf::events:
      append_counts(out, tally, k_events, all_of);
      break;
  }
  if (has_times(tally.of())) append_times(out, tally);
  append_span(out, tally, span);
  return out;
}

}  // namespace pony
