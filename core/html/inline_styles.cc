// The page is parsed for its positions and then edited as text: nothing is
// ever written out from the tree, in which browsers' rules have moved what
// stood between table rows.
#include "core/html/inline_styles.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/html/css.h"
#include "core/html/html_tree.h"
#include "core/html/template_marks.h"
#include "core/lower_case.h"

namespace pony {
namespace {

// Steps of matching, and bytes of styles: far beyond what a page needs.
constexpr std::size_t k_most_steps = 4'000'000;
constexpr std::size_t k_bytes_a_step = 4;  // of a class attribute
constexpr std::size_t k_most_added = std::size_t{2} << 20;

// `text` goes into the source at `offset`, in the place of `replaced` bytes.
struct Edit {
  std::size_t offset = 0;
  std::size_t replaced = 0;
  std::string text;
};

struct Matched {
  const CssRule* rule = nullptr;
  std::size_t order = 0;
  std::size_t specificity = 0;
};

// All that decides between two declarations of one property, then where they
// stand.
struct Candidate {
  const CssDeclaration* declaration = nullptr;
  std::size_t order = 0;  // of the rule
  std::tuple<bool, std::size_t, std::size_t, std::size_t> rank;
};

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// The words of a class attribute.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t begin = at;
    while (at < text.size() && !is_space(text[at])) ++at;
    if (at > begin) words.push_back(text.substr(begin, at - begin));
  }
  return words;
}

