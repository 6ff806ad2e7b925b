// pony check: is all well? For monitoring: one line and an exit code as
// Nagios plug-ins have them. Changes nothing in the spool, and makes none.
#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "cmd/check_format.h"
#include "cmd/commands.h"
#include "cmd/output_file.h"
#include "cmd/vitals_reader.h"
#include "core/fs.h"
#include "core/vitals.h"

namespace pony {
namespace {

constexpr int k_unknown = 3;  // what a plug-in says when it cannot tell

struct CheckFlags {
  std::string oldest, queue, failed, uncertain, last_run, disk;
  bool degraded = false;
  std::string since = "1h";
  std::string prometheus;
};

// What is looked at when nothing is asked for.
VitalLimits default_limits() {
  VitalLimits limits;
  limits.oldest = Threshold{LimitUnit::seconds, 15.0 * 60, 3600.0};
  limits.disk = Threshold{LimitUnit::percent, 10.0, 5.0};
  limits.degraded = true;
  return limits;
}

// Everything is to be read, whatever is wrong with it.
VitalLimits everything() {
  VitalLimits limits;
  for (auto* limit : {&limits.oldest, &limits.queue, &limits.failed,
                      &limits.uncertain, &limits.last_run, &limits.disk})
    *limit = Threshold{};
  limits.degraded = true;
  return limits;
}

Result<> read_limit(std::string_view option, const std::string& text,
                    LimitUnit unit, std::optional<Threshold>& out) {
  if (text.empty()) return {};
  auto threshold = parse_threshold(text, unit);
  if (!threshold)
    return fail(Error::Kind::usage,
                std::string(option) + ": " + threshold.error().what);
  out = *threshold;
  return {};
}

Result<VitalLimits> limits_from(const CheckFlags& flags) {
  VitalLimits limits;
  const struct {
    std::string_view option;
    const std::string& text;
    LimitUnit unit;
    std::optional<Threshold>& limit;
  } all[] = {
      {"--oldest", flags.oldest, LimitUnit::seconds, limits.oldest},
      {"--queue", flags.queue, LimitUnit::count, limits.queue},
      {"--failed", flags.failed, LimitUnit::count, limits.failed},
      {"--uncertain", flags.uncertain, LimitUnit::count, limits.uncertain},
      {"--last-run", flags.last_run, LimitUnit::seconds, limits.last_run},
      {"--disk", flags.disk, LimitUnit::percent, limits.disk},
  };
  for (const auto& one : all)
    if (auto read = read_limit(one.option, one.text, one.unit, one.limit);
        !read)
      return tl::unexpected(read.error());
  limits.degraded = flags.degraded;
  return limits.empty() ? default_limits() : limits;
}

// A spool that is not there is not to be made: its mail would be elsewhere,
// and all would seem well.
Result<Spool*> existing_spool(const Config& config, Context& context) {
  if (!is_folder(config.spool + "/new"))
    return fail(Error::Kind::not_found, "there is no spool '" +
                                            printable(config.spool, 200) +
                                            "', or it cannot be read");
  return context.spool();
}

Result<int> run_check(const CheckFlags& flags, Context& context) {
  auto limits = limits_from(flags);
  if (!limits) return tl::unexpected(limits.error());
  auto since = parse_duration(flags.since);
  if (!since) return fail(Error::Kind::usage, "--since: " + since.error().what);
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto spool = existing_spool(**config, context);
  if (!spool) return tl::unexpected(spool.error());

  VitalsReader reader(**spool, **config, VitalsReader::Care::exact, *since);
  auto vitals = reader.read(context.clock().now(),
                            flags.prometheus.empty() ? *limits : everything());
  if (!vitals) return tl::unexpected(vitals.error());
  const auto findings = judge(*vitals, *limits);
  if (!flags.prometheus.empty()) {
    auto written = write_output_file(
        flags.prometheus, to_prometheus(*vitals, findings), k_for_all);
    if (!written) return tl::unexpected(written.error());
  }
  const CheckStatus worst = worst_of(findings);
  if (context.options.json) {
    context.io().out(to_json(*vitals, findings));
  } else if (!context.options.quiet || worst != CheckStatus::ok) {
    context.io().out(in_one_line(*vitals, *limits, findings));
  }
  return static_cast<int>(worst);
}

}  // namespace

// On stdout, where monitoring looks, and never one of sysexits' numbers.
int tell_check_error(const Error& error, Context& context) {
  std::string text = error.what;
  for (const auto& problem : error.problems) {
    if (text.ends_with(problem.what)) continue;
    text += "; " + problem.place + (problem.place.empty() ? "" : ": ") +
            problem.what;
  }
  if (context.options.json) {
    std::string line;
    JsonWriter(line)
        .field("status", "UNKNOWN")
        .field("code", std::int64_t{k_unknown})
        .field("sentence", text)
        .end();
    context.io().out(line + "\n");
    return k_unknown;
  }
  text = printable(text, 600);
  std::replace(text.begin(), text.end(), '|', '/');
  context.io().out("PONY UNKNOWN - " + text + "\n");
  return k_unknown;
}

Action add_check(CLI::App& app, Context& context) {
  auto flags = std::make_shared<CheckFlags>();
  app.add_option("--oldest", flags->oldest,
                 "How long a message may have waited (15m:1h)")
      ->type_name("TIME");
  app.add_option("--queue", flags->queue, "How many may wait")->type_name("N");
  app.add_option("--failed", flags->failed,
                 "How many may have failed since --since")
      ->type_name("N");
  app.add_option("--uncertain", flags->uncertain,
                 "How many may wait or be held that may have been delivered")
      ->type_name("N");
  app.add_flag("--degraded", flags->degraded,
               "No provider may be down while others carry its mail");
  app.add_option("--last-run", flags->last_run,
                 "How long ago a run may have been alive")
      ->type_name("TIME");
  app.add_option("--disk", flags->disk,
                 "What must be free of the disk (10%:5%)")
      ->type_name("PERCENT");
  app.add_option("--since", flags->since, "How far back --failed looks")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("--prometheus", flags->prometheus,
                 "Also write everything for node_exporter's textfile collector")
      ->type_name("FILE");
  app.footer(
      "A limit is WARN:CRIT, a single value is critical; it is passed by being "
      "more (of\nthe disk: less). Without options: --oldest 15m:1h --disk "
      "10%:5% --degraded.\n\n"
      "Examples\n"
      "  pony check --oldest 15m --failed 0 --uncertain 0\n"
      "  pony check --quiet --prometheus "
      "/var/lib/prometheus/node-exporter/pony.prom\n\n"
      "Exit codes\n"
      "  0 OK · 1 WARNING · 2 CRITICAL · 3 UNKNOWN: the spool or the "
      "configuration cannot\n  be read, or usage");
  return [flags, &context] { return run_check(*flags, context); };
}

}  // namespace pony
