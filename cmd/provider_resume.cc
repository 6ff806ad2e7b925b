// pony provider resume: a provider may be tried again at once, whatever kept
// it from being: a pause, an open breaker, or that it asked to be left alone.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cmd/commands.h"
#include "cmd/provider_format.h"
#include "spool/health_files.h"

namespace pony {
namespace {

Result<int> run_provider_resume(const std::string& name, Context& context) {
  const Time now = context.clock().now();
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto provider = provider_called(**config, name);
  if (!provider) return tl::unexpected(provider.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  HealthFiles store((*spool)->folders());
  std::string why;
  auto health = store.update(name, [&](ProviderHealth& one) {
    tidy(one, now, (*config)->breaker, (*provider)->rate);
    why = why_resting(one, now);
    resume(one);
  });
  if (!health) return tl::unexpected(health.error());
  if (context.options.json)
    context.io().out(provider_json(
        listed_provider(**config, **provider, *health, now), now));
  else
    context.say(
        "'" + name + "' may be tried " +
        (why.empty() ? "already" : "again (it was: " + printable(why) + ")"));
  return 0;
}

}  // namespace

Action add_provider_resume(CLI::App& app, Context& context) {
  auto name = std::make_shared<std::string>();
  app.add_option("name", *name, "The provider, as in pony.yaml")
      ->required()
      ->type_name("NAME");
  app.footer(
      "Ends a pause, closes the breaker, and forgets that the provider asked "
      "to be left\nalone. What was measured, and what was taken of its rates, "
      "stays.\n\n"
      "Example\n"
      "  pony provider resume main\n\n"
      "Exit codes\n"
      "  0 it may be tried · 64 no such provider · 74 the disk failed · 75 its "
      "health is\n  locked · 77 no permission · 78 the configuration is wrong");
  return [name, &context] { return run_provider_resume(*name, context); };
}

}  // namespace pony
