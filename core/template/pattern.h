// One text of a template, parsed once and filled in many times.
//
// Two engines make the same thing of it. `simple` knows $name, ${name} and $$
// (the rules of Python's string.Template). `mustache` knows them too, and
// {{name}}, {{{name}}}, {{#section}}, {{^inverted}}, {{/end}}, {{! comment}}
// and {{> partial}} (mustache(5)); {{=…=}} is refused. Partials are put in
// when the text is parsed, each once a use, so a pattern stands for itself.
//
// Promises: bounded in depth and size whatever the text; every name knows the
// file and line it stands on. Doesn't know: values (filling.h), where files
// are (template_store.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace pony {

enum class Engine : std::uint8_t { simple, mustache };

// What template.yaml says about names, as they are written in the texts.
struct NameRules {
  std::vector<std::string> raw;          // values are HTML already
  std::vector<std::string> optional;     // may be missing: empty then
  std::vector<std::string> line_breaks;  // in HTML, a line break is a <br>
};

// Sections that format what is in them in the form of the mail's language:
// {{#money}}{{total}} EUR{{/money}}.
enum class Formatter : std::uint8_t {
  none,
  number,
  money,
  date,
  time,
  datetime
};

class Pattern {
 public:
  enum class Kind : std::uint8_t { literal, variable, section, inverted };

  // The nodes stand in the order of the text; a section's follow it, up to
  // `end`, the index behind its last.
  struct Node {
    Kind kind = Kind::literal;
    Formatter formatter = Formatter::none;
    bool raw = false;          // of a variable: not escaped
    bool optional = false;     // may be missing
    bool line_breaks = false;  // of a variable
    std::string text;          // a literal; else the name, dots and all
    std::size_t end = 0;
    std::uint32_t file = 0;
    std::uint32_t line = 0;  // on which it begins
  };

  // A name where a text uses it.
  struct Use {
    std::string name;
    std::string section;  // those it stands in: "orders.items"; empty: none
    std::string place;    // "es/body.html:3"
    bool is_section = false;
    bool optional = false;
    bool is_inverted = false;  // a section that is there where nothing is
    bool has_texts = false;    // a section with {{.}} in it
    // The formatter that a variable stands in, or a section's {{.}}; and
    // whether it stands there alone.
    Formatter formatter = Formatter::none;
    bool is_alone = false;
  };

  // A partial's text, and what to call it: "_partials/es/header.html".
  struct Partial {
    std::string label;
    std::string text;
  };
  // nullopt: there is none of that name.
  using Partials =
      std::function<Result<std::optional<Partial>>(std::string_view name)>;

  struct Source {
    std::string_view text;
    std::string label;  // "es/body.html", for places
    Engine engine = Engine::simple;
    const NameRules* rules = nullptr;    // nullptr: none
    const Partials* partials = nullptr;  // nullptr: there are no partials here
    bool one_line = false;               // places are the label alone
  };

  // A pattern of nothing.
  Pattern() = default;
  // config, with every place "label:line": a tag or section that is not
  // closed, one too many, no such partial (with the nearest of none), a
  // partial within itself, sections over 32 deep, over 4 MiB in all. The
  // simple engine refuses nothing.
  static Result<Pattern> parse(const Source& source);

  const std::vector<Node>& nodes() const { return nodes_; }
  // "es/body.html", and "es/body.html:3".
  std::string_view file_of(const Node& node) const;
  std::string place_of(const Node& node) const;
  // Every use of every name, in the order of the text. Names of formatters
  // are none.
  std::vector<Use> uses() const;
  // How much of it is text: what a filled pattern has at least.
  std::size_t literal_size() const { return literal_size_; }

 private:
  friend class PatternParser;
  // Does the node at `index` share the section with nothing but blanks?
  bool is_alone_in(std::size_t section, std::size_t index) const;

  std::vector<Node> nodes_;
  std::vector<std::string> files_;
  std::size_t literal_size_ = 0;
  bool one_line_ = false;
};

// Is `text` a name as every engine knows it: [_a-zA-Z][_a-zA-Z0-9]*?
bool is_placeholder_name(std::string_view text);
// Is it one as mustache knows it: letters, digits, '_' and '-', in parts with
// dots between?
bool is_mustache_name(std::string_view text);

}  // namespace pony
