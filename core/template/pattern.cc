// See pattern.h. One pass over the text; a partial's text is parsed where it
// is used.
#include "core/template/pattern.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/json.h"
#include "core/template/wording.h"
#include "core/trimmed.h"

namespace pony {
namespace {

constexpr std::size_t k_max_depth = 32;
constexpr std::size_t k_max_partials_deep = 10;
constexpr std::size_t k_max_bytes = std::size_t{4} << 20;
// Each name may be another one, and is looked for among all values.
constexpr std::size_t k_most_names = 10'000;

// By hand and not <cctype>: names are ASCII in every locale.
bool is_name_start(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name_part(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}

std::string_view leading_name(std::string_view text) {
  if (text.empty() || !is_name_start(text.front())) return {};
  const auto end = std::find_if_not(text.begin(), text.end(), is_name_part);
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

// What a dollar stands for: `size` bytes of the text, which are a name, or,
// when `name` is empty, a dollar.
struct Marker {
  std::string_view name;
  std::size_t size;
};

// `text` begins with a dollar.
Marker marker_at(std::string_view text) {
  const std::string_view after = text.substr(1);
  if (after.starts_with('$')) return {{}, 2};
  if (const auto name = leading_name(after); !name.empty())
    return {name, name.size() + 1};
  if (after.starts_with('{')) {
    const auto name = leading_name(after.substr(1));
    const auto rest = after.substr(1 + name.size());
    if (!name.empty() && rest.starts_with('}')) return {name, name.size() + 3};
  }
  return {{}, 1};
}

bool is_indent(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

Formatter formatter_called(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Formatter>, 5> k_all = {{
      {"number", Formatter::number},
      {"money", Formatter::money},
      {"date", Formatter::date},
      {"time", Formatter::time},
      {"datetime", Formatter::datetime},
  }};
  for (const auto& [known, formatter] : k_all)
    if (known == name) return formatter;
  return Formatter::none;
}

// "'{{#items}}'", as an author finds it.
std::string quoted_tag(std::string_view sigil, std::string_view name) {
  return "'{{" + std::string(sigil) + printable(name, 60) + "}}'";
}

}  // namespace

class PatternParser {
 public:
  explicit PatternParser(const Pattern::Source& source) : source_(source) {}

  Result<Pattern> parse();

 private:
  // A text that is being read: the pattern's own, or a partial's.
  struct File {
    std::string_view text;
    std::uint32_t index;         // in Pattern::files_
    std::size_t pos = 0;         // up to here it is parsed
    std::size_t counted = 0;     // up to here its lines are counted
    std::uint32_t line = 1;      // on which `counted` stands
    std::size_t open_above = 0;  // sections opened outside of it
  };
  struct Tag {
    char sigil;  // # ^ / ! > & = {, or 0 for a variable
    std::string_view name;
    std::size_t begin;
    std::size_t end;  // behind its braces
  };

  void parse_file(std::string_view text, std::string label);
  // False: the braces at `begin` are never closed.
  bool read_tag(const File& file, std::size_t begin, Tag& tag) const;
  // `text` is literal but for its $names.
  void add_text(File& file, std::string_view text);
  void add_literal(File& file, std::string_view text);
  void add_variable(const File& file, std::string_view name, bool raw);
  void add_tag(File& file, const Tag& tag);
  void open(const File& file, const Tag& tag);
  void close(const File& file, const Tag& tag);
  void include(const File& file, const Tag& tag);
  Pattern::Node node(const File& file, Pattern::Kind kind,
                     std::string_view name) const;
  void add_node(const File& file, Pattern::Node node);
  void count_lines(File& file, std::size_t up_to) const;
  void add_problem(const File& file, std::string what, std::string hint = {});
  bool is_too_large();

  const Pattern::Source& source_;
  Pattern made_;
  // The last node is text that ends here, and is open.
  const char* text_goes_on_ = nullptr;
  std::vector<std::size_t> open_;       // sections, as indexes of nodes
  std::vector<std::string> including_;  // partials that are being read
  std::vector<Problem> problems_;
  std::size_t bytes_ = 0;
  std::size_t names_ = 0;  // how often one stands there
};

Result<Pattern> PatternParser::parse() {
  made_.one_line_ = source_.one_line;
  parse_file(source_.text, source_.label);
  if (problems_.empty()) return std::move(made_);
  const auto& first = problems_.front();
  return tl::unexpected<Error>({Error::Kind::config,
                                first.place + ": " + first.what, first.hint,
                                std::move(problems_)});
}

void PatternParser::parse_file(std::string_view text, std::string label) {
  File file{text, static_cast<std::uint32_t>(made_.files_.size())};
  file.open_above = open_.size();
  made_.files_.push_back(std::move(label));
  text_goes_on_ = nullptr;
  bytes_ += text.size();
  if (is_too_large()) {
    add_problem(file, "with its partials the text is over 4 MiB");
    return;
  }
  while (source_.engine == Engine::mustache) {
    const auto begin = file.text.find("{{", file.pos);
    if (begin == std::string_view::npos) break;
    Tag tag{};
    if (!read_tag(file, begin, tag)) {
      count_lines(file, begin);
      add_problem(file, "'{{' is never closed", "close it with '}}'");
      return;
    }
    add_tag(file, tag);
    if (is_too_large()) return;
  }
  add_text(file, file.text.substr(file.pos));
  if (is_too_large()) return;
  while (open_.size() > file.open_above) {
    const auto& left = made_.nodes_[open_.back()];
    file.line = left.line;
    add_problem(
        file,
        quoted_tag(left.kind == Pattern::Kind::section ? "#" : "^", left.text) +
            " is never closed",
        "close it with '{{/" + printable(left.text, 60) + "}}'");
    made_.nodes_[open_.back()].end = made_.nodes_.size();
    open_.pop_back();
    text_goes_on_ = nullptr;
  }
}

bool PatternParser::is_too_large() {
  return bytes_ > k_max_bytes;
}

bool PatternParser::read_tag(const File& file, std::size_t begin,
                             Tag& tag) const {
  const auto inside = file.text.substr(begin + 2);
  const bool triple = inside.starts_with('{');
  const std::string_view closing = triple ? "}}}" : "}}";
  const auto end = inside.find(closing);
  if (end == std::string_view::npos) return false;
  tag.begin = begin;
  tag.end = begin + 2 + end + closing.size();
  auto name = trimmed(inside.substr(triple ? 1 : 0, end - (triple ? 1 : 0)));
  tag.sigil = triple ? '{' : '\0';
  if (!triple && !name.empty() &&
      std::string_view("#^/!>&=").find(name.front()) !=
          std::string_view::npos) {
    tag.sigil = name.front();
    name = trimmed(name.substr(1));
  }
  tag.name = name;
  return true;
}

void PatternParser::add_tag(File& file, const Tag& tag) {
  // A tag that prints nothing and is alone on its line takes the line with it
  // (mustache(5), "Standalone").
  auto before = file.text.substr(file.pos, tag.begin - file.pos);
  std::size_t next = tag.end;
  if (std::string_view("#^/!>=").find(tag.sigil) != std::string_view::npos) {
    // Only over blanks, so that a line with many tags is not gone over for
    // each of them.
    std::size_t begin = tag.begin;
    while (begin > file.pos && is_indent(file.text.substr(begin - 1, 1)))
      --begin;
    auto end =
        std::min(file.text.find_first_not_of(" \t", tag.end), file.text.size());
    if (file.text.substr(end).starts_with('\r')) ++end;
    const bool begins_line = begin == 0 || file.text[begin - 1] == '\n';
    const bool ends_line = end == file.text.size() || file.text[end] == '\n';
    if (begins_line && ends_line) {
      before = file.text.substr(file.pos, begin - file.pos);
      next = std::min(end + 1, file.text.size());
    }
  }
  add_text(file, before);
  count_lines(file, tag.begin);
  switch (tag.sigil) {
    case '!':
      break;
    case '=':
      add_problem(file, "the braces of tags cannot be changed",
                  "take '{{=' out, and write {{name}}");
      break;
    case '>':
      include(file, tag);
      break;
    case '#':
    case '^':
      open(file, tag);
      break;
    case '/':
      close(file, tag);
      break;
    default:
      if (tag.name != "." && !is_mustache_name(tag.name))
        add_problem(file, quoted_tag("", tag.name) + " is no name",
                    "letters, digits, '_' and '-', with dots between");
      else
        add_variable(file, tag.name, tag.sigil == '{' || tag.sigil == '&');
  }
  file.pos = next;
}

void PatternParser::add_text(File& file, std::string_view text) {
  const auto offset = static_cast<std::size_t>(text.data() - file.text.data());
  for (std::size_t at = 0;;) {
    const auto dollar = text.find('$', at);
    if (dollar == std::string_view::npos) {
      add_literal(file, text.substr(at));
      return;
    }
    const auto marker = marker_at(text.substr(dollar));
    if (marker.name.empty()) {
      add_literal(file, text.substr(at, dollar + 1 - at));
    } else {
      add_literal(file, text.substr(at, dollar - at));
      count_lines(file, offset + dollar);
      add_variable(file, marker.name, false);
    }
    at = dollar + marker.size;
  }
}

void PatternParser::add_literal(File& file, std::string_view text) {
  if (text.empty()) return;
  made_.literal_size_ += text.size();
  // One node for a run of text: fewer steps at each filling. Only for what is
  // one run in its file, too, so that the place of each of its lines is known.
  if (text_goes_on_ == text.data()) {
    made_.nodes_.back().text += text;
  } else {
    count_lines(file, static_cast<std::size_t>(text.data() - file.text.data()));
    Pattern::Node literal;
    literal.text = text;
    literal.file = file.index;
    literal.line = file.line;
    made_.nodes_.push_back(std::move(literal));
  }
  text_goes_on_ = text.data() + text.size();
}

Pattern::Node PatternParser::node(const File& file, Pattern::Kind kind,
                                  std::string_view name) const {
  Pattern::Node made;
  made.kind = kind;
  made.text = name;
  made.file = file.index;
  made.line = file.line;
  if (source_.rules != nullptr) {
    made.raw = is_one_of(name, source_.rules->raw);
    made.optional = is_one_of(name, source_.rules->optional);
    made.line_breaks = is_one_of(name, source_.rules->line_breaks);
  }
  return made;
}

void PatternParser::add_variable(const File& file, std::string_view name,
                                 bool raw) {
  auto made = node(file, Pattern::Kind::variable, name);
  made.raw = made.raw || raw;
  add_node(file, std::move(made));
}

void PatternParser::add_node(const File& file, Pattern::Node node) {
  made_.nodes_.push_back(std::move(node));
  text_goes_on_ = nullptr;
  if (++names_ != k_most_names + 1) return;
  add_problem(file, "with its partials the text has over 10,000 names");
  bytes_ = k_max_bytes + 1;  // enough is known
}

void PatternParser::open(const File& file, const Tag& tag) {
  if (tag.name != "." && !is_mustache_name(tag.name)) {
    add_problem(file, quoted_tag({&tag.sigil, 1}, tag.name) + " is no name",
                "letters, digits, '_' and '-', with dots between");
  }
  if (open_.size() == k_max_depth) {
    add_problem(file, "sections are more than " + std::to_string(k_max_depth) +
                          " deep");
    bytes_ = k_max_bytes + 1;  // enough is known; the rest would say the same
    return;
  }
  auto made = node(
      file, tag.sigil == '#' ? Pattern::Kind::section : Pattern::Kind::inverted,
      tag.name);
  if (tag.sigil == '#') made.formatter = formatter_called(tag.name);
  open_.push_back(made_.nodes_.size());
  add_node(file, std::move(made));
}

void PatternParser::close(const File& file, const Tag& tag) {
  if (open_.size() == file.open_above) {
    add_problem(file, quoted_tag("/", tag.name) + " closes nothing");
    return;
  }
  auto& section = made_.nodes_[open_.back()];
  if (section.text != tag.name)
    add_problem(file,
                quoted_tag("/", tag.name) + " stands where '{{/" +
                    printable(section.text, 60) + "}}' was wanted",
                "sections must lie one in the other");
  section.end = made_.nodes_.size();
  open_.pop_back();
  text_goes_on_ = nullptr;
}

void PatternParser::include(const File& file, const Tag& tag) {
  const std::string name(tag.name);
  if (source_.partials == nullptr) {
    add_problem(file, "no partial can be put in here",
                "they are for body.html and body.txt");
    return;
  }
  if (is_one_of(name, including_) || including_.size() == k_max_partials_deep) {
    add_problem(file, "partial '" + printable(name, 60) +
                          "' has itself in it, or too many others");
    return;
  }
  auto partial = (*source_.partials)(name);
  if (!partial) {
    add_problem(file, partial.error().what, partial.error().hint);
    return;
  }
  if (!*partial) {
    add_problem(file, "there is no partial '" + printable(name, 60) + "'");
    return;
  }
  including_.push_back(name);
  parse_file((*partial)->text, (*partial)->label);
  including_.pop_back();
  text_goes_on_ = nullptr;
}

void PatternParser::count_lines(File& file, std::size_t up_to) const {
  const auto begin = file.text.begin() + static_cast<long>(file.counted);
  const auto end = file.text.begin() + static_cast<long>(up_to);
  if (begin >= end) return;
  file.line += static_cast<std::uint32_t>(std::count(begin, end, '\n'));
  file.counted = up_to;
}

void PatternParser::add_problem(const File& file, std::string what,
                                std::string hint) {
  constexpr std::size_t k_max_problems = 100;
  if (problems_.size() == k_max_problems) return;
  Pattern::Node here;
  here.file = file.index;
  here.line = file.line;
  problems_.push_back({made_.place_of(here), std::move(what), std::move(hint)});
}

Result<Pattern> Pattern::parse(const Source& source) {
  return PatternParser(source).parse();
}

std::string_view Pattern::file_of(const Node& node) const {
  return files_[node.file];
}

std::string Pattern::place_of(const Node& node) const {
  const auto& file = files_[node.file];
  return one_line_ ? file : file + ":" + std::to_string(node.line);
}

std::vector<Pattern::Use> Pattern::uses() const {
  constexpr auto k_no_use = static_cast<std::size_t>(-1);
  struct Open {
    std::size_t node;
    std::size_t use;  // in `uses`; formatters are none
  };
  std::vector<Use> uses;
  std::vector<Open> open;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    while (!open.empty() && nodes_[open.back().node].end <= i) open.pop_back();
    const auto& node = nodes_[i];
    if (node.kind == Kind::literal) continue;
    const bool is_section = node.kind != Kind::variable;
    const Open* formatter = nullptr;
    const Open* scope = nullptr;  // the innermost section that is gone into
    std::string section;
    for (const auto& outer : open) {
      const auto& above = nodes_[outer.node];
      if (above.formatter != Formatter::none) formatter = &outer;
      if (above.formatter != Formatter::none || above.kind == Kind::inverted)
        continue;
      section += (section.empty() ? "" : ".") + above.text;
      scope = &outer;
    }
    const auto set_form = [&](Use& use) {
      if (is_section || formatter == nullptr) return;
      use.formatter = nodes_[formatter->node].formatter;
      use.is_alone = is_alone_in(formatter->node, i);
    };
    auto own_use = k_no_use;
    if (node.formatter == Formatter::none && node.text != ".") {
      own_use = uses.size();
      uses.push_back({node.text, std::move(section), place_of(node), is_section,
                      node.optional});
      uses.back().is_inverted = node.kind == Kind::inverted;
      set_form(uses.back());
    } else if (node.text == "." && scope != nullptr && scope->use != k_no_use) {
      uses[scope->use].has_texts = true;
      set_form(uses[scope->use]);
    }
    if (is_section) open.push_back({i, own_use});
  }
  return uses;
}

bool Pattern::is_alone_in(std::size_t section, std::size_t index) const {
  for (auto i = section + 1; i < nodes_[section].end; ++i)
    if (i != index &&
        (nodes_[i].kind != Kind::literal || !trimmed(nodes_[i].text).empty()))
      return false;
  return true;
}

bool is_placeholder_name(std::string_view text) {
  return !text.empty() && leading_name(text).size() == text.size();
}

bool is_mustache_name(std::string_view text) {
  bool part = false;  // has the part before the next dot a character?
  for (const char c : text) {
    if (c == '.' && !part) return false;
    if (c != '.' && c != '-' && !is_name_part(c)) return false;
    part = c != '.';
  }
  return part;
}

}  // namespace pony
