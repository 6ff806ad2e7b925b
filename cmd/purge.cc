// pony purge: what is old enough goes, by the configuration's retention or by
// selector.
#include "spool/purge.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/listing.h"
#include "cmd/selector.h"
#include "core/json.h"
#include "core/words.h"

namespace pony {
namespace {

struct PurgeCommandOptions {
  // Instead of the configuration's.
  std::optional<std::chrono::seconds> sent, failed, log;
  Selector selector;
  bool dry_run = false;
  bool yes = false;
};

// "1.2 GB": what a person compares with the size of a disk.
std::string size_text(std::uint64_t bytes) {
  constexpr double k_step = 1000;
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  double value = static_cast<double>(bytes) / k_step;
  for (const char* unit : {"kB", "MB", "GB"}) {
    if (value < k_step) return fmt::format("{:.1f} {}", value, unit);
    value /= k_step;
  }
  return fmt::format("{:.1f} TB", value);
}

// By the retention settings

std::string line_of(const Purged& purged, bool dry_run) {
  std::string line = purged.path + ": ";
  const bool is_day = !purged.path.starts_with("log/");
  if (is_day) line += counted(purged.messages, "message") + " ";
  if (dry_run) line += "would be ";
  line += purged.done == Purged::Done::removed ? "removed" : "compressed";
  if (purged.bytes > 0) line += ", " + size_text(purged.bytes);
  if (purged.why == Purged::Why::disk) line += " (the disk is nearly full)";
  return line + "\n";
}

std::string json_of(const Purged& purged, bool dry_run) {
  std::string line;
  JsonWriter json(line);
  json.field("path", purged.path)
      .field("done",
             purged.done == Purged::Done::removed ? "removed" : "compressed")
      .field("why", purged.why == Purged::Why::age ? "age" : "disk")
      .field("messages", static_cast<std::int64_t>(purged.messages))
      .field("bytes", static_cast<std::int64_t>(purged.bytes))
      .boolean("dry_run", dry_run);
  json.end();
  return line + "\n";
}

PurgeRules rules_from(const PurgeCommandOptions& given,
                      const RetentionConfig& retention) {
  PurgeRules rules;
  rules.sent = given.sent.value_or(retention.sent);
  rules.failed = given.failed.value_or(retention.failed);
  rules.log = given.log.value_or(retention.log);
  rules.compress_log = retention.compress_log;
  rules.keep_free = retention.keep_free;
  return rules;
}

std::string sum_of(const PurgeSummary& summary) {
  return counted(summary.messages, "message") + " and " +
         counted(summary.logs, "log") + " removed, " +
         counted(summary.compressed, "log") + " compressed, " +
         size_text(summary.bytes) + " freed";
}

Result<int> purge_by_age(const PurgeCommandOptions& given, Context& context) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  Io& io = context.io();
  PurgeOptions options;
  options.rules = rules_from(given, (*config)->retention);
  options.dry_run = given.dry_run;
  options.each = [&](const Purged& purged) {
    if (context.options.json) {
      io.out(json_of(purged, given.dry_run));
    } else if (!context.options.quiet || given.dry_run) {
      io.out(line_of(purged, given.dry_run));
    }
  };
  auto summary = purge(**spool, options);
  if (auto flushed = io.flush(); !flushed)
    return tl::unexpected(flushed.error());
  if (!summary) return tl::unexpected(summary.error());
  context.say((given.dry_run ? "would be: " : "") + sum_of(*summary));
  if (summary->is_short_of_space) {
    context.warn(fmt::format(
        "less than {:g} % of the disk is free, and nothing is left that may "
        "go: 'retention.keep_free' removes what is in sent/ and no more",
        options.rules.keep_free * 100));
    return 1;
  }
  return 0;
}

// By selector

constexpr const char* k_only_done =
    "only messages that are sent or failed can be purged";

Result<> check_states(const Selector& selector) {
  for (const State state : selector.states)
    if (state != State::sent && state != State::failed)
      return fail(Error::Kind::usage, k_only_done,
                  "to end one that waits: pony cancel");
  return {};
}

const std::vector<State> k_done = {State::sent, State::failed};

Result<std::size_t> count_selected(const Selector& selector, Context& context) {
  std::size_t count = 0;
  auto done = for_each_listed(context, selector, k_done, Look::names,
                              [&](const Listed&) { return ++count > 0; });
  if (!done) return tl::unexpected(done.error());
  return count;
}

Result<> remove_listed(Spool& spool, const Listed& listed) {
  const std::string path = listed.folder + "/" + listed.name;
  if (::unlinkat(spool.folders().root(), path.c_str(), 0) == 0) return {};
  if (errno == ENOENT) return {};  // retried a moment ago
  return fail_errno(errno, "cannot remove '" + path + "'");
}

void tell_removed(std::size_t count, bool dry_run, Context& context) {
  if (context.options.json) {
    std::string line;
    JsonWriter json(line);
    json.field("messages", static_cast<std::int64_t>(count))
        .boolean("dry_run", dry_run);
    json.end();
    context.io().out(line + "\n");
  }
  context.say(counted(count, "message") +
              (dry_run ? " would be removed" : " removed"));
}

Result<int> purge_selected(const PurgeCommandOptions& given, Context& context) {
  if (auto ok = check_states(given.selector); !ok)
    return tl::unexpected(ok.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  auto count = count_selected(given.selector, context);
  if (!count) return tl::unexpected(count.error());
  const std::string what = counted(*count, "message");
  if (given.dry_run || *count == 0) {
    tell_removed(*count, given.dry_run, context);
    return 0;
  }
  auto answer = ask(context, "Remove " + what + " for good?", given.yes);
  if (!answer) return tl::unexpected(answer.error());
  if (*answer == Answer::no) {
    context.warn("nothing was removed");
    return 1;
  }
  std::size_t removed = 0;
  Result<> ok;
  auto done = for_each_listed(context, given.selector, k_done, Look::names,
                              [&](const Listed& listed) {
                                ok = remove_listed(**spool, listed);
                                if (ok) ++removed;
                                return ok.has_value();
                              });
  if (!done) return tl::unexpected(done.error());
  if (!ok) return tl::unexpected(ok.error());
  tell_removed(removed, given.dry_run, context);
  return 0;
}

void add_age(CLI::App& app, const std::string& name,
             std::optional<std::chrono::seconds>& age,
             const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [name, &age](const std::string& text) {
           auto read = parse_duration(text);
           if (!read)
             throw CLI::ValidationError(
                 name, read.error().what + " (" + read.error().hint + ")");
           age = std::chrono::floor<std::chrono::seconds>(*read);
         },
         help)
      ->type_name("AGE");
}

}  // namespace

