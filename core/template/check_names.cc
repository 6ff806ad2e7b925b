// The names that a template needs values for: the same in every language, in
// the same sections, in HTML and text; and those of formatters.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/json.h"
#include "core/template/language_fallback.h"
#include "core/template/locale_format.h"
#include "core/template/template_check.h"
#include "core/template/wording.h"
#include "core/yaml_document.h"

namespace pony {
namespace {

constexpr std::string_view k_check = "names";

// A name in one language: the sections it is used in, and where first.
struct Used {
  std::map<std::string, std::string, std::less<>> places;  // by section
  bool optional = true;     // wherever it is used
  bool is_printed = false;  // and not only asked for by sections
  std::string first_place;
};
using UsedNames = std::map<std::string, Used, std::less<>>;

// "orders.note" of {{#orders}}{{#note}}: what is within. A section around the
// very name asks whether there is a value, and leads nowhere.
std::string section_of(const Pattern::Use& use) {
  std::string section = use.section;
  const auto dot = section.rfind('.');
  const auto last = dot == section.npos ? 0 : dot + 1;
  if (std::string_view(section).substr(last) == use.name)
    section.resize(dot == section.npos ? 0 : dot);
  return section;
}

void add_uses(const Pattern& pattern, UsedNames& into) {
  for (const auto& use : pattern.uses()) {
    // Every template has it.
    if (use.name == "lang") continue;
    auto& used = into[use.name];
    used.optional = used.optional && use.optional;
    used.is_printed = used.is_printed || !use.is_section;
    if (used.first_place.empty()) used.first_place = use.place;
    used.places.emplace(section_of(use), use.place);
  }
}

std::array<const Pattern*, 4> texts_of(const LanguageSource& language) {
  const auto& text = *language.parsed;
  return {&text.subject, &text.preheader, &text.body_text, &text.body_html};
}

UsedNames names_of(const LanguageSource& language) {
  UsedNames names;
  for (const auto* pattern : texts_of(language)) add_uses(*pattern, names);
  return names;
}

// The file of a place as patterns have it: "en/body.html:3" → "body.html".
std::string_view file_of(std::string_view place) {
  place = place.substr(0, place.rfind(':'));
  return place.substr(place.rfind('/') + 1);
}

class NamesCheck {
 public:
  NamesCheck(const TemplateSource& source, TemplateFindings& findings)
      : source_(source), findings_(findings) {}

  void run();

 private:
  // `names` of `language` against those of the language `than`.
  void compare(const LanguageSource& language, const UsedNames& names,
               const LanguageSource& than, const UsedNames& reference);
  void compare_sections(const LanguageSource& language, std::string_view name,
                        const Used& used, const LanguageSource& than,
                        const Used& reference);
  void check_formatters(const LanguageSource& language);
  void check_locale(const LanguageSource& language);
  // What stands in the formatter's section at `index`.
  void check_formatted(const LanguageSource& language, const Pattern& pattern,
                       std::size_t index);
  void add(Severity severity, const LanguageSource& of, std::string_view place,
           std::string what, std::string hint = {}) {
    findings_.add(source_.finding_at(severity, k_check, &of, place,
                                     std::move(what), std::move(hint)));
  }

  const TemplateSource& source_;
  TemplateFindings& findings_;
};

void NamesCheck::run() {
  for (const auto& language : source_.languages) {
    if (!language.parsed) continue;
    check_formatters(language);
    check_locale(language);
  }
  const auto* than = source_.reference();
  if (than == nullptr || !than->parsed) return;
  const auto reference = names_of(*than);
  for (const auto& language : source_.languages)
    if (&language != than && language.parsed)
      compare(language, names_of(language), *than, reference);
}

void NamesCheck::compare(const LanguageSource& language, const UsedNames& names,
                         const LanguageSource& than,
                         const UsedNames& reference) {
  std::vector<std::string_view> missing;
  for (const auto& [name, used] : reference)
    if (!names.contains(name)) missing.push_back(name);
  for (const auto& [name, used] : names) {
    if (const auto same = reference.find(name); same != reference.end()) {
      compare_sections(language, name, used, than, same->second);
      continue;
    }
    const auto meant = nearest(name, missing);
    add(used.optional ? Severity::warning : Severity::error, language,
        used.first_place,
        than.lang + " has no " + quoted_name(name) + ", which is used here",
        meant.empty() ? "" : "did you mean " + quoted_name(meant) + "?");
    // Said with this one.
    std::erase(missing, meant);
  }
  for (const auto name : missing) {
    const auto& used = reference.find(name)->second;
    const std::string file(file_of(used.first_place));
    add(used.optional ? Severity::warning : Severity::error, language,
        language.lang + "/" + (language.has(file) ? file : "body.txt"),
        "does not use " + quoted_name(name) + ", which " + than.lang + " has",
        "see " + source_.path(used.first_place));
  }
}

void NamesCheck::compare_sections(const LanguageSource& language,
                                  std::string_view name, const Used& used,
                                  const LanguageSource& than,
                                  const Used& reference) {
  const auto spelled = [](const std::string& section) {
    return section.empty() ? std::string("outside of all sections")
                           : "within " + quoted_name(section);
  };
  for (const auto& [section, place] : used.places)
    if (!reference.places.contains(section))
      add(Severity::warning, language, place,
          quoted_name(name) + " is used " + spelled(section) + ", in " +
              than.lang + " only " + spelled(reference.places.begin()->first),
          "see " + source_.path(reference.places.begin()->second));
  if (used.is_printed && !reference.is_printed)
    add(Severity::warning, language, used.first_place,
        quoted_name(name) + " is put into the text, in " + than.lang +
            " it only opens a section",
        "see " + source_.path(reference.first_place));
}

std::string_view name_of(Formatter formatter) {
  switch (formatter) {
    case Formatter::number:
      return "number";
    case Formatter::money:
      return "money";
    case Formatter::date:
      return "date";
    case Formatter::time:
      return "time";
    case Formatter::datetime:
      return "datetime";
    case Formatter::none:
      break;
  }
  return {};
}

bool is_formatter(std::string_view name) {
  constexpr std::array<std::string_view, 5> k_names = {
      "number", "money", "date", "time", "datetime"};
  return std::find(k_names.begin(), k_names.end(), name) != k_names.end();
}

// Can `text` stand beside a value that `formatter` formats? "EUR" can.
bool fits(Formatter formatter, std::string_view text) {
  std::string_view allowed = "0123456789+-. \t\r\n";
  if (formatter == Formatter::money)
    allowed = "0123456789+-. \t\r\nABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (formatter == Formatter::date || formatter == Formatter::time ||
      formatter == Formatter::datetime)
    allowed = "0123456789+-. \t\r\n:TZ";
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

void NamesCheck::check_formatters(const LanguageSource& language) {
  for (const auto* pattern : texts_of(language)) {
    const auto& nodes = pattern->nodes();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].formatter != Formatter::none)
        check_formatted(language, *pattern, i);
      if (nodes[i].kind == Pattern::Kind::inverted &&
          is_formatter(nodes[i].text))
        add(Severity::warning, language, pattern->place_of(nodes[i]),
            "'{{^" + nodes[i].text + "}}' asks for a value, and '{{#" +
                nodes[i].text + "}}' does not: it formats what is in it",
            "give the value another name");
    }
  }
}

