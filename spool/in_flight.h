// Which attempts are under way at this moment, by provider: what the runners'
// journals have begun and not ended. For people who watch; nothing depends on
// it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/result.h"
#include "spool/folders.h"

namespace pony {

// Takes no lock and changes nothing: an attempt that begins or ends meanwhile
// may be missed, and what a dead runner left counts until it is recovered.
// Errors: cur/ cannot be listed.
Result<std::map<std::string, std::uint64_t>> attempts_in_flight(
    Folders& folders);

}  // namespace pony
