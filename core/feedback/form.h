// What an HTML form sends: application/x-www-form-urlencoded (WHATWG URL,
// 5.1). Read strictly, as it is signed field by field.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace pony {

using FormFields = std::vector<std::pair<std::string, std::string>>;

// The fields of `body`, decoded, in its order. bad_data: a '%' without its two
// digits, a name that comes twice, more than 100 fields.
Result<FormFields> parse_form(std::string_view body);

}  // namespace pony
