// SMTP to a relay or submission server (RFC 5321, 2920, 3207, 4954, 6531).
//
// libcurl opens the session: DNS, connect, TLS or STARTTLS, EHLO, AUTH. From
// there the transaction is ours: libcurl's own blocks its multi while the
// server thinks about the end of DATA, and knows neither PIPELINING nor a
// verdict for each recipient.
#pragma once

#include <memory>

#include "core/provider/provider.h"

namespace pony {

// Settings: host, port (587; 465 for implicit; 25 for off), tls (required:
// STARTTLS or nothing; implicit; off), username, ca_file, insecure_tls, ehlo;
// secret: password. config when a setting is wrong or AUTH would go out
// without TLS.
Result<std::unique_ptr<Provider>> make_smtp_provider(
    const ProviderConfig& config, Reactor& reactor, const Clock& clock);

}  // namespace pony
