// Rows as JSON and CSV; see report_format.h.
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
#include "core/report/report_figures.h"
#include "core/report/row_order.h"

namespace pony {
namespace {

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

void append_row(std::string& out, const Tally& tally, const TallyKey& key,
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

// What spreadsheets run as a formula starts with one of these, or with their
// full-width forms (OWASP, CSV Injection).
constexpr std::array<std::string_view, 8> k_formula_starts = {
    "=", "+", "-", "@", "＝", "＋", "－", "＠"};
// What they may skip before it. A line break or tab is never harmless.
constexpr std::array<std::string_view, 4> k_spaces = {" ", "\u00a0", "\u3000",
                                                      "\ufeff"};

template <std::size_t N>
std::size_t starts_with_one_of(std::string_view text,
                               const std::array<std::string_view, N>& starts) {
  for (const std::string_view start : starts) {
    if (text.starts_with(start)) return start.size();
  }
  return 0;
}

bool may_be_formula(std::string_view text) {
  while (const std::size_t space = starts_with_one_of(text, k_spaces))
    text.remove_prefix(space);
  if (text.empty()) return false;
  return static_cast<unsigned char>(text.front()) < ' ' ||
         starts_with_one_of(text, k_formula_starts) > 0;
}

// Tags and reasons come from outside. Quotes also keep a cell together where a
// program takes ';' or a tab for what separates cells.
std::string csv_cell(std::string text) {
  if (may_be_formula(text)) text.insert(0, 1, '\'');
  if (text.find_first_of(",;\t\"\r\n") == std::string::npos) return text;
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

std::vector<std::string> csv_row(const TallyKey& key, const TallyRow& row,
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

}  // namespace

std::string to_json_rows(const Tally& tally, std::size_t top) {
  std::string out = "[";
  for (const auto& [key, row] : by_key(tally, top).rows) {
    out += out.size() > 1 ? ",\n" : "\n";
    append_row(out, tally, *key, *row);
  }
  out += out.size() > 1 ? "\n]\n" : "]\n";
  return out;
}

std::string to_csv(const Tally& tally, std::size_t top) {
  std::string out;
  append_csv_line(out, csv_header(tally));
  for (const auto& [key, row] : by_key(tally, top).rows) {
    append_csv_line(out, csv_row(*key, *row, tally.of()));
  }
  return out;
}

}  // namespace pony
