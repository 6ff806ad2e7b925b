// pony wait: returns when it is known what became of messages.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include "cmd/commands.h"
#include "cmd/message_ids.h"
#include "cmd/wait_for.h"
#include "core/json.h"
#include "spool/message_id.h"

namespace pony {
namespace {

constexpr int k_failed = 69;
constexpr int k_not_yet = 75;
// Of more nobody reads a line each.
constexpr std::size_t k_few = 10;

struct WaitOptions {
  std::vector<std::string> ids;
  std::string timeout;
};

std::string wait_json(const EndOfWait& end) {
  std::string line;
  JsonWriter json(line);
  json.field("id", end.id);
  json.field("state", to_text(end.state));
  json.field("event", end.event);
  if (end.provider.empty()) {
    json.null("provider");
  } else {
    json.field("provider", end.provider);
  }
  if (end.reason.empty()) {
    json.null("reason");
  } else {
    json.field("reason", end.reason);
  }
  json.end();
  return line + "\n";
}

// Where a message is whose outcome is not known yet.
State state_of(Spool& spool, const std::string& id) {
  auto found = spool.folders().find(id, message_file_name(id));
  return found ? found->state : State::claimed;
}

// What is said of each message, and the exit code of all.
class Answers {
 public:
  explicit Answers(Context& context) : context_(context) {}

  void ended(const EndOfWait& end) {
    if (end.state == State::failed) has_failed_ = true;
    if (context_.options.json) {
      put(wait_json(end));
    } else if (!context_.options.quiet) {
      put(end.id + ": " + outcome_words(end) + "\n");
    }
  }
  void unknown(const std::string& id) {
    is_unknown_ = true;
    if (!is_message_id(id)) {
      context_.tell({Error::Kind::not_found,
                     "'" + printable(id, 60) + "' is no message id",
                     "an id is 26 letters and digits; see: pony queue",
                     {}});
      return;
    }
    context_.tell({Error::Kind::not_found,
                   "there is no message '" + printable(id, 60) + "'",
                   "see: pony queue --state all",
                   {}});
  }
  void not_yet(const std::string& id, State state) {
    is_late_ = true;
    if (context_.options.json) {
      std::string line;
      JsonWriter json(line);
      json.field("id", id).field("state", to_text(state));
      json.null("event").null("provider").null("reason").end();
      put(line + "\n");
    } else if (!context_.options.quiet) {
      put(id + ": not yet known, it is in " + std::string(to_text(state)) +
          "/\n");
    }
  }
  int code() const {
    if (is_unknown_) return exit_code(Error::Kind::not_found);
    if (has_failed_) return k_failed;
    return is_late_ ? k_not_yet : 0;
  }

 private:
  // At once: somebody waits for it.
  void put(const std::string& line) {
    context_.io().out(line);
    (void)context_.io().flush();
  }

  Context& context_;
  bool has_failed_ = false;
  bool is_unknown_ = false;
  bool is_late_ = false;
};

// Whoever waits for what waits for a person should know.
void tell_of_held(const OutcomeWait& waiting, Spool& spool, Context& context) {
  if (waiting.pending().size() > k_few) return;
  for (const auto& id : waiting.pending())
    if (state_of(spool, id) == State::held)
      context.say(id + " is held until a person releases it; see: pony " +
                  "explain " + id);
}

Result<int> run_wait(const WaitOptions& options, Context& context) {
  const auto begun = std::chrono::steady_clock::now();
  std::optional<Milliseconds> limit;
  if (!options.timeout.empty()) {
    auto duration = parse_duration(options.timeout);
    if (!duration)
      return fail(Error::Kind::usage, "--timeout: " + duration.error().what,
                  duration.error().hint);
    limit = *duration;
  }
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  Answers answers(context);
  OutcomeWait waiting(**spool,
                      [&](const EndOfWait& end) { answers.ended(end); });
  auto added = for_each_id(options.ids, context,
                           [&](std::span<const std::string> ids) -> Result<> {
                             auto unknown = waiting.add(ids);
                             if (!unknown)
                               return tl::unexpected(unknown.error());
                             for (const auto& id : *unknown)
                               answers.unknown(id);
                             return {};
                           });
  if (!added) return tl::unexpected(added.error());
  // The time that standard input took counts.
  if (limit) {
    const auto taken = std::chrono::duration_cast<Milliseconds>(
        std::chrono::steady_clock::now() - begun);
    limit = std::max(*limit - taken, Milliseconds(0));
  }
  tell_of_held(waiting, **spool, context);
  auto done = waiting.wait(limit);
  if (!done) return tl::unexpected(done.error());
  for (const auto& id : waiting.pending())
    answers.not_yet(id, state_of(**spool, id));
  return answers.code();
}

}  // namespace

Action add_wait(CLI::App& app, Context& context) {
  auto options = std::make_shared<WaitOptions>();
  app.add_option("ID", options->ids,
                 "Ids of messages; -: those on standard input, one a line")
      ->required()
      ->type_name("");
  app.add_option("--timeout", options->timeout,
                 "At most this long (30s, 5m); without it: for ever")
      ->type_name("TIME");
  app.footer(
      "A line on standard output for each message as soon as it is known; "
      "with --json an\nobject. What is held waits for a person: give a "
      "--timeout where that may be.\n\n"
      "Examples\n"
      "  pony wait --timeout 30s 01JD8Q7Z4V6M3N5P7R9T1W3Y5A\n"
      "  pony enqueue messages.jsonl | pony wait -\n\n"
      "Exit codes\n"
      "  0 all were sent · 64 usage · 66 no such message · 69 one has failed · "
      "75 not yet\n  known · 74 the spool cannot be read · 77 no permission · "
      "78 configuration\n  Of several 66 comes first, then 69.");
  return [options, &context] { return run_wait(*options, context); };
}

}  // namespace pony
