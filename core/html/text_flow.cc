// Paragraphs are gathered with spaces collapsed and filled when they end.
//
// Inside a paragraph three bytes have a meaning: LF ends a line, 0x01 is where
// a line may end (a zero width space), and U+00A0 is a space that may not.
#include "core/html/text_flow.h"

#include <algorithm>

#include "core/display_width.h"

namespace pony {
namespace {

constexpr char k_may_break = '\x01';
constexpr std::string_view k_no_break_space = "\xC2\xA0";
// What stands for bytes that are no UTF-8.
constexpr char32_t k_replacement = 0xFFFD;
constexpr std::string_view k_replacement_bytes = "\xEF\xBF\xBD";
// Deeper indents would leave columns of single words.
constexpr std::size_t k_widest_indent = 40;

// Chinese, Japanese, Korean: lines may end between any two characters...
bool is_east_asian(char32_t code) {
  return (code >= 0x2E80 && code <= 0x9FFF) ||
         (code >= 0xAC00 && code <= 0xD7A3) ||
         (code >= 0xF900 && code <= 0xFAFF) ||
         (code >= 0xFF01 && code <= 0xFFEF) ||
         (code >= 0x20000 && code <= 0x3FFFD);
}

// ...but not before a closing mark or a small letter, nor after an opening
// one.
bool may_begin_line(char32_t code) {
  constexpr std::u32string_view k_never =
      U"、。，．・：；？！ー々」』）】〉》〕｝〙〛’”ぁぃぅぇぉっゃゅょァィゥェ"
      U"ォ"
      U"ッャュョ.,:;?!)]}";
  return k_never.find(code) == std::u32string_view::npos;
}
bool may_end_line(char32_t code) {
  constexpr std::u32string_view k_never = U"「『（【〈《〔｛〘〚‘“([{";
  return k_never.find(code) == std::u32string_view::npos;
}

// Takes words and sets them in lines.
class LineFiller {
 public:
  explicit LineFiller(std::size_t width) : width_(width) {}

  void character(const Character& next);
  void space();
  void may_break() { end_word(); }
  void end_line();
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  void end_word();
  bool is_in_address() const {
    return word_.starts_with('<') && !word_.ends_with('>');
  }

