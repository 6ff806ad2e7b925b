// What follows: the one file whose only subject is policy. A round over the
// providers has ended (or a runner has died in one); is the message sent,
// deferred, held, failed or expired?
//
// The rules, in the order in which they are asked:
//   somebody's outcome is unknown   → on_unknown: later (deferred), held,
//                                     or counted as failed (and not sent to
//                                     again while others are)
//   nobody is left to be reached    → sent if anyone has it, else failed
//   no provider can ever carry it   → sent if anyone has it, else failed
//   past expires_at, or a next try
//   would be past give_up_after     → sent if anyone has it, else expired
//   else                            → deferred with backoff
// Pure: no clock, no disk.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/config.h"
#include "core/delivery.h"
#include "core/event.h"

namespace pony {

struct Policy {
  RetryConfig retry;
  OnUnknown on_unknown = OnUnknown::retry;  // a message may say otherwise
};

// The event that moves the message; `ts`, `id`, `by` and what describes the
// message are the caller's to fill in. `delivery.history` has this round's
// `attempted` events already.
Event what_follows(const Delivery& delivery, const Round& round,
                   const Policy& policy, Time now);

// What a message comes to that is not tried any more, for `reason`: sent if
// anyone has it (who was not reached is named), else `kind`.
Event ended_untried(const Delivery& delivery, std::string_view kind,
                    std::string reason);

// A message that is due: may it still be tried? If not, the event that ends
// it: `expired`, or `sent` if anyone has it.
std::optional<Event> expired_before_try(const Delivery& delivery, Time now);

// A message of whose recipients some were suppressed and none is left to be
// reached: the event that ends it, `sent` if anyone has it, else `failed` with
// a reason that says how to lift that.
std::optional<Event> nobody_left(const Delivery& delivery);

}  // namespace pony