std::vector<std::string_view> unique(std::vector<std::string_view> words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

std::string_view tag_of(const GumboNode& element) {
  return gumbo_normalized_tagname(element.v.element.tag);
}

// Elements that the parser made or copied have no tag of their own to edit.
bool has_own_tag(const GumboNode& element) {
  constexpr unsigned k_not_written =
      GUMBO_INSERTION_BY_PARSER | GUMBO_INSERTION_CONVERTED_FROM_END_TAG |
      GUMBO_INSERTION_FROM_ISINDEX |
      GUMBO_INSERTION_RECONSTRUCTED_FORMATTING_ELEMENT |
      GUMBO_INSERTION_ADOPTION_AGENCY_CLONED;
  const auto& tag = element.v.element.original_tag;
  return (static_cast<unsigned>(element.parse_flags) & k_not_written) == 0 &&
         tag.length > 2 && tag.data[0] == '<' && tag.data[1] != '/';
}

// `css` as it must be written between two `quote`s. What a template puts in is
// escaped by whoever puts it in.
std::string escaped(std::string_view css, char quote) {
  const bool is_template = css.find("{{") != std::string_view::npos;
  std::string out;
  for (const char c : css) {
    if (c == quote)
      out += quote == '"' ? "&quot;" : "&#39;";
    else if (c == '&' && !is_template)
      out += "&amp;";
    else
      out.push_back(c == '\n' || c == '\r' ? ' ' : c);
  }
  return out;
}

class StyleInliner {
 public:
  explicit StyleInliner(std::string_view source)
      : source_(source),
        readable_(without_marks(source, SilentMarks::become_letters)) {}

  std::string inlined();

 private:
  void gather_sheets(const GumboNode& node);
  void add_sheet(const GumboNode& style);
  void index_rules();
  void visit(const GumboNode& node);
  std::vector<Matched> matches_for(const GumboNode& element);
  void add_matches(const std::vector<std::size_t>* rules,
                   const GumboNode& element, std::vector<Matched>& matches);
  bool path_fits(const CssSelector& selector, const GumboNode& element);
  bool fits(const CssCompound& compound, const GumboNode& element);
  std::vector<const CssDeclaration*> declarations_for(
      const std::vector<Matched>& matches);
  void edit(const GumboNode& element,
            const std::vector<const CssDeclaration*>& declarations);
  void add_attribute(const GumboNode& element, const std::string& css);
  void extend_attribute(const GumboAttribute& attribute,
                        std::vector<const CssDeclaration*> declarations);
  std::string css_text(const std::vector<const CssDeclaration*>& declarations,
                       char quote) const;
  bool is_in_source(std::string_view text) const {
    const std::less_equal<const char*> is_before;
    return is_before(readable_.data(), text.data()) &&
           is_before(text.data() + text.size(),
                     readable_.data() + readable_.size());
  }
  std::string_view as_written(std::string_view readable) const {
    return source_.substr(
        static_cast<std::size_t>(readable.data() - readable_.data()),
        readable.size());
  }
  std::size_t offset_of(const char* place) const {
    return static_cast<std::size_t>(place - readable_.data());
  }
  void add_edit(Edit edit);
  std::string edited();
  bool is_over_limits() const {
    return steps_ > k_most_steps || added_ > k_most_added;
  }

  std::string_view source_;
  // The source with template tags hidden; all positions are the same.
  std::string readable_;
  std::vector<CssRule> rules_;
  // Rules by what their selectors' last part asks for most.
  using Index = std::unordered_map<std::string_view, std::vector<std::size_t>>;
  Index by_id_, by_class_, by_tag_;
  std::vector<Edit> edits_;
  std::size_t steps_ = 0;
  std::size_t added_ = 0;
};

std::string StyleInliner::inlined() {
  const auto tree = HtmlTree::parse(readable_);
  if (!tree) return std::string(source_);
  gather_sheets(tree->root());
  if (rules_.empty()) return std::string(source_);
  index_rules();
  visit(tree->root());
  if (is_over_limits()) return std::string(source_);
  return edited();
}

const GumboNode& child(const GumboNode& element, unsigned index) {
  return *static_cast<const GumboNode*>(element.v.element.children.data[index]);
}

void StyleInliner::gather_sheets(const GumboNode& node) {
  if (node.type != GUMBO_NODE_ELEMENT) return;
  if (node.v.element.tag == GUMBO_TAG_STYLE) return add_sheet(node);
  for (unsigned each = 0; each < node.v.element.children.length; ++each)
    gather_sheets(child(node, each));
}

void StyleInliner::add_sheet(const GumboNode& style) {
  const auto media = attribute_of(style, "media");
  if (media && !media->empty()) {
    const std::string lower = in_lower_case(*media);
    if (lower != "all" && lower != "screen") return;
  }
  for (unsigned each = 0; each < style.v.element.children.length; ++each) {
    const auto& text = child(style, each).v.text.original_text;
    const std::string_view sheet(text.data, text.length);
    // Text that the parser put together has no place in the source.
    if (sheet.empty() || !is_in_source(sheet)) continue;
    if (has_mark(as_written(sheet), "#^/>=")) continue;
    for (auto& rule : parse_css(sheet)) rules_.push_back(std::move(rule));
  }
}

void StyleInliner::index_rules() {
  for (std::size_t order = 0; order < rules_.size(); ++order) {
    for (const auto& selector : rules_[order].selectors) {
      const CssCompound& last = selector.path.back();
      auto& list = !last.ids.empty()       ? by_id_[last.ids.front()]
                   : !last.classes.empty() ? by_class_[last.classes.front()]
                                           : by_tag_[last.tag];
      if (list.empty() || list.back() != order) list.push_back(order);
    }
  }
}

void StyleInliner::visit(const GumboNode& node) {
  if (node.type != GUMBO_NODE_ELEMENT || is_over_limits()) return;
  if (node.v.element.tag == GUMBO_TAG_HEAD) return;
  if (has_own_tag(node)) {
    const auto declarations = declarations_for(matches_for(node));
    if (!declarations.empty()) edit(node, declarations);
  }
  for (unsigned each = 0; each < node.v.element.children.length; ++each)
    visit(child(node, each));
}

std::vector<Matched> StyleInliner::matches_for(const GumboNode& element) {
  std::vector<Matched> matches;
  const auto find = [](const Index& index, std::string_view key) {
    const auto found = index.find(key);
    return found == index.end() ? nullptr : &found->second;
  };
  add_matches(find(by_tag_, tag_of(element)), element, matches);
  if (const auto id = attribute_of(element, "id"))
    add_matches(find(by_id_, *id), element, matches);
  if (const auto classes = attribute_of(element, "class"))
    for (const auto word : unique(words_of(*classes)))
      add_matches(find(by_class_, word), element, matches);
  return matches;
}

void StyleInliner::add_matches(const std::vector<std::size_t>* rules,
                               const GumboNode& element,
                               std::vector<Matched>& matches) {
  if (rules == nullptr) return;
  for (const std::size_t order : *rules) {
    if (is_over_limits()) return;
    std::optional<std::size_t> best;
    for (const auto& selector : rules_[order].selectors)
      if (path_fits(selector, element))
        best = std::max(best.value_or(0), selector.specificity());
    if (best) matches.push_back({&rules_[order], order, *best});
  }
}

bool StyleInliner::fits(const CssCompound& compound, const GumboNode& element) {
  ++steps_;
  if (!compound.tag.empty() && compound.tag != tag_of(element)) return false;
  for (const auto id : compound.ids)
    if (attribute_of(element, "id") != id) return false;
  if (compound.classes.empty()) return true;
  const auto classes = attribute_of(element, "class");
  if (!classes) return false;
  steps_ += classes->size() / k_bytes_a_step;
  const auto words = words_of(*classes);
  return std::all_of(
      compound.classes.begin(), compound.classes.end(), [&](auto one) {
        return std::find(words.begin(), words.end(), one) != words.end();
      });
}

// The nearest ancestor that fits is as good as any above it.
bool StyleInliner::path_fits(const CssSelector& selector,
                             const GumboNode& element) {
  if (!fits(selector.path.back(), element)) return false;
  const GumboNode* above = element.parent;
  for (std::size_t left = selector.path.size() - 1; left > 0;
       above = above->parent) {
    if (is_over_limits()) return false;
    if (above == nullptr || above->type != GUMBO_NODE_ELEMENT) return false;
    if (fits(selector.path[left - 1], *above)) --left;
  }
  return true;
}

// What is left of all that was said, in an order in which the last one wins.
std::vector<const CssDeclaration*> StyleInliner::declarations_for(
    const std::vector<Matched>& matches) {
  std::vector<Candidate> candidates;
  for (const auto& match : matches) {
    const auto& all = match.rule->declarations;
    steps_ += all.size();
    if (is_over_limits()) return {};
    for (std::size_t each = 0; each < all.size(); ++each)
      candidates.push_back(
          {&all[each],
           match.order,
           {all[each].is_important, match.specificity, match.order, each}});
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const auto& a, const auto& b) { return a.rank > b.rank; });
  // A rule may say a property twice, for programs that don't know the second
  // value; what another rule said of it before is overruled.
  std::unordered_map<std::string, std::pair<std::size_t, bool>> said_by;
  std::vector<const CssDeclaration*> left;
  const CssDeclaration* last = nullptr;
  for (const auto& one : candidates) {
    if (one.declaration == last) continue;
    last = one.declaration;
    const std::pair<std::size_t, bool> by{one.order, last->is_important};
    const auto [known, is_new] =
        said_by.emplace(in_lower_case(last->property), by);
    if (is_new || known->second == by) left.push_back(last);
  }
  std::reverse(left.begin(), left.end());
  return left;
}

