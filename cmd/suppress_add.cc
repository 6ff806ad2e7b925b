// pony suppress add: no more mail to these addresses.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cmd/commands.h"
#include "cmd/suppress_options.h"
#include "core/address.h"
#include "core/json.h"

namespace pony {
namespace {

struct AddOptions {
  std::vector<std::string> addresses;
  SuppressedFor reason = SuppressedFor::manual;
  std::string note;
};

// What is said of an address; `known` is its entry when it was there already.
void tell(Context& context, const std::string& address,
          const std::optional<Suppression>& known) {
  if (!context.options.json) {
    context.say(known ? "'" + address +
                            "' gets no mail already: " + to_text(*known)
                      : "'" + address + "' gets no mail any more");
    return;
  }
  std::string line;
  JsonWriter(line)
      .field("address", comparable_email(address))
      .field("result", known ? "known" : "added")
      .end();
  context.io().out(line + "\n");
}

Result<int> run_suppress_add(const AddOptions& options, Context& context) {
  auto addresses = addresses_from(options.addresses);
  if (!addresses) return tl::unexpected(addresses.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  Suppressions list((*spool)->folders());
  if (auto ok = list.refresh(); !ok) return tl::unexpected(ok.error());
  std::vector<Suppression> entries;
  std::vector<std::optional<Suppression>> known;
  for (const auto& address : *addresses) {
    auto entry = list.find(address);
    if (!entry) return tl::unexpected(entry.error());
    known.push_back(std::move(*entry));
    entries.push_back(
        {address, options.reason, context.clock().now(), {}, {}, options.note});
  }
  if (auto added = list.add(entries); !added)
    return tl::unexpected(added.error());
  for (std::size_t i = 0; i < addresses->size(); ++i)
    tell(context, (*addresses)[i], known[i]);
  return 0;
}

}  // namespace

Action add_suppress_add(CLI::App& app, Context& context) {
  auto options = std::make_shared<AddOptions>();
  app.add_option("ADDRESS", options->addresses, "Whom no mail is sent to")
      ->required()
      ->type_name("");
  add_suppression_reason(
      app, options->reason,
      "bounced, complained, unsubscribed or manual (default)");
  app.add_option("--note", options->note, "Words for whoever reads the list")
      ->type_name("TEXT");
  app.footer(
      "From the next turn of a run on; what is under way is delivered. Of a "
      "message with\nother recipients these get it; one without any other "
      "fails, and says why.\nUpper and lower case do not matter. An address "
      "that is there keeps its entry.\n\n"
      "Examples\n"
      "  pony suppress add ann@example.com --note 'rang us up'\n"
      "  pony suppress add --reason unsubscribed bob@example.com\n\n"
      "Exit codes\n"
      "  0 they are suppressed · 64 usage · 65 one is no address: none was "
      "added · 74 the\n  disk failed · 77 no permission · 78 the configuration "
      "is wrong");
  return [options, &context] { return run_suppress_add(*options, context); };
}

}  // namespace pony
