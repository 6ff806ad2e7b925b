// template.yaml: what a template says about itself.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "core/template/template_store.h"

namespace pony {

// Reads `yaml` into `into`. Keys: name, default_lang, from, reply_to, tags,
// headers, engine, raw, optional, line_breaks, list_unsubscribe, inline_css;
// content_type is accepted and has no effect (a template has HTML, text or both
// by the files that are there).
// config: every problem at once, placed as "`file`:line"; unknown keys with
// the nearest known one.
Result<> read_template_settings(std::string_view yaml, const std::string& file,
                                Template& into);

}  // namespace pony
