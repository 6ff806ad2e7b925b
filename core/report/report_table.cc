// A tally as aligned columns; see report_table.h.
#include "core/report/report_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/display_width.h"
#include "core/json.h"
#include "core/report/report_figures.h"
#include "core/report/row_order.h"

namespace pony {
namespace {

// `text` in at most `limit` columns, cut with "…".
std::string cut(const std::string& text, std::size_t limit) {
  if (display_width(text) <= limit) return text;
  std::size_t columns = 1;
  std::string_view rest = text;
  while (!rest.empty()) {
    const Character next = first_character(rest);
    columns += display_width(next.code);
    if (columns > limit) break;
    rest.remove_prefix(next.bytes.size());
  }
  return text.substr(0, text.size() - rest.size()) + "…";
}

// A column: its title, then a cell for each row. On a narrow terminal the one
// with the highest `spare` goes first; 0 stays.
struct Column {
  std::string title;
  int spare = 0;
  bool is_key = false;
  bool is_idle = true;  // every cell is 0 or "-"
  int least_width = 0;  // of a key: how narrow it can be of use
  std::vector<std::string> cells = {};
  int width = 0;
};

void add_cell(Column& column, std::string text) {
  if (text != "0" && text != "-") column.is_idle = false;
  column.cells.push_back(std::move(text));
}

// From this on a column goes before keys are cut further than is of use.
constexpr int k_is_detail = 7;

struct Spare {
  std::string_view title;
  int spare;
};

int spare_of(std::string_view count, TallyOf of) {
  static constexpr std::array<Spare, 9> spares = {{{"cancelled", 9},
                                                   {"deferred", 8},
                                                   {"queued", 7},
                                                   {"rejected", 6},
                                                   {"throttled", 5},
                                                   {"unavailable", 4},
                                                   {"expired", 3},
                                                   {"unknown", 2},
                                                   {"accepted", 1}}};
  if (count == "attempts") return of == TallyOf::messages ? 14 : 0;
  const auto found =
      std::find_if(spares.begin(), spares.end(),
                   [count](const Spare& one) { return one.title == count; });
  return found == spares.end() ? 0 : found->spare;
}

// Times are never cut: what is left of one would be another.
int least_width_of(TallyBy by) {
  if (by == TallyBy::hour) return 13;  // 2026-11-21T10
  if (by == TallyBy::day) return 10;
  return 4;
}

std::vector<Column> columns_for(const Tally& tally) {
  std::vector<Column> columns;
  for (const TallyBy by : tally.by()) {
    columns.push_back({.title = std::string(to_text(by)),
                       .is_key = true,
                       .least_width = least_width_of(by)});
  }
  for (const Count& count : counts_of({}, tally.of())) {
    columns.push_back({.title = std::string(count.name),
                       .spare = spare_of(count.name, tally.of())});
  }
  if (!has_times(tally.of())) return columns;
  columns.push_back({.title = "failures"});
  // Of a provider its own time is asked first.
  const bool is_of_provider = tally.of() == TallyOf::attempts;
  columns.push_back({.title = "queue p50", .spare = is_of_provider ? 13 : 10});
  columns.push_back({.title = "p95", .spare = is_of_provider ? 14 : 12});
  columns.push_back({.title = "p99", .spare = 16});
  columns.push_back(
      {.title = "provider p50", .spare = is_of_provider ? 10 : 11});
  columns.push_back({.title = "p95", .spare = is_of_provider ? 12 : 13});
  columns.push_back({.title = "p99", .spare = 15});
  return columns;
}

void add_cells(std::vector<Column>& columns, const TallyKey& key,
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

bool has_total(const Tally& tally) {
  return tally.rows().size() > 1;
}

void add_total(std::vector<Column>& columns, const Tally& tally) {
  const TallyKey key(tally.by().size());
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

// Fitting

constexpr int k_gap = 2;

int columns_of(std::string_view text) {
  return static_cast<int>(display_width(text));
}

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

// How far a key is cut before columns of detail go. An hour's width.
constexpr int k_useful_key_width = 13;

// Takes a column's width from the widest key; false when keys are as narrow
// as `least` or as they can be.
bool narrow_a_key(std::vector<Column>& columns, int least) {
  Column* widest = nullptr;
  for (Column& column : columns) {
    if (!column.is_key || column.width <= std::max(least, column.least_width))
      continue;
    if (widest == nullptr || column.width > widest->width) widest = &column;
  }
  if (widest == nullptr) return false;
  --widest->width;
  return true;
}

// Drops the column that matters least, if it matters less than `spare` says.
bool drop_a_column(std::vector<Column>& columns, int spare) {
  const auto matters_more = [](const Column& a, const Column& b) {
    return a.spare < b.spare;
  };
  const auto least =
      std::max_element(columns.begin(), columns.end(), matters_more);
  if (least->spare < spare) return false;
  columns.erase(least);
  return true;
}

void fit(std::vector<Column>& columns, int width) {
  if (width <= 0) return;
  while (width_of(columns) > width) {
    if (narrow_a_key(columns, k_useful_key_width)) continue;
    if (drop_a_column(columns, k_is_detail)) continue;
    if (narrow_a_key(columns, 8) || drop_a_column(columns, 1)) continue;
    if (!narrow_a_key(columns, 0)) return;
  }
}

void append_cell(std::string& line, const Column& column,
                 const std::string& text) {
  const std::string shown = cut(text, static_cast<std::size_t>(column.width));
  const auto padding =
      static_cast<std::size_t>(column.width - columns_of(shown));
  if (!line.empty()) line.append(k_gap, ' ');
  if (!column.is_key) line.append(padding, ' ');
  line += shown;
  if (column.is_key) line.append(padding, ' ');
}

void append_line(std::string& out, const std::vector<Column>& columns,
                 std::size_t row) {
  std::string line;
  for (const Column& column : columns)
    append_cell(line, column, column.cells[row]);
  out += line + '\n';
}

// What is not shown stands where it would be: by time the oldest, so above.
std::string printed(const std::vector<Column>& columns,
                    const ChosenRows& chosen, const Tally& tally) {
  std::string out;
  for (const Column& column : columns) append_cell(out, column, column.title);
  out += '\n';
  const std::string left_out =
      chosen.left_out == 0
          ? std::string()
          : fmt::format("… and {} {}\n", count_text(chosen.left_out),
                        is_by_time(tally) ? "before" : "more");
  if (is_by_time(tally)) out += left_out;
  for (std::size_t row = 0; row < chosen.rows.size(); ++row)
    append_line(out, columns, row);
  if (!is_by_time(tally)) out += left_out;
  if (has_total(tally)) append_line(out, columns, chosen.rows.size());
  return out;
}

}  // namespace

std::string to_table(const Tally& tally, int width, std::size_t top) {
  std::vector<Column> columns = columns_for(tally);
  const ChosenRows chosen = problems_first(tally, top);
  for (const auto& [key, row] : chosen.rows)
    add_cells(columns, *key, *row, tally.of());
  if (has_total(tally)) add_total(columns, tally);
  if (!tally.rows().empty()) drop_idle(columns);
  measure(columns);
  fit(columns, width);
  return printed(columns, chosen, tally);
}

}  // namespace pony
