// What becomes of a report when it is counted: which tallies its format needs,
// and where it goes. Reads no log.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cmd/event_filter.h"
#include "cmd/io.h"
#include "core/report/report_page.h"
#include "core/report/tally.h"
#include "core/result.h"

namespace pony {

// The options about it, as they were given.
struct ReportOutput {
  std::string format = "table";
  std::string file;                // empty or "-": standard output
  std::optional<std::size_t> top;  // 0: all rows
};

// usage when the options contradict each other.
Result<> check_output(const ReportOutput& output);

// The tallies to fill, empty, with what is told beside them: those that were
// asked for (`by`, tags unless a key is given), a page's own, and the providers
// for a table's headline. `now` ends the span.
ReportPage page_for(const std::vector<TallyBy>& by, const ReportOutput& output,
                    const EventFilter& filter, Time now);

// Prints `page`, whose tallies are filled, or puts it into its file
// (write_output_file()).
Result<> put_out(const ReportPage& page, const ReportOutput& output, Io& io);

}  // namespace pony
