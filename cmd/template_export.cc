// pony template export: templates as JSON Lines in PonyExpress's shape, for
// another machine, CouchDB or a translator's tools.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cmd/commands.h"
#include "cmd/template_input.h"
#include "core/template/pony_express.h"

namespace pony {
namespace {

struct ExportOptions {
  std::vector<std::string> ids;
};

// The template as a document; only one that could be imported again.
Result<Json> document_of(Templates& templates, const std::string& id) {
  auto found = templates.store.find(id);
  if (!found) return tl::unexpected(found.error());
  if ((*found)->languages.empty())
    return fail(Error::Kind::config, "template '" + id + "' has no language");
  for (const auto& lang : (*found)->languages)
    if (auto text = templates.store.text(**found, lang); !text)
      return tl::unexpected(text.error());
  auto files = read_template_files(templates.folder, id);
  if (!files) return tl::unexpected(files.error());
  return to_pony_express(**found, *files, templates.default_lang);
}

Result<int> run_template_export(const ExportOptions& options,
                                Context& context) {
  auto templates = open_templates(context);
  if (!templates) return tl::unexpected(templates.error());
  std::vector<std::string> ids = options.ids;
  if (ids.empty()) {
    auto all = (*templates)->store.list();
    if (!all) return tl::unexpected(all.error());
    ids = std::move(*all);
  }
  int code = 0;
  for (const auto& id : ids) {
    auto document = document_of(**templates, id);
    if (document) {
      context.io().out(to_text(*document) + "\n");
      continue;
    }
    // The others are worth having all the same.
    context.tell(document.error());
    if (code == 0) code = exit_code(document.error().kind);
  }
  return code;
}

}  // namespace

Action add_template_export(CLI::App& app, Context& context) {
  auto options = std::make_shared<ExportOptions>();
  app.add_option("ID", options->ids, "The templates (default: all)")
      ->type_name("");
  app.footer(
      "One JSON object a line, as PonyExpress keeps templates in CouchDB; what "
      "it does\nnot know lies under keys that it passes over. 'pony template "
      "import' makes the\nsame files of it again.\n\n"
      "Examples\n"
      "  pony template export > templates.jsonl\n"
      "  pony template export welcome | ssh other pony template import\n"
      "  pony template export | jq -s '{docs: .}'    # for CouchDB's "
      "_bulk_docs\n\n"
      "Exit codes\n"
      "  0 all of them · 65 no template's name · 66 no such template · 74 it "
      "cannot be\n  written · 77 no permission · 78 a template or the "
      "configuration is wrong");
  return [options, &context] { return run_template_export(*options, context); };
}

}  // namespace pony
