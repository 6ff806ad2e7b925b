// Asking a person before something is done that cannot be undone.
#pragma once

#include <string>

#include "cmd/context.h"
#include "core/result.h"

namespace pony {

// Asks on the terminal; `yes` answers for whoever said --yes. usage when
// there is nobody to ask.
enum class Answer { yes, no };
Result<Answer> ask(Context& context, const std::string& question, bool yes);

}  // namespace pony
