#include "cmd/complete.h"

#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <utility>

#include "cmd/cli.h"
#include "cmd/complete_values.h"
#include "cmd/queue_fields.h"
#include "core/fs.h"
#include "core/json.h"

namespace pony {
namespace {

constexpr std::size_t k_meaning_limit = 70;

// What kind of value an option or a positional takes, by its own name, else by
// what the help calls its values. A value that lists its words in the help
// ("table|json|csv") needs no entry; nor does one that nobody can guess.
struct ValueKind {
  std::string_view called;
  std::string_view kind;
};
constexpr std::array<ValueKind, 26> k_kinds = {{
    {"--state", "state"},
    {"--priority", "high|normal|bulk"},
    {"--template", "template"},
    {"--tag", "tag"},
    {"--provider", "provider"},
    {"--pool", "pool"},
    {"--as", "provider"},
    {"--id", "id"},
    {"--fields", "field"},
    {"--event", "event"},
    {"--by", "by"},
    {"--config", "file"},
    {"--spool", "folder"},
    {"--attach", "file"},
    {"PROVIDER", "provider"},
    {"POOL", "pool"},
    {"TEMPLATE", "template"},
    {"FILE", "file"},
    {"DIR", "folder"},
    {"STATE", "state"},
    {"TAG", "tag"},
    {"ID", "id"},
    {"NAME", "provider"},
    {"name", "provider"},
    {"FROM", "file"},
    {"EVENT", "event"},
}};

constexpr std::string_view k_states = "new|deferred|held|cur|sent|failed|all";
constexpr std::string_view k_rows =
    "tag|template|provider|pool|lang|domain|reason|day|hour|event";

// In which states a command has something to do with a message.
std::vector<State> states_for(std::string_view command) {
  if (command == "retry") return {State::failed, State::deferred, State::held};
  if (command == "cancel") return {State::fresh, State::deferred, State::held};
  if (command == "hold") return {State::fresh, State::deferred};
  if (command == "release") return {State::held};
  if (command == "wait")
    return {State::fresh, State::deferred, State::held, State::claimed};
  return {State::fresh,   State::deferred, State::held,
          State::claimed, State::sent,     State::failed};
}

std::string_view kind_called(std::string_view name) {
  for (const auto& one : k_kinds)
    if (one.called == name) return one.kind;
  return name.find('|') == std::string_view::npos ? std::string_view() : name;
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

// A command line, taken apart as far as it was typed.
class CommandLine {
 public:
  CommandLine(std::span<const std::string_view> words, Context& context)
      : context_(context) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      // bash takes "--state=new" for three words.
      if (words[i] == "=" && i > 0 && words[i - 1].starts_with("--")) continue;
      before_.push_back(words[i]);
    }
    if (!words.empty()) current_ = words.back();
    const bool is_sign =
        current_ == "=" && !before_.empty() && before_.back().starts_with("--");
    if (is_sign) current_ = {};
  }

  Candidates complete() {
    const std::size_t at = find_command();
    if (at == before_.size()) return of_top();
    std::string name(before_[at]);
    std::size_t behind = at + 1;
    if (has_sub_commands(name)) {
      if (behind == before_.size()) return sub_commands(name);
      name.append(" ").append(before_[behind++]);
    }
    if (name == "requeue") name = "retry";
    for (const auto& command : commands())
      if (command.name == name && command.add != nullptr)
        return of_command(command, behind);
    return {};
  }

 private:
  // Where the command's name is, taking in --config and --spool on the way.
  std::size_t find_command() {
    std::size_t found = before_.size();
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (take_in("--config", context_.options.config, i) ||
          take_in("--spool", context_.options.spool, i))
        continue;
      if (found == before_.size() && !before_[i].starts_with("-")) found = i;
    }
    return found;
  }

  // "--spool DIR" or "--spool=DIR" at `at`, which is moved to its last word.
  bool take_in(std::string_view name, std::string& value, std::size_t& at) {
    std::string_view word = before_[at];
    if (word == name && at + 1 < before_.size()) {
      value = before_[++at];
      return true;
    }
    if (!word.starts_with(name)) return false;
    word.remove_prefix(name.size());
    if (!word.starts_with("=")) return false;
    value = word.substr(1);
    return true;
  }

