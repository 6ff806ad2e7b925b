// Where a link leads, as a reader of plain text needs it.
#pragma once

#include <string>
#include <string_view>

namespace pony {

// What to print for `href` (entities resolved): mailto: and tel: without their
// scheme, everything else as it is, in one word: spaces, controls, quotes and
// angle brackets become %XX. Empty for what leads nowhere outside the page
// (#anchor, cid:, empty) or is no address (javascript:, vbscript:, data:).
std::string readable_address(std::string_view href);

// Does `text` say what `address` (from readable_address) says? Scheme, "www.",
// a slash at the end and case aside; in phone numbers only digits count.
bool is_same_address(std::string_view text, std::string_view address);

// The scheme of `url` in lower case, without the colon; empty if it has none.
// Tabs and line ends within it are read over as browsers do.
std::string scheme_of(std::string_view url);

}  // namespace pony
