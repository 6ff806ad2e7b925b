// A report as one page for a browser, or a mail: what it is made of, and how
// it is written. Knows no file and no log: its tallies are filled by whoever
// reads the events, all in one pass.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/event.h"
#include "core/report/report_health.h"
#include "core/report/tally.h"

namespace pony {

// The keys of the tallies that a page is made of: time (time_key()), provider
// and time, then provider, reason, tag, template and domain.
std::vector<std::vector<TallyBy>> page_keys(const ReportSpan& span);

struct ReportPage {
  ReportSpan span;
  // Which events, as a person asked for them ("--tag signup"); empty: all.
  std::string selection;
  // Rows of a table; 0: all of them.
  std::size_t top = 10;
  // Those of page_keys(), and any other, which gets a table of its own at the
  // end. One that is missing is a section less.
  std::vector<Tally> tallies;
};

// A page with empty tallies, ready to be filled.
ReportPage empty_page(const ReportSpan& span);
// The tally of exactly these keys, else nullptr. It goes when tallies are
// added.
const Tally* find_tally(const ReportPage& page, const std::vector<TallyBy>& by);
// Counts `event` in each tally.
void add(ReportPage& page, const Event& event);

// One HTML page that needs nothing else: no script, no request (its policy
// forbids them), charts as SVG, light and dark. The tables say all that the
// charts show, so that it can be the body of a mail, where programs drop SVG.
// Whatever names and reasons hold is text.
std::string to_html(const ReportPage& page);

}  // namespace pony
