// What every provider needs of an attempt, whatever it speaks.
#pragma once

#include <string>
#include <vector>

#include "core/outcome.h"
#include "core/provider/provider.h"

namespace pony {

// The same verdict for every recipient of the attempt.
std::vector<Verdict> for_all(const Attempt& attempt, const Verdict& verdict);

// A key for the provider's own deduplication: the same for the same message
// to the same recipients. At most 64 characters of [0-9A-Za-z-], the first of
// them the message's id.
std::string idempotency_key_of(const Attempt& attempt);

}  // namespace pony