  std::size_t width_;
  std::vector<std::string> lines_;
  std::string line_;
  std::size_t line_width_ = 0;
  bool is_line_empty_ = true;
  std::string word_;
  std::size_t word_width_ = 0;
  std::size_t spaces_ = 0;  // before the word
  char32_t before_ = 0;
};

void LineFiller::character(const Character& next) {
  const bool by_itself = is_east_asian(next.code) || is_east_asian(before_);
  if (by_itself && before_ != 0 && !is_in_address() &&
      may_begin_line(next.code) && may_end_line(before_) &&
      display_width(next.code) > 0)
    end_word();
  if (next.bytes == k_no_break_space)
    word_.push_back(' ');
  else
    word_.append(next.bytes);
  word_width_ += display_width(next.code);
  before_ = next.code;
}

void LineFiller::space() {
  end_word();
  ++spaces_;
  before_ = 0;
}

void LineFiller::end_word() {
  if (word_.empty()) return;
  if (!is_line_empty_ && line_width_ + spaces_ + word_width_ > width_)
    end_line();
  if (is_line_empty_) spaces_ = 0;
  line_.append(spaces_, ' ');
  line_ += word_;
  line_width_ += spaces_ + word_width_;
  is_line_empty_ = false;
  spaces_ = 0;
  word_.clear();
  word_width_ = 0;
}

// Ends the line before the word that is being written.
void LineFiller::end_line() {
  line_.erase(line_.find_last_not_of(' ') + 1);
  lines_.push_back(std::move(line_));
  line_.clear();
  line_width_ = 0;
  is_line_empty_ = true;
  spaces_ = 0;
}

// Zero width and not needed once lines are set: what senders hide preview
// fillers behind, byte order marks, soft hyphens.
bool is_dropped(char32_t code) {
  return code == 0xAD || code == 0x34F || code == 0x180E || code == 0x2060 ||
         code == 0xFEFF || (code >= 0x80 && code < 0xA0) || code == 0x7F;
}

// Zero width, but writing (Persian, Indic, emoji; direction) needs it between
// two characters.
bool is_joiner(char32_t code) {
  return code >= 0x200C && code <= 0x200F;
}

bool is_fixed_space(char32_t code) {
  return code == 0xA0 || code == 0x2007 || code == 0x202F;
}

bool ends_in_space(std::string_view text) {
  return text.empty() || text.back() == '\n' || text.back() == ' ' ||
         text.back() == k_may_break || text.ends_with(k_no_break_space);
}

}  // namespace

std::vector<std::string> fill_lines(std::string_view text, std::size_t width) {
  LineFiller filler(width);
  while (!text.empty()) {
    const Character next = first_character(text);
    text.remove_prefix(next.bytes.size());
    if (next.code == ' ') {
      filler.space();
    } else if (next.code == '\n') {
      filler.may_break();
      filler.end_line();
    } else if (next.code == k_may_break) {
      filler.may_break();
    } else {
      filler.character(next);
    }
  }
  filler.may_break();
  filler.end_line();
  return filler.take();
}

void TextFlow::text(std::string_view words) {
  while (!words.empty()) {
    const Character next = first_character(words);
    words.remove_prefix(next.bytes.size());
    if (next.code == ' ' || (next.code >= '\t' && next.code <= '\r'))
      space_due_ = true;
    else if (next.code >= 0x20)
      put(next.code, next.bytes);
  }
}

void TextFlow::put(char32_t code, std::string_view bytes) {
  if (is_dropped(code)) return;
  if (is_joiner(code)) {
    if (!space_due_ && !ends_in_space(paragraph_)) joiner_ = bytes;
    return;
  }
  if (code == 0x200B) {
    if (!space_due_ && !ends_in_space(paragraph_))
      paragraph_.push_back(k_may_break);
    joiner_.clear();
    return;
  }
  if (is_fixed_space(code)) {
    joiner_.clear();
    bytes = k_no_break_space;
  }
  put_printed(code == k_replacement ? k_replacement_bytes : bytes);
}

void TextFlow::put_printed(std::string_view bytes) {
  if (space_due_) {
    joiner_.clear();
    if (!paragraph_.empty() && paragraph_.back() != '\n')
      paragraph_.push_back(' ');
    space_due_ = false;
  }
  paragraph_ += joiner_;
  joiner_.clear();
  paragraph_ += bytes;
}

void TextFlow::verbatim(std::string_view text) {
  is_verbatim_ = true;
  drop_pending();
  while (!text.empty()) {
    const Character next = first_character(text);
    text.remove_prefix(next.bytes.size());
    if (next.code == '\n' || next.code == '\t' ||
        (next.code >= 0x20 && !is_dropped(next.code)))
      paragraph_ += is_fixed_space(next.code)    ? " "
                    : next.code == k_replacement ? k_replacement_bytes
                                                 : next.bytes;
  }
}

void TextFlow::drop_pending() {
  joiner_.clear();
  space_due_ = false;
}

void TextFlow::break_line() {
  drop_pending();
  paragraph_.push_back('\n');
}

void TextFlow::end_block(Gap gap) {
  drop_pending();
  std::string paragraph;
  paragraph.swap(paragraph_);
  // A line end that ends a block is none: "text<br></p>" has one line.
  if (paragraph.ends_with('\n')) paragraph.pop_back();
  std::vector<std::string> lines;
  if (is_verbatim_) {
    for (std::size_t begin = 0; begin <= paragraph.size();) {
      const std::size_t end =
          std::min(paragraph.find('\n', begin), paragraph.size());
      lines.push_back(paragraph.substr(begin, end - begin));
      begin = end + 1;
    }
  } else if (!paragraph.empty()) {
    lines = fill_lines(paragraph, room());
  }
  is_verbatim_ = false;
  const auto is_blank = [](const std::string& one) {
    return one.find_first_not_of(" \t\x01") == std::string::npos;
  };
  while (!lines.empty() && is_blank(lines.back())) lines.pop_back();
  const auto first = std::find_if_not(lines.begin(), lines.end(), is_blank);
  for (auto each = first; each != lines.end(); ++each) line(*each);
  gap_ = std::max(gap_, gap);
}

void TextFlow::line(std::string_view text) {
  text = text.substr(0, text.find_last_not_of(" \t") + 1);
  write_gap();
  begin_line();
  out_ += text;
  out_.erase(out_.find_last_not_of(' ') + 1);
  out_.push_back('\n');
  ++lines_;
  gap_ = Gap::none;
  common_levels_ = indents_.size();
}

void TextFlow::write_gap() {
  if (gap_ == Gap::none || out_.empty()) return;
  const std::size_t levels = std::min(common_levels_, indents_.size());
  for (std::size_t each = 0; each < levels; ++each) out_ += indents_[each].rest;
  out_.erase(out_.find_last_not_of(' ') + 1);
  out_.push_back('\n');
}

void TextFlow::begin_line() {
  for (auto& level : indents_) {
    out_ += level.first;
    level.first = level.rest;
  }
}

void TextFlow::indent(std::string_view first, std::string_view rest) {
  end_block(Gap::none);
  if (width_ - room() >= k_widest_indent) rest = {};
  indents_.push_back({std::string(first), std::string(rest)});
}

void TextFlow::outdent() {
  end_block(Gap::none);
  indents_.pop_back();
  common_levels_ = std::min(common_levels_, indents_.size());
}

std::size_t TextFlow::room() const {
  std::size_t taken = 0;
  for (const auto& level : indents_) taken += display_width(level.rest);
  return width_ - std::min(width_ - 1, taken);
}

bool TextFlow::wrote_since(const Mark& mark) const {
  return lines_ != mark.lines || !text_since(mark).empty();
}

std::string_view TextFlow::text_since(const Mark& mark) const {
  if (!is_open_since(mark)) return paragraph_;
  return std::string_view(paragraph_)
      .substr(std::min(mark.position, paragraph_.size()));
}

void TextFlow::replace_since(const Mark& mark, std::string_view words) {
  const bool was_due = space_due_;
  std::string_view old = text_since(mark);
  const bool begins_with_space = old.starts_with(' ');
  paragraph_.resize(paragraph_.size() - old.size());
  space_due_ = begins_with_space;
  text(words);
  space_due_ = was_due;
}

std::string TextFlow::finish() {
  end_block(Gap::none);
  return std::move(out_);
}

}  // namespace pony
