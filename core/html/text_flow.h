// Words and blocks become lines: the paper that a page is written on.
//
// Promises: spaces collapse as in a browser; lines end at the width, counted
// in cells, but never inside a word or a URL; no line ends in a space; what is
// no printed character (zero width, soft hyphens, controls) is left out.
// Doesn't know: HTML.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

// `text` (a paragraph of a TextFlow: LF is a line's end, U+00A0 a space that
// holds together) in lines of at most `width` cells, where words let it.
std::vector<std::string> fill_lines(std::string_view text, std::size_t width);

class TextFlow {
 public:
  // What is left free between two blocks.
  enum class Gap { none, blank_line };

  // For a flow that breaks lines only where it is told to.
  static constexpr std::size_t k_endless = static_cast<std::size_t>(-1) / 4;

  explicit TextFlow(std::size_t width) : width_(width) {}

  // Words of the paragraph that is being written; UTF-8, entities resolved.
  void text(std::string_view words);
  // The same where spaces and line ends count (<pre>): the paragraph is then
  // not filled.
  void verbatim(std::string_view text);
  void break_line();

  // Ends the paragraph if one is begun, and asks for at least `gap` before the
  // next line.
  void end_block(Gap gap);
  // A line of its own, as it is, in the paragraph's place.
  void line(std::string_view text);

  // All lines until `outdent` begin with `rest`, the first with `first`. Ends
  // the paragraph. Deep down, where too little room would be left, `rest` is
  // left out.
  void indent(std::string_view first, std::string_view rest);
  void outdent();

  // The cells a line has here.
  std::size_t room() const;

  // Where the writing is; for text_since and replace_since.
  struct Mark {
    std::size_t lines = 0;
    std::size_t position = 0;
  };
  Mark mark() const { return {lines_, paragraph_.size()}; }
  // Has anything been written since?
  bool wrote_since(const Mark& mark) const;
  // Is what was written since in one paragraph that is not ended yet?
  bool is_open_since(const Mark& mark) const { return mark.lines == lines_; }
  std::string_view text_since(const Mark& mark) const;
  void replace_since(const Mark& mark, std::string_view text);
  // Would the next word be set off by a space?
  bool space_is_due() const { return space_due_; }

  // What was written, with LF line ends. Ends the last paragraph.
  std::string finish();

 private:
  struct Indent {
    std::string first;
    std::string rest;
  };

  void put(char32_t code, std::string_view bytes);
  void put_printed(std::string_view bytes);
  void begin_line();
  void write_gap();
  void drop_pending();

  std::size_t width_;
  std::string out_;
  std::size_t lines_ = 0;  // printed so far, those of ended paragraphs
  std::string paragraph_;
  bool is_verbatim_ = false;
  bool space_due_ = false;
  std::string joiner_;  // zero width, kept only between printed characters
  Gap gap_ = Gap::none;
  std::vector<Indent> indents_;
  // How few levels were open at any time since the last line: a gap's lines
  // belong to those only.
  std::size_t common_levels_ = 0;
};

}  // namespace pony
