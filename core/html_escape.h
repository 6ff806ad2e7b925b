// Text into HTML: the one place where what came from outside becomes part of a
// page or a mail. Knows no page.
#pragma once

#include <string>
#include <string_view>

namespace pony {

// & < > " ' as HTML entities (&#39; for the last: old mail programs show
// &apos; as it stands). Fit for content and for attributes in quotes.
std::string escape_html(std::string_view text);
void append_escaped_html(std::string& out, std::string_view text);

}  // namespace pony
