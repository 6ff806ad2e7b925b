// pony provider check: could mail be sent? Asks each provider, sends nothing.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "cmd/commands.h"
#include "cmd/provider_format.h"
#include "core/json.h"
#include "core/net/reactor.h"
#include "core/provider/registry.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

// One provider that is being asked.
struct Asked {
  const ProviderConfig* config = nullptr;
  std::unique_ptr<Provider> provider;
  ProviderCheck found;
  Milliseconds took{0};
  bool answered = false;
};

void ask(Asked& one, Reactor& reactor, const Clock& clock) {
  auto provider = make_provider(*one.config, reactor, clock);
  if (!provider) {
    one.found = {false, provider.error().what};
    one.answered = true;
    return;
  }
  one.provider = std::move(*provider);
  const auto began = Steady::now();
  one.provider->check([&one, began](ProviderCheck found) {
    one.found = std::move(found);
    one.took = std::chrono::duration_cast<Milliseconds>(Steady::now() - began);
    one.answered = true;
  });
}

void tell(const Asked& one, Context& context) {
  const std::string words = printable(one.found.words, 500);
  if (context.options.json) {
    std::string line;
    JsonWriter(line)
        .field("name", one.config->name)
        .field("type", one.config->type)
        .boolean("works", one.found.works)
        .field("ms", static_cast<std::int64_t>(one.took.count()))
        .field("words", words)
        .end();
    context.io().out(line + "\n");
    return;
  }
  if (context.options.quiet && one.found.works) return;
  context.io().out(one.config->name + " (" + one.config->type +
                   "): " + (one.found.works ? "works" : "does not work") +
                   ", " + std::to_string(one.took.count()) + " ms" +
                   (words.empty() ? "" : ": " + words) + "\n");
}

// Those that are named, or all.
Result<std::vector<const ProviderConfig*>> wanted(
    const std::vector<std::string>& names, const Config& config) {
  std::vector<const ProviderConfig*> found;
  if (names.empty())
    for (const auto& one : config.providers) found.push_back(&one);
  for (const std::string& name : names) {
    auto one = provider_called(config, name);
    if (!one) return tl::unexpected(one.error());
    found.push_back(*one);
  }
  return found;
}

Result<int> run_provider_check(const std::vector<std::string>& names,
                               Context& context) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto providers = wanted(names, **config);
  if (!providers) return tl::unexpected(providers.error());

  Reactor reactor;
  std::vector<Asked> all(providers->size());
  Milliseconds patience{0};
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].config = (*providers)[i];
    patience = std::max(
        patience, all[i].config->timeout + all[i].config->connect_timeout);
    ask(all[i], reactor, context.clock());
  }
  // Their own time-outs end them; this is for a type that has none.
  const auto deadline = Steady::now() + patience + std::chrono::seconds(1);
  const auto is_open = [](const Asked& one) { return !one.answered; };
  while (std::any_of(all.begin(), all.end(), is_open) &&
         Steady::now() < deadline)
    reactor.turn(Milliseconds(250));

  bool all_work = true;
  for (Asked& one : all) {
    if (!one.answered) one.found = {false, "no answer in time"};
    all_work = all_work && one.found.works;
    tell(one, context);
  }
  return all_work ? 0 : exit_code(Error::Kind::refused);
}

}  // namespace

Action add_provider_check(CLI::App& app, Context& context) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("NAME", *names, "Only these providers")->type_name("");
  app.footer(
      "Asks whether it can be reached and whether the credentials work; sends "
      "nothing.\n\n"
      "Examples\n"
      "  pony provider check\n"
      "  pony provider check main --json\n\n"
      "Exit codes\n"
      "  0 all work · 64 no such provider · 69 one does not work · 78 "
      "configuration");
  return [names, &context] { return run_provider_check(*names, context); };
}

}  // namespace pony
