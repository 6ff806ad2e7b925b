// pony suppress remove: mail to these addresses again.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "cmd/commands.h"
#include "cmd/suppress_options.h"
#include "core/address.h"
#include "core/json.h"

namespace pony {
namespace {

struct RemoveOptions {
  std::vector<std::string> addresses;
};

void tell(Context& context, const std::string& address, bool was_there) {
  if (context.options.json) {
    std::string line;
    JsonWriter(line)
        .field("address", comparable_email(address))
        .field("result", was_there ? "removed" : "unknown")
        .end();
    context.io().out(line + "\n");
  } else if (was_there) {
    context.say("'" + address + "' gets mail again");
  } else {
    context.warn("'" + address + "' is not suppressed");
  }
}

Result<int> run_suppress_remove(const RemoveOptions& options,
                                Context& context) {
  auto addresses = addresses_from(options.addresses);
  if (!addresses) return tl::unexpected(addresses.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  auto removed = Suppressions((*spool)->folders()).remove(*addresses);
  if (!removed) return tl::unexpected(removed.error());
  std::unordered_set<std::string> were_there;
  for (const auto& entry : *removed) were_there.insert(entry.address);
  int code = 0;
  for (const auto& address : *addresses) {
    const bool was_there = were_there.contains(comparable_email(address));
    tell(context, address, was_there);
    if (!was_there) code = exit_code(Error::Kind::not_found);
  }
  return code;
}

}  // namespace

Action add_suppress_remove(CLI::App& app, Context& context) {
  auto options = std::make_shared<RemoveOptions>();
  app.add_option("ADDRESS", options->addresses, "Who gets mail again")
      ->required()
      ->type_name("");
  app.footer(
      "Mail that was not sent meanwhile is not sent by this: pony retry ID.\n\n"
      "Example\n"
      "  pony suppress remove ann@example.com\n\n"
      "Exit codes\n"
      "  0 removed · 64 usage · 65 one is no address: none was removed · 66 "
      "one "
      "was not\n  suppressed, the others are removed · 74 the disk failed · 77 "
      "no permission ·\n  78 the configuration is wrong");
  return [options, &context] { return run_suppress_remove(*options, context); };
}

}  // namespace pony
