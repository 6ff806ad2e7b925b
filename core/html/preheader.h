// The preheader: what a mailbox shows behind the subject, before a mail is
// opened. Mail programs take the first text of the page, so it stands there,
// hidden, with filler behind it that keeps the page's own first words out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pony {

// Where in `html` (any bytes; it may be a template) a preheader belongs, in
// bytes: behind <body ...>, or, where there is none, behind the doctype, <html>
// and the head. Never inside a tag, a comment or a style sheet.
std::size_t preheader_place(std::string_view html);

// The hidden element that says `escaped_text`, which must be HTML already.
// Empty for an empty text.
std::string preheader_html(std::string_view escaped_text);

}  // namespace pony
