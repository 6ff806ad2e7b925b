// Rows as table, JSON and CSV; see report_format.h.
#include "core/report/report_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/outcome.h"

namespace pony {
namespace {

using Key = std::vector<std::string>;

struct Count {
  std::string_view name;
  std::uint64_t value;
};

Count outcome_count(const TallyRow& row, Outcome outcome) {
  const std::string_view name = to_text(outcome);
  const auto found = row.outcomes.find(std::string(name));
  return {name, found == row.outcomes.end() ? 0 : found->second};
}

// The counts that every format shows, in its order.
std::vector<Count> counts_of(const TallyRow& row, TallyOf of) {
  switch (of) {
    case TallyOf::messages:
      return {{"queued", row.queued},       {"sent", row.sent},
              {"failed", row.failed},       {"deferred", row.deferred},
              {"cancelled", row.cancelled}, {"expired", row.expired},
              {"attempts", row.attempts},   {"unknown", row.unknown}};
    case TallyOf::attempts:
      return {{"attempts", row.attempts},
              outcome_count(row, Outcome::accepted),
              outcome_count(row, Outcome::rejected),
              outcome_count(row, Outcome::unavailable),
              outcome_count(row, Outcome::throttled),
              outcome_count(row, Outcome::unknown)};
    case TallyOf::reasons:
      return {{"events", row.events},
              {"failed", row.failed},
              {"deferred", row.deferred},
              {"expired", row.expired}};
    case TallyOf::events:
      return {{"events", row.events}};
  }
  return {};
}

bool has_times(TallyOf of) {
  return of == TallyOf::messages || of == TallyOf::attempts;
}

struct Percentile {
  std::string_view name;
  double percent;
};
constexpr std::array<Percentile, 3> k_percentiles = {
    {{"p50", 50}, {"p95", 95}, {"p99", 99}}};

// A fraction as JSON and CSV have it: six decimals at most, no exponent.
std::string rate_text(double rate) {
  std::string text = fmt::format("{:.6f}", rate);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

// JSON

std::string percentiles_json(const TimeHistogram& times) {
  std::string out;
  JsonWriter writer(out);
  for (const auto& [name, percent] : k_percentiles) {
    const auto time = times.percentile(percent);
    if (time) {
      writer.field(name, *time);
    } else {
      writer.null(name);
    }
  }
  writer.end();
  return out;
}

void append_row(std::string& out, const Tally& tally, const Key& key,
                const TallyRow& row) {
  JsonWriter writer(out);
  for (std::size_t i = 0; i < key.size(); ++i) {
    writer.field(to_text(tally.by()[i]), std::string_view(key[i]));
  }
  for (const auto& [name, value] : counts_of(row, tally.of())) {
    writer.field(name, static_cast<std::int64_t>(value));
  }
  if (has_times(tally.of())) {
    writer.raw("failure_rate", rate_text(row.failure_rate()));
    writer.raw("queue_ms", percentiles_json(row.queue_ms));
    writer.raw("provider_ms", percentiles_json(row.provider_ms));
  }
  writer.end();
}

// CSV

// Tags and reasons come from outside. What spreadsheets run as a formula
// starts with one of these (OWASP, CSV Injection).
std::string csv_cell(std::string text) {
  constexpr std::string_view formula_starts = "=+-@\t\r\n";
  if (!text.empty() && formula_starts.find(text[0]) != std::string_view::npos) {
    text.insert(0, 1, '\'');
  }
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void append_csv_line(std::string& out, const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    out += cells[i];
  }
  out += '\n';
}

std::vector<std::string> csv_header(const Tally& tally) {
  std::vector<std::string> cells;
  for (const TallyBy by : tally.by()) cells.emplace_back(to_text(by));
  for (const Count& count : counts_of({}, tally.of())) {
    cells.emplace_back(count.name);
  }
  if (!has_times(tally.of())) return cells;
  cells.emplace_back("failure_rate");
  for (const std::string_view what : {"queue", "provider"}) {
    for (const Percentile& percentile : k_percentiles) {
      cells.push_back(fmt::format("{}_{}_ms", what, percentile.name));
    }
  }
  return cells;
}

std::vector<std::string> csv_row(const Key& key, const TallyRow& row,
                                 TallyOf of) {
  std::vector<std::string> cells;
  for (const std::string& value : key) cells.push_back(csv_cell(value));
  for (const Count& count : counts_of(row, of)) {
    cells.push_back(std::to_string(count.value));
  }
  if (!has_times(of)) return cells;
  cells.push_back(rate_text(row.failure_rate()));
  for (const TimeHistogram* times : {&row.queue_ms, &row.provider_ms}) {
    for (const Percentile& percentile : k_percentiles) {
      const auto time = times->percentile(percentile.percent);
      cells.push_back(time ? std::to_string(*time) : std::string());
    }
  }
  return cells;
}

// Table: the width of text

// The code point that starts at `at`, which moves behind it. `text` is UTF-8.
char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  if (first < 0x80) return first;
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  char32_t point = first & (0x3FU >> more);
  for (int i = 0; i < more && at < text.size(); ++i) {
    point = (point << 6U) | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  }
  return point;
}

struct Range {
  char32_t first;
  char32_t last;
};

// Coarse on purpose (Unicode TR 11, whole blocks): a wrong guess costs a
// crooked line.
int columns_of(char32_t point) {
  static constexpr std::array<Range, 6> none = {{{0x0300, 0x036F},
                                                 {0x1AB0, 0x1AFF},
                                                 {0x200B, 0x200F},
                                                 {0x20D0, 0x20FF},
                                                 {0xFE00, 0xFE0F},
                                                 {0xFE20, 0xFE2F}}};
  static constexpr std::array<Range, 10> wide = {{{0x1100, 0x115F},
                                                  {0x2E80, 0xA4CF},
                                                  {0xA960, 0xA97F},
                                                  {0xAC00, 0xD7A3},
                                                  {0xF900, 0xFAFF},
                                                  {0xFE30, 0xFE6F},
                                                  {0xFF00, 0xFF60},
                                                  {0xFFE0, 0xFFE6},
                                                  {0x1F300, 0x1FAFF},
                                                  {0x20000, 0x3FFFD}}};
  const auto holds = [point](const Range& range) {
    return range.first <= point && point <= range.last;
  };
  if (std::any_of(none.begin(), none.end(), holds)) return 0;
  return std::any_of(wide.begin(), wide.end(), holds) ? 2 : 1;
}

int columns_of(std::string_view text) {
  int columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    columns += columns_of(next_code_point(text, at));
  }
  return columns;
}

// `text` in at most `limit` columns, cut with "…".
std::string cut(const std::string& text, int limit) {
  if (columns_of(text) <= limit) return text;
  int columns = 1;
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size(); end = at) {
    columns += columns_of(next_code_point(text, at));
    if (columns > limit) break;
  }
  return text.substr(0, end) + "…";
}

