// The command line: the table of commands, the options that all have, and the
// one place where an Error becomes words and an exit code (sysexits.h).
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "cmd/context.h"
#include "core/result.h"

namespace CLI {
class App;
}

namespace pony {

// What a command does once its arguments are read: the exit code, or why not.
using Action = std::function<Result<int>()>;

struct Command {
  std::string_view name;  // "enqueue", or "config check"
  std::string_view summary;
  std::string_view group;  // empty: it is not told of
  // Adds the command's options to its parser and answers with what it does.
  Action (*add)(CLI::App& app, Context& context);
  // Instead: one that reads its words itself, as they are not written in
  // pony's way.
  int (*run)(std::span<const std::string_view> words,
             Context& context) = nullptr;
  // Tells an error of the command, or of its options, in its own way and
  // answers with its own exit code: a monitoring plug-in's.
  int (*tell)(const Error& error, Context& context) = nullptr;
};

// All commands, in the order of the help.
const std::vector<Command>& commands();

// Adds what every command has, and what this one has, to its parser; answers
// with what it does.
Action fill_parser(const Command& command, CLI::App& app, Context& context);
void add_global_options(CLI::App& app, GlobalOptions& options);

// sysexits.h: 0, 64, 65, 66, 69, 70, 73, 74, 75, 77, 78.
int exit_code(Error::Kind kind);

// Runs the command that `argv` names and returns the process's exit code.
// Never throws.
int cli_main(int argc, const char* const* argv, Io& io);

}  // namespace pony
