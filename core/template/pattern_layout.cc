#include "core/template/pattern_layout.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pony {
namespace {

class Layouter {
 public:
  explicit Layouter(const Pattern& pattern) : pattern_(pattern) {
    made_.pattern = &pattern;
  }

  PatternLayout lay_out(SectionTags tags);

 private:
  using Node = Pattern::Node;

  void append_literal(const Node& node);
  void append_name(const Node& node);
  void append_tag(const Node& node, std::string_view sigil);
  // What comes next is `below` lines below `node`. The first of a line says
  // where that is from; tags, which may have stood alone on a line that is
  // gone, don't.
  void place_line(const Node& node, std::size_t below = 0) {
    if (line_has_place_) return;
    line_has_place_ = true;
    made_.lines.push_back({&node, below});
  }

  const Pattern& pattern_;
  PatternLayout made_;
  bool line_has_place_ = false;
};

PatternLayout Layouter::lay_out(SectionTags tags) {
  const auto& nodes = pattern_.nodes();
  made_.text.reserve(pattern_.literal_size() + nodes.size() * 8);
  std::vector<const Node*> open;
  for (std::size_t i = 0; i <= nodes.size(); ++i) {
    while (!open.empty() && open.back()->end <= i) {
      append_tag(*open.back(), "/");
      open.pop_back();
    }
    if (i == nodes.size()) break;
    const auto& node = nodes[i];
    if (node.kind == Pattern::Kind::literal) {
      append_literal(node);
    } else if (node.kind == Pattern::Kind::variable) {
      append_name(node);
    } else if (tags == SectionTags::shown) {
      append_tag(node, node.kind == Pattern::Kind::section ? "#" : "^");
      open.push_back(&node);
    }
  }
  return std::move(made_);
}

void Layouter::append_literal(const Node& node) {
  std::size_t below = 0;
  for (const char c : node.text) {
    place_line(node, below);
    made_.text += c;
    if (c != '\n') continue;
    ++below;
    line_has_place_ = false;
  }
}

void Layouter::append_name(const Node& node) {
  place_line(node);
  PatternLayout::Name name{made_.text.size(), 0, &node};
  made_.text += "{{" + node.text + "}}";
  name.end = made_.text.size();
  made_.names.push_back(name);
}

void Layouter::append_tag(const Node& node, std::string_view sigil) {
  made_.text.append("{{").append(sigil).append(node.text).append("}}");
}

}  // namespace

std::string PatternLayout::place_of(std::size_t line) const {
  if (lines.empty()) return {};
  const auto& at = lines[std::clamp<std::size_t>(line, 1, lines.size()) - 1];
  return std::string(pattern->file_of(*at.node)) + ":" +
         std::to_string(at.node->line + at.below);
}

PatternLayout layout_of(const Pattern& pattern, SectionTags tags) {
  return Layouter(pattern).lay_out(tags);
}

}  // namespace pony
