// pony template add: a new template, from flags, a folder or JSON. Never
// touches one that is there.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cmd/commands.h"
#include "cmd/template_input.h"
#include "core/fs.h"
#include "core/template/pony_express.h"
#include "core/words.h"

namespace pony {
namespace {

// One template with all its languages, as JSON.
constexpr std::size_t k_document_limit = std::size_t{16} << 20;

struct AddOptions {
  std::string id;
  std::string source;  // a folder, a file, "-"; empty: flags, else stdin
  std::string name;
  std::string lang;
  std::string from;
  std::string reply_to;
  std::vector<std::string> tags;
  TextFlags text;

  bool has_flags() const {
    return text.any() || !name.empty() || !lang.empty() || !from.empty() ||
           !reply_to.empty() || !tags.empty();
  }
};

Result<TemplateFiles> from_flags(const AddOptions& options, Context& context,
                                 const std::string& default_lang) {
  if (!options.text.subject)
    return fail(Error::Kind::usage, "the subject is missing",
                "give --subject, and --text FILE, --html FILE or both");
  auto texts = files_from(context, options.text);
  if (!texts) return tl::unexpected(texts.error());
  TemplateFiles files;
  const std::string lang = options.lang.empty() ? default_lang : options.lang;
  if (!options.name.empty())
    files.settings += settings_line("name", options.name);
  if (lang != default_lang)
    files.settings += settings_line("default_lang", lang);
  if (!options.from.empty())
    files.settings += settings_line("from", options.from);
  if (!options.reply_to.empty())
    files.settings += settings_line("reply_to", options.reply_to);
  if (!options.tags.empty())
    files.settings += settings_line("tags", options.tags);
  files.languages[lang] = std::move(*texts);
  return files;
}

Result<TemplateFiles> from_json(const AddOptions& options, Context& context) {
  const std::string source = options.source.empty() ? "-" : options.source;
  auto text = read_input(context, source, k_document_limit);
  if (!text) return tl::unexpected(text.error());
  std::size_t passed_over = 0;
  auto documents = documents_in(*text, passed_over);
  if (documents.size() != 1)
    return fail(Error::Kind::bad_data,
                "there are " + counted(documents.size(), "template") +
                    " in the input, not one",
                "for several: pony template import");
  auto& json = documents.front().json;
  if (!json) return tl::unexpected(json.error());
  auto document = from_pony_express(*json, options.id);
  if (!document) return tl::unexpected(document.error());
  return std::move(document->files);
}

Result<TemplateFiles> new_files(const AddOptions& options, Context& context,
                                const std::string& default_lang) {
  if (options.has_flags() && !options.source.empty())
    return fail(Error::Kind::usage,
                "flags describe a template of their own, and '" +
                    printable(options.source, 100) + "' is one already",
                "give one or the other");
  if (options.has_flags()) return from_flags(options, context, default_lang);
  if (is_folder(options.source)) {
    TemplateFolder folder(options.source);
    return read_template_files(folder, ".");
  }
  if (options.source.empty() && context.io().in_is_terminal())
    return fail(Error::Kind::usage, "there is nothing to add",
                "give --subject and --text FILE, a folder, or JSON on stdin");
  return from_json(options, context);
}

Result<int> run_template_add(const AddOptions& options, Context& context) {
  auto templates = open_templates(context);
  if (!templates) return tl::unexpected(templates.error());
  if (auto fits = check_new_id(options.id); !fits)
    return tl::unexpected(fits.error());
  auto files = new_files(options, context, (*templates)->default_lang);
  if (!files) return tl::unexpected(files.error());
  auto added = (*templates)->writer.add(options.id, *files);
  if (!added) return tl::unexpected(added.error());

  std::vector<std::string> languages;
  for (const auto& [lang, texts] : files->languages) languages.push_back(lang);
  if (context.options.json)
    context.io().out(done_json(options.id, "added", languages));
  else
    context.say("added '" + options.id + "' in " +
                counted(languages.size(), "language") + " to " +
                (*templates)->root);
  return 0;
}

}  // namespace

Action add_template_add(CLI::App& app, Context& context) {
  auto options = std::make_shared<AddOptions>();
  app.add_option("ID", options->id, "What messages call it")
      ->required()
      ->type_name("");
  app.add_option("FROM", options->source,
                 "A folder that is a template, a file with JSON, or - for "
                 "stdin")
      ->type_name("");
  app.add_option("--name", options->name, "What people call it")
      ->type_name("NAME");
  app.add_option("--lang", options->lang,
                 "The language of the copy (default: the configuration's)")
      ->type_name("LANG");
  add_text_flags(app, options->text);
  app.add_option("--from", options->from,
                 "The sender of messages that bring none")
      ->type_name("ADDRESS");
  app.add_option("--reply-to", options->reply_to, "Where answers go")
      ->type_name("ADDRESS");
  app.add_option("--tag", options->tags, "A tag (may be repeated)")
      ->type_name("TAG")
      ->allow_extra_args(false);
  app.footer(
      "Adds a template, from flags, from a folder laid out as "
      "pony-template(5) says, or\nfrom JSON in PonyExpress's shape. It is read "
      "back before it is put in place, so\nwhat cannot be used is not added. "
      "Never overwrites.\n\n"
      "Examples\n"
      "  pony template add receipt --subject 'Receipt $number' --text "
      "receipt.txt\n"
      "  pony template add receipt ./receipt\n"
      "  curl -s http://couch.example/ponyexpress/receipt | pony template add "
      "receipt\n\n"
      "Exit codes\n"
      "  0 added · 64 usage · 65 it could not be used · 66 no such file · 73 "
      "it is there\n  already · 74 the disk failed · 77 no permission · 78 "
      "the configuration is wrong");
  return [options, &context] { return run_template_add(*options, context); };
}

}  // namespace pony