std::string StyleInliner::css_text(
    const std::vector<const CssDeclaration*>& declarations, char quote) const {
  std::string text;
  for (const auto* one : declarations) {
    if (!text.empty()) text += "; ";
    text += escaped(as_written(one->property), quote);
    text += ": ";
    text += escaped(as_written(one->value), quote);
    if (one->is_important) text += " !important";
  }
  return text;
}

void StyleInliner::edit(
    const GumboNode& element,
    const std::vector<const CssDeclaration*>& declarations) {
  const GumboAttribute* own =
      gumbo_get_attribute(&element.v.element.attributes, "style");
  // For an attribute without a value libgumbo gives its name's place.
  if (own != nullptr && own->original_value.length > 0 &&
      own->original_value.data != own->original_name.data)
    return extend_attribute(*own, declarations);
  // In front of a "style" without a value too: of two, the first counts.
  add_attribute(element, " style=\"" + css_text(declarations, '"') + "\"");
}

void StyleInliner::add_attribute(const GumboNode& element,
                                 const std::string& css) {
  const auto& tag = element.v.element.original_tag;
  std::size_t name = 1;
  while (name < tag.length && !is_space(tag.data[name]) &&
         tag.data[name] != '/' && tag.data[name] != '>')
    ++name;
  add_edit({offset_of(tag.data) + name, 0, css});
}

// What the element says itself comes last, and so it wins.
void StyleInliner::extend_attribute(
    const GumboAttribute& attribute,
    std::vector<const CssDeclaration*> declarations) {
  const std::string_view written(attribute.original_value.data,
                                 attribute.original_value.length);
  const bool is_quoted = written.size() >= 2 &&
                         (written[0] == '"' || written[0] == '\'') &&
                         written.back() == written[0];
  const bool has_quotes =
      written.find_first_of("\"'") != std::string_view::npos;
  if (!is_in_source(written) || (!is_quoted && has_quotes)) return;
  std::unordered_set<std::string> own;
  const std::string_view value(attribute.value);
  for (const auto& one : parse_declarations(value))
    own.insert(in_lower_case(one.property));
  std::erase_if(declarations, [&](const CssDeclaration* one) {
    return !one->is_important && own.contains(in_lower_case(one->property));
  });
  if (declarations.empty()) return;
  const char quote = is_quoted ? written[0] : '"';
  const bool is_blank = std::all_of(value.begin(), value.end(), is_space);
  std::string css = css_text(declarations, quote);
  if (!is_blank) css += "; ";
  const std::size_t begin = offset_of(written.data());
  if (is_quoted) return add_edit({begin + 1, 0, css});
  add_edit({begin, written.size(),
            '"' + css + std::string(as_written(written)) + '"'});
}

void StyleInliner::add_edit(Edit edit) {
  added_ += edit.text.size();
  edits_.push_back(std::move(edit));
}

std::string StyleInliner::edited() {
  std::stable_sort(
      edits_.begin(), edits_.end(),
      [](const Edit& a, const Edit& b) { return a.offset < b.offset; });
  std::string out;
  out.reserve(source_.size() + added_);
  std::size_t at = 0;
  for (const auto& edit : edits_) {
    out += source_.substr(at, edit.offset - at);
    out += edit.text;
    at = edit.offset + edit.replaced;
  }
  out += source_.substr(at);
  return out;
}

}  // namespace

std::string inline_styles(std::string_view html) {
  // Most mails without styles are told by this.
  if (in_lower_case(html).find("<style") == std::string::npos)
    return std::string(html);
  return StyleInliner(html).inlined();
}

}  // namespace pony
