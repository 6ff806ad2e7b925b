// pony cancel: ends messages that are still waiting.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/commands.h"
#include "cmd/move_messages.h"

namespace pony {

Action add_cancel(CLI::App& app, Context& context) {
  auto options = std::make_shared<MoveOptions>();
  add_move_options(app, *options);
  app.footer(
      std::string("Messages that wait (new, deferred, held) go to failed/ "
                  "with a cancelled event;\nretry brings them back. What is "
                  "being delivered cannot be cancelled.\n\n"
                  "Examples\n"
                  "  pony cancel 01JD8Q7Z4V6M3N5P7R9T1W3Y5A\n"
                  "  pony cancel --tag newsletter --dry-run"
                  "\n\n") +
      k_move_exit_codes);
  return [options, &context] {
    return move_messages(*options, Move::cancel, context);
  };
}

}  // namespace pony
