// `$name` replacement, by the rules of Python's string.Template: $name,
// ${name}, $$ for a dollar; names are [_a-zA-Z][_a-zA-Z0-9]*. A value is put
// in as it is and never looked at again, so "$25" in a value stays "$25".
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace pony {

// The names in `text`, each once, in order of first appearance; a lone dollar
// that starts no name is kept as it is.
std::vector<std::string> placeholder_names(std::string_view text);

// Is `text` a name as a template can use it?
bool is_placeholder_name(std::string_view text);

// The line, counted from 1, where `text` uses `name` first; 0 when it doesn't.
std::size_t line_of_first_use(std::string_view text, std::string_view name);

// `text` with every name replaced by `value_of(name)`. Pure.
std::string fill_in(
    std::string_view text,
    const std::function<std::string(std::string_view name)>& value_of);

// & < > " ' as HTML entities (&#39; for the last: old mail programs show
// &apos; as it stands).
std::string escape_html(std::string_view text);

// "es-MX" → {"es-MX", "es"}, then `template_default` and `site_default` with
// their bases; each once, empty ones left out. Compared without case.
std::vector<std::string> language_chain(std::string_view asked,
                                        std::string_view template_default,
                                        std::string_view site_default);
// The same language tag, without regard to case and to "_" for "-"?
bool is_same_language(std::string_view a, std::string_view b);

}  // namespace pony
