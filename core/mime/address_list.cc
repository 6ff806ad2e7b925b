#include "core/mime/address_list.h"

#include <algorithm>
#include <utility>

namespace pony {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// May a quoted local part be written without its quotes?
bool is_plain(std::string_view quoted) {
  return !quoted.empty() &&
         std::none_of(quoted.begin(), quoted.end(), [](char c) {
           return c <= ' ' || c == '\x7f' ||
                  std::string_view("()<>[]:;@\\,\"").find(c) !=
                      std::string_view::npos;
         });
}

class AddressListReader {
 public:
  AddressListReader(std::string_view text, std::size_t limit)
      : text_(text),
        limit_(limit),
        last_bracket_(
            text.find('>') == std::string_view::npos ? 0 : text.rfind('>')) {}

  std::vector<ListedAddress> read() {
    while (at_ < text_.size() && found_.size() < limit_) take();
    finish();
    return std::move(found_);
  }

 private:
  void take();
  void comment();
  void quoted();
  bool encoded_word();
  void append(std::string_view part);
  void finish();
  void begin_again();

  std::string_view text_;
  std::size_t limit_;
  std::size_t last_bracket_;  // where the last '>' is; 0: nowhere
  std::size_t at_ = 0;
  std::vector<ListedAddress> found_;

  // Of the entry that is being read. Words are set apart by one space, if
  // they were: "ann smith" is no address, "ann @ example.com" is one.
  std::string words_;
  std::size_t end_ = 0;
  bool space_before_ = false;
  bool in_brackets_ = false;
  bool had_brackets_ = false;
};

void AddressListReader::take() {
  const char c = text_[at_];
  if (c == '(') return comment();
  if (c == '"') return quoted();
  if (c == '=' && encoded_word()) return;
  ++at_;
  if (is_space(c)) {
    space_before_ = true;
  } else if (c == ',' || (c == ';' && !in_brackets_)) {
    // In brackets it belongs to a source route, unless they never close.
    if (in_brackets_ && at_ <= last_bracket_ && words_.starts_with('@')) {
      append(",");
    } else {
      finish();
    }
  } else if (c == '<' && !in_brackets_) {
    begin_again();  // what came before was a name
    in_brackets_ = had_brackets_ = true;
  } else if (c == '>' && in_brackets_) {
    in_brackets_ = false;
  } else if (had_brackets_ && !in_brackets_) {
    return;  // words behind the brackets: nobody's
  } else if (c == ':' && in_brackets_ && words_.starts_with('@')) {
    words_.clear();  // a source route ended
  } else if (c == ':' && !in_brackets_ && !words_.empty() &&
             words_.find('@') == std::string::npos) {
    begin_again();  // a group's name
  } else {
    append({&c, 1});
  }
}

// Skips a comment and those in it; one that never closes is the rest.
void AddressListReader::comment() {
  for (int depth = 0; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\\') {
      ++at_;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      ++at_;
      break;
    }
  }
  space_before_ = true;
}

void AddressListReader::quoted() {
  const std::size_t begin = at_++;
  std::string content;
  while (at_ < text_.size() && text_[at_] != '"') {
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
    content += text_[at_++];
  }
  at_ = std::min(at_ + 1, text_.size());
  if (had_brackets_ && !in_brackets_) return;
  append(is_plain(content) ? std::string_view(content)
                           : text_.substr(begin, at_ - begin));
}

// "=?utf-8?Q?Doe,_Ann?=" is one word whatever is in it.
bool AddressListReader::encoded_word() {
  // RFC 2047, 2 has 75 bytes; some write longer ones.
  constexpr std::size_t k_longest = 1000;
  const std::string_view rest = text_.substr(at_, k_longest);
  if (!rest.starts_with("=?")) return false;
  const std::size_t charset = rest.find('?', 2);
  if (charset == std::string_view::npos) return false;
  const std::size_t encoding = rest.find('?', charset + 1);
  if (encoding == std::string_view::npos) return false;
  const std::size_t end = rest.find("?=", encoding + 1);
  if (end == std::string_view::npos) return false;
  const std::string_view word = rest.substr(0, end + 2);
  if (std::any_of(word.begin(), word.end(), is_space)) return false;
  at_ += word.size();
  // A word of a name. Its '@' is not an address's, so it is not kept.
  if (!had_brackets_) append("=?");
  return true;
}

void AddressListReader::append(std::string_view part) {
  const bool joins = part == "@" || part == "." || words_.empty() ||
                     words_.ends_with('@') || words_.ends_with('.');
  if (space_before_ && !joins) words_ += ' ';
  space_before_ = false;
  words_ += part;
  end_ = at_;
}

void AddressListReader::begin_again() {
  words_.clear();
  space_before_ = false;
}

void AddressListReader::finish() {
  if (!words_.empty() && found_.size() < limit_)
    found_.push_back({std::move(words_), end_});
  begin_again();
  in_brackets_ = had_brackets_ = false;
}

}  // namespace

std::vector<ListedAddress> read_address_list(std::string_view text,
                                             std::size_t limit) {
  return AddressListReader(text, limit).read();
}

}  // namespace pony
