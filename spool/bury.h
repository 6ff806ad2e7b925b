// Where files go that should be messages and are not: to failed/, byte for
// byte as they came, with the reason beside them and in the event log.
#pragma once

#include <string>

#include "core/result.h"
#include "spool/spool.h"

namespace pony {

// Moves the file `name` of a claimed message out of `folder` to failed/, with
// an "<id>.error" beside it that holds a `failed` event with `reason`.
// Durable when it returns. Errors: the disk's; the file is where it was then.
Result<> bury(Spool& spool, const std::string& folder, const std::string& name,
              const std::string& id, const std::string& reason);

}  // namespace pony
