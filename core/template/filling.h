// Values put into patterns: lookup, escaping, the forms of a language.
//
// Promises: a value is put in as it is and never looked at again, so none can
// bring in another; in HTML what has a meaning there is escaped, unless the
// template says it is HTML; a name without a value, a list where a text
// belongs, a line break in a header: each is a Hole, and all are told.
// Bounded in output. Doesn't know: files, languages' fallbacks, mail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/template/pattern.h"

namespace pony {

// What a pattern's text becomes part of.
// In a URI a value is percent-encoded, unless it is the beginning of it.
enum class As : std::uint8_t { header, text, html, uri };

// Where nothing could be put in.
struct Hole {
  enum class Why : std::uint8_t {
    missing,    // no value, or null
    not_text,   // a list or an object
    control,    // a line break or another control character, in a header
    bad_form,   // {{#money}} around what is no sum of money, say
    too_large,  // the text grows beyond every mail
  };
  Why why = Why::missing;
  std::string name;   // as the text has it
  std::string place;  // "es/body.html:3"
  std::string what;   // of bad_form: the reason; of not_text: "is a list"
  // The key that was probably meant, of the item of a list that has none
  // called `name`; empty at the top.
  std::string meant;
  bool in_item = false;
};

class Filling {
 public:
  // `values` is an object, and outlives this. `lang` is the language of the
  // texts, for which {{lang}} stands where no value has that name; `locale`
  // the one in whose form numbers and dates are: "es-MX" in texts in "es".
  Filling(const Json& values, std::string_view lang, std::string_view locale);

  // Appends `pattern` filled in. What is wrong is in holes().
  void fill(const Pattern& pattern, As as, std::string& out);
  std::string fill(const Pattern& pattern, As as);

  // Each name once for each kind of hole, in the order of the patterns.
  const std::vector<Hole>& holes() const { return holes_; }

 private:
  void fill_range(std::size_t begin, std::size_t end, std::string& out);
  void put_variable(const Pattern::Node& node, std::string& out);
  void put_value(const Pattern::Node& node, std::string_view value,
                 std::string& out);
  void fill_section(std::size_t index, std::string& out);
  void fill_formatted(std::size_t index, std::string& out);
  // nullptr: there is none, or it is null.
  const Json* value_of(std::string_view name) const;
  bool is_beyond(const std::string& out);
  void add_hole(Hole::Why why, const Pattern::Node& node,
                std::string what = {});
  bool is_one_line() const { return as_ == As::header || as_ == As::uri; }

  std::vector<const Json*> scopes_;  // the innermost last
  Json lang_;
  std::string locale_;
  const Pattern* pattern_ = nullptr;
  As as_ = As::text;
  std::size_t steps_ = 0;
  std::vector<Hole> holes_;
};

}  // namespace pony
