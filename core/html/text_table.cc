#include "core/html/text_table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/display_width.h"
#include "core/html/text_flow.h"

namespace pony {
namespace {

constexpr std::size_t k_between = 2;  // spaces between two columns
// A column is never made narrower than this to make the table fit.
constexpr std::size_t k_readable = 12;
constexpr std::size_t k_longest_amount = 32;

std::size_t widest(const std::vector<std::string>& lines) {
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, display_width(line));
  return width;
}

// The cells that `count` columns from `first` take together.
std::size_t span_width(const std::vector<std::size_t>& widths,
                       std::size_t first, std::size_t count) {
  const auto begin = widths.begin() + static_cast<std::ptrdiff_t>(first);
  return std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(count),
                         (count - 1) * k_between);
}

void pad_to(std::string& line, std::size_t width) {
  const std::size_t is = display_width(line);
  if (is < width) line.append(width - is, ' ');
}

bool is_digit(char32_t code) {
  return code >= '0' && code <= '9';
}
bool is_currency(char32_t code) {
  return code == '$' || (code >= 0xA2 && code <= 0xA5) ||
         (code >= 0x20A0 && code <= 0x20CF);
}
bool is_blank(char32_t code) {
  return code == ' ' || code == 0xA0;
}
// What stands between the digits of a number, around it or before it.
bool is_number_mark(char32_t code) {
  constexpr std::u32string_view k_marks = U".,'’()%+";
  return k_marks.find(code) != std::u32string_view::npos;
}

}  // namespace

bool is_amount(std::string_view text) {
  if (text.size() > k_longest_amount) return false;
  std::size_t digits = 0, letters = 0, words = 0;
  char32_t before = ' ';
  bool was_letter = false;
  for (bool at_start = true; !text.empty(); at_start = false) {
    const Character next = first_character(text);
    text.remove_prefix(next.bytes.size());
    const bool is_sign = next.code == '-' || next.code == 0x2212;
    if (is_sign && !at_start && !is_blank(before) && !is_currency(before))
      return false;
    const bool is_letter = !is_digit(next.code) && !is_currency(next.code) &&
                           !is_blank(next.code) && !is_number_mark(next.code) &&
                           !is_sign;
    // "EUR 5" and "US$5" are amounts, "A5" is a name.
    if (was_letter && is_digit(next.code)) return false;
    if (is_letter && !was_letter && ++words > 1) return false;
    if (is_letter && ++letters > 3) return false;
    if (is_digit(next.code)) ++digits;
    was_letter = is_letter;
    before = next.code;
  }
  return digits > 0;
}

void TextTable::begin_row() {
  rows_.emplace_back();
  columns_.emplace_back();
  for (auto& rows : covered_)
    if (rows > 0) --rows;
}

void TextTable::add(Cell cell) {
  if (rows_.empty()) begin_row();
  std::size_t column = 0;
  while (column < covered_.size() && covered_[column] > 0) ++column;
  cell.columns = std::clamp(cell.columns, std::size_t{1}, k_most_columns);
  cell.rows = std::clamp(cell.rows, std::size_t{1}, k_most_rows_covered);
  const std::size_t end = column + cell.columns;
  if (end > k_most_columns) {
    is_too_wide_ = true;
  } else {
    if (covered_.size() < end) covered_.resize(end);
    for (std::size_t each = column; each < end; ++each)
      covered_[each] = cell.rows;
  }
  columns_.back().push_back(column);
  rows_.back().push_back(std::move(cell));
}

TextTable::Widths TextTable::widths_when_filled(std::size_t width) const {
  Widths widths(covered_.size());
  // Cells over several columns come last: they only need what is missing.
  for (const bool spanning : {false, true}) {
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      for (std::size_t each = 0; each < rows_[row].size(); ++each) {
        const Cell& cell = rows_[row][each];
        if ((cell.columns > 1) != spanning) continue;
        const std::size_t first = columns_[row][each];
        const std::size_t needs = widest(fill_lines(cell.text, width));
        const std::size_t has = span_width(widths, first, cell.columns);
        if (needs > has) widths[first + cell.columns - 1] += needs - has;
      }
    }
  }
  return widths;
}

// The widest columns give until all fit.
std::optional<TextTable::Widths> TextTable::widths_within(
    std::size_t width) const {
  Widths widths = widths_when_filled(TextFlow::k_endless);
  if (widths.empty()) return std::nullopt;
  for (auto& one : widths) one = std::min(one, width);
  std::size_t total = span_width(widths, 0, widths.size());
  if (total <= width) return widths;
  const Widths narrowest = widths_when_filled(1);
  const auto can_give = [&](std::size_t column) {
    return widths[column] > std::max(narrowest[column], k_readable);
  };
  for (; total > width; --total) {
    std::size_t most = widths.size();
    for (std::size_t each = 0; each < widths.size(); ++each)
      if (can_give(each) &&
          (most == widths.size() || widths[each] > widths[most]))
        most = each;
    if (most == widths.size()) return std::nullopt;
    --widths[most];
  }
  return widths;
}

std::vector<bool> TextTable::number_columns() const {
  std::vector<bool> numbers(covered_.size()), others(covered_.size());
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    for (std::size_t each = 0; each < rows_[row].size(); ++each) {
      const Cell& cell = rows_[row][each];
      if (cell.is_heading || cell.columns > 1 || cell.text.empty()) continue;
      (is_amount(cell.text) ? numbers : others)[columns_[row][each]] = true;
    }
  }
  for (std::size_t each = 0; each < numbers.size(); ++each)
    numbers[each] = numbers[each] && !others[each];
  return numbers;
}

bool TextTable::has_heading_row() const {
  return rows_.size() > 1 && !rows_[0].empty() &&
         std::all_of(rows_[0].begin(), rows_[0].end(),
                     [](const Cell& cell) { return cell.is_heading; });
}

void TextTable::draw_row(std::size_t row, const Widths& widths,
                         const std::vector<bool>& numbers,
                         std::vector<std::string>& lines) const {
  const std::size_t top = lines.size();
  for (std::size_t each = 0; each < rows_[row].size(); ++each) {
    const Cell& cell = rows_[row][each];
    const std::size_t first = columns_[row][each];
    const std::size_t width = span_width(widths, first, cell.columns);
    const std::size_t left =
        first == 0 ? 0 : span_width(widths, 0, first) + k_between;
    const bool at_right =
        cell.is_at_right || (cell.columns == 1 && numbers[first]);
    std::size_t below = top;
    for (const auto& text : fill_lines(cell.text, width)) {
      if (below == lines.size()) lines.emplace_back();
      std::string& line = lines[below++];
      const std::size_t is = display_width(text);
      pad_to(line, at_right && is < width ? left + width - is : left);
      line += text;
    }
  }
}

std::optional<std::vector<std::string>> TextTable::draw(
    std::size_t width) const {
  if (is_too_wide_) return std::nullopt;
  const auto widths = widths_within(width);
  if (!widths) return std::nullopt;
  const auto numbers = number_columns();
  std::vector<std::string> lines;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    draw_row(row, *widths, numbers, lines);
    if (row > 0 || !has_heading_row()) continue;
    std::string rule;
    for (std::size_t each = 0; each < widths->size(); ++each) {
      if (each > 0) rule.append(k_between, ' ');
      rule.append((*widths)[each], '-');
    }
    lines.push_back(std::move(rule));
  }
  return lines;
}

}  // namespace pony
