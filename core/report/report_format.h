// The rows of a tally for programs: JSON and CSV. Only printing: what is
// counted, and how, is tally.h's affair.
#pragma once

#include <cstddef>
#include <string>

#include "core/report/tally.h"

namespace pony {

// A JSON array with a row a line, ending in '\n'. A member for each key, under
// its name, then:
//   messages  queued sent failed deferred cancelled expired attempts unknown
//   attempts  attempts accepted rejected unavailable throttled unknown
//   reasons   events failed deferred expired
//   events    events
// and for the first two failure_rate (a fraction), queue_ms and provider_ms
// ({"p50":…,"p95":…,"p99":…}, null when nothing was timed).
//
// Rows are sorted by key; where there are more than `top` (0: no limit) they
// are the table's first ones, in its order (row_order.h).
std::string to_json_rows(const Tally& tally, std::size_t top = 0);

// The same as RFC 4180 with '\n' as line end: a header with the JSON's names,
// percentiles as queue_p50_ms …, an empty cell for null. A key that a
// spreadsheet could take for a formula is prefixed with '.
std::string to_csv(const Tally& tally, std::size_t top = 0);

}  // namespace pony
