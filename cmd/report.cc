// pony report: the event log, counted. Reads events and prints a tally; what
// is counted, and how, is core/report's affair.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/commands.h"
#include "cmd/event_filter.h"
#include "core/report/report_format.h"
#include "core/report/report_table.h"
#include "core/report/tally.h"

namespace pony {
namespace {

struct ReportOptions {
  EventFilter filter;
  std::vector<TallyBy> by;
  std::string format = "table";
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

Result<int> run_report(const ReportOptions& options, Context& context) {
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  Tally tally(options.by.empty() ? std::vector{TallyBy::tag} : options.by);
  std::size_t unreadable = 0;
  const EventFilter& filter = options.filter;
  auto read = (*spool)->log().read(filter.since, filter.until,
                                   [&](std::string_view line) {
                                     const auto event = parse_event(line);
                                     if (!event) {
                                       ++unreadable;
                                     } else if (filter.matches(*event)) {
                                       tally.add(*event);
                                     }
                                     return true;
                                   });
  if (!read) return tl::unexpected(read.error());

  Io& io = context.io();
  if (context.options.json || options.format == "json") {
    io.out(to_json_rows(tally));
  } else if (options.format == "csv") {
    io.out(to_csv(tally));
  } else {
    io.out(to_table(tally, io.out_width()));
  }
  if (unreadable > 0)
    context.say(std::to_string(unreadable) +
                (unreadable == 1 ? " line" : " lines") +
                " of the event log could not be read and are not counted");
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
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str()
      ->type_name("table|json|csv");
  add_event_filter(app, options->filter, context.clock());
  app.footer(
      "By provider it counts attempts by outcome, by reason the events that "
      "say why not,\nelse messages by what became of them.\n\n"
      "Examples:\n"
      "  pony report --since today\n"
      "  pony report --by template,lang --since 7d --format csv\n\n"
      "Exit codes: 0 reported, 64 usage, 74 the log cannot be read.");
  return [options, &context] { return run_report(*options, context); };
}

}  // namespace pony
