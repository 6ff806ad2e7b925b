#include "cmd/cli.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>
#include <string>

#include "cmd/commands.h"
#include "cmd/complete.h"
#include "cmd/sendmail.h"
#include "core/json.h"

namespace pony {
namespace {

constexpr int k_usage = 64;
constexpr int k_software = 70;

// Options of every command that take a value: skipped on the way to its name.
bool takes_value(std::string_view option) {
  return option == "--config" || option == "--spool";
}

// The index in argv of the command's first word; argc when there is none.
int find_command(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("-") || word == "-") return i;
    if (takes_value(word)) ++i;
  }
  return argc;
}

const Command* command_called(std::string_view name) {
  if (name == "requeue") name = "retry";  // postsuper's word
  for (const auto& command : commands())
    if (command.name == name) return &command;
  return nullptr;
}

// "config" has sub-commands and does nothing itself.
std::vector<const Command*> sub_commands(std::string_view parent) {
  std::vector<const Command*> found;
  const std::string prefix = std::string(parent) + " ";
  for (const auto& command : commands())
    if (command.name.starts_with(prefix)) found.push_back(&command);
  return found;
}

std::string help_of_all() {
  std::string text =
      "pony - queue, send and account for transactional mail\n\n"
      "Usage: pony [--config FILE] [--spool DIR] COMMAND [OPTION...]\n";
  std::string_view group;
  for (const auto& command : commands()) {
    if (command.group.empty()) continue;
    text += command.group == group ? "" : "\n";
    std::string head(command.group == group ? "" : command.group);
    group = command.group;
    head.resize(10, ' ');
    std::string name(command.name);
    name.resize(std::max<std::size_t>(name.size() + 1, 19), ' ');
    text += head + name;
    text.append(command.summary).append("\n");
  }
  text +=
      "\nExample   pony init\n"
      "          echo '{\"to\":\"ann@example.com\",\"template\":\"welcome\","
      "\n                 \"replacements\":{\"name\":\"Ann\",\"team\":\"Widget "
      "Team\",\n                                 "
      "\"action_url\":\"https://widgets.example/start\"}}' |\n"
      "            pony enqueue\n"
      "          pony run\n"
      "\nOptions of every command: --config FILE, --spool DIR, --quiet, "
      "--verbose,\n--json, --no-color, --help, --version.\n"
      "'pony COMMAND --help' and pony(1) say more.\n";
  return text;
}

int unknown_command(Context& context, std::string_view word) {
  std::vector<std::string_view> names;
  for (const auto& command : commands())
    if (!command.group.empty())
      names.push_back(command.name.substr(0, command.name.find(' ')));
  context.tell({Error::Kind::usage,
                "there is no command '" + printable(word, 60) + "'",
                did_you_mean(word, names).empty() ? "see: pony --help"
                                                  : did_you_mean(word, names),
                {}});
  return k_usage;
}

