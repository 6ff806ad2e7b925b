// What a check of templates has to say: one line each, with the place.
//
// Promises: bounded in number; the same thing about the same place is said
// once (a partial is part of many templates). Doesn't know: how it is printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pony {

enum class Severity : std::uint8_t {
  warning,  // mail goes out, and somebody may wonder
  error,    // no mail, or not the mail that was meant
};

std::string_view to_text(Severity severity);

// How many of the messages that were tried it is about.
struct Share {
  std::size_t count = 0;
  std::size_t of = 0;
  std::string example;  // an id, or "orders.jsonl:17"
};

struct TemplateFinding {
  Severity severity = Severity::warning;
  std::string_view check;  // which check, for programs: "names", "html" …
  std::string template_id;
  std::string lang;      // empty: the template as a whole
  std::string file;      // below the templates' root: "welcome/es/body.html"
  std::size_t line = 0;  // 0: the file as a whole
  std::string what;
  std::string hint;
  Share messages;
};

class TemplateFindings {
 public:
  // With `lang`, what is said about another language is passed over.
  explicit TemplateFindings(std::string lang = {}) : lang_(std::move(lang)) {}

  void add(TemplateFinding finding);
  // By template, file and line; those of one line in the order in which they
  // were found. What a bound left out is said at the end.
  std::vector<TemplateFinding> take();
  std::size_t errors() const { return errors_; }
  std::size_t warnings() const { return warnings_; }

 private:
  std::string lang_;
  std::vector<TemplateFinding> list_;
  // Place and sentence: a partial's are the same in all its templates.
  std::set<std::pair<std::string, std::string>> said_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace pony
