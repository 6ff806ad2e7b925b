// pony config show: the configuration with its defaults filled in, as YAML;
// secrets are never shown.
#include <CLI/CLI.hpp>

#include "cmd/commands.h"

namespace pony {

Action add_config_show(CLI::App& app, Context& context) {
  app.footer(
      "YAML that can be saved as a pony.yaml; secrets are shown as ***.\n\n"
      "Examples\n"
      "  pony config show\n"
      "  pony --config staging.yaml config show\n\n"
      "Exit codes\n"
      "  0 shown · 66 no such file · 77 no permission · 78 it has problems");
  return [&context]() -> Result<int> {
    auto config = context.config();
    if (!config) return tl::unexpected(config.error());
    const std::string& file = (*config)->file;
    context.io().out(
        file.empty() ? std::string("# the built-in configuration: there is no "
                                   "pony.yaml\n")
                     : "# read from " + printable(file, 4096) + "\n");
    context.io().out(to_yaml(**config));
    return 0;
  };
}

}  // namespace pony
