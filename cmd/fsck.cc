// pony fsck: finds and mends what an unclean stop left.
#include "spool/fsck.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cmd/commands.h"
#include "core/words.h"

namespace pony {
namespace {

struct FsckCommandOptions {
  bool dry_run = false;
};

void print(const Finding& finding, Context& context) {
  if (!context.options.json) {
    const bool mended = finding.mended == Finding::Mended::yes;
    context.io().out(finding.path + ": " + finding.what +
                     (mended ? " (mended)" : "") + "\n");
    return;
  }
  std::string line;
  JsonWriter json(line);
  json.field("problem", finding.problem)
      .field("path", finding.path)
      .field("what", finding.what);
  if (finding.mended == Finding::Mended::not_needed) {
    json.null("mended");
  } else {
    json.boolean("mended", finding.mended == Finding::Mended::yes);
  }
  json.end();
  context.io().out(line + "\n");
}

Result<int> run_fsck(const FsckCommandOptions& given, Context& context) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  FsckOptions options;
  options.policy = {(*config)->retry, (*config)->on_unknown};
  options.dry_run = given.dry_run;
  options.on_finding = [&](const Finding& finding) { print(finding, context); };
  auto summary = fsck(**spool, options);
  if (!summary) return tl::unexpected(summary.error());
  // The answer before the talk about it, also where both are one stream.
  if (auto flushed = context.io().flush(); !flushed)
    return tl::unexpected(flushed.error());
  const std::string text = counted(summary->problems, "problem") + " found, " +
                           std::to_string(summary->mended) + " mended";
  const bool left = summary->mended < summary->problems;
  if (left) {
    context.warn(text);
  } else {
    context.say(text);
  }
  return left ? 1 : 0;
}

}  // namespace

Action add_fsck(CLI::App& app, Context& context) {
  auto options = std::make_shared<FsckCommandOptions>();
  app.add_flag("--dry-run,-n", options->dry_run,
               "Say what is wrong, and change nothing");
  app.footer(
      "One line a finding. Safe at any time, also while runners and enqueuers "
      "are at work;\na pass of pony run does the most important part, dead "
      "runners, by itself.\n\n"
      "Examples\n"
      "  pony fsck --dry-run\n"
      "  pony fsck\n\n"
      "Exit codes\n"
      "  0 nothing was wrong, or all is mended · 1 something is left · 74 disk "
      "error");
  return [options, &context] { return run_fsck(*options, context); };
}

}  // namespace pony
