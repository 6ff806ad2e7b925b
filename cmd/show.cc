// pony show: one message and every event of its life; --eml the mail itself.
#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "cmd/commands.h"
#include "cmd/listing.h"
#include "cmd/show_format.h"
#include "cmd/subject.h"
#include "core/json.h"
#include "core/mime/builder.h"

namespace pony {
namespace {

struct ShowOptions {
  std::vector<std::string> ids;
  bool eml = false;
};

bool needs_utf8(const RenderedMessage& mail) {
  if (!is_ascii(local_part(mail.from.email))) return true;
  for (const auto* list : {&mail.to, &mail.cc, &mail.bcc})
    for (const auto& address : *list)
      if (!is_ascii(local_part(address.email))) return true;
  return mail.reply_to && !is_ascii(local_part(mail.reply_to->email));
}

Result<> show_eml(const std::string& id, Context& context) {
  auto listed = find_listed(context, id);
  if (!listed) return tl::unexpected(listed.error());
  if (!listed->file)
    return fail(Error::Kind::bad_data,
                "'" + id + "' cannot be shown as mail: " + listed->problem);
  auto mail = rendered(*listed->file, context);
  if (!mail) return wrap(mail.error(), "cannot make the mail of '" + id + "'");
  auto bytes = compose_mime(*mail, {needs_utf8(*mail)});
  if (!bytes)
    return wrap(bytes.error(), "cannot make the mail of '" + id + "'");
  context.io().out(*bytes);
  return {};
}

Result<> show_one(const std::string& id, Context& context) {
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  auto listed = find_listed(context, id);
  if (!listed) return tl::unexpected(listed.error());
  Shown shown;
  if (listed->file) {
    shown.events = std::move(listed->file->events);
    shown.subject = subject_of(*listed->file, context);
  } else if (auto burial = burial_of(**spool, *listed)) {
    shown.events.push_back(std::move(*burial));
  }
  shown.listed = std::move(*listed);
  const GlobalOptions& global = context.options;
  context.io().out(
      global.json
          ? show_json(shown, global.verbose ? Contents::whole : Contents::sizes)
          : show_text(shown, context.clock().now()));
  return {};
}

Result<int> run_show(const ShowOptions& options, Context& context) {
  if (options.eml && options.ids.size() > 1)
    return fail(Error::Kind::usage, "--eml shows one message at a time");
  // The others are shown when one is not there; the code says that one was.
  int code = 0;
  bool first = true;
  for (const auto& id : options.ids) {
    if (!first && !context.options.json) context.io().out("\n");
    first = false;
    auto shown = options.eml ? show_eml(id, context) : show_one(id, context);
    if (shown) continue;
    if (options.ids.size() == 1 || shown.error().kind != Error::Kind::not_found)
      return tl::unexpected(shown.error());
    context.tell(shown.error());
    code = exit_code(Error::Kind::not_found);
  }
  return code;
}

}  // namespace

Action add_show(CLI::App& app, Context& context) {
  auto options = std::make_shared<ShowOptions>();
  app.add_option("ID", options->ids, "The message; several are shown in turn")
      ->required();
  app.add_flag("--eml", options->eml,
               "The mail as it would be (or was) sent, made from today's "
               "templates");
  app.footer(
      "--json gives one document a message, attachments as their sizes; with "
      "--verbose\nthey are there as base64.\n\n"
      "Examples:\n"
      "  pony show 01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC\n"
      "  pony queue --state failed --ids | xargs pony show\n"
      "  pony show --eml 01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC > mail.eml\n\n"
      "Exit codes: 0 shown, 64 usage, 65 no valid message (--eml), 66 no such "
      "message.");
  return [options, &context] { return run_show(*options, context); };
}

}  // namespace pony
