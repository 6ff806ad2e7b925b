// Texts that are part of the program, as they lie in the sources
// (cmd/embed_texts.cmake writes the .cc file): JSON Schemas and the shells'
// completion scripts.
#pragma once

#include <string_view>

namespace pony {

// "schemas/event.json", "completion/pony.bash"; empty when there is none.
std::string_view embedded_text(std::string_view name);

}  // namespace pony
