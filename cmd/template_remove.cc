// pony template remove: takes a template or one of its languages away, with
// all that is in its folder; asks first.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/filesystem.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/template_input.h"
#include "core/words.h"

namespace pony {
namespace {

namespace bfs = boost::filesystem;

struct RemoveOptions {
  std::string id;
  std::string lang;
  bool yes = false;
  bool dry_run = false;
};

// What lies in `folder`, as paths, sorted; links are named, not followed.
std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  boost::system::error_code error;
  for (bfs::recursive_directory_iterator at(folder, error), end;
       !error && at != end; at.increment(error))
    if (!bfs::is_directory(at->symlink_status()))
      files.push_back(at->path().string());
  std::sort(files.begin(), files.end());
  return files;
}

// May this language go? The rest has to be a template still.
Result<std::string> language_to_remove(Templates& templates, const Template& of,
                                       const std::string& wanted) {
  auto lang = language_called(templates, of, wanted);
  if (!lang) return lang;
  if (of.languages.size() == 1)
    return fail(Error::Kind::bad_data,
                "'" + *lang + "' is the only language of '" + of.id + "'",
                "to remove all of it: pony template remove " + of.id);
  const std::string& fallback =
      of.default_lang.empty() ? templates.default_lang : of.default_lang;
  if (*lang == fallback)
    return fail(Error::Kind::bad_data,
                "'" + *lang + "' is the default language of '" + of.id + "'",
                "name another one first, as default_lang: pony template edit " +
                    of.id + " settings");
  return lang;
}

struct Target {
  std::string what;    // for people
  std::string folder;  // its path
  std::string lang;    // empty: the whole template
};

Result<Target> target_of(Templates& templates, const RemoveOptions& options) {
  const auto found = templates.store.find(options.id);
  // One that is broken can be removed, one that is not there cannot.
  if (!found && found.error().kind != Error::Kind::config)
    return tl::unexpected(found.error());
  const std::string folder = templates.folder.full_path(options.id);
  if (options.lang.empty())
    return Target{"template '" + options.id + "'", folder, {}};
  if (!found) return tl::unexpected(found.error());
  auto lang = language_to_remove(templates, **found, options.lang);
  if (!lang) return tl::unexpected(lang.error());
  return Target{"'" + *lang + "' of template '" + options.id + "'",
                folder + "/" + *lang, *lang};
}

Result<int> run_template_remove(const RemoveOptions& options,
                                Context& context) {
  auto opened = open_templates(context);
  if (!opened) return tl::unexpected(opened.error());
  Templates& templates = **opened;
  auto target = target_of(templates, options);
  if (!target) return tl::unexpected(target.error());
  const auto files = files_below(target->folder);
  const std::string what =
      target->what + " (" + counted(files.size(), "file") + ")";
  if (options.dry_run) {
    context.say("would remove " + what);
    for (const auto& file : files)
      context.io().out(printable(file, 4096) + "\n");
    return 0;
  }
  auto answer = ask(context, "Remove " + what + "?", options.yes);
  if (!answer) return tl::unexpected(answer.error());
  if (*answer == Answer::no) {
    context.say("nothing was removed");
    return 1;
  }
  auto removed = target->lang.empty() ? templates.writer.remove(options.id)
                                      : templates.writer.remove_language(
                                            options.id, target->lang);
  if (!removed) return tl::unexpected(removed.error());
  if (context.options.json) {
    std::vector<std::string> languages;
    if (!target->lang.empty()) languages.push_back(target->lang);
    context.io().out(done_json(options.id, "removed", languages));
  } else {
    context.say("removed " + what);
  }
  return 0;
}

}  // namespace

Action add_template_remove(CLI::App& app, Context& context) {
  auto options = std::make_shared<RemoveOptions>();
  app.add_option("ID", options->id, "The template")->required()->type_name("");
  app.add_option("--lang", options->lang, "Only this language of it")
      ->type_name("LANG");
  app.add_flag("--yes,-y", options->yes, "Do not ask");
  app.add_flag("--dry-run,-n", options->dry_run,
               "Print the files that would go, remove nothing");
  app.footer(
      "Mail that waits is filled in when it is sent, so look first what still "
      "needs the\ntemplate: pony queue --template ID\n\n"
      "Examples\n"
      "  pony template remove spring-campaign --dry-run\n"
      "  pony template remove welcome --lang es --yes\n\n"
      "Exit codes\n"
      "  0 removed · 1 the answer was no · 64 usage, or nobody to ask · 65 the "
      "only or the\n  default language · 66 no such template or language · 74 "
      "the disk failed · 77 no\n  permission · 78 the configuration is wrong");
  return [options, &context] { return run_template_remove(*options, context); };
}

}  // namespace pony
