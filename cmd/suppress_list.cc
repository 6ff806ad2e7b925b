// pony suppress list: the addresses that get no mail, and why. The list
// streams; it changes nothing.
#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cmd/commands.h"
#include "cmd/suppress_options.h"
#include "core/address.h"
#include "core/json.h"

namespace pony {
namespace {

struct ListOptions {
  std::vector<std::string> patterns;
  std::vector<SuppressedFor> reasons;
  std::optional<Time> since;
};

bool matches(const ListOptions& options, const Suppression& entry) {
  if (options.since && entry.since < *options.since) return false;
  if (!options.reasons.empty() &&
      std::find(options.reasons.begin(), options.reasons.end(), entry.reason) ==
          options.reasons.end())
    return false;
  return options.patterns.empty() ||
         std::any_of(options.patterns.begin(), options.patterns.end(),
                     [&](const std::string& pattern) {
                       return ::fnmatch(pattern.c_str(), entry.address.c_str(),
                                        FNM_NOESCAPE) == 0;
                     });
}

// Columns of a fixed width: the list may be long, and is not held.
std::string row(std::string_view address, std::string_view reason,
                std::string_view since, std::string_view provider,
                std::string_view note) {
  std::string line;
  const auto cell = [&](std::string_view text, std::size_t width) {
    line += printable(text);
    line.append(text.size() < width ? width - text.size() : 0, ' ');
    line += "  ";
  };
  cell(address, 36);
  cell(reason, 12);
  cell(since, 10);
  cell(provider, 10);
  line += printable(note);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

Result<int> run_suppress_list(const ListOptions& options, Context& context) {
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  Suppressions list((*spool)->folders());
  Io& io = context.io();
  if (!context.options.json)
    io.out(row("ADDRESS", "REASON", "SINCE", "PROVIDER", "NOTE"));
  auto done = list.for_each([&](const Suppression& entry) {
    if (!matches(options, entry)) return true;
    std::string line;
    if (context.options.json) {
      append_line(line, entry);
    } else {
      line = row(entry.address, to_text(entry.reason), format_day(entry.since),
                 entry.provider, entry.note);
    }
    io.out(line);
    return !io.broken_pipe();
  });
  if (!done) return tl::unexpected(done.error());
  return 0;
}

}  // namespace

Action add_suppress_list(CLI::App& app, Context& context) {
  auto options = std::make_shared<ListOptions>();
  app.add_option_function<std::vector<std::string>>(
         "ADDRESS",
         [options](const std::vector<std::string>& values) {
           for (const auto& value : values)
             options->patterns.push_back(comparable_email(value));
         },
         "Only these; '*@example.com' is any of a domain")
      ->type_name("");
  add_suppression_reasons(app, options->reasons);
  app.add_option_function<std::string>(
         "--since",
         [options, &context](const std::string& text) {
           auto moment = parse_moment(text, context.clock().now());
           if (!moment)
             throw CLI::ValidationError("--since", moment.error().what);
           options->since = *moment;
         },
         "Suppressed from then on: 2026-11-21, today, 7d (ago)")
      ->type_name("MOMENT");
  app.footer(
      "Oldest first. The table is for people and may change; scripts use "
      "--json, one\nobject a line, which 'pony suppress import' reads "
      "again.\n\n"
      "Examples\n"
      "  pony suppress list '*@example.com' --reason bounced\n"
      "  pony suppress list --since 7d --json | jq -r .address\n\n"
      "Exit codes\n"
      "  0 listed · 64 usage · 65 the list is no regular file of ours · 74 it "
      "cannot be\n  read · 77 no permission · 78 the configuration is wrong");
  return [options, &context] { return run_suppress_list(*options, context); };
}

}  // namespace pony
