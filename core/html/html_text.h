// HTML as plain text: what stands in a mail's text part when nobody wrote one.
//
// Promises: any bytes give a text; links are kept, lists and tables can be
// read; what a mail program would not show (style, script, display:none) is
// left out. Bounded in depth. Doesn't know: mails, templates.
#pragma once

#include <string>
#include <string_view>

namespace pony {

// `html` (UTF-8) as plain text with LF line ends, without spaces at the ends
// of lines; ends in one line end unless it is empty.
std::string text_from_html(std::string_view html);

}  // namespace pony
