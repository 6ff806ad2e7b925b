#include "core/template/template_files.h"

#include <algorithm>
#include <utility>

#include "core/json.h"
#include "core/message.h"

namespace pony {
namespace {

// "welcome" and "en" are "welcome/en"; below "." nothing stands before it.
std::string below(const std::string& path, std::string_view name) {
  return path == "." ? std::string(name) : path + "/" + std::string(name);
}

// Words that YAML, or somebody reading it, would take for something else.
bool is_plain(std::string_view value) {
  constexpr std::string_view k_inside = " _.-<>@/+";
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (value.empty() || !is_letter(value.front()) || value.ends_with(' '))
    return false;
  if (value == "null" || value == "Null" || value == "NULL") return false;
  return std::all_of(value.begin(), value.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') ||
           k_inside.find(c) != std::string_view::npos;
  });
}

// A JSON string is a YAML one.
std::string scalar(std::string_view value) {
  if (is_plain(value)) return std::string(value);
  std::string text;
  append_json_string(text, value);
  return text;
}

}  // namespace

bool is_text_file(std::string_view name) {
  return std::find(k_text_files.begin(), k_text_files.end(), name) !=
         k_text_files.end();
}

Result<LanguageFiles> read_language_files(TemplateFolder& folder,
                                          const std::string& path,
                                          const std::string& lang) {
  LanguageFiles files;
  const auto read = [&](std::string_view name) -> Result<> {
    auto text = folder.read(below(path, lang + "/" + std::string(name)));
    if (!text) return tl::unexpected(text.error());
    if (*text) files.emplace(name, std::move(**text));
    return {};
  };
  for (const auto name : k_text_files)
    if (auto done = read(name); !done) return tl::unexpected(done.error());
  if (auto done = read(k_translation_file); !done)
    return tl::unexpected(done.error());
  return files;
}

Result<TemplateFiles> read_template_files(TemplateFolder& folder,
                                          const std::string& path) {
  auto names = folder.folders(path);
  if (!names) return tl::unexpected(names.error());
  TemplateFiles files;
  auto settings = folder.read(below(path, k_settings_file));
  if (!settings) return tl::unexpected(settings.error());
  if (*settings) files.settings = std::move(**settings);
  for (const auto& name : *names) {
    if (!is_language(name)) continue;
    auto read = read_language_files(folder, path, name);
    if (!read) return tl::unexpected(read.error());
    files.languages.emplace(name, std::move(*read));
  }
  return files;
}

Result<> check_new_id(std::string_view id) {
  if (is_template_id(id) && !id.starts_with('_')) return {};
  return fail(Error::Kind::bad_data,
              "'" + printable(id, 100) + "' cannot name a template",
              "letters, digits, '_', '.' and '-', no leading dot or '_', at "
              "most 100 bytes");
}

Result<> check_new_language(std::string_view tag) {
  if (is_language(tag)) return {};
  return fail(Error::Kind::bad_data,
              "'" + printable(tag, 100) + "' is no language",
              "write 'en' or 'pt-BR'");
}

std::string settings_line(std::string_view key, std::string_view value) {
  return std::string(key) + ": " + scalar(value) + "\n";
}

std::string settings_line(std::string_view key,
                          const std::vector<std::string>& values) {
  std::string line = std::string(key) + ": [";
  for (const auto& value : values)
    line += (line.ends_with('[') ? "" : ", ") + scalar(value);
  return line + "]\n";
}

}  // namespace pony
