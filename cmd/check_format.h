// What `pony check` found, for programs: one JSON object, and the text file
// that node_exporter's textfile collector reads.
#pragma once

#include <string>
#include <vector>

#include "core/vitals.h"

namespace pony {

// One line, with its '\n'.
std::string to_json(const Vitals& vitals,
                    const std::vector<CheckFinding>& findings);

// Metrics in Prometheus' text format, all of them gauges with the prefix
// pony_. `vitals` has been read with every limit.
std::string to_prometheus(const Vitals& vitals,
                          const std::vector<CheckFinding>& findings);

}  // namespace pony
