// pony template translate: adds a language to a template, and writes down what
// it is a translation of, so that one day it can be said that it lags behind.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cmd/commands.h"
#include "cmd/template_input.h"
#include "core/template/translation.h"

namespace pony {
namespace {

struct TranslateOptions {
  std::string id;
  std::string lang;
  std::string from;
  TextFlags text;
  bool done = false;
};

// A template, and the language that is translated.
struct Source {
  const Template* of;
  TemplateFiles files;
  std::string lang;

  const LanguageFiles& texts() const { return files.languages.at(lang); }
};

Result<Source> source_of(Templates& templates, const TranslateOptions& options,
                         const std::string& from) {
  auto found = templates.store.find(options.id);
  if (!found) return tl::unexpected(found.error());
  auto files = read_template_files(templates.folder, options.id);
  if (!files) return tl::unexpected(files.error());
  auto lang = language_called(templates, **found, from);
  if (!lang) return tl::unexpected(lang.error());
  if (!files->languages.contains(*lang))
    return fail(Error::Kind::not_found,
                "template '" + options.id + "' has no language '" + *lang + "'",
                "say which one is translated: --from LANG");
  return Source{*found, std::move(*files), std::move(*lang)};
}

Result<int> add_translation(const TranslateOptions& options, Context& context,
                            Templates& templates) {
  std::string lang = options.lang;
  std::replace(lang.begin(), lang.end(), '_', '-');
  if (auto fits = check_new_language(lang); !fits)
    return tl::unexpected(fits.error());
  auto source = source_of(templates, options, options.from);
  if (!source) return tl::unexpected(source.error());
  LanguageFiles files;
  if (options.text.any()) {
    auto given = files_from(context, options.text);
    if (!given) return tl::unexpected(given.error());
    files = std::move(*given);
  } else {
    files = source->texts();
  }
  files[std::string(k_translation_file)] =
      record(source->lang, source->texts());
  auto added = templates.writer.add_language(options.id, lang, files);
  if (!added) return tl::unexpected(added.error());

  if (context.options.json) {
    context.io().out(done_json(options.id, "added", {lang}));
  } else if (options.text.any()) {
    context.say("added '" + lang + "' to template '" + options.id +
                "', a translation of '" + source->lang + "'");
  } else {
    context.say(
        "added '" + lang + "' to template '" + options.id +
        "' with the copy of '" + source->lang + "': now translate it in " +
        templates.folder.full_path(options.id + "/" + lang) +
        "\n  or with: pony template edit " + options.id + " --lang " + lang);
  }
  return 0;
}

// The language that `mark` names, if it can be read.
std::string recorded_source(const std::optional<std::string>& mark) {
  if (!mark) return {};
  const auto read = read_translation(*mark, std::string(k_translation_file));
  return read ? read->from : std::string();
}

// The translation says again what its source says.
Result<int> mark_done(const TranslateOptions& options, Context& context,
                      Templates& templates) {
  if (options.text.any())
    return fail(Error::Kind::usage, "--done takes no copy",
                "change it with: pony template edit " + options.id +
                    " --lang " + options.lang);
  auto found = templates.store.find(options.id);
  if (!found) return tl::unexpected(found.error());
  auto lang = language_called(templates, **found, options.lang);
  if (!lang) return tl::unexpected(lang.error());
  auto texts = read_language_files(templates.folder, options.id, *lang);
  if (!texts) return tl::unexpected(texts.error());
  std::optional<std::string> before;
  if (const auto mark = texts->find(k_translation_file); mark != texts->end())
    before = mark->second;
  auto source =
      source_of(templates, options,
                options.from.empty() ? recorded_source(before) : options.from);
  if (!source) return tl::unexpected(source.error());
  if (source->lang == *lang)
    return fail(Error::Kind::usage,
                "'" + *lang + "' cannot be a translation of itself",
                "say which language it is one of: --from LANG");
  const std::string after = record(source->lang, source->texts());
  if (after != before) {
    const std::string path = *lang + "/" + std::string(k_translation_file);
    auto changed = templates.writer.change(options.id, {{path, before, after}});
    if (!changed) return tl::unexpected(changed.error());
  }
  if (context.options.json)
    context.io().out(done_json(options.id, "done", {*lang}));
  else
    context.say("'" + *lang + "' of template '" + options.id +
                "' is up to date with '" + source->lang + "'");
  return 0;
}

Result<int> run_template_translate(const TranslateOptions& options,
                                   Context& context) {
  auto templates = open_templates(context);
  if (!templates) return tl::unexpected(templates.error());
  return options.done ? mark_done(options, context, **templates)
                      : add_translation(options, context, **templates);
}

}  // namespace

Action add_template_translate(CLI::App& app, Context& context) {
  auto options = std::make_shared<TranslateOptions>();
  app.add_option("ID", options->id, "The template")->required()->type_name("");
  app.add_option("LANG", options->lang, "The new language, such as es or pt-BR")
      ->required()
      ->type_name("");
  app.add_option("--from", options->from,
                 "The language that is translated (default: the template's "
                 "own)")
      ->type_name("LANG");
  add_text_flags(app, options->text);
  app.add_flag("--done", options->done,
               "LANG is there already, and has caught up with its source");
  app.footer(
      "Begins with a copy of the source's files, or with what the flags give. "
      "LANG's\nfolder gets a translation.yaml with hashes of the source, by "
      "which it is told later\nthat LANG lags behind; --done says that it does "
      "not any more.\n\n"
      "Examples\n"
      "  pony template translate welcome fr\n"
      "  pony template translate welcome fr --subject 'Bienvenue, $name' "
      "--text - < fr.txt\n"
      "  pony template translate welcome fr --done\n\n"
      "Exit codes\n"
      "  0 done · 64 usage · 65 it could not be used · 66 no such template, "
      "language or\n  file · 73 the language is there already · 74 the disk "
      "failed · 75 changed by\n  somebody else meanwhile · 77 no permission · "
      "78 the configuration or the\n  template is wrong");
  return
      [options, &context] { return run_template_translate(*options, context); };
}

}  // namespace pony
