// Delivery by a local MTA's sendmail program: the message on its stdin, the
// recipients as arguments, its exit code as the answer (sysexits.h).
#pragma once

#include <memory>

#include "core/provider/provider.h"

namespace pony {

// `command` is the program and its first arguments (default:
// /usr/sbin/sendmail); "-i -f SENDER -- RECIPIENT…" is added.
Result<std::unique_ptr<Provider>> make_sendmail_provider(
    const ProviderConfig& config, Reactor& reactor, const Clock& clock);

}  // namespace pony
