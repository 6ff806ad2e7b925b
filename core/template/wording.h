// What the sentences and checks of this room are put together from: names in
// quotes and what counts as a character.
//
// Promises: what is quoted is fit for a terminal and bounded. Doesn't know:
// templates.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

// `text` in single quotes: printable(), at most 100 bytes of it; of a name that
// stands within a sentence 60, of a path 200.
std::string quoted(std::string_view text);
std::string quoted_name(std::string_view name);
std::string quoted_path(std::string_view path);

// Is `name` one of `names`?
bool is_one_of(std::string_view name, const std::vector<std::string>& names);

// How many code points `text`, which is UTF-8, has.
std::size_t characters_in(std::string_view text);

}  // namespace pony
