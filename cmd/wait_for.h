// Waiting for what becomes of messages: `enqueue --wait`.
#pragma once

#include <string>
#include <vector>

#include "cmd/context.h"
#include "core/clock.h"
#include "core/result.h"
#include "spool/spool.h"

namespace pony {

// Until each of `ids` is sent or failed, at most `limit` in all: 0 when all
// were sent, 69 when one failed, 75 when one is not yet known.
Result<int> wait_for_outcome(Spool& spool, const std::vector<std::string>& ids,
                             Milliseconds limit, Context& context);

}  // namespace pony
