// The copy of a template in one language, and what is the same in all of
// them, parsed and ready to be filled in.
#pragma once

#include <utility>
#include <vector>

#include "core/result.h"
#include "core/template/filling.h"
#include "core/template/pattern.h"
#include "core/template/template_store.h"

namespace pony {

// What template.yaml adds to each mail: names may stand in it too.
struct ParsedSettings {
  Pattern from_name;
  Pattern reply_to_name;
  std::vector<std::pair<std::string, Pattern>> headers;  // by their names
  std::vector<Pattern> list_unsubscribe;
};

struct ParsedText {
  TemplateText source;
  Pattern subject;
  Pattern preheader;
  Pattern body_text;
  Pattern body_html;
};

// config, with each place: as Pattern::parse.
Result<ParsedSettings> parse_settings(const Template& of);
// `partials` looks for the partial of a name with this ending (".html").
using PartialsByEnding = std::function<Result<std::optional<Pattern::Partial>>(
    std::string_view name, std::string_view ending)>;
Result<ParsedText> parse_text(const Template& of, TemplateText source,
                              const PartialsByEnding& partials);

// Calls visit(pattern, as) for each pattern of a mail in this language, in the
// order in which a person reads them.
template <class Visit>
void for_each_pattern(const ParsedSettings& settings, const ParsedText& text,
                      const Visit& visit) {
  visit(text.subject, As::header);
  visit(text.preheader, As::html);
  visit(text.body_text, As::text);
  visit(text.body_html, As::html);
  visit(settings.from_name, As::header);
  visit(settings.reply_to_name, As::header);
  for (const auto& [name, pattern] : settings.headers)
    visit(pattern, As::header);
  for (const auto& pattern : settings.list_unsubscribe) visit(pattern, As::uri);
}

}  // namespace pony
