# Writes OUTPUT, a C++ file that holds every file of the sample templates:
# `pony init` unpacks them, so that one binary is all there is to install.
#   cmake -D FOLDER=templates -D OUTPUT=sample_templates.cc -P embed.cmake
file(GLOB_RECURSE files RELATIVE ${FOLDER} ${FOLDER}/*.yaml ${FOLDER}/*.txt
     ${FOLDER}/*.html)
list(SORT files)
set(entries "")
foreach(name ${files})
  file(READ ${FOLDER}/${name} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" escaped "${hex}")
  # String literals are at most 64 KiB by the standard; pieces join.
  string(REGEX REPLACE "(................................................................)" "\\1\"\n     \"" escaped "${escaped}")
  file(SIZE ${FOLDER}/${name} size)
  string(APPEND entries "    {\"${name}\",\n     {\"${escaped}\", ${size}}},\n")
endforeach()
file(WRITE ${OUTPUT}
"#include \"cmd/sample_templates.h\"

namespace pony {

const std::vector<SampleFile>& sample_templates() {
  static const std::vector<SampleFile> files = {
${entries}  };
  return files;
}

}  // namespace pony
")
