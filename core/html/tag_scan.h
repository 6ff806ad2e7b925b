// A page as the tags and texts that stand in it, one after the other, without
// asking what belongs to what. For what must point into the source, and for
// pages that no tree can be made of.
//
// Promises: takes time in proportion to the source; all bytes of it belong to
// exactly one token; nothing is refused. The rules are those of the HTML
// standard's tokenizer, where <script>, <style>, <title>, <textarea> and the
// like hold text only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

// All views point into the source.
struct TagAttribute {
  std::string_view name;   // as written
  std::string_view value;  // without its quotes, entities as written
};

struct HtmlToken {
  enum class Kind {
    text,
    start_tag,
    end_tag,
    comment,     // also <!doctype>, <?...> and what browsers take for a comment
    unfinished,  // a tag that the source ends in
  };
  Kind kind = Kind::text;
  std::string_view source;  // all of it, brackets included
  std::string name;         // of a tag, in lower case
  std::vector<TagAttribute> attributes;
  bool closes_itself = false;  // "/>"
  bool is_raw = false;         // text of <style> and its like
};

class TagScanner {
 public:
  explicit TagScanner(std::string_view source) : source_(source) {}

  // The next token; false at the end.
  bool next(HtmlToken& token);

 private:
  void scan_raw_text(HtmlToken& token);
  void scan_text(HtmlToken& token);
  void scan_comment(HtmlToken& token);
  void scan_tag(HtmlToken& token);
  bool scan_attribute(HtmlToken& token);
  std::string_view scan_value();
  void skip_spaces();

  std::string_view source_;
  std::size_t at_ = 0;
  std::string raw_until_;  // the element whose end tag ends raw text
};

// <br>, <img> and the others that have neither content nor an end tag.
bool is_void_element(std::string_view name);

}  // namespace pony
