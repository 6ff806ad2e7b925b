// What lies in a template's folder: languages, files that nothing reads,
// translations that lag behind, and subjects.
#include <algorithm>
#include <array>

#include "core/json.h"
#include "core/lower_case.h"
#include "core/message.h"
#include "core/template/language_fallback.h"
#include "core/template/pattern_layout.h"
#include "core/template/template_check.h"
#include "core/template/translation.h"
#include "core/template/wording.h"
#include "core/trimmed.h"

namespace pony {
namespace {

constexpr std::string_view k_check = "files";

// Mail programs on phones show 40, in a browser's list 80; this is no subject
// any more.
constexpr std::size_t k_long_subject = 150;

class FilesCheck {
 public:
  FilesCheck(const TemplateSource& source, TemplateFindings& findings)
      : source_(source), findings_(findings) {}

  void run() {
    check_folders();
    check_strays();
    for (const auto& language : source_.languages) {
      check_strays(language);
      check_bodies(language);
      check_subject(language);
    }
    check_stale();
  }

 private:
  void check_folders();
  void check_default();
  void check_strays();
  void check_strays(const LanguageSource& language);
  void check_bodies(const LanguageSource& language);
  void check_subject(const LanguageSource& language);
  void check_stale();
  void add(Severity severity, const LanguageSource* of, std::string file,
           std::string what, std::string hint = {}) {
    findings_.add(source_.finding(severity, k_check, of, std::move(file), 0,
                                  std::move(what), std::move(hint)));
  }