// Secrets and mail are in our memory: not in a core file, not for a debugger
// of the same user. A reader who has gone and a file limit are errors of a
// call, not our death.
void harden_process() {
  // Whoever ignores it has no exit codes of children to wait for.
  std::signal(SIGCHLD, SIG_DFL);
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::umask(0077);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

// Tells what went wrong; the exit code.
int tell_error(const Command& command, const Error& error, Context& context) {
  if (command.tell == nullptr) {
    context.tell(error);
    return exit_code(error.kind);
  }
  const int code = command.tell(error, context);
  (void)context.io().flush();
  return code;
}

int run_command(const Command& command, int first, int argc,
                const char* const* argv, Context& context) {
  context.command = command.name;
  CLI::App app(std::string(command.summary),
               "pony " + std::string(command.name));
  const int behind = first + 1 +
                     static_cast<int>(std::count(command.name.begin(),
                                                 command.name.end(), ' '));
  context.bare = behind == argc;
  const Action action = fill_parser(command, app, context);

  // CLI11 takes them last first, without the words of the command's name.
  std::vector<std::string> words;
  for (int i = argc; i-- > behind;) words.emplace_back(argv[i]);
  for (int i = first; i-- > 1;) words.emplace_back(argv[i]);
  try {
    app.parse(words);
  } catch (const CLI::CallForHelp&) {
    context.io().out(app.help());
    return context.io().flush() ? 0 : exit_code(Error::Kind::disk);
  } catch (const CLI::ParseError& error) {
    return tell_error(command,
                      {Error::Kind::usage,
                       error.what(),
                       "see: pony " + std::string(command.name) + " --help",
                       {}},
                      context);
  }
  auto result = action();
  int code = result ? *result : tell_error(command, result.error(), context);
  if (auto flushed = context.io().flush(); !flushed) {
    context.tell(flushed.error());
    if (code == 0) code = exit_code(flushed.error().kind);
  }
  return code;
}

// The options before the name of a command that reads its words itself.
void read_options_before(int first, const char* const* argv,
                         GlobalOptions& options) {
  for (int i = 1; i < first; ++i) {
    const std::string_view word = argv[i];
    if (word == "--config" && i + 1 < first) options.config = argv[++i];
    if (word == "--spool" && i + 1 < first) options.spool = argv[++i];
    if (word.starts_with("--config=")) options.config = word.substr(9);
    if (word.starts_with("--spool=")) options.spool = word.substr(8);
    if (word == "--verbose" || word == "-v") options.verbose = true;
  }
}

int dispatch(int argc, const char* const* argv, Context& context) {
  // sendmail's own flags, from its own name on.
  if (argc > 0) {
    if (const auto task = sendmail_task_of(argv[0])) {
      const std::vector<std::string_view> words(argv + 1, argv + argc);
      return run_sendmail(words, *task, context);
    }
  }
  const int first = find_command(argc, argv);
  for (int i = 1; i < first; ++i) {
    const std::string_view word = argv[i];
    if (word == "--help" || word == "-h") {
      context.io().out(help_of_all());
      return context.io().flush() ? 0 : exit_code(Error::Kind::disk);
    }
    if (word == "--version") {
      context.io().out("pony " PONY_VERSION "\n");
      return context.io().flush() ? 0 : exit_code(Error::Kind::disk);
    }
    if (word == "--json") context.options.json = true;
  }
  if (first == argc) {
    context.io().err(help_of_all());
    return k_usage;
  }
  std::string name = argv[first];
  if (name == "help") {
    context.io().out(help_of_all());
    return context.io().flush() ? 0 : exit_code(Error::Kind::disk);
  }
  const auto subs = sub_commands(name);
  if (!subs.empty()) {
    if (first + 1 < argc) name += std::string(" ") + argv[first + 1];
    if (command_called(name) == nullptr) {
      std::string choices;
      for (const auto* sub : subs)
        choices += (choices.empty() ? "" : ", ") + std::string(sub->name);
      if (first + 1 < argc && (std::string_view(argv[first + 1]) == "--help" ||
                               std::string_view(argv[first + 1]) == "-h")) {
        for (const auto* sub : subs)
          context.io().out("pony " + std::string(sub->name) + "   " +
                           std::string(sub->summary) + "\n");
        return context.io().flush() ? 0 : exit_code(Error::Kind::disk);
      }
      context.tell({Error::Kind::usage,
                    "there is no command '" + printable(name, 60) + "'",
                    "there are: " + choices,
                    {}});
      return k_usage;
    }
  }
  const Command* command = command_called(name);
  if (command == nullptr) return unknown_command(context, name);
  if (command->run != nullptr) {
    read_options_before(first, argv, context.options);
    const std::vector<std::string_view> words(argv + first + 1, argv + argc);
    return command->run(words, context);
  }
  return run_command(*command, first, argc, argv, context);
}

}  // namespace

void add_global_options(CLI::App& app, GlobalOptions& options) {
  const std::string group = "Options of every command";
  app.add_option("--config", options.config, "The configuration file")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--spool", options.spool,
                 "The spool, instead of the configured")
      ->type_name("DIR")
      ->group(group);
  app.add_flag("--quiet,-q", options.quiet,
               "Say only what a person should act on")
      ->group(group);
  app.add_flag("--verbose,-v", options.verbose, "Say more")->group(group);
  app.add_flag("--json", options.json, "Answer in JSON")->group(group);
  app.add_flag("--no-color", options.no_color, "No colour")->group(group);
}

Action fill_parser(const Command& command, CLI::App& app, Context& context) {
  app.set_help_flag("--help,-h", "Print this and exit");
  app.get_formatter()->column_width(26);
  add_global_options(app, context.options);
  return command.add(app, context);
}

