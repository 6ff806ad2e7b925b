// What a template engine will replace, hidden from those who read HTML.
//
// Promises: every byte keeps its place, line ends stay. Doesn't know: which
// engine it is; {{...}} is hidden in any case, $name needs no hiding.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

// What to put in the place of tags that print nothing: {{#a}} {{/a}} {{!c}}.
enum class SilentMarks { become_spaces, become_letters };

// `source` with each mustache tag overwritten: what prints a value by the
// letter x, what does not as `silent` says.
std::string without_marks(std::string_view source, SilentMarks silent);

// Half open, in bytes.
struct ByteRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The insides of {{^name}}...{{/name}}: what stands there instead of something
// else. In order.
std::vector<ByteRange> inverted_sections(std::string_view source);

// Has `source` a tag that begins with one of `kinds` ("#^" for sections)?
bool has_mark(std::string_view source, std::string_view kinds);

// Does `text` begin with a value to be put in: $name, ${name}, {{name}}?
bool begins_with_value(std::string_view text);

}  // namespace pony
