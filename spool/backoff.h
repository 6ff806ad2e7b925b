// How long a message waits before it is tried again.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/config.h"

namespace pony {

// The wait before retry number `round` (the first is 1): first × factor^(n-1),
// at most max, ± jitter. Pure: `seed` decides the jitter, so that messages
// deferred together do not come back together.
// Source: RFC 5321, 4.5.4.1 wants 30 minutes between tries of one mail server;
// ours are APIs and relays with failover, so a minute is polite enough.
std::chrono::milliseconds backoff(int round, const RetryConfig& retry,
                                  std::uint64_t seed);

}  // namespace pony