  const TemplateSource& source_;
  TemplateFindings& findings_;
};

// "pt_BR" and "pt-br " are both "pt-BR" to whoever made the folder.
std::string as_tag(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name.substr(0, name.find_first_of(". @"));
}

void FilesCheck::check_folders() {
  for (const auto& name : source_.stray_folders) {
    const auto tag = as_tag(name);
    const bool is_meant = is_language(tag) && name.find('_') != name.npos;
    add(is_meant ? Severity::error : Severity::warning, nullptr,
        source_.path(name),
        "'" + printable(name, 60) + "' is no language: nothing in it is used",
        is_meant ? "did you mean '" + tag + "'?" : "write 'en' or 'pt-BR'");
  }
  for (auto one = source_.languages.begin(); one != source_.languages.end();
       ++one) {
    const auto twin = std::find_if(
        source_.languages.begin(), one, [&](const LanguageSource& each) {
          return is_same_language(each.lang, one->lang);
        });
    if (twin != one)
      add(Severity::error, &*one, source_.path(one->lang),
          "is the same language as '" + twin->lang + "': it is never used");
  }
  check_default();
}

void FilesCheck::check_default() {
  const auto& own = source_.settings.default_lang;
  const auto& lang = own.empty() ? source_.site_default : own;
  if (source_.languages.empty())
    return add(Severity::error, nullptr, source_.id(), "there is no language",
               "make a folder such as '" + source_.path(lang) +
                   "' with subject.txt and body.txt or body.html");
  // Its base will do: "en" for "en-GB".
  for (const auto& wanted : language_chain(lang, {}, {}))
    for (const auto& language : source_.languages)
      if (is_same_language(language.lang, wanted)) return;
  add(Severity::error, nullptr, source_.path(lang),
      "there is no '" + lang + "', the default language",
      "default_lang in template.yaml chooses one that is there");
}

// The name that `file` was probably meant to have; empty: none.
std::string meant_name(std::string_view file) {
  constexpr std::array<std::string_view, 6> k_known = {
      "subject.txt", "preheader.txt",    "body.txt",
      "body.html",   k_translation_file, k_settings_file};
  const std::string lower = in_lower_case(file);
  if (lower == "template.yml") return std::string(k_settings_file);
  for (const auto known : k_known)
    if (lower == known) return std::string(known);
  const auto near = nearest(
      lower, std::vector<std::string_view>(k_known.begin(), k_known.end()));
  if (!near.empty()) return std::string(near);
  const auto stem = lower.substr(0, lower.find('.'));
  for (const auto known : {"subject.txt", "preheader.txt"})
    if (std::string_view(known).starts_with(stem + ".")) return known;
  if (stem == "body" || stem == "text" || stem == "html")
    return lower.find("htm") != lower.npos ? "body.html" : "body.txt";
  return {};
}

std::string did_you_mean_file(std::string_view file) {
  const auto meant = meant_name(file);
  return meant.empty() ? "" : "did you mean '" + meant + "'?";
}

// What authors keep beside their work.
bool is_note(std::string_view file) {
  const auto lower = in_lower_case(file);
  return lower.starts_with("readme") || lower.starts_with("license") ||
         lower.ends_with('~') || lower.ends_with(".bak") ||
         lower.ends_with(".orig");
}

void FilesCheck::check_strays() {
  for (const auto& file : source_.strays) {
    const auto meant = meant_name(file);
    if (meant.empty() || is_note(file)) continue;
    const bool is_settings = meant == k_settings_file;
    add(Severity::warning, nullptr, source_.path(file),
        "nothing reads '" + printable(file, 60) + "' here",
        is_settings ? did_you_mean_file(file)
                    : "copy stands in a language's folder: '" +
                          source_.path("en/" + meant) + "'");
  }
}

void FilesCheck::check_strays(const LanguageSource& language) {
  for (const auto& file : language.strays)
    if (!is_note(file))
      add(Severity::warning, &language, source_.path(language, file),
          "nothing reads '" + printable(file, 60) + "'",
          did_you_mean_file(file));
}

void FilesCheck::check_bodies(const LanguageSource& language) {
  if (language.has("preheader.txt") && !language.has("body.html"))
    add(Severity::warning, &language, source_.path(language, "preheader.txt"),
        "a preheader goes into HTML, and there is no body.html");
  const auto* reference = source_.reference();
  const bool has_body = language.has("body.txt") || language.has("body.html");
  if (reference == &language || !has_body || !language.is_readable) return;
  // A text part is made of the HTML; nothing makes HTML of text.
  for (const auto& [file, severity] :
       {std::pair{"body.html", Severity::error},
        std::pair{"body.txt", Severity::warning}})
    if (reference->has(file) && !language.has(file))
      add(severity, &language, source_.path(language, file),
          "is missing, and " + reference->lang + " has it");
}

// A name without which nothing is left of `pattern`; empty: there is none.
std::string_view name_it_stands_on(const Pattern& pattern) {
  std::string_view name;
  for (std::size_t i = 0; i < pattern.nodes().size();) {
    const auto& node = pattern.nodes()[i];
    if (node.kind == Pattern::Kind::literal && !is_blank(node.text)) return {};
    if (node.kind == Pattern::Kind::variable && !node.optional) return {};
    if (node.kind != Pattern::Kind::literal && name.empty()) name = node.text;
    const bool is_section = node.kind == Pattern::Kind::section ||
                            node.kind == Pattern::Kind::inverted;
    // What a formatter has in it is always looked at.
    i = is_section && node.formatter == Formatter::none ? node.end : i + 1;
  }
  return name;
}

void FilesCheck::check_subject(const LanguageSource& language) {
  const auto text = language.files.find("subject.txt");
  if (text == language.files.end() || !language.parsed) return;
  const std::string file = source_.path(language, "subject.txt");
  const auto& subject = language.parsed->subject;
  if (is_blank(text->second)) {
    add(Severity::error, &language, file, "is empty");
  } else if (const auto name = name_it_stands_on(subject); !name.empty()) {
    add(Severity::warning, &language, file,
        "nothing is left of it without '" + std::string(name) + "'",
        "write words that are always there");
  }
  const auto layout = layout_of(subject, SectionTags::left_out);
  // A value is about as long as its name; the braces are none of it.
  const auto length = characters_in(layout.text) - 4 * layout.names.size();
  if (length > k_long_subject)
    add(Severity::warning, &language, file,
        "is about " + std::to_string(length) + " characters long",
        "mail programs show the first 40 to 80");
}

void FilesCheck::check_stale() {
  for (const auto& language : source_.languages) {
    const auto mark = language.files.find(k_translation_file);
    if (mark == language.files.end()) continue;
    const std::string file = source_.path(language, k_translation_file);
    const auto translation = read_translation(mark->second, file);
    if (!translation) {
      add(Severity::error, &language, file, translation.error().what,
          translation.error().hint);
      continue;
    }
    const auto of =
        std::find_if(source_.languages.begin(), source_.languages.end(),
                     [&](const LanguageSource& each) {
                       return is_same_language(each.lang, translation->from);
                     });
    if (of == source_.languages.end()) continue;
    StaleTranslation stale{language.lang, of->lang,
                           lags(*translation, of->files)};
    if (!stale.lags.empty())
      add(Severity::warning, &language, file, to_text(stale),
          "bring it up to date, then: pony template translate " + source_.id() +
              " " + language.lang);
  }
}

}  // namespace

void check_files(const TemplateSource& source, TemplateFindings& findings) {
  FilesCheck(source, findings).run();
}

}  // namespace pony
