// What a mail program shows of a mail beside its subject.
//
// Promises: one line of UTF-8 without controls, whatever the page; time in
// proportion to the page. Doesn't know: mails, templates.
#pragma once

#include <string>
#include <string_view>

namespace pony {

// The first words of `html` (UTF-8), hidden ones too, as that is where the
// preheader is. Ends where an inbox has no more room, some 140 characters
// on, of which the invisible ones that preheaders are padded with take their
// share; empty when there are no words.
std::string inbox_line(std::string_view html);

}  // namespace pony
