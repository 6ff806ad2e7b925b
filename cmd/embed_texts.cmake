# Writes OUTPUT, a C++ file that holds the texts that pony prints as they are:
# schemas and completion scripts, so that one binary is all there is to install.
#   cmake -D ROOT=. -D NAMES="schemas/event.json|…" -D OUTPUT=texts.cc -P …
string(REPLACE "|" ";" names "${NAMES}")
set(entries "")
foreach(name ${names})
  file(READ ${ROOT}/${name} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" escaped "${hex}")
  # String literals are at most 64 KiB by the standard; pieces join.
  string(REGEX REPLACE "(................................................................)" "\\1\"\n     \"" escaped "${escaped}")
  file(SIZE ${ROOT}/${name} size)
  string(APPEND entries "    {\"${name}\",\n     {\"${escaped}\", ${size}}},\n")
endforeach()
file(WRITE ${OUTPUT}
"#include \"cmd/embedded_text.h\"

#include <map>

namespace pony {

std::string_view embedded_text(std::string_view name) {
  static const std::map<std::string_view, std::string_view> texts = {
${entries}  };
  const auto it = texts.find(name);
  return it == texts.end() ? std::string_view() : it->second;
}

}  // namespace pony
")