Action add_purge(CLI::App& app, Context& context) {
  auto options = std::make_shared<PurgeCommandOptions>();
  add_age(app, "--sent", options->sent,
          "Keep what was sent so long, instead of the configured time");
  add_age(app, "--failed", options->failed, "The same of what failed");
  add_age(app, "--log", options->log, "The same of the event log");
  app.add_flag("--dry-run,-n", options->dry_run,
               "Say what would be removed, and remove nothing");
  app.add_flag("--yes,-y", options->yes,
               "With selectors: do not ask before removing");
  add_selectors(app, options->selector);
  app.footer(
      "Without selectors it applies the 'retention' settings: whole days of "
      "sent/ and failed/\nand of the event log go when they are old enough, "
      "old logs are compressed. Meant for\ncron, once a day. With selectors "
      "it removes those messages, of sent and failed ones.\n\n"
      "Examples\n"
      "  pony purge --dry-run\n"
      "  pony purge --quiet\n"
      "  pony purge --tag test --yes\n\n"
      "Exit codes\n"
      "  0 done · 1 the disk is fuller than 'keep_free' allows, and nothing "
      "is left that may go,\n    or the answer was no\n"
      "  64 usage · 74 disk error · 78 configuration");
  return [options, &context]() -> Result<int> {
    const bool by_age = options->sent || options->failed || options->log;
    const bool by_selector = options->selector.given();
    // A lone --limit or --yes was meant for something else than all days.
    if (!by_selector && (options->selector.limit > 0 || options->yes))
      return fail(Error::Kind::usage, "which messages?",
                  "--limit and --yes go with selectors, as --tag");
    if (!by_selector) return purge_by_age(*options, context);
    if (by_age)
      return fail(Error::Kind::usage,
                  "--sent, --failed and --log do not go with selectors",
                  "for a message's age there is --older");
    return purge_selected(*options, context);
  };
}

}  // namespace pony
