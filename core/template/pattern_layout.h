// A pattern as one text again, partials and all, for those who look at what
// stands where: every name in double braces, every section open once.
//
//   <a href="$url">{{#items}}{{>row}}{{/items}}
//   <a href="{{url}}"><li>{{name}}</li>                       tags left out
//   <a href="{{url}}">{{#items}}<li>{{name}}</li>{{/items}}   tags shown
//
// Promises: each line knows the file and line it is from, each name where in
// the text it stands. Doesn't know: HTML.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/template/pattern.h"

namespace pony {

struct PatternLayout {
  struct Name {
    std::size_t begin = 0;  // of "{{url}}", in `text`
    std::size_t end = 0;
    const Pattern::Node* node = nullptr;
  };

  // Where a line is from: so many lines below where this begins.
  struct Line {
    const Pattern::Node* node = nullptr;
    std::size_t below = 0;
  };

  std::string text;
  std::vector<Name> names;  // in the order of the text
  std::vector<Line> lines;
  const Pattern* pattern = nullptr;

  // "es/body.html:3" of the line `line` of `text`, counted from 1; for lines
  // beyond, the last one's. Empty when there is no text.
  std::string place_of(std::size_t line) const;
};

// The tags that open and close sections.
enum class SectionTags { left_out, shown };

// Points into `pattern`.
PatternLayout layout_of(const Pattern& pattern, SectionTags tags);

}  // namespace pony
