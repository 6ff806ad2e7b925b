// The rows of a tally as text, for people and for programs. Only printing: what
// is counted, and how, is tally.h's affair.
#pragma once

#include <string>

#include "core/report/tally.h"

namespace pony {

// For people, and may change: aligned columns under a header, a total below
// more than one row, columns in which nothing happened left out. At most
// `width` columns wide where that can be: keys are cut with "…", then the
// columns that matter least go; 0 or less means as wide as it gets. Keys are
// made fit for a terminal (printable()).
std::string to_table(const Tally& tally, int width);

// A JSON array with a row a line, ending in '\n'. A member for each key, under
// its name, then:
//   messages  queued sent failed deferred cancelled expired attempts unknown
//   attempts  attempts accepted rejected unavailable throttled unknown
//   reasons   events failed deferred expired
//   events    events
// and for the first two failure_rate (a fraction), queue_ms and provider_ms
// ({"p50":…,"p95":…,"p99":…}, null when nothing was timed).
std::string to_json_rows(const Tally& tally);

// The same as RFC 4180 with '\n' as line end: a header with the JSON's names,
// percentiles as queue_p50_ms …, an empty cell for null. A key that a
// spreadsheet would take for a formula is prefixed with '.
std::string to_csv(const Tally& tally);

}  // namespace pony
