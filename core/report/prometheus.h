// The rows of a tally as metrics, for a scraper or node_exporter's folder of
// text files.
#pragma once

#include <string>

#include "core/report/report_health.h"
#include "core/report/tally.h"

namespace pony {

// Prometheus' text format 0.0.4, without time stamps. Of
//   messages  pony_report_messages{state}, pony_report_attempts{outcome}
//   attempts  pony_report_attempts{outcome}
//   reasons   pony_report_reasons{then}
//   events    pony_report_events
// and for the first two the histograms pony_report_queue_seconds and
// pony_report_provider_seconds; then the span. Each series has `by`, the names
// of the keys, so that reports by different keys can lie in one folder, and
// the keys themselves.
//
// All are gauges: a report counts a span of the log, so its figures fall when
// the span moves on or old logs are purged, and a counter that falls would be
// taken for one that began anew.
std::string to_prometheus(const Tally& tally, const ReportSpan& span);

}  // namespace pony
