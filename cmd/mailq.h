// The queue as mailq has shown it for decades: scripts and monitoring grep its
// shape, so it never changes (`pony queue` is for people).
//
//   -Queue ID-                  --Size-- ----Arrival Time---- -Sender/Recip…
//   01JD3X7Q9K0000000000000000*     2314 Sat Nov 21 21:01:07  shop@example.com
//   (sendgrid: 503 service unavailable; next try 21:14)
//                                                             ann@example.org
//
//   -- 11 Kbytes in 2 Requests.
//
// Behind the id: "*" is being sent, "!" held, "?" may have been delivered.
#pragma once

#include <string>

#include "cmd/context.h"
#include "cmd/listing.h"
#include "core/result.h"

namespace pony {

std::string mailq_header();
// The lines of one message; times are local.
std::string mailq_entry(const Listed& listed, Time now);

// Prints all that waits, or "Mail queue is empty". Errors: the spool's.
Result<int> print_mailq(Context& context);

}  // namespace pony
