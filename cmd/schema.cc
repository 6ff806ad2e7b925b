// pony schema: JSON Schemas of what pony reads and writes, for editors and
// other programs. They lie in schemas/, where tests hold them to the code.
#include <CLI/CLI.hpp>
#include <array>
#include <memory>

#include "cmd/commands.h"
#include "cmd/embedded_text.h"
#include "core/json.h"

namespace pony {
namespace {

constexpr std::array<std::string_view, 4> k_schemas = {"message", "event",
                                                       "config", "queue"};

Result<int> run_schema(const std::string& name, Context& context) {
  const auto text = embedded_text("schemas/" + name + ".json");
  if (text.empty())
    return fail(Error::Kind::usage,
                "there is no schema '" + printable(name, 40) + "'",
                "there are: message, event, config, queue");
  context.io().out(text);
  return 0;
}

}  // namespace

Action add_schema(CLI::App& app, Context& context) {
  auto name = std::make_shared<std::string>();
  app.add_option("SCHEMA", *name,
                 "message: what enqueue takes; event: a line of the log; "
                 "config: pony.yaml; queue: a line of queue --json")
      ->required()
      ->check(CLI::IsMember(
          std::vector<std::string>(k_schemas.begin(), k_schemas.end())))
      ->type_name("message|event|config|queue");
  app.footer(
      "JSON Schema 2020-12. What a schema cannot say (does the template exist, "
      "is an address\nno list) pony checks besides.\n\n"
      "Examples\n"
      "  pony schema message > message.schema.json\n"
      "  pony schema config > ~/.config/pony/pony.schema.json   # then in "
      "pony.yaml, for editors:\n"
      "  # yaml-language-server: $schema=pony.schema.json\n\n"
      "Exit codes: 0 printed, 64 usage.");
  return [name, &context] { return run_schema(*name, context); };
}

}  // namespace pony
