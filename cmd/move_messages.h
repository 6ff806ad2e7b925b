// What retry, cancel, hold and release have in common: which messages, what
// is said of each, and the exit code of many.
#pragma once

#include <string>
#include <vector>

#include "cmd/context.h"
#include "core/result.h"
#include "spool/relocate.h"

namespace CLI {
class App;
}

namespace pony {

struct MoveOptions {
  std::vector<std::string> ids;  // "-": and those on standard input
  std::vector<std::string> new_recipients;
  bool dry_run = false;
};

// Adds ID… and --dry-run; `options` must outlive the parser.
void add_move_options(CLI::App& app, MoveOptions& options);

// The exit codes, for the help of each of the four.
inline constexpr const char* k_move_exit_codes =
    "Exit codes\n"
    "  0 done, or there was nothing to do · 65 its file is no message · 66 no "
    "such message\n"
    "  69 refused: its state does not allow it · 75 it is being delivered now\n"
    "  With many the worst of them: 66, 65, 69, 75.";

// Moves the messages and says what became of each: a line on stderr, or with
// --json an object on stdout. One that cannot be moved stops no other.
Result<int> move_messages(const MoveOptions& options, Move move,
                          Context& context);

}  // namespace pony
