// What GMime is given to read: not too much of anything, and nothing that it
// reads wrongly.
//
// Promises: takes time and memory in proportion to the message. Doesn't know:
// GMime itself; what of it these bounds answer to stands beside each.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

// GMime's own limit is 1,024 levels.
inline constexpr int k_deepest_part = 1'100;

// bad_data, saying what there is too much of, when `wire`, a whole message,
// may not be given to GMime.
Result<> check_for_gmime(std::string_view wire);

// `wire` with the words in the headers of its parts as GMime reads them right.
std::string prepared_for_gmime(std::string wire);

}  // namespace pony
