// A template's preview as one page for a browser: every language side by
// side, at the width of a desk or a phone, light or dark.
//
// Promises: the page needs nothing but itself, and lets nothing out: a mail in
// it runs no script, sends no form, opens no page, and loads nothing from the
// network (an <iframe> in a sandbox without any right, below a policy that
// allows only what the page holds). Values and copy cannot break out of their
// place. Doesn't know: files, templates.
#pragma once

#include <string>
#include <string_view>

#include "core/template/preview.h"

namespace pony {

// The page, HTML in UTF-8.
std::string preview_page(const TemplatePreview& preview);

// The mail's HTML as the frame holds it: below the policy, its links and
// frames without effect, as a policy does not keep a browser from connecting
// to where they point.
std::string framed_html(std::string_view html);

}  // namespace pony
