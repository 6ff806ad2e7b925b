// pony template import: templates from JSON, in PonyExpress's shape or as
// `pony template export` writes them. Each is taken whole or refused whole;
// one that is refused does not keep the others out.
#include <CLI/CLI.hpp>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cmd/commands.h"
#include "cmd/template_input.h"
#include "core/template/pony_express.h"
#include "core/words.h"

namespace pony {
namespace {

// Thousands of templates; a whole CouchDB with its messages is not what this
// is for.
constexpr std::size_t k_import_limit = std::size_t{64} << 20;

struct ImportOptions {
  std::string file = "-";
  bool force = false;
  bool dry_run = false;
};

// What became, or would become, of one.
enum class Deed { added, replaced, unchanged };

std::string_view to_text(Deed deed) {
  switch (deed) {
    case Deed::added:
      return "added";
    case Deed::replaced:
      return "replaced";
    case Deed::unchanged:
      return "unchanged";
  }
  return "added";
}

class Importer {
 public:
  Importer(const ImportOptions& options, Context& context, Templates& templates)
      : options_(options), context_(context), templates_(templates) {}

  void take(const ImportedDocument& imported);
  int code() const { return code_; }

 private:
  Result<Deed> put(const TemplateDocument& document);
  void refuse(const ImportedDocument& imported, Error error);
  void tell(const TemplateDocument& document, Deed deed);

  const ImportOptions& options_;
  Context& context_;
  Templates& templates_;
  std::set<std::string> seen_;
  int code_ = 0;
};

void Importer::take(const ImportedDocument& imported) {
  if (!imported.json) {
    refuse(imported, imported.json.error());
    return;
  }
  const auto document = from_pony_express(*imported.json);
  if (!document) {
    refuse(imported, document.error());
    return;
  }
  auto deed = put(*document);
  if (deed)
    tell(*document, *deed);
  else
    refuse(imported, deed.error());
}

Result<Deed> Importer::put(const TemplateDocument& document) {
  const std::string& id = document.id;
  if (!seen_.insert(id).second)
    return fail(Error::Kind::bad_data, "template '" + id + "' comes twice",
                "the first one was taken");
  TemplateWriter& writer = templates_.writer;
  const auto is_there = templates_.store.find(id);
  const bool exists =
      is_there || is_there.error().kind != Error::Kind::not_found;
  if (!exists) {
    auto added = options_.dry_run ? writer.check(id, document.files)
                                  : writer.add(id, document.files);
    if (!added) return tl::unexpected(added.error());
    return Deed::added;
  }
  const auto now = read_template_files(templates_.folder, id);
  if (now && *now == document.files) return Deed::unchanged;
  if (!options_.force)
    return fail(Error::Kind::cannot_create,
                "there is another template '" + id + "' already",
                "to put this one in its place: --force");
  auto replaced = options_.dry_run ? writer.check(id, document.files)
                                   : writer.replace(id, document.files);
  if (!replaced) return tl::unexpected(replaced.error());
  return Deed::replaced;
}

void Importer::refuse(const ImportedDocument& imported, Error error) {
  // A wrong line of JSON says itself where it is.
  if (imported.line > 1 && imported.json)
    error.what = "line " + std::to_string(imported.line) + ": " + error.what;
  context_.tell(error);
  if (code_ == 0) code_ = exit_code(error.kind);
}

void Importer::tell(const TemplateDocument& document, Deed deed) {
  std::vector<std::string> languages;
  for (const auto& [lang, texts] : document.files.languages)
    languages.push_back(lang);
  const std::string done(to_text(deed));
  if (context_.options.json) {
    context_.io().out(done_json(
        document.id, options_.dry_run ? "would be " + done : done, languages));
    return;
  }
  context_.say((options_.dry_run ? "'" + document.id + "' would be " + done
                                 : done + " '" + document.id + "'") +
               " (" + counted(languages.size(), "language") + ")");
}

Result<int> run_template_import(const ImportOptions& options,
                                Context& context) {
  auto templates = open_templates(context);
  if (!templates) return tl::unexpected(templates.error());
  if (options.file == "-" && context.io().in_is_terminal())
    context.say("reading templates from the terminal; end with Ctrl-D");
  auto text = read_input(context, options.file, k_import_limit);
  if (!text) return tl::unexpected(text.error());
  if (text->find_first_not_of(" \t\r\n") == std::string::npos)
    return fail(Error::Kind::not_found, "the input is empty");

  std::size_t passed_over = 0;
  const auto documents = documents_in(*text, passed_over);
  Importer importer(options, context, **templates);
  for (const auto& document : documents) importer.take(document);
  if (passed_over > 0)
    context.say(counted(passed_over, "document") +
                " that are no templates were passed over");
  return importer.code();
}

}  // namespace

Action add_template_import(CLI::App& app, Context& context) {
  auto options = std::make_shared<ImportOptions>();
  app.add_option("FILE", options->file, "A file, or - for stdin (default)")
      ->type_name("");
  app.add_flag("--force,-f", options->force,
               "Put them in the place of those that are there");
  app.add_flag("--dry-run,-n", options->dry_run,
               "Check them and say what would happen; change nothing");
  app.footer(
      "Takes an object, an array, JSON Lines, or what CouchDB answers (rows, "
      "docs).\nDocuments that are no templates are passed over. Each template "
      "is taken whole or\nrefused whole, with every problem.\n\n"
      "Examples\n"
      "  pony template import templates.jsonl --dry-run\n"
      "  curl -s "
      "'http://couch.example/ponyexpress/_all_docs?include_docs=true' "
      "|\n    pony template import\n\n"
      "Exit codes (of the first that was refused)\n"
      "  0 all are in place · 64 usage · 65 one could not be used · 66 no such "
      "file ·\n  73 one is there already, and is another · 74 the disk failed "
      "· 77 no permission ·\n  78 the configuration is wrong");
  return [options, &context] { return run_template_import(*options, context); };
}

}  // namespace pony
