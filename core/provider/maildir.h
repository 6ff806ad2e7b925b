// Delivery into a local Maildir: tmp/, sync, rename to new/, sync. The
// embedded default ("outbox"), and a good way to look at mail while trying
// things out. One file a message, whatever the number of recipients.
#pragma once

#include <memory>

#include "core/provider/provider.h"

namespace pony {

// Settings: path (made when missing, 0700).
Result<std::unique_ptr<Provider>> make_maildir_provider(
    const ProviderConfig& config, Reactor& reactor, const Clock& clock);

}  // namespace pony
