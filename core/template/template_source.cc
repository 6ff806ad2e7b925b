#include "core/template/template_source.h"

#include <charconv>
#include <utility>

#include "core/json.h"
#include "core/message.h"
#include "core/template/language_fallback.h"
#include "core/template/partial_files.h"
#include "core/template/template_settings.h"

namespace pony {
namespace {

constexpr std::string_view k_check = "files";

// A place as problems have it: "es/body.html:3" is a file and a line,
// "template.yaml, from" a file and what stands in it.
struct Place {
  std::string_view file;
  std::size_t line = 0;
  std::string_view inside;
};

Place place_from(std::string_view text) {
  Place place{text, 0, {}};
  if (const auto comma = text.find(", "); comma != text.npos)
    return {text.substr(0, comma), 0, text.substr(comma + 2)};
  const auto colon = text.rfind(':');
  if (colon == text.npos) return place;
  const auto digits = text.substr(colon + 1);
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), place.line);
  if (read.ec == std::errc() && read.ptr == digits.data() + digits.size())
    place.file = text.substr(0, colon);
  return place;
}

class Reader {
 public:
  Reader(TemplateFolder& folder, TemplateFindings& findings,
         TemplateSource& into)
      : folder_(folder), findings_(findings), into_(into) {}

  Result<> read();

 private:
  void read_settings();
  void read_language(const std::string& lang);
  // Nothing: there is none, or it cannot be read, which is said.
  std::optional<std::string> read_file(const std::string& path,
                                       const LanguageSource* of);
  TemplateText text_of(const LanguageSource& language);
  std::string one_line(const LanguageSource& language, std::string_view file);
  void parse(LanguageSource& language);
  void add_problems(const Error& error, const LanguageSource* of);
  void add_error(const LanguageSource* of, std::string file, std::size_t line,
                 std::string what, std::string hint = {}) {
    findings_.add(into_.finding(Severity::error, k_check, of, std::move(file),
                                line, std::move(what), std::move(hint)));
  }

  TemplateFolder& folder_;
  TemplateFindings& findings_;
  TemplateSource& into_;
};

Result<> Reader::read() {
  auto folders = folder_.folders(into_.id());
  if (!folders) return tl::unexpected(folders.error());
  auto files = folder_.files(into_.id());
  if (!files) return tl::unexpected(files.error());
  std::erase(*files, k_settings_file);
  into_.strays = std::move(*files);
  read_settings();
  for (const auto& name : *folders) {
    if (is_language(name))
      into_.settings.languages.push_back(name);
    else
      into_.stray_folders.push_back(name);
  }
  into_.languages.reserve(into_.settings.languages.size());
  for (const auto& lang : into_.settings.languages) read_language(lang);
  return {};
}

void Reader::read_settings() {
  const std::string path = into_.path(k_settings_file);
  const auto yaml = read_file(path, nullptr);
  if (!yaml) return;
  into_.settings_text = *yaml;
  // What it understood is there in spite of an error.
  if (auto read = read_template_settings(*yaml, path, into_.settings); !read) {
    into_.settings_are_good = false;
    add_problems(read.error(), nullptr);
  }
  if (auto parsed = parse_settings(into_.settings)) {
    into_.parsed_settings = std::move(*parsed);
  } else {
    into_.settings_are_good = false;
    add_problems(parsed.error(), nullptr);
  }
}

void Reader::read_language(const std::string& lang) {
  LanguageSource& language = into_.languages.emplace_back();
  language.lang = lang;
  const std::string path = into_.path(lang);
  auto names = folder_.files(path);
  if (!names) return add_error(&language, path, 0, names.error().what);
  for (const auto& name : *names) {
    const bool is_text = is_text_file(name);
    if (!is_text && name != k_translation_file) {
      language.strays.push_back(name);
    } else if (auto text = read_file(path + "/" + name, &language)) {
      language.files.emplace(name, std::move(*text));
    } else {
      language.is_readable = false;
    }
  }
  // Else what could not be read would be missed, too.
  if (language.is_readable) parse(language);
}

std::optional<std::string> Reader::read_file(const std::string& path,
                                             const LanguageSource* of) {
  auto text = folder_.read(path);
  if (text) return std::move(*text);
  add_error(of, path, 0, text.error().what, text.error().hint);
  return std::nullopt;
}

