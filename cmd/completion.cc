// pony completion: the script that makes a shell complete pony's command line.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cmd/commands.h"
#include "cmd/embedded_text.h"

namespace pony {
namespace {

std::string script_of(std::string_view shell) {
  return shell == "zsh" ? "completion/_pony"
                        : "completion/pony." + std::string(shell);
}

}  // namespace

Action add_completion(CLI::App& app, Context& context) {
  auto shell = std::make_shared<std::string>();
  app.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("bash|zsh|fish");
  app.footer(
      "Commands, options, their values, and the ids, templates, tags, "
      "providers and pools that\nthere are. A package installs it where the "
      "shell finds it.\n\n"
      "Examples\n"
      "  eval \"$(pony completion bash)\"\n"
      "  pony completion zsh > ~/.zfunc/_pony\n"
      "  pony completion fish > ~/.config/fish/completions/pony.fish\n\n"
      "Exit codes: 0 printed, 64 usage.");
  return [shell, &context]() -> Result<int> {
    context.io().out(embedded_text(script_of(*shell)));
    return 0;
  };
}

}  // namespace pony
