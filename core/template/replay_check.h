// Templates tried with the values of real messages: what would have gone
// wrong, and with how many of them.
//
// Promises: memory does not grow with the messages, as what they have in
// common is counted, with one of them for an example; nothing of a value is
// told but what a formatter could not read. Doesn't know: where messages come
// from.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/template/filling.h"
#include "core/template/template_finding.h"
#include "core/template/template_source.h"

namespace pony {

class ReplayCheck {
 public:
  // `source` outlives this. With one message in all its findings are worded
  // for that one, not counted.
  explicit ReplayCheck(const TemplateSource& source) : source_(source) {}

  // Fills in the copy that a message in `lang` gets. `values` is an object,
  // `example` what to call the message ("01J…", "orders.jsonl:17").
  void add(const Json& values, std::string_view lang, std::string_view example);
  // The same in every language.
  void add_to_all(const Json& values, std::string_view example);

  std::size_t messages() const { return messages_; }
  // What was found so far, as findings.
  void report(TemplateFindings& findings) const;

 private:
  // What happened, however often.
  struct Tally {
    Severity severity = Severity::error;
    const LanguageSource* language = nullptr;
    std::string place;   // as patterns have it
    std::string single;  // what to say of one message
    std::string lacks;   // a name: worded as "lack 'name'"; else empty
    std::string hint;
    std::size_t count = 0;
    std::string example;
  };
  using Names = std::set<std::string, std::less<>>;

  void fill(const LanguageSource& language, const Json& values,
            std::string_view example);
  void check_size(const LanguageSource& language, std::string_view subject,
                  std::string_view html, std::string_view example);
  void check_unsubscribe(std::string_view uri, std::string_view example);
  void count_hole(const LanguageSource& language, const Hole& hole,
                  const Json& values, std::string_view example);
  void count_unused(const Json& values, std::string_view example);
  // Counts for `key`; `make` makes the tally at the first.
  template <class Make>
  void count(const std::string& key, std::string_view example,
             const Make& make);
  std::vector<std::string_view> unused_keys(const Json& values);
  const Names& names();

  const TemplateSource& source_;
  std::size_t messages_ = 0;
  std::map<const LanguageSource*, std::size_t> by_language_;
  std::map<std::string, Tally, std::less<>> tallies_;
  Names names_;  // all that any language uses, and template.yaml lists
};

}  // namespace pony
