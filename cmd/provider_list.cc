// pony provider list: the providers, how they have been of late, and what is
// left of their rates. Changes nothing.
#include <CLI/CLI.hpp>
#include <utility>
#include <vector>

#include "cmd/commands.h"
#include "cmd/provider_format.h"
#include "spool/health_files.h"

namespace pony {
namespace {

Result<int> run_provider_list(Context& context) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  HealthFiles store((*spool)->folders());
  const Time now = context.clock().now();
  std::vector<ListedProvider> listed;
  for (const auto& provider : (*config)->providers) {
    auto health = store.read(provider.name);
    if (!health) return tl::unexpected(health.error());
    listed.push_back(
        listed_provider(**config, provider, std::move(*health), now));
  }
  if (!context.options.json) {
    context.io().out(provider_table(listed, now));
    return 0;
  }
  for (const auto& provider : listed)
    context.io().out(provider_json(provider, now));
  return 0;
}

}  // namespace

Action add_provider_list(CLI::App& app, Context& context) {
  app.footer(
      "STATE is ok, paused, open, half-open or resting; UNTIL says how long "
      "still.\nLEFT is what may start now, of how many in which time.\n"
      "The table is for people and may change; scripts use --json.\n\n"
      "Examples\n"
      "  pony provider list\n"
      "  pony provider list --json | jq -r 'select(.state != \"ok\") | .name'"
      "\n\n"
      "Exit codes\n"
      "  0 listed · 74 the spool cannot be read · 75 a provider's health is "
      "locked ·\n  77 no permission · 78 the configuration is wrong");
  return [&context] { return run_provider_list(context); };
}

}  // namespace pony
