// pony template show: one template in one language, whole.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cmd/commands.h"
#include "cmd/template_format.h"
#include "cmd/template_input.h"

namespace pony {
namespace {

struct ShowOptions {
  std::string id;
  std::string lang;
};

Result<int> run_template_show(const ShowOptions& options, Context& context) {
  auto templates = open_templates(context);
  if (!templates) return tl::unexpected(templates.error());
  auto& store = (*templates)->store;
  auto found = store.find(options.id);
  if (!found) return tl::unexpected(found.error());
  // As for a message: a language may stand in for the one that is asked for.
  auto text = store.text(**found, options.lang);
  if (!text) return tl::unexpected(text.error());
  const auto one = listed_template(**templates, options.id);
  const auto uses = store.uses(**found, options.lang);
  if (!uses) return tl::unexpected(uses.error());
  const auto names = names_of(*uses);
  context.io().out(context.options.json ? template_text_json(one, **text, names)
                                        : template_text(one, **text, names));
  return 0;
}

}  // namespace

Action add_template_show(CLI::App& app, Context& context) {
  auto options = std::make_shared<ShowOptions>();
  app.add_option("ID", options->id, "The template")->required()->type_name("");
  app.add_option("--lang", options->lang,
                 "As a message in this language gets it (default: the "
                 "template's own)")
      ->type_name("LANG");
  app.footer(
      "Shows the settings, the names that need values, the subject and the "
      "bodies as\nthey are, with nothing filled in.\n\n"
      "Examples\n"
      "  pony template show welcome --lang es\n"
      "  pony template show welcome --json | jq -r '.names[]'\n\n"
      "Exit codes\n"
      "  0 shown · 65 no template's name · 66 no such template or language · "
      "77 no\n  permission · 78 the template or the configuration is wrong");
  return [options, &context] { return run_template_show(*options, context); };
}

}  // namespace pony
