// pony queue: what waits, and why. Lists, selects, counts; changes nothing.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>

#include "cmd/commands.h"
#include "cmd/listing.h"
#include "cmd/queue_format.h"
#include "cmd/selector.h"

namespace pony {
namespace {

struct QueueOptions {
  Selector selector;
  bool ids = false;
  bool summary = false;
};

// In the order of their interest: what is being sent, what is due, what waits.
const std::vector<State> k_not_done = {State::claimed, State::fresh,
                                       State::deferred, State::held};

Result<int> list_ids(const QueueOptions& options, Context& context) {
  Io& io = context.io();
  auto done = for_each_listed(context, options.selector, k_not_done,
                              Look::names, [&](const Listed& listed) {
                                if (!listed.id.empty())
                                  io.out(listed.id + "\n");
                                return !io.broken_pipe();
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
  Io& io = context.io();
  auto done = for_each_listed(context, options.selector, k_not_done,
                              Look::contents, [&](const Listed& listed) {
                                io.out(queue_json(listed));
                                return !io.broken_pipe();
                              });
  if (!done) return tl::unexpected(done.error());
  return 0;
}

Result<int> list_table(const QueueOptions& options, Context& context) {
  Io& io = context.io();
  const QueueTable table(io.out_width(), context.clock().now());
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  auto done = for_each_listed(context, options.selector, k_not_done,
                              Look::contents, [&](const Listed& listed) {
                                if (messages++ == 0) io.out(table.header());
                                bytes += listed.size_bytes;
                                io.out(table.lines(listed));
                                return !io.broken_pipe();
                              });
  if (!done) return tl::unexpected(done.error());
  io.out((messages > 0 ? "\n" : "") + queue_total(messages, bytes));
  return 0;
}

Result<int> run_queue(const QueueOptions& options, Context& context) {
  if (options.summary) return summarize(options, context);
  if (options.ids) return list_ids(options, context);
  if (context.options.json) return list_json(options, context);
  return list_table(options, context);
}

}  // namespace

Action add_queue(CLI::App& app, Context& context) {
  auto options = std::make_shared<QueueOptions>();
  auto* ids = app.add_flag("--ids", options->ids, "Print ids alone");
  app.add_flag("--summary", options->summary,
               "Count by state and age (minutes), with the oldest")
      ->excludes(ids);
  add_selectors(app, options->selector);
  app.footer(
      "Without --state: what is not done (new, deferred, held, cur).\n"
      "The table is for people and may change; scripts use --json or --ids.\n\n"
      "Examples:\n"
      "  pony queue --tag signup --older 1h\n"
      "  pony queue --state failed --reason 'mailbox full' --ids\n\n"
      "Exit codes: 0 listed, 64 usage, 74 the spool cannot be read.");
  return [options, &context] { return run_queue(*options, context); };
}

}  // namespace pony
