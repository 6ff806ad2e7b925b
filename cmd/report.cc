// pony report: the event log, counted. Says which files are read and prints
// what was counted; how that is done is core/report's affair.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "cmd/commands.h"
#include "cmd/event_filter.h"
#include "cmd/event_words.h"
#include "cmd/output_file.h"
#include "core/report/count.h"
#include "core/report/digest.h"
#include "core/report/prometheus.h"
#include "core/report/report_format.h"
#include "core/report/report_health.h"
#include "core/report/report_page.h"
#include "core/report/report_table.h"
#include "core/report/row_order.h"
#include "core/report/tally.h"

namespace pony {
namespace {

struct ReportOptions {
  EventFilter filter;
  std::vector<TallyBy> by;
  std::string format = "table";
  std::string output;              // empty or "-": standard output
  std::optional<std::size_t> top;  // 0: all
};

TallyBy tally_by_or_refuse(const std::string& name) {
  if (const auto by = tally_by(name)) return *by;
  std::string known;
  for (const auto one : tally_names())
    known += (known.empty() ? "" : ", ") + std::string(one);
  const std::string meant = did_you_mean(name, tally_names());
  throw CLI::ValidationError(
      "--by", "there are no rows by '" + printable(name, 40) + "' (" +
                  (meant.empty() ? "there are: " + known : meant) + ")");
}

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

const Tally* find_tally(const ReportPage& page,
                        const std::vector<TallyBy>& by) {
  for (const Tally& tally : page.tallies)
    if (tally.by() == by) return &tally;
  return nullptr;
}

void add_missing(ReportPage& page, const std::vector<TallyBy>& by) {
  const Tally tally(by);
  if (find_tally(page, tally.by()) == nullptr) page.tallies.push_back(tally);
}

// What is counted. The first tally is the one that was asked for, except in a
// page, which has its own. A table's headline needs the providers, too.
ReportPage page_for(const ReportOptions& options, const ReportSpan& span) {
  const bool is_page = options.format == "html";
  ReportPage page = is_page ? empty_page(span) : ReportPage();
  page.span = span;
  page.selection = selection_of(options.filter);
  page.top = options.top.value_or(page.top);
  if (!options.by.empty())
    add_missing(page, options.by);
  else if (!is_page)
    add_missing(page, {TallyBy::tag});
  if (options.format == "table") {
    add_missing(page, {TallyBy::provider});
    add_missing(page, provider_time_keys(span));
  }
  return page;
}

std::string as_table(const ReportPage& page, const ReportOptions& options,
                     const Io& io) {
  const Tally& tally = page.tallies.front();
  const bool is_seen = io.out_is_terminal() && options.output.empty();
  const int width = is_seen ? io.out_width() : 0;
  const std::size_t top = options.top.value_or(
      is_seen && !is_by_time(tally) ? k_rows_on_a_terminal : 0);
  const ProviderTallies providers = {
      find_tally(page, {TallyBy::provider}),
      find_tally(page, provider_time_keys(page.span))};
  return to_headline(tally, providers, page.span, width) + "\n" +
         to_table(tally, width, top);
}

std::string in_format(const ReportPage& page, const ReportOptions& options,
                      const Io& io) {
  const Tally& tally = page.tallies.front();
  if (options.format == "html") return to_html(page);
  if (options.format == "prometheus") return to_prometheus(tally, page.span);
  if (options.format == "json")
    return to_json_rows(tally, options.top.value_or(0));
  if (options.format == "csv") return to_csv(tally, options.top.value_or(0));
  return as_table(page, options, io);
}

Result<> put_out(const std::string& text, const ReportOptions& options,
                 Io& io) {
  if (!options.output.empty() && options.output != "-")
    return write_output_file(options.output, text, k_for_all);
  io.out(text);
  return {};
}

// The files that may hold what is asked for, and where their digests are kept:
// nowhere, if that cannot be written.
Result<CountSources> sources_of(Spool& spool, const EventFilter& filter) {
  EventLog& log = spool.log();
  auto files = log.files(filter.since, filter.until);
  if (!files) return tl::unexpected(files.error());
  CountSources sources;
  for (LogFile& file : *files)
    sources.files.push_back({std::move(file.name), file.form});
  sources.open = [&log](const CountSource& file) {
    return log.open({file.name, {}, file.form});
  };
  sources.owner = spool.folders().trusted_owner();
  if (auto digests = spool.folders().folder("state/report"))
    sources.digests = *digests;
  return sources;
}

// The digests of logs that have been purged.
void remove_old_digests(Spool& spool, const CountSources& sources) {
  if (sources.digests < 0) return;
  auto all = spool.log().files({}, {});
  if (!all) return;
  std::vector<std::string> names;
  for (LogFile& file : *all) names.push_back(std::move(file.name));
  remove_other_digests(sources.digests, names);
}

void tell_what_is_missing(const CountSummary& summary, Context& context) {
  for (const std::string& name : summary.cut_off)
    context.say(cut_off_words(name));
  if (summary.unreadable > 0)
    context.say(std::to_string(summary.unreadable) +
                (summary.unreadable == 1 ? " line" : " lines") +
                " of the event log could not be read and are not counted");
  if (summary.repeated > 0 && context.options.verbose)
    context.say(std::to_string(summary.repeated) +
                (summary.repeated == 1 ? " event" : " events") +
                " that the log has twice counted once");
}

Result<int> run_report(const ReportOptions& options, Context& context) {
  if (options.format == "prometheus" && options.top)
    return fail(Error::Kind::usage,
                "--top cannot be combined with --format prometheus",
                "series that come and go are of no use to it");
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  const EventFilter& filter = options.filter;
  ReportPage page =
      page_for(options, {filter.since, filter.until, context.clock().now()});
  auto sources = sources_of(**spool, filter);
  if (!sources) return tl::unexpected(sources.error());
  std::vector<Tally*> tallies;
  for (Tally& tally : page.tallies) tallies.push_back(&tally);
  auto summary = count(*sources, filter, tallies);
  if (!summary) return tl::unexpected(summary.error());
  Io& io = context.io();
  if (auto put = put_out(in_format(page, options, io), options, io); !put)
    return tl::unexpected(put.error());
  tell_what_is_missing(*summary, context);
  remove_old_digests(**spool, *sources);
  return 0;
}

}  // namespace

Action add_report(CLI::App& app, Context& context) {
  auto options = std::make_shared<ReportOptions>();
  app.add_option_function<std::vector<std::string>>(
         "--by",
         [options](const std::vector<std::string>& names) {
           for (const auto& name : names)
             options->by.push_back(tally_by_or_refuse(name));
         },
         "Rows by tag (default), template, provider, pool, lang, domain, "
         "reason, day, hour, event; several with commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("KEY");
  app.add_option("--format", options->format, "How it is printed")
      ->check(CLI::IsMember({"table", "json", "csv", "html", "prometheus"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  app.add_option("--output", options->output,
                 "Into this file, readable for all, replaced by rename")
      ->type_name("FILE");
  app.add_option("--top", options->top,
                 "At most so many rows, problems first; 0: all (default; 20 "
                 "on a terminal, 10 a table of html)")
      ->type_name("N");
  add_event_filter(app, options->filter, context.clock());
  app.footer(
      "By provider it counts attempts by outcome, by reason the events that "
      "say why not,\nelse messages by what became of them.\n\n"
      "Examples:\n"
      "  pony report --since today\n"
      "  pony report --by template,lang --since 7d --format csv\n"
      "  pony report --since 7d --format html --output report.html\n\n"
      "Exit codes: 0 reported, 64 usage, 73 FILE cannot be made, 74 the log "
      "cannot be\nread.");
  return [options, &context] {
    if (context.options.json) options->format = "json";
    return run_report(*options, context);
  };
}

}  // namespace pony
