// What is wrong with a template's HTML, for the one who writes it.
//
// Promises: a finding says the line and what to do; what HTML allows (end tags
// that may be left out, unquoted attributes) is no finding; mustache tags and
// $names may stand anywhere, and where a section may open or close an element
// the author has the benefit of the doubt. Any bytes, time in proportion to
// them. Doesn't know: what the template's values are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

struct HtmlFinding {
  std::size_t line = 1;  // counted from 1
  std::string what;      // as in Error
  std::string hint;      // may be empty
  bool error = true;     // false: a warning
};

// The findings in `source`, by line; at most 100 and one that says there are
// more.
//
// Errors: elements that are not closed, closed twice or nested wrongly,
// attributes given twice, addresses in href and src that lead nowhere.
// Warnings: images without alt, what mail programs drop, no language, more than
// the 102,400 bytes that Gmail shows, unknown entities.
std::vector<HtmlFinding> check_html(std::string_view source);

}  // namespace pony
