// pony provider pause: no new attempt by a provider until it is resumed, or
// for some time. What is under way ends as it would have.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "cmd/commands.h"
#include "cmd/provider_format.h"
#include "spool/health_files.h"

namespace pony {
namespace {

struct PauseOptions {
  std::string name;
  std::optional<std::string> duration;
};

Result<std::optional<Time>> end_of_pause(const PauseOptions& options,
                                         Time now) {
  if (!options.duration) return std::optional<Time>();
  const auto duration = parse_duration(*options.duration);
  if (!duration || duration->count() <= 0)
    return fail(Error::Kind::usage,
                "--for must be a duration, not '" +
                    printable(*options.duration, 40) + "'",
                "such as 30m or 2h");
  return std::optional<Time>(now + *duration);
}

Result<int> run_provider_pause(const PauseOptions& options, Context& context) {
  const Time now = context.clock().now();
  auto until = end_of_pause(options, now);
  if (!until) return tl::unexpected(until.error());
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto provider = provider_called(**config, options.name);
  if (!provider) return tl::unexpected(provider.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  HealthFiles store((*spool)->folders());
  auto health = store.update(options.name, [&](ProviderHealth& one) {
    tidy(one, now, (*config)->breaker, (*provider)->rate);
    pause(one, *until);
  });
  if (!health) return tl::unexpected(health.error());
  if (context.options.json)
    context.io().out(provider_json(
        listed_provider(**config, **provider, *health, now), now));
  else
    context.say("'" + options.name + "' is paused until " +
                (*until ? format_time(**until) : std::string("resumed")));
  return 0;
}

}  // namespace

Action add_provider_pause(CLI::App& app, Context& context) {
  auto options = std::make_shared<PauseOptions>();
  app.add_option("name", options->name, "The provider, as in pony.yaml")
      ->required()
      ->type_name("NAME");
  app.add_option("--for", options->duration,
                 "For this long; else until it is resumed")
      ->type_name("DURATION");
  app.footer(
      "No attempt by this provider is started, by any process; what is under "
      "way ends\nas it would have. A second pause takes the place of the "
      "first.\n\n"
      "Examples\n"
      "  pony provider pause main --for 2h\n"
      "  pony provider pause main\n\n"
      "Exit codes\n"
      "  0 paused · 64 no such provider · 74 the disk failed · 75 its health "
      "is "
      "locked ·\n  77 no permission · 78 the configuration is wrong");
  return [options, &context] { return run_provider_pause(*options, context); };
}

}  // namespace pony
