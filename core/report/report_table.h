// The rows of a tally for people: a table that fits the terminal, problems
// first. Only printing: what is counted, and how, is tally.h's affair.
#pragma once

#include <cstddef>
#include <string>

#include "core/report/tally.h"

namespace pony {

// May change: aligned columns under a header, a total below more than one row,
// columns in which nothing happened left out. Rows in which something went
// wrong come first (row_order.h). Of more than `top` (0: no limit) the others
// are counted in a line, "… and 41 more", and in the total.
//
// At most `width` columns wide where that can be: keys are cut with "…", then
// the columns that matter least go; 0 or less means as wide as it gets. Keys
// are made fit for a terminal (printable()).
std::string to_table(const Tally& tally, int width, std::size_t top = 0);

}  // namespace pony
