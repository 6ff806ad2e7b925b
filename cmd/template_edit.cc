// pony template edit: an editor on a copy, which takes the files' place only
// if it can be used and if nobody else has changed them meanwhile.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cmd/commands.h"
#include "cmd/editor.h"
#include "cmd/template_input.h"
#include "core/template/translation.h"

namespace pony {
namespace {

constexpr std::size_t k_file_limit = std::size_t{1024} * 1024;

struct EditOptions {
  std::string id;
  std::string part;
  std::string lang;
};

struct Part {
  std::string_view word;
  std::string_view file;
};
constexpr std::array<Part, 5> k_parts = {{{"subject", "subject.txt"},
                                          {"preheader", "preheader.txt"},
                                          {"text", "body.txt"},
                                          {"html", "body.html"},
                                          {"settings", k_settings_file}}};

// A file of a template, and what is in it; nothing when it is not there.
struct EditedFile {
  std::string path;  // below the template
  std::string name;
  std::optional<std::string> before;
};

Result<std::string> file_of(const std::string& part) {
  std::vector<std::string_view> words;
  for (const auto& [word, file] : k_parts) {
    if (word == part) return std::string(file);
    words.push_back(word);
  }
  std::string hint = did_you_mean(part, words);
  if (hint.empty()) hint = "subject, preheader, text, html or settings";
  return fail(Error::Kind::usage,
              "there is no part '" + printable(part, 60) + "'",
              std::move(hint));
}

// The language to edit. A template that is broken can be edited too: that is
// how it is mended.
Result<std::string> edited_language(Templates& templates,
                                    const TemplateFiles& files,
                                    const EditOptions& options) {
  Template of;
  of.id = options.id;
  if (const auto found = templates.store.find(options.id)) of = **found;
  of.languages.clear();
  for (const auto& [lang, texts] : files.languages)
    of.languages.push_back(lang);
  auto lang = language_called(templates, of, options.lang);
  // A default language need not be there.
  if (lang && !files.languages.contains(*lang))
    return language_called(templates, of, *lang);
  return lang;
}

EditedFile edited_file(const LanguageFiles& texts, const std::string& lang,
                       std::string_view name) {
  EditedFile file{lang + "/" + std::string(name), std::string(name), {}};
  if (const auto text = texts.find(name); text != texts.end())
    file.before = text->second;
  return file;
}

// What is to be edited: one part, or all the copy that a language has.
Result<std::vector<EditedFile>> edited_files(Templates& templates,
                                             const EditOptions& options) {
  const auto found = templates.store.find(options.id);
  if (!found && found.error().kind != Error::Kind::config)
    return tl::unexpected(found.error());
  auto files = read_template_files(templates.folder, options.id);
  if (!files) return tl::unexpected(files.error());
  std::string name;
  if (!options.part.empty()) {
    auto file = file_of(options.part);
    if (!file) return tl::unexpected(file.error());
    name = std::move(*file);
  }
  if (name == k_settings_file) {
    std::optional<std::string> before;
    if (!files->settings.empty()) before = files->settings;
    return std::vector<EditedFile>{{name, name, std::move(before)}};
  }
  auto lang = edited_language(templates, *files, options);
  if (!lang) return tl::unexpected(lang.error());
  const LanguageFiles& texts = files->languages.at(*lang);
  if (!name.empty())
    return std::vector<EditedFile>{edited_file(texts, *lang, name)};
  std::vector<EditedFile> all;
  for (const auto each : k_text_files)
    if (texts.contains(each)) all.push_back(edited_file(texts, *lang, each));
  if (all.empty())
    for (const auto each : {"subject.txt", "body.txt"})
      all.push_back(edited_file(texts, *lang, each));
  return all;
}

std::vector<FileChange> changes_in(const std::vector<EditedFile>& files,
                                   const std::vector<EditedText>& texts) {
  std::vector<FileChange> changes;
  for (std::size_t i = 0; i < files.size(); ++i)
    if (texts[i].text != files[i].before.value_or(""))
      changes.push_back({files[i].path, files[i].before, texts[i].text});
  return changes;
}

// The editor's work is not lost because it could not be used.
tl::unexpected<Error> keeping_copy(Error error, const EditingSession& session) {
  error.hint +=
      (error.hint.empty() ? "" : "\n  ") +
      ("nothing is changed; what you wrote is kept in " + session.folder());
  return tl::unexpected<Error>(std::move(error));
}

void tell_stale(Templates& templates, const std::string& id, Context& context) {
  const auto files = read_template_files(templates.folder, id);
  if (!files) return;
  const auto stale = stale_translations(*files, templates.folder.full_path(id));
  if (!stale) return;
  for (const auto& one : *stale)
    context.say(to_text(one) +
                "\n  when it has caught up: pony template "
                "translate " +
                id + " " + one.lang + " --done");
}

void tell_done(const EditOptions& options,
               const std::vector<FileChange>& changes, Templates& templates,
               Context& context) {
  std::vector<std::string> languages;
  std::string paths;
  for (const auto& change : changes) {
    paths += (paths.empty() ? "" : ", ") + change.path;
    if (change.path != k_settings_file)
      languages = {change.path.substr(0, change.path.find('/'))};
  }
  if (context.options.json) {
    context.io().out(done_json(
        options.id, changes.empty() ? "unchanged" : "changed", languages));
    return;
  }
  if (changes.empty()) {
    context.say("nothing was changed");
    return;
  }
  context.say("changed " + paths + " of template '" + options.id + "'");
  tell_stale(templates, options.id, context);
}

Result<int> run_template_edit(const EditOptions& options, Context& context) {
  auto opened = open_templates(context);
  if (!opened) return tl::unexpected(opened.error());
  Templates& templates = **opened;
  auto files = edited_files(templates, options);
  if (!files) return tl::unexpected(files.error());

  std::vector<EditedText> copies;
  for (const auto& file : *files)
    copies.push_back({file.name, file.before.value_or("")});
  auto session = EditingSession::begin(copies);
  if (!session) return tl::unexpected(session.error());
  const auto edited = session->run(context.io().in_is_terminal()
                                       ? EditingSession::Terminal::yes
                                       : EditingSession::Terminal::no);
  auto texts = session->read(k_file_limit);
  if (!texts) return keeping_copy(texts.error(), *session);
  const auto changes = changes_in(*files, *texts);
  if (changes.empty()) session->discard();
  if (!edited)
    return changes.empty() ? tl::unexpected(edited.error())
                           : keeping_copy(edited.error(), *session);
  if (!changes.empty()) {
    auto changed = templates.writer.change(options.id, changes);
    if (!changed) return keeping_copy(changed.error(), *session);
    session->discard();
  }
  tell_done(options, changes, templates, context);
  return 0;
}

}  // namespace

Action add_template_edit(CLI::App& app, Context& context) {
  auto options = std::make_shared<EditOptions>();
  app.add_option("ID", options->id, "The template")->required()->type_name("");
  app.add_option("PART", options->part,
                 "subject, preheader, text, html or settings (default: all "
                 "the copy of the language)")
      ->type_name("");
  app.add_option("--lang", options->lang,
                 "The language (default: the template's own)")
      ->type_name("LANG");
  app.footer(
      "Starts $VISUAL, $EDITOR or vi on a copy. What comes back takes the "
      "files' place\nonly if the template can be used with it and nobody else "
      "has changed them; else it\nis said why, and where your text is kept.\n\n"
      "Examples\n"
      "  pony template edit welcome --lang es\n"
      "  pony template edit welcome settings\n"
      "  EDITOR=\"sed -i s/2025/2026/\" pony template edit welcome text\n\n"
      "Exit codes\n"
      "  0 changed, or nothing to change · 64 usage · 65 it could not be used "
      "· 66 no such\n  template or language · 73 no place for a copy · 74 the "
      "disk failed · 75 the editor\n  failed, or somebody else has changed it "
      "· 77 no permission · 78 the configuration\n  is wrong");
  return [options, &context] { return run_template_edit(*options, context); };
}

}  // namespace pony
