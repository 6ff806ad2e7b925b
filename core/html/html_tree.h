// A page as the tree that browsers make of it (libgumbo), within limits.
//
// Promises: memory and time grow no faster than the source; no tree deeper
// than `k_deepest`; what would break the limits is no tree at all, so that the
// caller can do with less. Positions (gumbo's `original_tag` and the like)
// point into the source, which must outlive the tree.
// Doesn't know: what the elements mean.
#pragma once

#include <gumbo.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace pony {

class HtmlTree {
 public:
  // Mails nest some 60 elements; libgumbo looks through all open elements at
  // most tags, so a page that only opens them costs the square of its size.
  static constexpr std::size_t k_deepest = 1000;

  // The tree of `source` (any bytes), or nothing where it would take more than
  // 250,000 nodes (or four for each byte), some 700 levels, 500 attributes in
  // one tag or 192 MiB.
  static std::optional<HtmlTree> parse(std::string_view source);

  HtmlTree(HtmlTree&&) noexcept;
  HtmlTree& operator=(HtmlTree&&) noexcept;
  ~HtmlTree();

  // The <html> element; there always is one.
  const GumboNode& root() const;

 private:
  class Meter;
  explicit HtmlTree(std::unique_ptr<Meter> meter, const GumboOutput& output);

  std::unique_ptr<Meter> meter_;
  const GumboNode* root_;
};

// The element's attribute `name` (lower case), entities decoded; nothing where
// it has none. The first counts if there are several.
std::optional<std::string_view> attribute_of(const GumboNode& element,
                                             const char* name);

}  // namespace pony
