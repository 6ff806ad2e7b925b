// Templates as `pony template list` and `show` tell of them: for people, and
// as objects for programs.
#pragma once

#include <string>
#include <vector>

#include "cmd/template_input.h"
#include "core/template/template_files.h"
#include "core/template/template_store.h"
#include "core/template/translation.h"

namespace pony {

struct ListedTemplate {
  Template settings;
  std::string default_lang;        // the configuration's, if it has no own
  std::vector<std::string> parts;  // "text", "html": in any language
  std::vector<StaleTranslation> stale;
  std::string problem;  // why it cannot be used; empty: it can
};

// The template called `id` as it is listed; what is wrong with it is in
// `problem`.
ListedTemplate listed_template(Templates& templates, const std::string& id);

// The table with its heading; a language that lags behind has a "*". For
// people: it may change.
std::string template_table(const std::vector<ListedTemplate>& templates);
// One object, one line, with its '\n'.
std::string template_json(const ListedTemplate& one);

// Each name once, in order of first use; one in a section with the section's:
// "items.price".
std::vector<std::string> names_of(const std::vector<Pattern::Use>& uses);

// One language of a template, whole, with the names that it puts values in for.
std::string template_text(const ListedTemplate& one, const TemplateText& text,
                          const std::vector<std::string>& names);
std::string template_text_json(const ListedTemplate& one,
                               const TemplateText& text,
                               const std::vector<std::string>& names);

}  // namespace pony