// Table: the cells

std::string two_units(std::int64_t large, std::string_view large_unit,
                      std::int64_t small, std::string_view small_unit) {
  if (small == 0) return fmt::format("{} {}", large, large_unit);
  return fmt::format("{} {} {} {}", large, large_unit, small, small_unit);
}

std::string duration_text(std::optional<std::int64_t> milliseconds) {
  if (!milliseconds) return "-";
  const std::int64_t ms = *milliseconds;
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 9950) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  const std::int64_t s = ms / 1000 + (ms % 1000 >= 500 ? 1 : 0);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return two_units(s / 60, "m", s % 60, "s");
  if (s < 86400) return two_units(s / 3600, "h", s / 60 % 60, "m");
  return two_units(s / 86400, "d", s / 3600 % 24, "h");
}

std::string percent_text(double rate) {
  const double percent = rate * 100;
  if (percent > 0 && percent < 0.1) return "<0.1 %";
  return fmt::format("{:.1f} %", percent);
}

// A column: its title, then a cell for each row. On a narrow terminal the one
// with the highest `spare` goes first; 0 stays.
struct Column {
  std::string title;
  int spare = 0;
  bool is_key = false;
  bool is_idle = true;  // every cell is 0 or "-"
  std::vector<std::string> cells = {};
  int width = 0;
};

void add_cell(Column& column, std::string text) {
  if (text != "0" && text != "-") column.is_idle = false;
  column.cells.push_back(std::move(text));
}

int spare_of(std::string_view count) {
  if (count == "attempts") return 8;
  if (count == "cancelled") return 3;
  if (count == "deferred") return 2;
  if (count == "queued") return 1;
  return 0;
}

std::vector<Column> columns_for(const Tally& tally) {
  std::vector<Column> columns;
  for (const TallyBy by : tally.by()) {
    columns.push_back({.title = std::string(to_text(by)), .is_key = true});
  }
  for (const Count& count : counts_of({}, tally.of())) {
    columns.push_back(
        {.title = std::string(count.name), .spare = spare_of(count.name)});
  }
  if (!has_times(tally.of())) return columns;
  columns.push_back({.title = "failures"});
  columns.push_back({.title = "queue p50", .spare = 4});
  columns.push_back({.title = "p95", .spare = 6});
  columns.push_back({.title = "p99", .spare = 10});
  columns.push_back({.title = "provider p50", .spare = 5});
  columns.push_back({.title = "p95", .spare = 7});
  columns.push_back({.title = "p99", .spare = 9});
  return columns;
}

