// Ids of messages as commands take them: words of the command line, and "-"
// for those on standard input, one a line.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cmd/context.h"
#include "core/result.h"

namespace pony {

// So many ids are handed on together, and share one sync of the disk.
inline constexpr std::size_t k_ids_together = 256;

// Calls `each` with the ids in their order, some at a time: standard input
// may be endless, and whoever writes to it may wait for an answer. Of a line
// the first word counts, without a colon at its end, so that what pony says
// about messages can be fed back to it; empty lines do not. Whether they are
// ids is for `each` to find out. Errors: those of `each`, which end it; disk
// when standard input cannot be read.
Result<> for_each_id(
    const std::vector<std::string>& words, Context& context,
    const std::function<Result<>(std::span<const std::string> ids)>& each);

}  // namespace pony
