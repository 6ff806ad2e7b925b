// A Provider around an HttpApi: attempts become requests, replies become
// verdicts, and what comes between them is the HTTP client's.
#pragma once

#include <memory>

#include "core/clock.h"
#include "core/config.h"
#include "core/net/reactor.h"
#include "core/provider/http_api.h"
#include "core/provider/provider.h"
#include "core/result.h"

namespace pony {

using MakeApi = std::unique_ptr<HttpApi> (*)(const ApiConfig& api);

// Resolves the secrets of `config` (config error when one cannot be had) and
// makes the provider. `reactor` and `clock` outlive it.
Result<std::unique_ptr<Provider>> make_http_provider(
    const ProviderConfig& config, MakeApi make_api, Reactor& reactor,
    const Clock& clock);

}  // namespace pony
