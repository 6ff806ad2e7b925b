// Delivery by a program of the user's own: the message as JSON on its stdin,
// its answer as JSON on its stdout. pony-exec-provider(7) tells its side.
#pragma once

#include <memory>

#include "core/provider/provider.h"

namespace pony {

// `command` is the program and its first arguments; "send" or "check" is
// added.
Result<std::unique_ptr<Provider>> make_exec_provider(
    const ProviderConfig& config, Reactor& reactor, const Clock& clock);

}  // namespace pony
