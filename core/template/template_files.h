// A template as the files it is made of: what the writer puts down, what
// `translate` copies and `export` hands on.
//
// Promises: whatever is read comes through TemplateFolder (no links, 1 MiB,
// UTF-8). Doesn't know: what the files mean, or how they are written.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/template/template_folder.h"

namespace pony {

inline constexpr std::string_view k_settings_file = "template.yaml";
// Which text a language's files are a translation of (translation.h).
inline constexpr std::string_view k_translation_file = "translation.yaml";
// The copy of one language.
inline constexpr std::array<std::string_view, 4> k_text_files = {
    "subject.txt", "preheader.txt", "body.txt", "body.html"};
// Is `name` one of them?
bool is_text_file(std::string_view name);

// The files of one language by name ("subject.txt").
using LanguageFiles = std::map<std::string, std::string, std::less<>>;

struct TemplateFiles {
  std::string settings;  // template.yaml; empty: there is none
  std::map<std::string, LanguageFiles, std::less<>> languages;  // by tag

  bool operator==(const TemplateFiles&) const = default;
};

// The files of the language `lang` of the template in the folder `path`
// ("welcome", or "." where the folder's root is one). No file is no error.
// Errors: as TemplateFolder::read.
Result<LanguageFiles> read_language_files(TemplateFolder& folder,
                                          const std::string& path,
                                          const std::string& lang);
// All of its files. Errors: also not_found, when there is no such folder.
Result<TemplateFiles> read_template_files(TemplateFolder& folder,
                                          const std::string& path);

// Can a template be made that is called `id`? Names with a leading "_" are
// kept for other things (_partials). bad_data if not.
Result<> check_new_id(std::string_view id);
// Is `tag` a language that a folder can be named after? bad_data if not.
Result<> check_new_language(std::string_view tag);

// "name: Welcome": a line of YAML with its '\n'. Quoted where it has to be.
std::string settings_line(std::string_view key, std::string_view value);
// The same for a list of texts.
std::string settings_line(std::string_view key,
                          const std::vector<std::string>& values);

}  // namespace pony
