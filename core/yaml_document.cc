#include "core/yaml_document.h"

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>

#include "core/json.h"

namespace pony {
namespace {

using Kind = YamlNode::Kind;

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

// Lets yaml-cpp read memory in place.
class MemoryBuffer : public std::streambuf {
 public:
  explicit MemoryBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // never written to
    setg(begin, begin, begin + text.size());
  }
};

int line_at(std::string_view text, std::size_t offset) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(offset);
  return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
}

// A control character makes yaml-cpp guess UTF-16, and has no business here.
bool is_control_at(std::string_view text, std::size_t i) {
  const auto c = static_cast<unsigned char>(text[i]);
  if (c == '\n' || c == '\t') return false;
  if (c == '\r') return i + 1 >= text.size() || text[i + 1] != '\n';
  return c < 0x20 || c == 0x7f;
}

// The first line that is not text, if there is one.
std::vector<YamlProblem> problems_of_bytes(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_control_at(text, i)) {
      return {{line_at(text, i),
               fmt::format("control character \\x{:02x}",
                           static_cast<unsigned char>(text[i])),
               ""}};
    }
  }
  if (is_utf8(text)) return {};
  std::size_t begin = 0;
  for (int line = 1; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (!is_utf8(text.substr(begin, end - begin)))
      return {{line, "not UTF-8", "save the file as UTF-8"}};
    begin = end + 1;
  }
  return {};
}

// May a block scalar begin on this line? Its "|" or ">" stands alone.
bool may_begin_block(std::string_view line) {
  for (const std::string_view sign : {" |", " >", "\t|", "\t>"})
    if (line.find(sign) != std::string_view::npos) return true;
  return line.starts_with('|') || line.starts_with('>');
}

// `text` with every line that is only a comment made empty, so that lines keep
// their numbers. yaml-cpp takes 20 ns for each byte of a comment, and a starter
// file is mostly comments. From the first line that may begin a block scalar
// on, nothing is touched: there such a line is content. Within quotes it
// cannot be: they end on their line.
std::string without_comments(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    const std::size_t first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line[first] == '#') {
      if (line.ends_with('\n')) out += '\n';
      continue;
    }
    out += line;
    if (!may_begin_block(line)) continue;
    out += text;
    return out;
  }
  return out;
}

// Where the quoted text that begins at `text[begin]` ends (its closing quote);
// npos when the line ends first.
std::size_t closing_quote(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  for (std::size_t i = begin + 1; i < text.size() && text[i] != '\n'; ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
      if (i < text.size() && text[i] == '\n') break;
      continue;
    }
    if (text[i] != quote) continue;
    const bool doubled = i + 1 < text.size() && text[i + 1] == quote;
    if (quote == '"' || !doubled) return i;
    ++i;
  }
  return std::string_view::npos;
}

// Makes our tree of yaml-cpp's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text) {}

  YamlDocument take() { return std::move(document_); }
  void refuse(int line, std::string what, std::string hint = {}) {
    document_.problems.push_back({line, std::move(what), std::move(hint)});
  }
  void set_root_bad() { document_.root = bad_node(); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) refuse(line_of(mark), "a second document");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_plain_yaml(mark, "", anchor);
    YamlNode node;
    node.line = line_of(mark);
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(line_of(mark), "aliases ('*name') are not supported");
    add(bad_node());
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor, const std::string& value) override {
    if (!check_plain_yaml(mark, tag, anchor) || !check_line_end(mark, value)) {
      add(bad_node());
      return;
    }
    YamlNode node;
    node.kind = Kind::text;
    node.line = line_of(mark);
    node.text = value;
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag,
                  YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  // A list or map that is still being read. In a map a key waits for its
  // value; `drop` says that the value belongs to a key we refused.
  struct Open {
    YamlNode node;
    YamlEntry entry;
    bool has_key = false;
    bool drop = false;
  };

  static int line_of(const YAML::Mark& mark) { return mark.line + 1; }

  static YamlNode bad_node() {
    YamlNode node;
    node.kind = Kind::bad;
    return node;
  }

  bool check_plain_yaml(const YAML::Mark& mark, std::string_view tag,
                        YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      refuse(line_of(mark), "anchors ('&name') are not supported");
      return false;
    }
    // "?" is yaml-cpp's word for plain, "!" for quoted.
    const bool written = at(mark) == '!';
    if (tag.size() > 1 || written) {
      refuse(line_of(mark), "tags ('!name') are not supported",
             "put a text that begins with '!' in quotes");
      return false;
    }
    return true;
  }

  char at(const YAML::Mark& mark) const {
    const auto i = static_cast<std::size_t>(mark.pos);
    return mark.pos >= 0 && i < text_.size() ? text_[i] : '\0';
  }

  // Does the text stay on its line? A plain one is what the source says, byte
  // for byte, unless lines were folded.
  bool check_line_end(const YAML::Mark& mark, const std::string& value) {
    const char first = at(mark);
    if (first == '\0') return true;
    const auto begin = static_cast<std::size_t>(mark.pos);
    if (first == '|' || first == '>') return true;
    if (first == '"' || first == '\'') {
      if (closing_quote(text_, begin) != std::string_view::npos) return true;
      refuse(line_of(mark), "a quote is not closed on its line");
      return false;
    }
    if (text_.substr(begin, value.size()) == value) return true;
    refuse(line_of(mark), "text runs over the end of its line",
           "is a quote, a comma or a colon missing?");
    return false;
  }

  void open(Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    check_plain_yaml(mark, tag, anchor);
    Open& frame = open_.emplace_back();
    frame.node.kind = kind;
    frame.node.line = line_of(mark);
  }

  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (open_.empty()) {
      if (documents_ <= 1) document_.root = std::move(node);
      return;
    }
    Open& frame = open_.back();
    if (frame.node.is(Kind::list)) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      add_key(frame, std::move(node));
    } else {
      frame.has_key = false;
      if (frame.drop) return;
      frame.entry.value = std::move(node);
      frame.node.entries.push_back(std::move(frame.entry));
      frame.entry = YamlEntry();
    }
  }

  void add_key(Open& frame, YamlNode node) {
    frame.has_key = true;
    frame.drop = !node.is(Kind::text);
    if (frame.drop) {
      if (!node.is(Kind::bad)) refuse(node.line, "a key must be a word");
      return;
    }
    for (const YamlEntry& known : frame.node.entries) {
      if (known.key != node.text) continue;
      frame.drop = true;
      refuse(node.line, fmt::format("duplicate key '{}'", printable(node.text)),
             fmt::format("the first one is on line {}", known.line));
      return;
    }
    frame.entry.key = std::move(node.text);
    frame.entry.line = node.line;
  }

  std::string_view text_;
  YamlDocument document_;
  std::vector<Open> open_;
  int documents_ = 0;
};

}  // namespace

YamlDocument read_yaml(std::string_view text) {
  if (text.starts_with(k_byte_order_mark))
    text.remove_prefix(k_byte_order_mark.size());
  if (auto problems = problems_of_bytes(text); !problems.empty()) {
    YamlDocument document;
    document.root.kind = Kind::bad;
    document.problems = std::move(problems);
    return document;
  }
  const std::string yaml = without_comments(text);
  TreeBuilder builder(yaml);
  MemoryBuffer buffer(yaml);
  std::istream in(&buffer);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) continue;
  } catch (const YAML::Exception& error) {
    builder.set_root_bad();
    builder.refuse(std::max(error.mark.line, 0) + 1,
                   fmt::format("this is not YAML: {}", error.msg));
  }
  return builder.take();
}

}  // namespace pony