void add_cells(std::vector<Column>& columns, const Key& key,
               const TallyRow& row, TallyOf of) {
  auto column = columns.begin();
  for (const std::string& value : key) {
    add_cell(*column++, value.empty() ? "-" : printable(value));
  }
  for (const Count& count : counts_of(row, of)) {
    add_cell(*column++, std::to_string(count.value));
  }
  if (!has_times(of)) return;
  add_cell(*column++, percent_text(row.failure_rate()));
  for (const TimeHistogram* times : {&row.queue_ms, &row.provider_ms}) {
    for (const Percentile& percentile : k_percentiles) {
      add_cell(*column++, duration_text(times->percentile(percentile.percent)));
    }
  }
}

void add_total(std::vector<Column>& columns, const Tally& tally) {
  if (tally.rows().size() < 2) return;
  Key key(tally.by().size());
  add_cells(columns, key, tally.total(), tally.of());
  for (Column& column : columns) {
    if (column.is_key) column.cells.back().clear();
  }
  columns.front().cells.back() = "total";
}

void drop_idle(std::vector<Column>& columns) {
  const auto is_idle = [](const Column& column) {
    return !column.is_key && column.is_idle && column.title != "queued" &&
           column.title != "sent" && column.title != "failed";
  };
  columns.erase(std::remove_if(columns.begin(), columns.end(), is_idle),
                columns.end());
}

// Table: fitting

constexpr int k_gap = 2;
// An hour ("2026-11-21T10") stays whole: cut, all of a day's look the same.
constexpr int k_least_key_width = 13;

void measure(std::vector<Column>& columns) {
  for (Column& column : columns) {
    column.width = columns_of(column.title);
    for (const std::string& cell : column.cells) {
      column.width = std::max(column.width, columns_of(cell));
    }
  }
}

int width_of(const std::vector<Column>& columns) {
  int width = -k_gap;
  for (const Column& column : columns) width += column.width + k_gap;
  return width;
}

// Takes a column's width from the widest key; false when keys are as narrow
// as is of use.
bool narrow_a_key(std::vector<Column>& columns) {
  const auto narrower = [](const Column& a, const Column& b) {
    return (a.is_key ? a.width : 0) < (b.is_key ? b.width : 0);
  };
  const auto widest =
      std::max_element(columns.begin(), columns.end(), narrower);
  if (!widest->is_key || widest->width <= k_least_key_width) return false;
  --widest->width;
  return true;
}

bool drop_a_column(std::vector<Column>& columns) {
  const auto matters_more = [](const Column& a, const Column& b) {
    return a.spare < b.spare;
  };
  const auto least =
      std::max_element(columns.begin(), columns.end(), matters_more);
  if (least->spare == 0) return false;
  columns.erase(least);
  return true;
}

void fit(std::vector<Column>& columns, int width) {
  if (width <= 0) return;
  while (width_of(columns) > width) {
    if (!narrow_a_key(columns) && !drop_a_column(columns)) return;
  }
}

void append_cell(std::string& line, const Column& column,
                 const std::string& text) {
  const std::string shown = cut(text, column.width);
  const auto padding =
      static_cast<std::size_t>(column.width - columns_of(shown));
  if (!line.empty()) line.append(k_gap, ' ');
  if (!column.is_key) line.append(padding, ' ');
  line += shown;
  if (column.is_key) line.append(padding, ' ');
}

std::string printed(const std::vector<Column>& columns) {
  std::string out;
  for (const Column& column : columns) append_cell(out, column, column.title);
  out += '\n';
  for (std::size_t row = 0; row < columns.front().cells.size(); ++row) {
    std::string line;
    for (const Column& column : columns) {
      append_cell(line, column, column.cells[row]);
    }
    out += line + '\n';
  }
  return out;
}

}  // namespace

std::string to_table(const Tally& tally, int width) {
  std::vector<Column> columns = columns_for(tally);
  for (const auto& [key, row] : tally.rows()) {
    add_cells(columns, key, row, tally.of());
  }
  add_total(columns, tally);
  if (!tally.rows().empty()) drop_idle(columns);
  measure(columns);
  fit(columns, width);
  return printed(columns);
}

std::string to_json_rows(const Tally& tally) {
  std::string out = "[";
  for (const auto& [key, row] : tally.rows()) {
    out += out.size() > 1 ? ",\n" : "\n";
    append_row(out, tally, key, row);
  }
  out += tally.rows().empty() ? "]\n" : "\n]\n";
  return out;
}

std::string to_csv(const Tally& tally) {
  std::string out;
  append_csv_line(out, csv_header(tally));
  for (const auto& [key, row] : tally.rows()) {
    append_csv_line(out, csv_row(key, row, tally.of()));
  }
  return out;
}

}  // namespace pony
