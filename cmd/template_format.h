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

// The names that `text`, and the settings of `of`, have values put in for; in
// order of first appearance.
std::vector<std::string> names_in(const Template& of, const TemplateText& text);

// One language of a template, whole.
std::string template_text(const ListedTemplate& one, const TemplateText& text,
                          const std::string& preheader);
std::string template_text_json(const ListedTemplate& one,
                               const TemplateText& text,
                               const std::string& preheader);

}  // namespace pony