  bool has_sub_commands(std::string_view name) const {
    const std::string prefix = std::string(name) + " ";
    return std::any_of(
        commands().begin(), commands().end(),
        [&](const Command& one) { return one.name.starts_with(prefix); });
  }

  void add(Candidates& to, std::string_view word, std::string_view meaning) {
    if (!word.starts_with(current_)) return;
    // From a log that somebody had a hand in: shells print what they are given.
    if (std::any_of(word.begin(), word.end(),
                    [](unsigned char c) { return c < ' ' || c == 0x7F; }))
      return;
    to.words.push_back(
        {std::string(word),
         printable(first_line(meaning).substr(0, 300), k_meaning_limit)});
  }

  Candidates sub_commands(std::string_view name) {
    Candidates found;
    const std::string prefix = std::string(name) + " ";
    for (const auto& command : commands())
      if (command.name.starts_with(prefix))
        add(found, command.name.substr(prefix.size()), command.summary);
    return found;
  }

  // The first word: a command, or an option before it.
  Candidates of_top() {
    CLI::App app;
    add_global_options(app, context_.options);
    if (auto values = value_of_option(app, {})) return *values;
    Candidates found;
    if (current_.starts_with("-")) {
      add_options(found, app);
      add(found, "--version", "Print the version and exit");
      return found;
    }
    std::string_view last;
    for (const auto& command : commands()) {
      const auto word = command.name.substr(0, command.name.find(' '));
      if (command.group.empty() || word == last) continue;
      last = word;
      add(found, word,
          word == command.name ? command.summary
                               : std::string_view("has commands of its own"));
    }
    return found;
  }

  Candidates of_command(const Command& command, std::size_t behind) {
    CLI::App app;
    const Action action = fill_parser(command, app, context_);
    if (auto values = value_of_option(app, command.name)) return *values;
    Candidates found;
    if (current_.starts_with("-")) {
      add_options(found, app);
      return found;
    }
    return of_positional(command, app, behind);
  }

  void add_options(Candidates& found, const CLI::App& app) {
    for (const auto* option : app.get_options()) {
      if (option->get_group().empty()) continue;
      for (const auto& name : option->get_lnames())
        add(found, "--" + name, option->get_description());
      if (!option->get_lnames().empty()) continue;
      for (const auto& name : option->get_snames())
        add(found, "-" + name, option->get_description());
    }
  }

