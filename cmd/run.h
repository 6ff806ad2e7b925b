// `pony run` for other commands: one pass over what is due.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "cmd/context.h"
#include "core/result.h"

namespace pony {

// Delivers what is due, of `only` these ids if they are given, as `pony run`
// without an option does, and answers with its exit code.
Result<int> run_once(std::optional<std::set<std::string>> only,
                     Context& context);

}  // namespace pony
