// The page's tree is walked once; a TextFlow takes the words and the blocks.
//
// Where there is no tree within limits the tags are stripped one by one: less
// is understood then (tables, lists), and still everything can be read.
#include "core/html/html_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/display_width.h"
#include "core/html/html_link.h"
#include "core/html/html_tree.h"
#include "core/html/stripped_text.h"
#include "core/html/text_flow.h"
#include "core/html/text_table.h"
#include "core/lower_case.h"

namespace pony {
namespace {

constexpr std::size_t k_width = 78;
constexpr std::size_t k_rule_width = 40;
constexpr auto k_blank_line = TextFlow::Gap::blank_line;
constexpr auto k_no_gap = TextFlow::Gap::none;

bool is_element(const GumboNode& node) {
  return node.type == GUMBO_NODE_ELEMENT;
}

// An element's children; none for other nodes.
struct Children {
  explicit Children(const GumboNode& node)
      : list(is_element(node) ? &node.v.element.children : &kGumboEmptyVector) {
  }
  const GumboNode* const* begin() const {
    return reinterpret_cast<const GumboNode* const*>(list->data);
  }
  const GumboNode* const* end() const { return begin() + list->length; }
  const GumboVector* list;
};

template <std::size_t N>
bool is_one_of(GumboTag tag, const std::array<GumboTag, N>& tags) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

// What is never printed.
bool is_unseen(GumboTag tag) {
  static constexpr std::array k_tags = {
      GUMBO_TAG_HEAD,     GUMBO_TAG_TITLE,    GUMBO_TAG_STYLE,
      GUMBO_TAG_SCRIPT,   GUMBO_TAG_TEMPLATE, GUMBO_TAG_META,
      GUMBO_TAG_LINK,     GUMBO_TAG_IFRAME,   GUMBO_TAG_SVG,
      GUMBO_TAG_SELECT,   GUMBO_TAG_TEXTAREA, GUMBO_TAG_INPUT,
      GUMBO_TAG_NOEMBED,  GUMBO_TAG_NOFRAMES, GUMBO_TAG_DATALIST,
      GUMBO_TAG_PROGRESS, GUMBO_TAG_METER,    GUMBO_TAG_RP};
  return is_one_of(tag, k_tags);
}

// Begin and end a line.
bool is_block(GumboTag tag) {
  static constexpr std::array k_tags = {
      GUMBO_TAG_HTML,    GUMBO_TAG_BODY,     GUMBO_TAG_ADDRESS,
      GUMBO_TAG_ARTICLE, GUMBO_TAG_ASIDE,    GUMBO_TAG_CENTER,
      GUMBO_TAG_DETAILS, GUMBO_TAG_DIV,      GUMBO_TAG_FIGCAPTION,
      GUMBO_TAG_FOOTER,  GUMBO_TAG_FORM,     GUMBO_TAG_HEADER,
      GUMBO_TAG_HGROUP,  GUMBO_TAG_LEGEND,   GUMBO_TAG_MAIN,
      GUMBO_TAG_NAV,     GUMBO_TAG_SECTION,  GUMBO_TAG_SUMMARY,
      GUMBO_TAG_DT,      GUMBO_TAG_TR,       GUMBO_TAG_TD,
      GUMBO_TAG_TH,      GUMBO_TAG_OPTGROUP, GUMBO_TAG_OPTION,
      GUMBO_TAG_TBODY,   GUMBO_TAG_THEAD,    GUMBO_TAG_TFOOT};
  return is_one_of(tag, k_tags);
}

// Blocks that are set off by a blank line.
bool is_paragraph(GumboTag tag) {
  static constexpr std::array k_tags = {
      GUMBO_TAG_P,      GUMBO_TAG_H1,       GUMBO_TAG_H2,     GUMBO_TAG_H3,
      GUMBO_TAG_H4,     GUMBO_TAG_H5,       GUMBO_TAG_H6,     GUMBO_TAG_DL,
      GUMBO_TAG_FIGURE, GUMBO_TAG_FIELDSET, GUMBO_TAG_CAPTION};
  return is_one_of(tag, k_tags);
}

bool is_heading(GumboTag tag) {
  return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6;
}

// What a cell of figures and words has no use for, and layout is full of.
bool is_layout_content(GumboTag tag) {
  static constexpr std::array k_tags = {
      GUMBO_TAG_TABLE,      GUMBO_TAG_UL,   GUMBO_TAG_OL,
      GUMBO_TAG_DL,         GUMBO_TAG_PRE,  GUMBO_TAG_HR,
      GUMBO_TAG_BLOCKQUOTE, GUMBO_TAG_FORM, GUMBO_TAG_FIGURE};
  return is_heading(tag) || is_one_of(tag, k_tags);
}

// Does `style` hide its element? mso-hide:all comes with tricks that hide it
// from everybody else.
bool hides(std::string_view style) {
  const std::string lower = in_lower_case(style);
  for (const auto& [name, value] :
       {std::pair<std::string_view, std::string_view>{"display", "none"},
        {"mso-hide", "all"}}) {
    std::size_t at = lower.find(name);
    for (; at != std::string::npos; at = lower.find(name, at + 1)) {
      if (at > 0 && lower[at - 1] != ';' && lower[at - 1] > ' ') continue;
      std::size_t colon = lower.find_first_not_of(" \t\r\n", at + name.size());
      if (colon == std::string::npos || lower[colon] != ':') continue;
      colon = lower.find_first_not_of(" \t\r\n", colon + 1);
      if (colon != std::string::npos &&
          lower.compare(colon, value.size(), value) == 0)
        return true;
    }
  }
  return false;
}

bool is_hidden(const GumboNode& element) {
  if (element.v.element.attributes.length == 0) return false;
  if (attribute_of(element, "hidden")) return true;
  const auto style = attribute_of(element, "style");
  return style && hides(*style);
}

// A whole number as an attribute says it; `otherwise` for anything else.
int number_of(const GumboNode& element, const char* attribute, int otherwise) {
  const auto text = attribute_of(element, attribute);
  if (!text) return otherwise;
  int value = otherwise;
  const std::size_t begin =
      std::min(text->find_first_not_of(" \t\r\n"), text->size());
  const auto read =
      std::from_chars(text->data() + begin, text->data() + text->size(), value);
  return read.ec == std::errc() ? value : otherwise;
}

bool has_value(const GumboNode& element, const char* attribute,
               std::string_view value) {
  const auto has = attribute_of(element, attribute);
  return has && in_lower_case(*has) == value;
}

// The rows of a table, without those of tables in it.
std::vector<const GumboNode*> rows_of(const GumboNode& table) {
  std::vector<const GumboNode*> rows;
  for (const GumboNode* part : Children(table)) {
    if (!is_element(*part) || is_hidden(*part)) continue;
    if (part->v.element.tag == GUMBO_TAG_TR) rows.push_back(part);
    for (const GumboNode* row : Children(*part))
      if (is_element(*row) && row->v.element.tag == GUMBO_TAG_TR &&
          !is_hidden(*row))
        rows.push_back(row);
  }
  return rows;
}

std::vector<const GumboNode*> cells_of(const GumboNode& row) {
  std::vector<const GumboNode*> cells;
  for (const GumboNode* cell : Children(row))
    if (is_element(*cell) && !is_hidden(*cell) &&
        (cell->v.element.tag == GUMBO_TAG_TD ||
         cell->v.element.tag == GUMBO_TAG_TH))
      cells.push_back(cell);
  return cells;
}

bool has_inside(const GumboNode& node, bool (*is_wanted)(GumboTag),
                std::size_t depth = 0) {
  if (depth > HtmlTree::k_deepest) return false;
  for (const GumboNode* child : Children(node))
    if (is_element(*child) && (is_wanted(child->v.element.tag) ||
                               has_inside(*child, is_wanted, depth + 1)))
      return true;
  return false;
}

// Is `table` there to place blocks, and not to line up what belongs together?
bool is_layout(const GumboNode& table,
               const std::vector<const GumboNode*>& rows) {
  for (const std::string_view role : {"presentation", "none"})
    if (has_value(table, "role", role)) return true;
  std::size_t most_cells = 0;
  for (const GumboNode* row : rows) {
    const auto cells = cells_of(*row);
    most_cells = std::max(most_cells, cells.size());
    for (const GumboNode* cell : cells)
      if (has_inside(*cell, is_layout_content)) return true;
  }
  return most_cells < 2;
}

// Which links have had their address printed. Broken pages make browsers open
// a link again in each block that it reaches into: those share its tag.
using PrintedLinks = std::unordered_set<const char*>;

class PageWriter {
 public:
  PageWriter(TextFlow& flow, PrintedLinks& printed)
      : flow_(flow), printed_(printed) {}

