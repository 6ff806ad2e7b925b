// pony forget: removes a person from the spool, and prints a receipt.
#include "spool/forget.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/suppress_options.h"
#include "cmd/template_input.h"
#include "core/json.h"
#include "core/words.h"
#include "spool/message_id.h"

namespace pony {
namespace {

using DryRun = ForgetOptions::DryRun;
using Suppressed = ForgetOptions::Suppressed;

struct CommandOptions {
  std::vector<std::string> addresses;
  ForgetOptions forget;
  bool keep_suppressed = false;
  bool dry_run = false;
  bool yes = false;
};

// What is printed, and kept by whoever has to prove it.
struct Receipt {
  std::string id;
  Time at{};
  std::vector<std::string> addresses;
  ForgetOptions options;
  Forgotten done;
};

std::string number(std::size_t count) {
  return std::to_string(count);
}

// A line of the receipt, if there is something to say.
void add_line(std::string& text, std::string_view what, std::size_t count,
              const std::string& said) {
  if (count == 0) return;
  std::string head = "  " + std::string(what);
  head.resize(std::max<std::size_t>(head.size() + 1, 15), ' ');
  text += head + said + "\n";
}

void add_messages(std::string& text, std::string_view what,
                  const std::vector<std::string>& ids, std::string_view said) {
  add_line(text, what, ids.size(),
           counted(ids.size(), what == "not read" ? "file" : "message") +
               std::string(said));
  for (const auto& id : ids) text += "                 " + printable(id) + "\n";
}

std::string as_text(const Receipt& receipt) {
  const Forgotten& done = receipt.done;
  const bool dry = receipt.options.dry_run == DryRun::yes;
  std::string text = (dry ? "Would be forgotten: " : "Forgotten: ") +
                     joined(receipt.addresses) + "\n";
  const std::size_t heading = text.size();
  add_messages(text, "removed", done.removed, "");
  add_messages(text, "cancelled", done.cancelled,
               ", removed before it was sent");
  add_messages(text, "struck out", done.struck, " with other recipients");
  add_line(text, "files", done.files,
           counted(done.files, "file") + " in failed/ that are no messages");
  add_line(text, "event log", done.log_lines,
           counted(done.log_lines, "line") + " in " +
               counted(done.log_files, "file"));
  add_line(text, "keys", done.keys, counted(done.keys, "idempotency key"));
  add_line(text, "providers", done.providers,
           "the last error of " + number(done.providers));
  add_line(text, "suppressed", done.suppressions.size(),
           receipt.options.suppressed == Suppressed::keep_hashed
               ? "still, by a hash in place of the address"
               : "not any more");
  if (text.size() == heading) text += "  nothing was known\n";
  add_messages(text, "not done", done.busy,
               ": being delivered, or not taken in yet; forget again");
  add_messages(text, "not read", done.not_read,
               " of the event log: damaged; look at it yourself");
  add_messages(text, "left", done.mentioned,
               " to others that mention them, or are from them");
  if (!dry)
    text += "Receipt " + receipt.id + ", " + format_time(receipt.at) + "\n";
  return text;
}

std::string as_json(const Receipt& receipt) {
  const Forgotten& done = receipt.done;
  std::string text;
  JsonWriter line(text);
  const auto count = [&](std::string_view name, std::size_t value) {
    line.field(name, static_cast<std::int64_t>(value));
  };
  line.field("receipt", receipt.id);
  line.field("at", format_time(receipt.at));
  line.boolean("dry_run", receipt.options.dry_run == DryRun::yes);
  line.field("addresses", receipt.addresses);
  line.field("removed", done.removed);
  line.field("cancelled", done.cancelled);
  line.field("struck", done.struck);
  line.field("busy", done.busy);
  line.field("not_read", done.not_read);
  line.field("mentioned", done.mentioned);
  count("files", done.files);
  count("log_lines", done.log_lines);
  count("log_files", done.log_files);
  count("keys", done.keys);
  count("providers", done.providers);
  count("suppressions", done.suppressions.size());
  line.boolean("still_suppressed",
               !done.suppressions.empty() &&
                   receipt.options.suppressed == Suppressed::keep_hashed);
  line.end();
  return text + "\n";
}

// What the question says: what would go.
Result<std::string> question(Spool& spool, const CommandOptions& options,
                             const std::vector<std::string>& addresses) {
  ForgetOptions look = options.forget;
  look.dry_run = DryRun::yes;
  auto would = forget(spool, addresses, look);
  if (!would) return tl::unexpected(would.error());
  const std::size_t messages =
      would->removed.size() + would->cancelled.size() + would->struck.size();
  return "Forget " + joined(addresses) + " (" + counted(messages, "message") +
         ", " + counted(would->log_lines, "line") + " of the log)?";
}

Result<int> run_forget(const CommandOptions& given, Context& context) {
  CommandOptions options = given;
  if (options.dry_run) options.forget.dry_run = DryRun::yes;
  if (options.keep_suppressed)
    options.forget.suppressed = Suppressed::keep_hashed;
  auto addresses = addresses_from(options.addresses);
  if (!addresses) return tl::unexpected(addresses.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  if (!options.dry_run && !options.yes) {
    std::string text = "Forget " + joined(*addresses) + "?";
    if (context.io().in_is_terminal()) {
      auto asked = question(**spool, options, *addresses);
      if (!asked) return tl::unexpected(asked.error());
      text = std::move(*asked);
    }
    auto answer = ask(context, text, false);
    if (!answer) return tl::unexpected(answer.error());
    if (*answer == Answer::no) {
      context.say("nothing was removed");
      return 1;
    }
  }
  Receipt receipt;
  receipt.at = context.clock().now();
  receipt.id = new_message_id(receipt.at);
  receipt.addresses = *addresses;
  receipt.options = options.forget;
  auto done = forget(**spool, *addresses, options.forget);
  if (!done) return tl::unexpected(done.error());
  receipt.done = std::move(*done);
  context.io().out(context.options.json ? as_json(receipt) : as_text(receipt));
  if (!receipt.done.busy.empty()) return exit_code(Error::Kind::busy);
  return receipt.done.not_read.empty() ? 0 : 1;
}

}  // namespace

Action add_forget(CLI::App& app, Context& context) {
  auto options = std::make_shared<CommandOptions>();
  app.add_option("ADDRESS", options->addresses, "Who is to be forgotten")
      ->required()
      ->type_name("");
  app.add_flag("--keep-suppressed", options->keep_suppressed,
               "Who gets no mail still gets none: by a hash, not the address");
  app.add_flag("--yes,-y", options->yes, "Do not ask");
  app.add_flag("--dry-run,-n", options->dry_run,
               "Print what would be removed; change nothing");
  app.footer(
      "Messages to nobody else are removed, also those that still wait; in "
      "the others, in\nthe event log and wherever else it is found the "
      "address is struck out. The receipt\nis printed, not kept.\n\n"
      "Examples\n"
      "  pony forget ann@example.com --dry-run\n"
      "  pony forget ann@example.com --yes --json >>forgotten.jsonl\n\n"
      "Exit codes\n"
      "  0 forgotten · 1 the answer was no · 64 usage, or nobody to ask · 65 "
      "one is no\n  address · 74 the disk failed · 75 a message is being "
      "delivered: forget again ·\n  77 no permission · 78 the configuration "
      "is wrong");
  return [options, &context] { return run_forget(*options, context); };
}

}  // namespace pony
