// A way out of a list, in a mail's header: List-Unsubscribe (RFC 2369), and
// with one click (RFC 8058).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/message.h"
#include "core/result.h"

namespace pony {

// bad_data unless `uri` is one that a mail program may be told: https:// or
// mailto:, in the visible ASCII that a URI has (RFC 3986), at most 900 bytes
// (a header's line holds it whole). http:// is refused: RFC 8058, 3.1 demands
// https.
Result<> check_unsubscribe_uri(std::string_view uri);

// The headers for `uris`: List-Unsubscribe, and List-Unsubscribe-Post when one
// of them is https. None for none.
std::vector<Header> list_unsubscribe_headers(
    const std::vector<std::string>& uris);

}  // namespace pony
