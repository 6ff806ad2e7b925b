// pony release: lets held messages go.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/commands.h"
#include "cmd/move_messages.h"

namespace pony {

Action add_release(CLI::App& app, Context& context) {
  auto options = std::make_shared<MoveOptions>();
  add_move_options(app, *options);
  app.footer(
      std::string("Messages in held/ go back to new/, or wait for a send_at "
                  "to come.\n\n"
                  "Examples\n"
                  "  pony release 01JD8Q7Z4V6M3N5P7R9T1W3Y5A\n"
                  "  pony release --state held"
                  "\n\n") +
      k_move_exit_codes);
  return [options, &context] {
    return move_messages(*options, Move::release, context);
  };
}

}  // namespace pony
