// HTML without its tags: the text of a page that no tree can be made of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pony {

// The words of `html`, in lines of `width` cells; block elements begin new
// lines, paragraphs are set off by a blank one. Takes time and memory in
// proportion to `html`, whatever it is.
std::string stripped_text(std::string_view html, std::size_t width);

// `text` with &amp; &lt; &gt; &quot; &apos; &nbsp; and numbers resolved; other
// entities stay as written.
std::string without_entities(std::string_view text);

}  // namespace pony
