// Rows and columns as aligned text.
//
// Promises: columns line up by display width; a column of numbers stands at
// its right edge; what does not fit is wrapped within its column, and what
// cannot be read that way is not drawn at all. Doesn't know: HTML.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace pony {

class TextTable {
 public:
  // More columns, or cells that cover more rows, are never drawn.
  static constexpr std::size_t k_most_columns = 100;
  static constexpr std::size_t k_most_rows_covered = 1000;

  struct Cell {
    std::string text;  // as fill_lines takes it; LF between its lines
    bool is_heading = false;
    bool is_at_right = false;  // it was said to be; for numbers one need not
    std::size_t columns = 1;   // it covers; at least 1
    std::size_t rows = 1;
  };

  void begin_row();
  void add(Cell cell);

  // The lines of the table, or nothing when it cannot be drawn in `width`
  // cells: then its cells are better read one after the other.
  std::optional<std::vector<std::string>> draw(std::size_t width) const;

  const std::vector<std::vector<Cell>>& rows() const { return rows_; }

 private:
  using Widths = std::vector<std::size_t>;

  // What the columns take when cells are filled to lines of `width` cells.
  Widths widths_when_filled(std::size_t width) const;
  std::optional<Widths> widths_within(std::size_t width) const;
  std::vector<bool> number_columns() const;
  bool has_heading_row() const;
  void draw_row(std::size_t row, const Widths& widths,
                const std::vector<bool>& numbers,
                std::vector<std::string>& lines) const;

  std::vector<std::vector<Cell>> rows_;
  // Where each cell of rows_ begins.
  std::vector<std::vector<std::size_t>> columns_;
  // For each column, how many of the next rows a cell above still covers.
  std::vector<std::size_t> covered_;
  bool is_too_wide_ = false;
};

// "1.234,50 €", "-3", "12 %", "USD 5": does `text` say an amount?
bool is_amount(std::string_view text);

}  // namespace pony
