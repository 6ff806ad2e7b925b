#include "cmd/event_filter.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/event.h"
#include "core/json.h"

namespace pony {
namespace {

constexpr const char* k_group = "Which events";

void add_moment(CLI::App& app, const std::string& name,
                std::optional<Time>& moment, const Clock& clock,
                const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [name, &moment, &clock](const std::string& text) {
           auto read = parse_moment(text, clock.now());
           if (!read)
             throw CLI::ValidationError(
                 name, read.error().what + " (" + read.error().hint + ")");
           moment = *read;
         },
         help)
      ->type_name("MOMENT")
      ->group(k_group);
}

// A typo would be answered with nothing, as if nothing had happened.
std::string objection_to_event(const std::string& name) {
  const auto& kinds = event_kinds();
  if (std::find(kinds.begin(), kinds.end(), name) != kinds.end()) return {};
  std::string known;
  for (const auto kind : kinds)
    known.append(known.empty() ? "" : ", ").append(kind);
  const std::string meant = did_you_mean(name, kinds);
  return "there are no events '" + printable(name, 40) + "' (" +
         (meant.empty() ? "there are: " + known : meant) + ")";
}

// One value each time it is given: the next word is not its own.
CLI::Option* add_list(CLI::App& app, const std::string& name,
                      std::vector<std::string>& values, const std::string& help,
                      const std::string& type) {
  return app.add_option(name, values, help)
      ->allow_extra_args(false)
      ->type_name(type)
      ->group(k_group);
}

}  // namespace

void add_event_filter(CLI::App& app, EventFilter& filter, const Clock& clock) {
  add_moment(app, "--since", filter.since, clock,
             "From then on: 2026-11-21, 2026-11-21T10:00:00Z, today, 7d (ago)");
  add_moment(app, "--until", filter.until, clock,
             "Before then: a day is its first moment, so --until today ends "
             "with yesterday");
  add_list(app, "--event", filter.events, "Of this kind: queued, sent, …",
           "EVENT")
      ->check(objection_to_event);
  add_list(app, "--tag", filter.tags, "Of messages with this tag", "TAG");
  add_list(app, "--template", filter.templates,
           "Of messages made from this template", "TEMPLATE");
  add_list(app, "--provider", filter.providers, "About this provider",
           "PROVIDER");
  add_list(app, "--pool", filter.pools, "Of this pool", "POOL");
  add_list(app, "--lang", filter.langs, "In this language", "LANG");
  add_list(app, "--domain", filter.domains,
           "Of messages whose first recipient is there", "DOMAIN");
  add_list(app, "--reason", filter.reasons,
           "With this text in the reason or the provider's answer", "TEXT");
}

}  // namespace pony
