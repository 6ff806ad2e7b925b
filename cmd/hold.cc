// pony hold: keeps waiting messages until they are released.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/commands.h"
#include "cmd/move_messages.h"

namespace pony {

Action add_hold(CLI::App& app, Context& context) {
  auto options = std::make_shared<MoveOptions>();
  add_move_options(app, *options);
  app.footer(
      std::string("Messages that wait (new, deferred) go to held/ and stay "
                  "there until they are\nreleased, retried or cancelled.\n\n"
                  "Examples\n"
                  "  pony hold 01JD8Q7Z4V6M3N5P7R9T1W3Y5A\n"
                  "  pony hold --tag newsletter"
                  "\n\n") +
      k_move_exit_codes);
  return [options, &context] {
    return move_messages(*options, Move::hold, context);
  };
}

}  // namespace pony
