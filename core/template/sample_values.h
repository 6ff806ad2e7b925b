// Values for a template that nobody has given yet, so that its copy can be
// looked at: "‹name›" where a name stands, two items where a list is gone
// through, "19.90 EUR" where money is formatted.
//
// Promises: what was given stays as it is; every hole that a value of some
// kind can fill is filled, whatever the template. What a section is for can
// only be guessed from its content: one with names of its own is a list, one
// without is a condition. Bounded by the size of the template and of what was
// given. Doesn't know: files, languages.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "core/template/pattern.h"

namespace pony {

struct SampleValues {
  Json values;                       // an object
  std::vector<std::string> made_up;  // "name", "items.price"; sorted
};

// `given` (an object) with what `uses` want besides.
SampleValues with_samples(Json given, const std::vector<Pattern::Use>& uses);

}  // namespace pony
