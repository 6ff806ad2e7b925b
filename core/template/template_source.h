// A template as its author sees it: every file that is there, read and parsed
// as far as each can be, for the checks (template_check.h).
//
// Where TemplateStore gives up at the first file that is wrong, this goes on:
// what is wrong becomes findings, and the rest is there to be looked at.
// Doesn't know: what makes a good template.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/template/template_copy.h"
#include "core/template/template_files.h"
#include "core/template/template_finding.h"
#include "core/template/template_folder.h"
#include "core/template/template_store.h"

namespace pony {

// The folder of one language.
struct LanguageSource {
  std::string lang;
  LanguageFiles files;
  std::vector<std::string> strays;  // files that nothing reads
  bool is_readable = true;          // all its files could be read
  // Nothing: it cannot be parsed, and that has been said.
  std::optional<ParsedText> parsed;

  // Is there a file of this name, with something in it?
  bool has(std::string_view file) const;
};

struct TemplateSource {
  Template settings;
  std::string site_default;  // the configuration's default_lang
  std::string settings_text;
  bool settings_are_good = true;
  ParsedSettings parsed_settings;
  std::vector<LanguageSource> languages;
  std::vector<std::string> strays;  // files beside template.yaml
  std::vector<std::string> stray_folders;

  // "welcome", "welcome/es/body.html".
  const std::string& id() const { return settings.id; }
  std::string path(std::string_view file) const;
  std::string path(const LanguageSource& of, std::string_view file) const;
  // The one that stands in for `lang`; nullptr when there is none.
  const LanguageSource* language_for(std::string_view lang) const;
  // What the other languages are compared with: the default one, or else the
  // first. nullptr when there is none.
  const LanguageSource* reference() const;
  // A finding about this template, for add(); `of` may be nullptr.
  TemplateFinding finding(Severity severity, std::string_view check,
                          const LanguageSource* of, std::string file,
                          std::size_t line, std::string what,
                          std::string hint = {}) const;
  // The same at `place`, as patterns have it ("es/body.html:3").
  TemplateFinding finding_at(Severity severity, std::string_view check,
                             const LanguageSource* of, std::string_view place,
                             std::string what, std::string hint = {}) const;
};

// Reads the template `id`. Everything that is wrong with its files goes to
// `findings`; an error only when nothing can be read: not_found when there is
// no such folder, no_permission.
Result<TemplateSource> read_template_source(TemplateFolder& folder,
                                            const std::string& id,
                                            const std::string& site_default,
                                            TemplateFindings& findings);

}  // namespace pony
