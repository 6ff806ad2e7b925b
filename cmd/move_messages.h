// What retry, cancel, hold and release have in common: which messages, what
// is said of each, and the exit code of many.
#pragma once

#include <string>
#include <vector>

#include "cmd/context.h"
#include "cmd/selector.h"
#include "core/result.h"
#include "spool/relocate.h"

namespace CLI {
class App;
}

namespace pony {

struct MoveOptions {
  std::vector<std::string> ids;  // "-": and those on standard input
  Selector selector;             // instead of ids
  bool dry_run = false;
  bool yes = false;  // ask nothing
};

// Adds ID…, the selectors, --dry-run and --yes; `options` must outlive the
// parser.
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
//
// With selectors instead of ids, what is listed is moved in groups while the
// listing goes on, in bounded memory; none is moved twice. Then a line is for
// who was refused (with --verbose or --dry-run: for all), and the last one
// counts. `retry` leaves out what a person cancelled and what is no valid
// message: these come back by their ids. A `retry` of one id takes the
// selector --to for its new recipients.
Result<int> move_messages(const MoveOptions& options, Move move,
                          Context& context);

}  // namespace pony
