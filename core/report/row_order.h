// In which order the rows of a tally are read, and which of them where not all
// are wanted.
#pragma once

#include <cstddef>
#include <vector>

#include "core/report/report_figures.h"
#include "core/report/tally.h"

namespace pony {

// A row of a tally, which must outlive it.
struct ReportRow {
  const TallyKey* key = nullptr;
  const TallyRow* row = nullptr;
};

struct ChosenRows {
  std::vector<ReportRow> rows;
  std::size_t left_out = 0;
};

// Are the rows those of days or hours, and so in the order of time?
bool is_by_time(const Tally& tally);

// Problems first: rows in which something went wrong by how much and how bad
// (Trouble::weight()), then the others by volume. Rows of days and hours stay
// in the order of time, those of one time problems first.
//
// `top`: at most so many, 0 for all: the first ones, or, by time, the latest.
ChosenRows problems_first(const Tally& tally, std::size_t top);
// The same rows as they are, by key, unless there are more than `top`: then
// they are those of problems_first().
ChosenRows by_key(const Tally& tally, std::size_t top);

}  // namespace pony
