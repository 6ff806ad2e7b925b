#include "core/template/template_check.h"

#include <algorithm>
#include <set>

#include "core/json.h"
#include "core/message.h"
#include "core/template/language_fallback.h"
#include "core/template/partial_files.h"

namespace pony {
namespace {

constexpr std::string_view k_check = "translations";

bool has_language(const TemplateSource& source, std::string_view lang) {
  return std::any_of(source.languages.begin(), source.languages.end(),
                     [&](const LanguageSource& each) {
                       return is_same_language(each.lang, lang);
                     });
}

TemplateFinding about_folder(std::string path, std::string what) {
  TemplateFinding made;
  made.check = "files";
  made.file = std::move(path);
  made.what = std::move(what);
  return made;
}

}  // namespace

std::vector<std::string> check_root(TemplateFolder& folder,
                                    const std::vector<std::string>& folders,
                                    TemplateFindings& findings) {
  std::vector<std::string> ids;
  for (const auto& name : folders) {
    if (name.starts_with('_')) continue;
    if (is_template_id(name))
      ids.push_back(name);
    else
      findings.add(about_folder(
          name, "'" + printable(name, 60) + "' cannot name a template"));
  }
  const std::string partials(k_partials_folder);
  if (const auto languages = folder.folders(partials))
    for (const auto& lang : *languages)
      if (!is_language(lang))
        findings.add(
            about_folder(partials + "/" + lang,
                         "'" + printable(lang, 60) +
                             "' is no language: no partial in it is used"));
  return ids;
}

Result<TemplateSource> check_template(TemplateFolder& folder,
                                      const std::string& id,
                                      const std::string& site_default,
                                      TemplateFindings& findings) {
  auto source = read_template_source(folder, id, site_default, findings);
  if (!source) return source;
  check_files(*source, findings);
  // A wrong template.yaml may not say which names there are.
  if (source->settings_are_good) {
    check_settings(*source, findings);
    check_names(*source, findings);
  }
  check_markup(*source, findings);
  return source;
}

void check_translations(const std::vector<TemplateSource>& all,
                        TemplateFindings& findings) {
  std::set<std::string> languages;
  for (const auto& source : all)
    for (const auto& language : source.languages)
      languages.insert(language.lang);
  for (const auto& source : all) {
    for (const auto& lang : languages) {
      if (source.languages.empty() || has_language(source, lang)) continue;
      auto finding = source.finding(
          Severity::warning, k_check, nullptr, source.path(lang), 0,
          "there is no " + lang + ", which other templates have",
          "pony template translate " + source.id() + " " + lang);
      finding.lang = lang;
      findings.add(std::move(finding));
    }
  }
}

}  // namespace pony
