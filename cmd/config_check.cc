// pony config check: everything that is wrong with the configuration, and
// with the templates it names, at once.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "cmd/commands.h"
#include "core/secret.h"
#include "core/template/template_store.h"
#include "core/words.h"

namespace pony {
namespace {

struct ConfigCheckOptions {
  bool secrets = false;
};

Problem problem_of(std::string place, const Error& error) {
  return {std::move(place), error.what, error.hint};
}

void add_problems(const std::string& place, const Error& error,
                  std::vector<Problem>& problems) {
  problems.push_back(problem_of(place, error));
  problems.insert(problems.end(), error.problems.begin(), error.problems.end());
}

// Nobody has to have templates: only a folder that was asked for must be there.
bool is_default_folder(const std::string& templates) {
  const auto built_in = load_config("");
  return built_in && built_in->templates == templates;
}

// Every template in every language; how many there are.
std::size_t check_templates(const Config& config,
                            std::vector<Problem>& problems) {
  struct stat info {};
  if (::stat(config.templates.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    if (is_default_folder(config.templates)) return 0;
    problems.push_back({"templates",
                        "there is no folder '" + config.templates + "'",
                        "make it, or copy the samples: pony init"});
    return 0;
  }
  TemplateStore store(config.templates, config.default_lang);
  const auto ids = store.list();
  if (!ids) {
    add_problems("templates", ids.error(), problems);
    return 0;
  }
  for (const auto& id : *ids) {
    const auto found = store.find(id);
    if (!found) {
      add_problems("template '" + id + "'", found.error(), problems);
      continue;
    }
    const Template& one = **found;
    if (one.languages.empty())
      problems.push_back({"template '" + id + "'", "it has no language",
                          "a folder such as '" + id + "/" +
                              config.default_lang +
                              "' with subject.txt and "
                              "body.txt or body.html"});
    for (const auto& lang : one.languages)
      if (const auto text = store.text(one, lang); !text)
        add_problems("template '" + id + "', " + lang, text.error(), problems);
  }
  return ids->size();
}

void check_secrets(const Config& config, std::vector<Problem>& problems) {
  for (const auto& provider : config.providers)
    for (const auto& [key, source] : provider.secrets)
      if (auto secret = resolve(source); !secret)
        problems.push_back(problem_of(source.place, secret.error()));
}

Result<int> run_config_check(const ConfigCheckOptions& options,
                             Context& context) {
  auto loaded = context.config();
  if (!loaded) return tl::unexpected(loaded.error());
  const Config& config = **loaded;
  const std::string name = config.file.empty() ? "the built-in configuration"
                                               : "'" + config.file + "'";
  std::vector<Problem> problems;
  const std::size_t templates = check_templates(config, problems);
  if (options.secrets) check_secrets(config, problems);
  if (!problems.empty()) {
    std::string what = name + " has " + counted(problems.size(), "problem");
    return fail(Error::Kind::config, std::move(what), std::move(problems));
  }
  if (context.options.json) {
    std::string line;
    JsonWriter(line)
        .field("file", config.file)
        .boolean("result", true)
        .field("providers", static_cast<std::int64_t>(config.providers.size()))
        .field("pools", static_cast<std::int64_t>(config.pools.size()))
        .field("templates", static_cast<std::int64_t>(templates))
        .field("warnings", config.warnings)
        .end();
    context.io().out(line + "\n");
  } else if (!context.options.quiet) {
    context.io().out(
        name + " is fine: " + counted(config.providers.size(), "provider") +
        ", " + counted(config.pools.size(), "pool") + ", " +
        counted(templates, "template") + "\n");
  }
  return 0;
}

}  // namespace

Action add_config_check(CLI::App& app, Context& context) {
  auto options = std::make_shared<ConfigCheckOptions>();
  app.add_flag("--secrets", options->secrets,
               "Also read every secret (its file, command or variable); none "
               "is shown");
  app.footer(
      "Examples\n"
      "  pony config check\n"
      "  pony --config staging.yaml config check --secrets\n\n"
      "Exit codes\n"
      "  0 fine, perhaps with warnings · 66 no such file · 77 no permission · "
      "78 problems");
  return [options, &context] { return run_config_check(*options, context); };
}

}  // namespace pony
