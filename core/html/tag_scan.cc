#include "core/html/tag_scan.h"

#include <algorithm>
#include <array>

#include "core/lower_case.h"

namespace pony {
namespace {

constexpr auto k_none = std::string_view::npos;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

bool holds_raw_text(std::string_view name) {
  static constexpr std::array<std::string_view, 8> k_names = {
      "iframe", "noembed",  "noframes", "script",
      "style",  "textarea", "title",    "xmp"};
  return std::find(k_names.begin(), k_names.end(), name) != k_names.end();
}

bool is_same_without_case(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() && in_lower_case(a) == lower;
}

}  // namespace

bool is_void_element(std::string_view name) {
  static constexpr std::array<std::string_view, 15> k_names = {
      "area",   "base", "br",   "col",   "embed",  "hr",    "img", "input",
      "keygen", "link", "meta", "param", "source", "track", "wbr"};
  return std::find(k_names.begin(), k_names.end(), name) != k_names.end();
}

bool TagScanner::next(HtmlToken& token) {
  if (at_ == source_.size()) return false;
  token = {};
  const std::size_t begin = at_;
  const char second = at_ + 1 < source_.size() ? source_[at_ + 1] : '\0';
  if (!raw_until_.empty())
    scan_raw_text(token);
  else if (source_[at_] != '<')
    scan_text(token);
  else if (is_letter(second))
    scan_tag(token);
  else if (second == '/' && at_ + 2 < source_.size() &&
           is_letter(source_[at_ + 2]))
    scan_tag(token);
  else if (second == '!' || second == '?' ||
           (second == '/' && at_ + 2 < source_.size()))
    scan_comment(token);
  else
    scan_text(token);
  // "<style></style>": no text between them.
  if (at_ == begin) return next(token);
  token.source = source_.substr(begin, at_ - begin);
  return true;
}

void TagScanner::scan_raw_text(HtmlToken& token) {
  token.is_raw = true;
  std::size_t end = source_.size();
  for (std::size_t found = source_.find("</", at_); found != k_none;
       found = source_.find("</", found + 2)) {
    const std::size_t after = found + 2 + raw_until_.size();
    if (after < source_.size() &&
        (is_space(source_[after]) || source_[after] == '>' ||
         source_[after] == '/') &&
        is_same_without_case(source_.substr(found + 2, raw_until_.size()),
                             raw_until_)) {
      end = found;
      break;
    }
  }
  at_ = end;
  raw_until_.clear();
}

// Up to the next "<" that begins something.
void TagScanner::scan_text(HtmlToken&) {
  for (++at_; at_ < source_.size(); ++at_) {
    at_ = std::min(source_.find('<', at_), source_.size());
    if (at_ + 1 >= source_.size()) break;
    const char second = source_[at_ + 1];
    if (is_letter(second) || second == '!' || second == '?' || second == '/')
      return;
  }
  at_ = source_.size();
}

void TagScanner::scan_comment(HtmlToken& token) {
  token.kind = HtmlToken::Kind::comment;
  const std::string_view rest = source_.substr(at_);
  std::size_t end = k_none, length = 1;
  if (rest.starts_with("<!-->")) {
    end = 4;
  } else if (rest.starts_with("<!--->")) {
    end = 5;
  } else if (rest.starts_with("<!--")) {
    end = rest.find("-->", 4);
    length = 3;
    // "--!>" ends one too.
    const std::size_t other = rest.substr(0, end).find("--!>", 4);
    if (other != k_none) {
      end = other;
      length = 4;
    }
  } else {
    end = rest.find('>');
  }
  at_ = end == k_none ? source_.size() : at_ + end + length;
}

void TagScanner::skip_spaces() {
  while (at_ < source_.size() && is_space(source_[at_])) ++at_;
}

void TagScanner::scan_tag(HtmlToken& token) {
  const bool is_end = source_[at_ + 1] == '/';
  const std::size_t name = at_ + (is_end ? 2 : 1);
  at_ = name;
  while (at_ < source_.size() && !is_space(source_[at_]) &&
         source_[at_] != '/' && source_[at_] != '>')
    ++at_;
  token.name = in_lower_case(source_.substr(name, at_ - name));
  while (scan_attribute(token)) {
  }
  if (at_ == source_.size()) {
    token.kind = HtmlToken::Kind::unfinished;
    return;
  }
  ++at_;
  token.kind = is_end ? HtmlToken::Kind::end_tag : HtmlToken::Kind::start_tag;
  if (!is_end && holds_raw_text(token.name)) raw_until_ = token.name;
}

// False at the tag's ">" or the source's end.
bool TagScanner::scan_attribute(HtmlToken& token) {
  token.closes_itself = false;
  while (at_ < source_.size() &&
         (is_space(source_[at_]) || source_[at_] == '/'))
    token.closes_itself = source_[at_++] == '/';
  if (at_ == source_.size() || source_[at_] == '>') return false;
  const std::size_t name = at_++;
  while (at_ < source_.size() && !is_space(source_[at_]) &&
         source_[at_] != '/' && source_[at_] != '>' && source_[at_] != '=')
    ++at_;
  TagAttribute attribute;
  attribute.name = source_.substr(name, at_ - name);
  attribute.value = source_.substr(at_, 0);
  const std::size_t after_name = at_;
  skip_spaces();
  if (at_ < source_.size() && source_[at_] == '=') {
    ++at_;
    skip_spaces();
    attribute.value = scan_value();
  } else {
    at_ = after_name;
  }
  token.attributes.push_back(attribute);
  return true;
}

std::string_view TagScanner::scan_value() {
  if (at_ == source_.size()) return source_.substr(at_);
  const char quote = source_[at_];
  if (quote == '"' || quote == '\'') {
    const std::size_t begin = at_ + 1;
    const std::size_t end =
        std::min(source_.find(quote, begin), source_.size());
    at_ = std::min(end + 1, source_.size());
    return source_.substr(begin, end - begin);
  }
  const std::size_t begin = at_;
  while (at_ < source_.size() && !is_space(source_[at_]) && source_[at_] != '>')
    ++at_;
  return source_.substr(begin, at_ - begin);
}

}  // namespace pony
