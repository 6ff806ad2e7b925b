// Formats and files of a report; see report_output.h.
#include "cmd/report_output.h"

#include "cmd/output_file.h"
#include "core/report/prometheus.h"
#include "core/report/report_format.h"
#include "core/report/report_health.h"
#include "core/report/report_table.h"
#include "core/report/row_order.h"

namespace pony {
namespace {

// On a terminal what matters is to be seen without scrolling; a file or a
// program gets all of it.
constexpr std::size_t k_rows_on_a_terminal = 20;

// "--tag signup --pool default", for a page's header.
std::string selection_of(const EventFilter& filter) {
  std::string text;
  const auto append = [&text](const char* option,
                              const std::vector<std::string>& values) {
    for (const auto& value : values)
      text += (text.empty() ? "" : " ") + std::string(option) + " " + value;
  };
  append("--event", filter.events);
  append("--tag", filter.tags);
  append("--template", filter.templates);
  append("--provider", filter.providers);
  append("--pool", filter.pools);
  append("--lang", filter.langs);
  append("--domain", filter.domains);
  append("--reason", filter.reasons);
  return text;
}

void add_missing(ReportPage& page, const std::vector<TallyBy>& by) {
  const Tally tally(by);
  if (find_tally(page, tally.by()) == nullptr) page.tallies.push_back(tally);
}

bool is_for_output(const ReportOutput& output) {
  return output.file.empty() || output.file == "-";
}

std::string as_table(const ReportPage& page, const ReportOutput& output,
                     const Io& io) {
  const Tally& tally = page.tallies.front();
  const bool is_seen = io.out_is_terminal() && is_for_output(output);
  const int width = is_seen ? io.out_width() : 0;
  const std::size_t top = output.top.value_or(
      is_seen && !is_by_time(tally) ? k_rows_on_a_terminal : 0);
  const ProviderTallies providers = {
      find_tally(page, {TallyBy::provider}),
      find_tally(page, provider_time_keys(page.span))};
  return to_headline(tally, providers, page.span, width) + "\n" +
         to_table(tally, width, top);
}

// Of all but a page the first tally is the one that was asked for.
std::string in_format(const ReportPage& page, const ReportOutput& output,
                      const Io& io) {
  const Tally& tally = page.tallies.front();
  const std::size_t top = output.top.value_or(0);
  if (output.format == "html") return to_html(page);
  if (output.format == "prometheus") return to_prometheus(tally, page.span);
  if (output.format == "json") return to_json_rows(tally, top);
  if (output.format == "csv") return to_csv(tally, top);
  return as_table(page, output, io);
}

}  // namespace

Result<> check_output(const ReportOutput& output) {
  if (output.format == "prometheus" && output.top)
    return fail(Error::Kind::usage,
                "--top cannot be combined with --format prometheus",
                "series that come and go are of no use to it");
  return {};
}

ReportPage page_for(const std::vector<TallyBy>& by, const ReportOutput& output,
                    const EventFilter& filter, Time now) {
  const ReportSpan span = {filter.since, filter.until, now};
  const bool is_page = output.format == "html";
  ReportPage page = is_page ? empty_page(span) : ReportPage();
  page.span = span;
  page.selection = selection_of(filter);
  page.top = output.top.value_or(page.top);
  if (!by.empty())
    add_missing(page, by);
  else if (!is_page)
    add_missing(page, {TallyBy::tag});
  if (output.format == "table") {
    add_missing(page, {TallyBy::provider});
    add_missing(page, provider_time_keys(span));
  }
  return page;
}

Result<> put_out(const ReportPage& page, const ReportOutput& output, Io& io) {
  const std::string text = in_format(page, output, io);
  if (!is_for_output(output))
    return write_output_file(output.file, text, k_for_all);
  io.out(text);
  return {};
}

}  // namespace pony
