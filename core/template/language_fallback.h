// Which languages may stand in for the one that was asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pony {

// "es-MX" → {"es-MX", "es"}, then `template_default` and `site_default` with
// their bases; each once, empty ones left out. Compared without case.
std::vector<std::string> language_chain(std::string_view asked,
                                        std::string_view template_default,
                                        std::string_view site_default);
// The same language tag, without regard to case and to "_" for "-"?
bool is_same_language(std::string_view a, std::string_view b);

// Of a text in `found`, shown to a reader who asked for `asked`: whose numbers
// and dates? `asked` if it is a form of that language ("es-MX" for "es").
std::string_view locale_of(std::string_view asked, std::string_view found);

}  // namespace pony