const std::vector<Command>& commands() {
  static const std::vector<Command> table = {
      {"enqueue",
       "accept messages from files, stdin or flags; prints an id for each",
       "Mail", add_enqueue},
      {"send", "deliver one message now", "Mail", add_send},
      {"sendmail", "take finished mail as the system's sendmail does", "Mail",
       nullptr, run_sendmail_command},
      {"run", "deliver everything that is due, then exit (for cron)", "Mail",
       add_run},
      {"queue", "what is waiting, and why", "Queue", add_queue},
      {"show", "one message and every event of its life", "Queue", add_show},
      {"explain", "a message's story in plain sentences", "Queue", add_explain},
      {"wait", "until it is known what became of messages", "Queue", add_wait},
      {"retry", "bring failed, held or deferred messages back", "Queue",
       add_retry},
      {"cancel", "end messages that are still waiting", "Queue", add_cancel},
      {"hold", "keep messages until they are released", "Queue", add_hold},
      {"release", "let held messages go", "Queue", add_release},
      {"report", "how many, how long, why not", "Answers", add_report},
      {"events", "the event log", "Answers", add_events},
      {"top", "what happens, live", "Answers", add_top},
      {"check", "is all well? one line and an exit code for monitoring",
       "Answers", add_check, nullptr, tell_check_error},
      {"feedback", "take what a provider's webhook tells of its messages",
       "Answers", add_feedback},
      {"template list",
       "the templates, their languages, and which of these lag behind",
       "Templates", add_template_list},
      {"template show", "one template: its settings, names, subject and bodies",
       "Templates", add_template_show},
      {"template add", "a new template, from flags, a folder or JSON",
       "Templates", add_template_add},
      {"template edit",
       "an editor on a copy, which is checked before it counts", "Templates",
       add_template_edit},
      {"template remove", "take a template or one of its languages away",
       "Templates", add_template_remove},
      {"template translate", "a further language for a template", "Templates",
       add_template_translate},
      {"template export", "templates as JSON, in PonyExpress's shape",
       "Templates", add_template_export},
      {"template import", "templates from such JSON", "Templates",
       add_template_import},
      {"template preview", "what a reader gets, in any language", "Templates",
       add_template_preview},
      {"template check", "everything that is wrong with templates, at once",
       "Templates", add_template_check},
      {"init", "write a starter configuration, spool and templates", "Set up",
       add_init},
      {"config check", "every problem of the configuration at once", "Set up",
       add_config_check},
      {"config show", "the configuration with its defaults filled in", "Set up",
       add_config_show},
      {"schema", "JSON Schema of messages, events, configuration", "Set up",
       add_schema},
      {"completion", "a script for bash, zsh or fish", "Set up",
       add_completion},
      {"complete", "what may come next on a command line", "", nullptr,
       run_complete},
      {"provider list", "the providers and their health", "Upkeep",
       add_provider_list},
      {"provider check", "could mail be sent? asks each, sends nothing",
       "Upkeep", add_provider_check},
      {"provider pause", "start no attempt by a provider for some time",
       "Upkeep", add_provider_pause},
      {"provider resume", "let a provider be tried again at once", "Upkeep",
       add_provider_resume},
      {"pool list", "the pools, whose mail they take, who is asked first",
       "Upkeep", add_pool_list},
      {"pool show", "one pool and the health of its providers", "Upkeep",
       add_pool_show},
      {"suppress list", "the addresses that get no mail, and why", "Upkeep",
       add_suppress_list},
      {"suppress add", "no more mail to an address", "Upkeep",
       add_suppress_add},
      {"suppress remove", "mail to an address again", "Upkeep",
       add_suppress_remove},
      {"suppress import", "a provider's list of such addresses", "Upkeep",
       add_suppress_import},
      {"forget", "remove a person from the spool, with a receipt", "Upkeep",
       add_forget},
      {"fsck", "find and mend what an unclean stop left", "Upkeep", add_fsck},
      {"purge", "remove what is old enough", "Upkeep", add_purge},
  };
  return table;
}

int exit_code(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::usage:
      return k_usage;
    case Error::Kind::bad_data:
      return 65;
    case Error::Kind::not_found:
      return 66;
    case Error::Kind::refused:
      return 69;
    case Error::Kind::cannot_create:
      return 73;
    case Error::Kind::disk:
      return 74;
    case Error::Kind::temporary:
    case Error::Kind::busy:
      return 75;
    case Error::Kind::no_permission:
      return 77;
    case Error::Kind::config:
      return 78;
  }
  return k_software;
}

int cli_main(int argc, const char* const* argv, Io& io) {
  harden_process();
  const SystemClock clock;
  Context context(io, clock);
  try {
    return dispatch(argc, argv, context);
  } catch (const std::bad_alloc&) {
    context.warn("out of memory: nothing that was not answered is done");
    return exit_code(Error::Kind::temporary);
  } catch (const std::exception& error) {
    context.warn(std::string("this is a bug in pony: ") + error.what());
    return k_software;
  }
}

}  // namespace pony
