// A provider and its health as `pony provider` tells it: a table for people,
// an object for programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/health.h"
#include "core/result.h"

namespace pony {

struct ListedProvider {
  const ProviderConfig* config = nullptr;
  ProviderHealth health;
  std::vector<std::string> pools;  // that it is a member of
};

// The provider called `name`. usage when there is none, with the nearest.
Result<const ProviderConfig*> provider_called(const Config& config,
                                              std::string_view name);

// As it is listed: the health within its bounds (tidy()).
ListedProvider listed_provider(const Config& config,
                               const ProviderConfig& provider,
                               ProviderHealth health, Time now);

// "ok", "paused", "open", "half-open" or "resting": what decides first, a
// person, the breaker, the provider itself.
std::string_view provider_state(const ProviderHealth& health, Time now);

// The table with its heading; a second line, in brackets, says why one rests.
// For people: it may change.
std::string provider_table(const std::vector<ListedProvider>& providers,
                           Time now);

// One object, one line, with its '\n'.
std::string provider_json(const ListedProvider& provider, Time now);

}  // namespace pony
