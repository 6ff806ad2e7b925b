// Style sheets written into the elements they are for: some mail programs read
// only style attributes.
//
// Promises: nothing but style attributes is added or changed, every other byte
// stays as it is, the <style> elements too: what a mail program that reads
// them makes of :hover, @media and of elements that a template adds later is
// not lost. Doesn't know: which properties a mail program understands.
#pragma once

#include <string>
#include <string_view>

namespace pony {

// `html` with the rules of its <style> elements in style attributes.
//
// Taken are selectors of tags, .classes and #ids (td.a.b, lists by comma,
// "table.a td" for what is inside); @rules, pseudo-classes and all other
// selectors stay in <style> only. Importance, specificity and order count as in
// CSS; what the element's own style attribute says wins as it does there.
// As anywhere: a rule in @media needs !important to win over what stands in an
// attribute.
//
// `html` may be a template: $name and {{name}} are text like any other, a
// <style> with {{#sections}} is left alone, and a class that stands in a
// section is not followed. A page beyond the limits of html_tree.h, or one
// that would take more than 2 MiB of styles, is returned as it is.
std::string inline_styles(std::string_view html);

}  // namespace pony
