// The list of provider types: the one place to add a line for a new one.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/provider/provider.h"

namespace pony {

// The provider that `config` describes. Resolves its secrets (config when one
// cannot be had). `reactor` and `clock` outlive it.
Result<std::unique_ptr<Provider>> make_provider(const ProviderConfig& config,
                                                Reactor& reactor,
                                                const Clock& clock);

// Names of the types, sorted.
const std::vector<std::string_view>& provider_types();

}  // namespace pony
