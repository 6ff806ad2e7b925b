// The sample templates, as they lie in templates/ of the sources: built into
// the program (templates/embed.cmake writes the .cc file).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace pony {

struct SampleFile {
  std::string_view name;  // "welcome/en/subject.txt"
  std::string_view content;
};

const std::vector<SampleFile>& sample_templates();

// Writes those that are not there below `folder`, which is made if missing.
// Nothing is overwritten. How many were written.
Result<int> unpack_sample_templates(const std::string& folder);

}  // namespace pony
