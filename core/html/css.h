// As much of style sheets as can be written into style attributes.
//
// Promises: what is not simple is passed over, whatever it is; takes time in
// proportion to the sheet. Doesn't know: HTML, or what a property means.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

// "color: red !important" is {"color", "red", true}. Views point into the
// sheet.
struct CssDeclaration {
  std::string_view property;  // as written
  std::string_view value;
  bool is_important = false;
};

// td.note#x: an element, or any if `tag` is empty, with these classes and this
// id.
struct CssCompound {
  std::string tag;  // lower case
  std::vector<std::string_view> classes;
  std::vector<std::string_view> ids;
};

// "table.a td": the last compound is the element's, the others its ancestors',
// outermost first.
struct CssSelector {
  std::vector<CssCompound> path;
  // Compared as numbers: ids, classes, tags.
  std::size_t specificity() const;
};

struct CssRule {
  std::vector<CssSelector> selectors;  // only the simple ones of its list
  std::vector<CssDeclaration> declarations;
};

// The rules of `sheet` with at least one simple selector, in their order.
// @media and all that begins with an @ is passed over, with what is in it.
std::vector<CssRule> parse_css(std::string_view sheet);

// The declarations of a style attribute or of a rule's block.
std::vector<CssDeclaration> parse_declarations(std::string_view block);

}  // namespace pony