// A file of one line without that line's end; empty when it has several.
std::string Reader::one_line(const LanguageSource& language,
                             std::string_view file) {
  const auto found = language.files.find(file);
  if (found == language.files.end()) return {};
  std::string text = found->second;
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (!has_control(text)) return text;
  const bool is_broken = text.find('\n') != std::string::npos;
  add_error(&language, into_.path(language, file), is_broken ? 2 : 1,
            is_broken ? "has a line break" : "has a control character",
            "it must be one line");
  return {};
}

TemplateText Reader::text_of(const LanguageSource& language) {
  TemplateText made{
      language.lang, one_line(language, "subject.txt"), {}, {}, {}};
  if (!language.files.contains("subject.txt"))
    add_error(&language, into_.path(language, "subject.txt"), 0,
              "there is no subject", "write it into subject.txt, one line");
  if (language.has("preheader.txt"))
    made.preheader = one_line(language, "preheader.txt");
  if (language.has("body.txt"))
    made.body_text = language.files.find("body.txt")->second;
  if (language.has("body.html"))
    made.body_html = language.files.find("body.html")->second;
  if (!made.body_text && !made.body_html)
    add_error(&language, into_.path(language.lang), 0, "there is no body",
              "write body.txt, body.html or both");
  return made;
}

void Reader::parse(LanguageSource& language) {
  const auto languages = language_chain(
      language.lang, into_.settings.default_lang, into_.site_default);
  auto parsed =
      parse_text(into_.settings, text_of(language),
                 [&](std::string_view name, std::string_view ending) {
                   return read_partial(folder_, languages,
                                       std::string(name).append(ending));
                 });
  if (parsed)
    language.parsed = std::move(*parsed);
  else
    add_problems(parsed.error(), &language);
}

void Reader::add_problems(const Error& error, const LanguageSource* of) {
  for (const auto& problem : error.problems)
    findings_.add(into_.finding_at(Severity::error, k_check, of, problem.place,
                                   problem.what, problem.hint));
}

}  // namespace

bool LanguageSource::has(std::string_view file) const {
  const auto found = files.find(file);
  return found != files.end() && !found->second.empty();
}

std::string TemplateSource::path(std::string_view file) const {
  return id() + "/" + std::string(file);
}

std::string TemplateSource::path(const LanguageSource& of,
                                 std::string_view file) const {
  return id() + "/" + of.lang + "/" + std::string(file);
}

const LanguageSource* TemplateSource::language_for(
    std::string_view lang) const {
  for (const auto& wanted :
       language_chain(lang, settings.default_lang, site_default))
    for (const auto& language : languages)
      if (is_same_language(language.lang, wanted)) return &language;
  return nullptr;
}

const LanguageSource* TemplateSource::reference() const {
  if (const auto* found = language_for({})) return found;
  return languages.empty() ? nullptr : &languages.front();
}

TemplateFinding TemplateSource::finding(Severity severity,
                                        std::string_view check,
                                        const LanguageSource* of,
                                        std::string file, std::size_t line,
                                        std::string what,
                                        std::string hint) const {
  TemplateFinding made;
  made.severity = severity;
  made.check = check;
  made.template_id = id();
  if (of != nullptr) made.lang = of->lang;
  made.file = std::move(file);
  made.line = line;
  made.what = std::move(what);
  made.hint = std::move(hint);
  return made;
}

TemplateFinding TemplateSource::finding_at(
    Severity severity, std::string_view check, const LanguageSource* of,
    std::string_view text, std::string what, std::string hint) const {
  const auto place = place_from(text);
  // Partials and template.yaml's own reader name files from the root on.
  const bool is_whole =
      place.file.starts_with(std::string(k_partials_folder) + "/") ||
      place.file.starts_with(id() + "/");
  if (!place.inside.empty()) what = std::string(place.inside) + ": " + what;
  return finding(severity, check, of,
                 is_whole ? std::string(place.file) : path(place.file),
                 place.line, std::move(what), std::move(hint));
}

Result<TemplateSource> read_template_source(TemplateFolder& folder,
                                            const std::string& id,
                                            const std::string& site_default,
                                            TemplateFindings& findings) {
  TemplateSource made;
  made.settings.id = id;
  made.site_default = site_default;
  if (auto read = Reader(folder, findings, made).read(); !read)
    return tl::unexpected(read.error());
  return made;
}

}  // namespace pony
