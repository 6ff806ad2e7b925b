#include "cmd/move_messages.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <utility>

#include "cmd/cli.h"
#include "cmd/message_ids.h"

namespace pony {
namespace {

// The worse of two exit codes: what can never be done is worse than what can
// be done later.
int worse(int a, int b) {
  constexpr std::array k_from_the_worst = {66, 65, 69, 75, 0};
  const auto rank = [&](int code) {
    return std::find(k_from_the_worst.begin(), k_from_the_worst.end(), code);
  };
  return rank(a) < rank(b) ? a : b;
}

void say_in_json(const Relocated& result, Context& context) {
  std::string line;
  JsonWriter json(line);
  json.field("id", result.id).boolean("result", !result.refused);
  if (result.state) {
    json.field("state", to_text(*result.state));
  } else {
    json.null("state");
  }
  if (result.refused) {
    json.field("error", result.refused->what);
  } else {
    json.field("status", result.said);
  }
  json.end();
  context.io().out(line + "\n");
}

// "01J…: held": the id first, as everything that is said about a message.
void say_in_words(const Relocated& result, Context& context) {
  if (!result.refused && context.options.quiet) return;
  std::string text = printable(result.id, 60) + ": " + result.said;
  if (result.refused) {
    for (const auto& problem : result.refused->problems)
      text += "\n  " + problem.place + (problem.place.empty() ? "" : ": ") +
              problem.what;
    if (!result.refused->hint.empty()) text += "\n  " + result.refused->hint;
  }
  context.io().err(text + "\n");
}

Result<std::vector<Address>> addresses(const std::vector<std::string>& words) {
  std::vector<Address> read;
  for (const auto& word : words) {
    auto address = parse_address(word);
    if (!address)
      return fail(Error::Kind::usage, "--to: " + address.error().what,
                  address.error().hint);
    read.push_back(std::move(*address));
  }
  return read;
}

}  // namespace

void add_move_options(CLI::App& app, MoveOptions& options) {
  app.add_option("ID", options.ids,
                 "Ids of messages; -: those on standard input, one a line")
      ->type_name("");
  app.add_flag("--dry-run,-n", options.dry_run,
               "Say what would be done, and do nothing");
}

Result<int> move_messages(const MoveOptions& options, Move move,
                          Context& context) {
  if (options.ids.empty())
    return fail(Error::Kind::usage, "which messages?",
                "give their ids, or - for ids on standard input");
  auto new_recipients = addresses(options.new_recipients);
  if (!new_recipients) return tl::unexpected(new_recipients.error());
  if (!new_recipients->empty() &&
      (options.ids.size() > 1 || options.ids.front() == "-"))
    return fail(Error::Kind::usage, "--to is for one message",
                "give its id, and no other");
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());

  Relocation relocation(
      **spool, move,
      options.dry_run ? Relocation::DryRun::yes : Relocation::DryRun::no);
  relocation.replace_recipients(std::move(*new_recipients));
  int code = 0;
  auto done = for_each_id(
      options.ids, context, [&](std::span<const std::string> ids) -> Result<> {
        auto results = relocation.move(ids);
        if (!results) return tl::unexpected(results.error());
        for (const auto& result : *results) {
          if (result.refused)
            code = worse(code, exit_code(result.refused->kind));
          if (context.options.json) {
            say_in_json(result, context);
          } else {
            say_in_words(result, context);
          }
        }
        return context.io().flush();
      });
  if (!done) return tl::unexpected(done.error());
  return code;
}

}  // namespace pony