void NamesCheck::check_locale(const LanguageSource& language) {
  if (knows_locale(language.lang)) return;
  for (const auto* pattern : texts_of(language)) {
    for (const auto& node : pattern->nodes()) {
      if (node.formatter == Formatter::none) continue;
      // Once: that it is one language is the point.
      return add(Severity::warning, language, pattern->place_of(node),
                 "no form of numbers and dates is known for '" + language.lang +
                     "': they come out as ISO writes them",
                 "such as 2026-11-21 and 1234.50 EUR");
    }
  }
}

void NamesCheck::check_formatted(const LanguageSource& language,
                                 const Pattern& pattern, std::size_t index) {
  const auto& section = pattern.nodes()[index];
  const auto name = std::string(name_of(section.formatter));
  bool has_own_name = false;
  bool has_other_text = false;
  for (std::size_t i = index + 1; i < section.end; ++i) {
    const auto& node = pattern.nodes()[i];
    has_own_name = has_own_name || node.text == name;
    has_other_text = has_other_text || (node.kind == Pattern::Kind::literal &&
                                        !fits(section.formatter, node.text));
  }
  if (!has_other_text) return;
  add(Severity::error, language, pattern.place_of(section),
      "'{{#" + name + "}}' formats what is in it, and there is other text",
      has_own_name ? "'" + name +
                         "' is a formatter's name: give the value "
                         "another, to ask whether it is there"
                   : "put only the value into it");
}

// --- template.yaml -------------------------------------------------------

// The line of template.yaml on which `key` stands; 0: nowhere.
std::size_t line_of(const TemplateSource& source, std::string_view key) {
  for (const auto& entry : read_yaml(source.settings_text).root.entries)
    if (entry.key == key) return static_cast<std::size_t>(entry.line);
  return 0;
}

// Every name that any text of the template uses. False: some cannot be read.
bool all_names(const TemplateSource& source,
               std::set<std::string, std::less<>>& names) {
  const auto add = [&](const Pattern& pattern) {
    for (const auto& use : pattern.uses()) names.insert(use.name);
  };
  for (const auto& language : source.languages) {
    if (!language.parsed) return false;
    for_each_pattern(source.parsed_settings, *language.parsed,
                     [&](const Pattern& pattern, As) { add(pattern); });
  }
  return true;
}

}  // namespace

void check_names(const TemplateSource& source, TemplateFindings& findings) {
  NamesCheck(source, findings).run();
}

void check_settings(const TemplateSource& source, TemplateFindings& findings) {
  std::set<std::string, std::less<>> names;
  if (!all_names(source, names)) return;
  const std::vector<std::string_view> known(names.begin(), names.end());
  const auto& rules = source.settings.rules;
  for (const auto& [key, listed] :
       {std::pair{"raw", &rules.raw}, std::pair{"optional", &rules.optional},
        std::pair{"line_breaks", &rules.line_breaks}})
    for (const auto& name : *listed)
      if (!names.contains(name))
        findings.add(source.finding(
            Severity::warning, k_check, nullptr, source.path(k_settings_file),
            line_of(source, key),
            std::string(key) + ": no language uses " + quoted_name(name),
            did_you_mean(name, known)));
}

}  // namespace pony
