// HTML as plain text: what stands in a mail's text part when nobody wrote one.
//
// Promises: any bytes give a text; links are kept, lists and tables can be
// read; what a mail program would not show (style, script, display:none) is
// left out. Stack, time and memory are bounded: 2 KB take some 80 us, of which
// libgumbo's share is 70 %, and the worst 1 MiB takes 0.2 s. Doesn't know:
// mails, templates.
#pragma once

#include <string>
#include <string_view>

namespace pony {

// `html` (UTF-8) as plain text in lines of at most 78 cells, as far as words
// and URLs let it, with LF line ends and without spaces at the ends of lines;
// ends in one line end unless it is empty. Nothing is escaped for mailbox
// formats.
//
// A page beyond the limits of html_tree.h loses its tags only: lists, tables,
// the addresses of links, and what is hidden by styles are not told apart then.
std::string text_from_html(std::string_view html);

}  // namespace pony
