// The partials that templates share: TEMPLATES/_partials/LANG/NAME.html and
// NAME.txt, and those without LANG, for all languages. Does not know what
// stands in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/template/pattern.h"
#include "core/template/template_folder.h"

namespace pony {

inline constexpr std::string_view k_partials_folder = "_partials";

// The partial in the file called `file` ("header.html") of the first of
// `languages` that has it, last of the folder for all languages; nullopt when
// none has. config when `file` can be
// no file's name here; else as TemplateFolder::read.
Result<std::optional<Pattern::Partial>> read_partial(
    TemplateFolder& folder, const std::vector<std::string>& languages,
    std::string_view file);

}  // namespace pony
