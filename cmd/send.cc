// pony send: one message, delivered now, with the same durable steps as a
// run takes: accepted into a runner's folder of our own, journalled, filed.
#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "cmd/commands.h"
#include "cmd/delivery.h"
#include "cmd/event_sink.h"
#include "cmd/hooks.h"
#include "cmd/message_flags.h"
#include "cmd/message_input.h"
#include "cmd/watch.h"
#include "core/json_records.h"
#include "core/mime/builder.h"
#include "core/template/render_message.h"
#include "spool/message_id.h"
#include "spool/runner.h"

namespace pony {
namespace {

struct SendOptions {
  std::string file;
  MessageFlags flags;
  bool or_queue = false;
  bool dry_run = false;
  std::vector<std::string> as;
};

// The one record of the input.
Result<JsonRecords::Record> read_record(const std::string& file,
                                        Context& context) {
  const bool from_stdin = file.empty() || file == "-";
  Fd opened;
  if (!from_stdin) {
    opened = Fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) return fail_errno(errno, "cannot open '" + file + "'");
  } else if (context.io().in_is_terminal()) {
    context.say("reading a message from the terminal; end it with Ctrl-D");
  }
  auto text =
      read_all(from_stdin ? context.io().in() : opened.get(), k_message_limit,
               from_stdin ? "standard input" : std::string_view(file));
  if (!text) return tl::unexpected(text.error());
  JsonRecords records(k_message_limit);
  records.feed(*text);
  records.finish();
  auto record = records.next();
  if (!record)
    return fail(Error::Kind::bad_data, "the input holds no message",
                "pipe a JSON message to it, or see: pony send --help");
  if (records.next())
    return fail(Error::Kind::bad_data, "the input holds more than one message",
                "send takes one; for many: pony enqueue, then pony run");
  return std::move(*record);
}

// The exact mail, or the exact request of each provider that --as names.
Result<int> preview(const SendOptions& options, const Message& message,
                    Context& context) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto mail = render_now(message, **config, context.clock());
  if (!mail) return tl::unexpected(mail.error());
  if (options.as.empty()) {
    auto bytes = compose_mime(*mail, {true});
    if (!bytes) return tl::unexpected(bytes.error());
    context.io().out(*bytes);
    return 0;
  }
  for (const std::string& name : options.as) {
    std::vector<std::string> reduced;
    auto text = preview_as(name, *mail, **config, context.clock(), reduced);
    if (!text) return tl::unexpected(text.error());
    if (options.as.size() > 1) context.io().out("# " + name + "\n");
    context.io().out(*text);
    if (!text->ends_with('\n')) context.io().out("\n");
    for (const std::string& what : reduced)
      context.say(name + " would carry it reduced: " + printable(what));
  }
  return 0;
}

std::string as_json(const Spool::Located& message) {
  std::string attempts = "[";
  for (const auto& event : message.file.events) {
    if (event.event != "attempted") continue;
    if (attempts.size() > 1) attempts.push_back(',');
    JsonWriter(attempts)
        .field("provider", event.provider)
        .field("outcome", event.outcome ? to_text(*event.outcome) : "")
        .field("error", event.error)
        .field("ms", event.latency_ms.value_or(0))
        .end();
  }
  attempts.push_back(']');
  const bool sent = message.file.history.state == State::sent;
  std::string line;
  JsonWriter(line)
      .field("id", message.file.id)
      .boolean("result", sent)
      .field("status", to_text(message.file.history.state))
      .field("provider", message.file.history.last_provider)
      .field("reason", message.file.history.reason)
      .raw("attempts", attempts)
      .end();
  return line + "\n";
}

// Delivers what `accepted` is about; it lies in the runner's folder.
Result<RunSummary> deliver(const SendOptions& options, Context& context,
                           Spool& spool, RunnerFolder& folder,
                           const std::string& id) {
  auto set = DeliverySet::make(context, spool, 1);
  if (!set) return tl::unexpected(set.error());
  Signals signals;
  signals.attach((*set)->reactor());
  Hooks hooks((*set)->config().hooks, (*set)->reactor(),
              [&context](const std::string& text) { context.warn(text); });
  EventSink sink((*set)->config().event_sink, spool, (*set)->reactor(),
                 [&context](const std::string& text) { context.warn(text); });
  (*set)->on_breaker([&hooks](const Json& event) { hooks.breaker(event); });
  RunOptions run;
  run.policy = policy_from((*set)->config());
  run.no_retry = !options.or_queue;
  run.stop = [&signals] { return signals.stops() > 0; };
  run.on_durable = [&hooks, &sink](const Event& event) {
    hooks.settled(event);
    sink.something_happens();
  };
  run.on_warning = [&context](const std::string& text) { context.warn(text); };
  Runner runner(spool, folder, (*set)->deliverer(), std::move(run));
  auto summary = runner.run_one(id);
  hooks.finish(HookLimits{}.time + std::chrono::seconds(1),
               [&signals] { return signals.stops() > 0; });
  sink.finish([&signals] { return signals.stops() > 1; });
  signals.detach((*set)->reactor());
  return summary;
}

