// pony retry: brings failed, held and deferred messages back.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/commands.h"
#include "cmd/move_messages.h"

namespace pony {

Action add_retry(CLI::App& app, Context& context) {
  auto options = std::make_shared<MoveOptions>();
  add_move_options(app, *options);
  // One option, two meanings: with an id the recipients that it is to have.
  app.get_option("--to")->description(
      "With one ID: replace its recipients that were rejected (if none was: "
      "all that nobody has accepted) by this one; may be repeated. Without: "
      "those that have this recipient");
  app.footer(std::string(
                 "What failed or is held goes back to new/, or waits for a "
                 "send_at to come; what is\ndeferred becomes due now. What was "
                 "sent is never sent again. A dropped file that was\nno valid "
                 "message is tried again as it is, under a new id.\n\n"
                 "Examples\n"
                 "  pony retry 01JD8Q7Z4V6M3N5P7R9T1W3Y5A\n"
                 "  pony retry 01JD8Q7Z4V6M3N5P7R9T1W3Y5A --to "
                 "ann@example.com\n"
                 "  pony retry --state failed --tag signup --older 1h --dry-run"
                 "\n\n") +
             k_move_exit_codes);
  return [options, &context] {
    return move_messages(*options, Move::retry, context);
  };
}

}  // namespace pony