  static bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
  }

  static const CLI::Option* option_called(const CLI::App& app,
                                          std::string_view word) {
    if (!word.starts_with("-") || word == "-") return nullptr;
    for (const auto* option : app.get_options())
      if (option->nonpositional() && option->check_name(std::string(word)))
        return option;
    return nullptr;
  }

  // The values of the option before the current word, or in it ("--state=n").
  std::optional<Candidates> value_of_option(const CLI::App& app,
                                            std::string_view command) {
    const auto equals = current_.find('=');
    if (current_.starts_with("--") && equals != std::string_view::npos) {
      const std::string head(current_.substr(0, equals + 1));
      const auto* option = option_called(app, current_.substr(0, equals));
      if (option == nullptr || !takes_value(*option)) return Candidates();
      current_.remove_prefix(equals + 1);
      Candidates found = values(*option, command);
      for (auto& one : found.words) one.word.insert(0, head);
      return found;
    }
    if (before_.empty()) return std::nullopt;
    const auto* option = option_called(app, before_.back());
    if (option == nullptr || !takes_value(*option)) return std::nullopt;
    return values(*option, command);
  }

  Candidates values(const CLI::Option& option, std::string_view command) {
    for (const auto& name : option.get_lnames())
      if (const auto kind = kind_called("--" + name); !kind.empty())
        return values_of(kind, command);
    return values_of(kind_of_type(option), command);
  }

  // "table|json|csv:{table,json,csv}": behind the colon CLI11 says what else
  // it checks.
  static std::string kind_of_type(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    return std::string(
        kind_called(std::string_view(type).substr(0, type.find(':'))));
  }

  // How many words there are already that are no options and no values.
  std::size_t words_given(const CLI::App& app, std::size_t behind) const {
    std::size_t given = 0;
    for (std::size_t i = behind; i < before_.size(); ++i) {
      if (const auto* option = option_called(app, before_[i])) {
        if (takes_value(*option)) ++i;
      } else if (!before_[i].starts_with("-") || before_[i] == "-") {
        ++given;
      }
    }
    return given;
  }

  // Where the next word goes: the last positional takes what is left, if it
  // takes many.
  static const CLI::Option* positional_at(const CLI::App& app,
                                          std::size_t index) {
    const CLI::Option* last = nullptr;
    std::size_t at = 0;
    for (const auto* option : app.get_options()) {
      if (!option->get_positional()) continue;
      last = option;
      if (at++ == index) return option;
    }
    return last != nullptr && last->get_items_expected_max() > 1 ? last
                                                                 : nullptr;
  }

  // An ID is a message's, and a NAME a provider's, but for some commands.
  static std::string_view kind_for(std::string_view command,
                                   std::string_view kind) {
    if (kind == "id" && command.starts_with("template "))
      return command == "template add" ? "" : "template";
    if (kind != "provider" || command.starts_with("provider ") ||
        command == "feedback")
      return kind;
    return command.starts_with("pool ") ? "pool" : "";
  }

  Candidates of_positional(const Command& command, const CLI::App& app,
                           std::size_t behind) {
    const auto* option = positional_at(app, words_given(app, behind));
    if (option == nullptr) return {};
    std::string kind = kind_of_type(*option);
    if (kind.empty()) kind = kind_called(option->get_name(true));
    return values_of(kind_for(command.name, kind), command.name);
  }

  Candidates values_of(std::string_view kind, std::string_view command) {
    Candidates found;
    if (kind == "file") found.names = Candidates::Names::files;
    if (kind == "folder") found.names = Candidates::Names::folders;
    if (kind == "id")
      return one_of(ids_that_exist(context_, states_for(command), current_));
    if (kind == "template") return one_of(templates_that_exist(context_));
    if (kind == "provider") return one_of(providers_that_exist(context_));
    if (kind == "pool") return one_of(pools_that_exist(context_));
    if (kind == "tag") return one_of(tags_of_late(context_));
    if (kind == "state") return some_of(k_states);
    if (kind == "event") {
      for (const auto one : event_kinds()) add(found, std::string(one), {});
      return found;
    }
    if (kind == "by") return some_of(k_rows);
    if (kind == "field") {
      const auto head = list_head();
      for (const auto& field : queue_fields())
        add(found, head + std::string(field.name), field.meaning);
    }
    if (kind.find('|') != std::string_view::npos) return some_of(kind);
    return found;
  }

  Candidates one_of(const std::vector<Candidate>& all) {
    Candidates found;
    for (const auto& one : all) add(found, one.word, one.meaning);
    return found;
  }

  // Of "new,fa" the part that stands: "new,".
  std::string list_head() const {
    const auto comma = current_.rfind(',');
    return comma == std::string_view::npos
               ? std::string()
               : std::string(current_.substr(0, comma + 1));
  }

  Candidates some_of(std::string_view choices) {
    Candidates found;
    const std::string head = list_head();
    while (!choices.empty()) {
      const auto bar = std::min(choices.find('|'), choices.size());
      add(found, head + std::string(choices.substr(0, bar)), {});
      choices.remove_prefix(std::min(bar + 1, choices.size()));
    }
    return found;
  }

  Context& context_;
  std::vector<std::string_view> before_;
  std::string_view current_;
};

}  // namespace

Candidates candidates_for(std::span<const std::string_view> words,
                          Context& context) {
  return CommandLine(words, context).complete();
}

int run_complete(std::span<const std::string_view> words, Context& context) {
  if (!words.empty() && words.front() == "--") words = words.subspan(1);
  // Whatever is wrong is not to be said while somebody types.
  const Fd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  Io silent(context.io().in(), context.io().out_descriptor(), nowhere.get());
  Context quiet(silent, context.clock());
  quiet.options = context.options;
  const Candidates found = candidates_for(words, quiet);
  for (const auto& one : found.words)
    context.io().out(one.word +
                     (one.meaning.empty() ? "" : "\t" + one.meaning) + "\n");
  if (found.names == Candidates::Names::files) context.io().out(":files\n");
  if (found.names == Candidates::Names::folders) context.io().out(":dirs\n");
  (void)context.io().flush();
  return 0;
}

}  // namespace pony