  void write(const GumboNode& node);

 private:
  void write_children(const GumboNode& element);
  void write_element(const GumboNode& element);
  void write_words(std::string_view words);
  bool write_inline(const GumboNode& element);
  bool write_special_block(const GumboNode& element);
  void write_block(const GumboNode& element, TextFlow::Gap gap);
  void write_heading(const GumboNode& heading, char underline);
  void write_link(const GumboNode& link);
  void write_address(const TextFlow::Mark& mark, const std::string& address);
  void write_image(const GumboNode& image);
  void write_preformatted(const GumboNode& element);
  void write_indented(const GumboNode& element, std::string_view first,
                      std::string_view rest, TextFlow::Gap gap);
  void write_list(const GumboNode& list);
  void write_item(const GumboNode& item, const std::string& marker,
                  std::size_t hanging);
  void write_table(const GumboNode& table);
  void write_captions(const GumboNode& table);
  void write_data(const std::vector<const GumboNode*>& rows);
  TextTable::Cell data_cell(const GumboNode& cell);

  TextFlow& flow_;
  PrintedLinks& printed_;
  std::size_t depth_ = 0;
  std::size_t lists_ = 0;
  bool is_preformatted_ = false;
  // After an image or an address: a word that follows directly is another one.
  bool is_set_off_ = false;
};

void PageWriter::write(const GumboNode& node) {
  switch (node.type) {
    case GUMBO_NODE_TEXT:
    case GUMBO_NODE_CDATA:
    case GUMBO_NODE_WHITESPACE:
      return write_words(node.v.text.text);
    case GUMBO_NODE_ELEMENT:
      break;
    default:
      return;
  }
  if (depth_ == HtmlTree::k_deepest) return;
  ++depth_;
  write_element(node);
  --depth_;
}

void PageWriter::write_children(const GumboNode& element) {
  for (const GumboNode* child : Children(element)) write(*child);
}

void PageWriter::write_words(std::string_view words) {
  if (words.empty()) return;
  if (is_preformatted_) return flow_.verbatim(words);
  constexpr std::string_view k_no_word = " \t\r\n\f.,:;!?)]}\"'";
  if (is_set_off_ && k_no_word.find(words.front()) == std::string_view::npos)
    flow_.text(" ");
  is_set_off_ = false;
  flow_.text(words);
}

void PageWriter::write_element(const GumboNode& element) {
  const GumboTag tag = element.v.element.tag;
  if (is_unseen(tag) || is_hidden(element)) return;
  if (write_inline(element)) return;
  is_set_off_ = false;
  if (write_special_block(element)) {
  } else if (is_paragraph(tag)) {
    write_block(element, k_blank_line);
  } else if (is_block(tag)) {
    write_block(element, k_no_gap);
  } else {
    write_children(element);
  }
}

bool PageWriter::write_inline(const GumboNode& element) {
  switch (element.v.element.tag) {
    case GUMBO_TAG_BR:
      is_set_off_ = false;
      is_preformatted_ ? flow_.verbatim("\n") : flow_.break_line();
      return true;
    case GUMBO_TAG_WBR:
      write_words("\xE2\x80\x8B");
      return true;
    case GUMBO_TAG_IMG:
      write_image(element);
      return true;
    case GUMBO_TAG_A:
      write_link(element);
      return true;
    case GUMBO_TAG_Q:
      write_words("\"");
      write_children(element);
      write_words("\"");
      return true;
    default:
      return false;
  }
}

bool PageWriter::write_special_block(const GumboNode& element) {
  switch (element.v.element.tag) {
    case GUMBO_TAG_H1:
      write_heading(element, '=');
      return true;
    case GUMBO_TAG_H2:
      write_heading(element, '-');
      return true;
    case GUMBO_TAG_HR:
      flow_.end_block(k_blank_line);
      flow_.line(std::string(std::min(k_rule_width, flow_.room()), '-'));
      flow_.end_block(k_blank_line);
      return true;
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_LISTING:
    case GUMBO_TAG_XMP:
    case GUMBO_TAG_PLAINTEXT:
      write_preformatted(element);
      return true;
    case GUMBO_TAG_BLOCKQUOTE:
      write_indented(element, "> ", "> ", k_blank_line);
      return true;
    case GUMBO_TAG_DD:
      write_indented(element, "    ", "    ", k_no_gap);
      return true;
    case GUMBO_TAG_UL:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_MENU:
    case GUMBO_TAG_DIR:
      write_list(element);
      return true;
    case GUMBO_TAG_LI:  // without a list
      write_item(element, "- ", 2);
      return true;
    case GUMBO_TAG_TABLE:
      write_table(element);
      return true;
    default:
      return false;
  }
}

void PageWriter::write_block(const GumboNode& element, TextFlow::Gap gap) {
  flow_.end_block(gap);
  write_children(element);
  flow_.end_block(gap);
}

// Underlined: upper case is not for every language.
void PageWriter::write_heading(const GumboNode& heading, char underline) {
  flow_.end_block(k_blank_line);
  const auto mark = flow_.mark();
  write_children(heading);
  std::size_t width = 0;
  if (flow_.is_open_since(mark))
    for (const auto& line : fill_lines(flow_.text_since(mark), flow_.room()))
      width = std::max(width, display_width(line));
  flow_.end_block(k_no_gap);
  if (width > 0)
    flow_.line(std::string(std::min(width, flow_.room()), underline));
  flow_.end_block(k_blank_line);
}

bool is_image(GumboTag tag) {
  return tag == GUMBO_TAG_IMG;
}

void PageWriter::write_link(const GumboNode& link) {
  const auto mark = flow_.mark();
  write_children(link);
  const auto href = attribute_of(link, "href");
  const std::string address = href ? readable_address(*href) : std::string();
  if (address.empty()) return;
  // A picture without a name can still be what the mail is about.
  if (!flow_.wrote_since(mark) && !has_inside(link, is_image)) return;
  if (!printed_.insert(link.v.element.original_tag.data).second) return;
  write_address(mark, address);
}

void PageWriter::write_address(const TextFlow::Mark& mark,
                               const std::string& address) {
  if (is_preformatted_) return flow_.verbatim(" <" + address + ">");
  if (flow_.is_open_since(mark)) {
    const std::string_view words = flow_.text_since(mark);
    if (is_same_address(words, address)) {
      // Mail programs make a link of what has its scheme.
      if (words.find("://") == std::string_view::npos &&
          address.find("://") != std::string::npos)
        flow_.replace_since(mark, address);
      is_set_off_ = true;
      return;
    }
  }
  const bool space_follows = flow_.space_is_due();
  flow_.text(" <" + address + ">");
  if (space_follows) flow_.text(" ");
  is_set_off_ = true;
}

void PageWriter::write_image(const GumboNode& image) {
  const auto alt = attribute_of(image, "alt");
  if (!alt || alt->find_first_not_of(" \t\r\n") == std::string_view::npos)
    return;
  write_words(*alt);
  is_set_off_ = true;
}

void PageWriter::write_preformatted(const GumboNode& element) {
  flow_.end_block(k_blank_line);
  const bool was = std::exchange(is_preformatted_, true);
  write_children(element);
  is_preformatted_ = was;
  flow_.end_block(k_blank_line);
}

void PageWriter::write_indented(const GumboNode& element,
                                std::string_view first, std::string_view rest,
                                TextFlow::Gap gap) {
  flow_.end_block(gap);
  flow_.indent(first, rest);
  write_children(element);
  flow_.outdent();
  flow_.end_block(gap);
}

void PageWriter::write_list(const GumboNode& list) {
  // A list in a list belongs to its item.
  const auto gap = lists_ == 0 ? k_blank_line : k_no_gap;
  const bool is_ordered = list.v.element.tag == GUMBO_TAG_OL;
  flow_.end_block(gap);
  ++lists_;
  std::vector<const GumboNode*> items;
  for (const GumboNode* child : Children(list))
    if (is_element(*child) && child->v.element.tag == GUMBO_TAG_LI)
      items.push_back(child);
  long long number = number_of(list, "start", 1);
  const auto last = number + static_cast<long long>(items.size()) - 1;
  const std::size_t hanging = is_ordered
                                  ? std::max(std::to_string(number).size(),
                                             std::to_string(last).size()) +
                                        2
                                  : 2;
  for (const GumboNode* child : Children(list)) {
    if (!is_element(*child) || child->v.element.tag != GUMBO_TAG_LI) {
      write(*child);
      continue;
    }
    if (is_hidden(*child)) continue;
    number = number_of(*child, "value",
                       static_cast<int>(std::clamp(number, -1'000'000'000LL,
                                                   1'000'000'000LL)));
    write_item(*child,
               is_ordered
                   ? fmt::format("{:<{}}", fmt::format("{}.", number), hanging)
                   : "- ",
               hanging);
    ++number;
  }
  --lists_;
  flow_.end_block(gap);
}

void PageWriter::write_item(const GumboNode& item, const std::string& marker,
                            std::size_t hanging) {
  is_set_off_ = false;
  write_indented(item, marker, std::string(hanging, ' '), k_no_gap);
}

void PageWriter::write_table(const GumboNode& table) {
  const auto rows = rows_of(table);
  if (is_layout(table, rows)) {
    flow_.end_block(k_no_gap);
    write_children(table);
    flow_.end_block(k_no_gap);
    return;
  }
  flow_.end_block(k_blank_line);
  write_captions(table);
  write_data(rows);
  flow_.end_block(k_blank_line);
}

void PageWriter::write_captions(const GumboNode& table) {
  for (const GumboNode* part : Children(table))
    if (is_element(*part) && part->v.element.tag == GUMBO_TAG_CAPTION)
      write(*part);
}

// As columns, or, where they do not fit, a line a cell and a block a row.
void PageWriter::write_data(const std::vector<const GumboNode*>& rows) {
  TextTable table;
  for (const GumboNode* row : rows) {
    const auto cells = cells_of(*row);
    if (cells.empty()) continue;
    table.begin_row();
    for (const GumboNode* cell : cells) table.add(data_cell(*cell));
  }
  if (const auto lines = table.draw(flow_.room())) {
    for (const auto& line : *lines) flow_.line(line);
    return;
  }
  for (const auto& row : table.rows()) {
    for (const auto& cell : row)
      if (!cell.text.empty())
        for (const auto& line : fill_lines(cell.text, flow_.room()))
          flow_.line(line);
    flow_.end_block(k_blank_line);
  }
}

TextTable::Cell data_cell_of(const GumboNode& cell) {
  TextTable::Cell made;
  made.is_heading = cell.v.element.tag == GUMBO_TAG_TH;
  made.is_at_right = has_value(cell, "align", "right");
  made.columns =
      static_cast<std::size_t>(std::max(1, number_of(cell, "colspan", 1)));
  made.rows =
      static_cast<std::size_t>(std::max(1, number_of(cell, "rowspan", 1)));
  return made;
}

TextTable::Cell PageWriter::data_cell(const GumboNode& cell) {
  TextTable::Cell made = data_cell_of(cell);
  TextFlow flow(TextFlow::k_endless);
  PageWriter writer(flow, printed_);
  writer.depth_ = depth_;
  writer.write_children(cell);
  made.text = flow.finish();
  // Blank lines between paragraphs would tear the row apart.
  const auto twice = [](char a, char b) { return a == '\n' && b == '\n'; };
  made.text.erase(std::unique(made.text.begin(), made.text.end(), twice),
                  made.text.end());
  if (made.text.ends_with('\n')) made.text.pop_back();
  return made;
}

}  // namespace

std::string text_from_html(std::string_view html) {
  TextFlow flow(k_width);
  const auto tree = HtmlTree::parse(html);
  if (!tree) return stripped_text(html, k_width);
  PrintedLinks printed;
  PageWriter(flow, printed).write(tree->root());
  return flow.finish();
}

}  // namespace pony
