// pony template list: the templates, their languages, and which of these lag
// behind. Changes nothing; a template that cannot be used is listed with the
// reason.
#include <CLI/CLI.hpp>
#include <utility>
#include <vector>

#include "cmd/commands.h"
#include "cmd/template_format.h"
#include "cmd/template_input.h"

namespace pony {
namespace {

Result<int> run_template_list(Context& context) {
  auto templates = open_templates(context);
  if (!templates) return tl::unexpected(templates.error());
  auto ids = (*templates)->store.list();
  if (!ids) return tl::unexpected(ids.error());
  std::vector<ListedTemplate> listed;
  for (const auto& id : *ids) {
    auto one = listed_template(**templates, id);
    if (context.options.json)
      context.io().out(template_json(one));
    else
      listed.push_back(std::move(one));
  }
  if (context.options.json) return 0;
  if (listed.empty())
    context.say("there are no templates in '" + (*templates)->root + "'");
  else
    context.io().out(template_table(listed));
  return 0;
}

}  // namespace

Action add_template_list(CLI::App& app, Context& context) {
  app.footer(
      "A language with a * lags behind the one that it was translated from. "
      "A second\nline, in brackets, says why a template cannot be used. The "
      "table is for people and\nmay change; scripts use --json.\n\n"
      "Examples\n"
      "  pony template list\n"
      "  pony template list --json | jq -r 'select(.stale != []) | .id'\n\n"
      "Exit codes\n"
      "  0 listed · 77 no permission · 78 the configuration is wrong");
  return [&context] { return run_template_list(context); };
}

}  // namespace pony
