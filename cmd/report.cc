// pony report: the event log, counted. Says which files are read; what is
// counted, and how, is core/report's affair, and report_output's how it looks.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/commands.h"
#include "cmd/event_filter.h"
#include "cmd/event_words.h"
#include "cmd/report_output.h"
#include "core/json.h"
#include "core/report/count.h"
#include "core/report/digest.h"
#include "core/report/tally.h"
#include "core/words.h"

namespace pony {
namespace {

struct ReportOptions {
  EventFilter filter;
  std::vector<TallyBy> by;
  ReportOutput output;
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
    context.say(counted(summary.unreadable, "line") +
                " of the event log could not be read and are not counted");
  if (summary.repeated > 0 && context.options.verbose)
    context.say(counted(summary.repeated, "event") +
                " that the log has twice counted once");
}

Result<int> run_report(const ReportOptions& options, Context& context) {
  if (auto checked = check_output(options.output); !checked)
    return tl::unexpected(checked.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  const EventFilter& filter = options.filter;
  ReportPage page =
      page_for(options.by, options.output, filter, context.clock().now());
  auto sources = sources_of(**spool, filter);
  if (!sources) return tl::unexpected(sources.error());
  std::vector<Tally*> tallies;
  for (Tally& tally : page.tallies) tallies.push_back(&tally);
  auto summary = count(*sources, filter, tallies);
  if (!summary) return tl::unexpected(summary.error());
  if (auto put = put_out(page, options.output, context.io()); !put)
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
  const CLI::Option* format =
      app.add_option("--format", options->output.format, "How it is printed")
          ->check(CLI::IsMember({"table", "json", "csv", "html", "prometheus"}))
          ->capture_default_str()
          ->type_name("table|json|csv|html|prometheus");
  app.add_option("--output", options->output.file,
                 "Into this file, readable for all, replaced by rename")
      ->type_name("FILE");
  app.add_option("--top", options->output.top,
                 "At most so many rows, problems first; 0: all (default; 20 "
                 "on a terminal, 10 a table of html)")
      ->type_name("N")
      ->check([](const std::string& text) {
        // CLI11 would take -1 for the largest number there is.
        return text.find_first_not_of("0123456789") == std::string::npos
                   ? std::string()
                   : "'" + printable(text, 60) + "' is no number of rows";
      });
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
  return [options, format, &context]() -> Result<int> {
    std::string& chosen = options->output.format;
    if (context.options.json && format->count() > 0 && chosen != "json")
      return fail(Error::Kind::usage,
                  "--json cannot be combined with --format " + chosen,
                  "--json is --format json");
    if (context.options.json) chosen = "json";
    return run_report(*options, context);
  };
}

}  // namespace pony
