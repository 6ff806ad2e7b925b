// pony pool list, pony pool show: which providers a message goes round, and
// who would be asked first now. Changes nothing.
#include <CLI/CLI.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "cmd/commands.h"
#include "cmd/pool_format.h"

namespace pony {
namespace {

Result<const PoolConfig*> pool_called(const Config& config,
                                      std::string_view name) {
  if (const auto* pool = config.pool(name)) return pool;
  std::vector<std::string_view> names;
  std::string all;
  for (const auto& pool : config.pools) {
    names.push_back(pool.name);
    all += (all.empty() ? "" : ", ") + pool.name;
  }
  std::string hint = did_you_mean(name, names);
  if (hint.empty()) hint = "there are: " + all;
  return fail(Error::Kind::not_found,
              "there is no pool '" + printable(name, 80) + "'",
              std::move(hint));
}

// The pool `only`, or all of them.
Result<std::vector<ListedPool>> read_pools(const std::string& only,
                                           Context& context) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  const PoolConfig* one = nullptr;
  if (!only.empty()) {
    auto called = pool_called(**config, only);
    if (!called) return tl::unexpected(called.error());
    one = *called;
  }
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  HealthFiles health((*spool)->folders());
  std::vector<ListedPool> pools;
  for (const auto& pool : (*config)->pools) {
    if (one != nullptr && one != &pool) continue;
    auto listed = listed_pool(**config, pool, health, context.clock().now());
    if (!listed) return tl::unexpected(listed.error());
    pools.push_back(std::move(*listed));
  }
  return pools;
}

Result<int> run_pool_list(Context& context) {
  auto pools = read_pools({}, context);
  if (!pools) return tl::unexpected(pools.error());
  const Time now = context.clock().now();
  if (!context.options.json) {
    context.io().out(pool_table(*pools, now));
    return 0;
  }
  for (const auto& pool : *pools) context.io().out(pool_json(pool, now));
  return 0;
}

Result<int> run_pool_show(const std::string& name, Context& context) {
  auto pools = read_pools(name, context);
  if (!pools) return tl::unexpected(pools.error());
  const Time now = context.clock().now();
  const ListedPool& pool = pools->front();
  context.io().out(context.options.json ? pool_json(pool, now)
                                        : pool_page(pool, now));
  return 0;
}

constexpr const char* k_exit_codes =
    "Exit codes\n"
    "  0 shown · 66 no such pool · 74 the spool cannot be read · 77 no "
    "permission ·\n  78 the configuration is wrong";

}  // namespace

Action add_pool_list(CLI::App& app, Context& context) {
  app.footer(std::string("SENDERS: whose mail goes there without naming the "
                         "pool. FIRST NOW: who would be\nasked first.\n\n"
                         "Examples\n"
                         "  pony pool list\n"
                         "  pony pool list --json | jq -r "
                         "'select(all(.members[]; .may_be_asked | not)) | "
                         ".name'\n\n") +
             k_exit_codes);
  return [&context] { return run_pool_list(context); };
}

Action add_pool_show(CLI::App& app, Context& context) {
  auto name = std::make_shared<std::string>();
  app.add_option("NAME", *name, "The pool")->required()->type_name("");
  app.footer(std::string("Examples\n"
                         "  pony pool show default\n\n") +
             k_exit_codes);
  return [name, &context] { return run_pool_show(*name, context); };
}

}  // namespace pony