// What became of it, in words and as an exit code.
Result<int> conclude(const SendOptions& options, Context& context, Spool& spool,
                     const std::string& id, const RunSummary& summary) {
  auto message = spool.load(id);
  if (!message) return tl::unexpected(message.error());
  const History& history = message->file.history;
  context.io().out(context.options.json ? as_json(*message) : id + "\n");
  if (history.state == State::sent) {
    if (context.io().err_is_terminal())
      context.say("sent " + id + " via " + history.last_provider);
    return 0;
  }
  const std::string why = printable(history.reason, 500);
  if (history.state != State::failed) {
    context.say(id + ": " +
                (history.state == State::held ? "held: " : "queued: ") + why);
    return options.or_queue ? 0 : exit_code(Error::Kind::temporary);
  }
  context.warn(id + ": not delivered: " + why);
  return exit_code(summary.temporary ? Error::Kind::temporary
                                     : Error::Kind::refused);
}

Result<int> run_send(const SendOptions& options, Context& context) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto flags = json_from(options.flags, context.clock().now());
  if (!flags) return tl::unexpected(flags.error());
  MessageInput input(context, **config, std::move(*flags));

  Result<Message> message = Message{};
  if (options.file.empty() && options.flags.is_whole()) {
    message = input.from_flags();
  } else {
    auto record = read_record(options.file, context);
    if (!record) return tl::unexpected(record.error());
    if (record->too_large)
      return fail(Error::Kind::bad_data, "the message is larger than 50 MiB");
    message = input.read(record->text, record->line,
                         options.file == "-" ? "" : options.file);
  }
  if (!message) return tl::unexpected(message.error());
  if (options.dry_run || !options.as.empty())
    return preview(options, *message, context);

  // A message that wants to go out later is not for now.
  message->send_at.reset();
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  auto folder = RunnerFolder::create((*spool)->folders());
  if (!folder) return tl::unexpected(folder.error());
  auto accepted = (*spool)->accept_into(
      *folder, *message, options.or_queue ? Mode::queue : Mode::send);
  if (!accepted) return tl::unexpected(accepted.error());
  if (accepted->duplicate) {
    context.io().out(accepted->id + "\n");
    context.say(accepted->id +
                ": its idempotency key was used before; "
                "nothing was sent");
    return 0;
  }
  auto summary = deliver(options, context, **spool, *folder, accepted->id);
  if (!summary) return tl::unexpected(summary.error());
  return conclude(options, context, **spool, accepted->id, *summary);
}

}  // namespace

Action add_send(CLI::App& app, Context& context) {
  auto options = std::make_shared<SendOptions>();
  app.add_option("FILE", options->file,
                 "A file with the message; - or none: standard input")
      ->type_name("");
  add_message_flags(app, options->flags);
  app.add_flag("--or-queue", options->or_queue,
               "On a temporary failure leave it to pony run");
  app.add_flag("--dry-run", options->dry_run,
               "Print the mail as it would be sent, send nothing");
  app.add_option("--as", options->as,
                 "With --dry-run: as this provider would be asked")
      ->type_name("PROVIDER,…")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.footer(
      "Examples\n"
      "  pony send --to ann@example.com --subject Hello --text 'It works.'\n"
      "  pony send --dry-run message.json\n\n"
      "Exit codes\n"
      "  0 delivered (with --or-queue: or queued) · 65 not a valid message · "
      "66 no such\n  template · 69 refused for good · 75 not delivered, call "
      "again; the message rests in\n  failed/ for pony retry · 74 disk · 78 "
      "configuration");
  return [options, &context] { return run_send(*options, context); };
}

}  // namespace pony
