// pony queue: what waits, and why. Lists, selects, counts; changes nothing.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "cmd/commands.h"
#include "cmd/listing.h"
#include "cmd/queue_fields.h"
#include "cmd/queue_format.h"
#include "cmd/selector.h"

namespace pony {
namespace {

struct QueueOptions {
  Selector selector;
  bool ids = false;
  bool summary = false;
  bool nul = false;
  std::vector<const QueueField*> fields;
};

// In the order of their interest: what is being sent, what is due, what waits.
const std::vector<State> k_not_done = {State::claimed, State::fresh,
                                       State::deferred, State::held};

// The first message is shown at once: who pipes us into `head`, or watches,
// does not wait until a buffer is full.
class Output {
 public:
  explicit Output(Io& io) : io_(io) {}

  // False: nobody reads any more.
  bool put(std::string_view text) {
    io_.out(text);
    if (first_) (void)io_.flush();
    first_ = false;
    return !io_.broken_pipe();
  }

 private:
  Io& io_;
  bool first_ = true;
};

Result<int> list_ids(const QueueOptions& options, Context& context) {
  Output output(context.io());
  const char end = options.nul ? '\0' : '\n';
  auto done =
      for_each_listed(context, options.selector, k_not_done, Look::names,
                      [&](const Listed& listed) {
                        return listed.id.empty() || output.put(listed.id + end);
                      });
  if (!done) return tl::unexpected(done.error());
  return 0;
}

Result<int> summarize(const QueueOptions& options, Context& context) {
  QueueSummary summary(context.clock().now());
  auto done = for_each_listed(context, options.selector, k_not_done,
                              Look::names, [&](const Listed& listed) {
                                summary.add(listed.state, listed.arrived);
                                return true;
                              });
  if (!done) return tl::unexpected(done.error());
  context.io().out(context.options.json ? summary.json() : summary.table());
  return 0;
}

Result<int> list_json(const QueueOptions& options, Context& context) {
  Output output(context.io());
  auto done = for_each_listed(
      context, options.selector, k_not_done, Look::contents,
      [&](const Listed& listed) { return output.put(queue_json(listed)); });
  if (!done) return tl::unexpected(done.error());
  return 0;
}

Result<int> list_fields(const QueueOptions& options, Context& context) {
  Output output(context.io());
  const Time now = context.clock().now();
  auto done = for_each_listed(
      context, options.selector, k_not_done, Look::contents,
      [&](const Listed& listed) {
        return output.put(fields_line(options.fields, listed, now));
      });
  if (!done) return tl::unexpected(done.error());
  return 0;
}

Result<int> list_table(const QueueOptions& options, Context& context) {
  Io& io = context.io();
  Output output(io);
  const QueueTable table(io.out_width(), context.clock().now());
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  auto done = for_each_listed(context, options.selector, k_not_done,
                              Look::contents, [&](const Listed& listed) {
                                if (messages++ == 0) io.out(table.header());
                                bytes += listed.size_bytes;
                                return output.put(table.lines(listed));
                              });
  if (!done) return tl::unexpected(done.error());
  io.out((messages > 0 ? "\n" : "") + queue_total(messages, bytes));
  return 0;
}

Result<int> run_queue(const QueueOptions& options, Context& context) {
  if (options.summary) return summarize(options, context);
  if (options.nul && !options.ids)
    return fail(Error::Kind::usage, "-0 is for --ids");
  if (!options.fields.empty() && context.options.json)
    return fail(Error::Kind::usage, "--fields or --json, not both");
  if (!options.fields.empty()) return list_fields(options, context);
  if (options.ids) return list_ids(options, context);
  if (context.options.json) return list_json(options, context);
  return list_table(options, context);
}

const QueueField* field_or_refuse(const std::string& name) {
  auto field = queue_field_called(name);
  if (field) return *field;
  throw CLI::ValidationError(
      "--fields", field.error().what + " (" + field.error().hint + ")");
}

std::string field_names() {
  std::string names;
  for (const auto& field : queue_fields())
    names.append(names.empty() ? "" : ", ").append(field.name);
  return names;
}

}  // namespace

Action add_queue(CLI::App& app, Context& context) {
  auto options = std::make_shared<QueueOptions>();
  auto* ids = app.add_flag("--ids", options->ids, "Print ids alone");
  app.add_flag("-0", options->nul, "With --ids: each ends with a NUL");
  auto* summary =
      app.add_flag("--summary", options->summary,
                   "Count by state and age (minutes), with the oldest")
          ->excludes(ids);
  app.add_option_function<std::vector<std::string>>(
         "--fields",
         [options](const std::vector<std::string>& names) {
           for (const auto& name : names)
             options->fields.push_back(field_or_refuse(name));
         },
         "Print these alone, between tabs: " + field_names())
      ->delimiter(',')
      ->allow_extra_args(false)
      ->excludes(ids)
      ->excludes(summary)
      ->type_name("FIELD");
  add_selectors(app, options->selector);
  app.footer(
      "Without --state: what is not done (new, deferred, held, cur).\n"
      "The table is for people and may change; scripts use --json, --fields or "
      "--ids.\n\n"
      "Examples:\n"
      "  pony queue --tag signup --older 1h\n"
      "  pony queue --state failed --reason 'mailbox full' --ids\n"
      "  pony queue --attempts '>3' --fields id,age,to,reason\n\n"
      "Exit codes: 0 listed, 64 usage, 74 the spool cannot be read.");
  return [options, &context] { return run_queue(*options, context); };
}

}  // namespace pony
