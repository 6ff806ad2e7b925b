// pony top: what happens, live. Reads the event log's end, the providers'
// health and the folders' names; changes nothing.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "cmd/activity.h"
#include "cmd/commands.h"
#include "cmd/terminal_screen.h"
#include "cmd/top_frame.h"
#include "core/fs.h"
#include "spool/health_files.h"
#include "spool/in_flight.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

// Counting what waits may take this part of the time, no more.
constexpr int k_count_share = 20;
constexpr Milliseconds k_least_interval{100};

struct TopFlags {
  bool once = false;
  std::size_t count = 0;
  std::string interval = "1s";
};

class Top {
 public:
  Top(const Config& config, Spool& spool, Context& context)
      : config_(config),
        spool_(spool),
        context_(context),
        activity_(spool.folders(), spool.log()),
        health_(spool.folders()) {}

  Result<TopView> look();

 private:
  Result<> count();

  const Config& config_;
  Spool& spool_;
  Context& context_;
  Activity activity_;
  HealthFiles health_;
  Census census_;
  std::optional<Steady::time_point> counted_at_;
  Steady::time_point next_count_;
};

// A million names take a while: the longer it takes the more seldom it is
// done.
Result<> Top::count() {
  const auto began = Steady::now();
  if (counted_at_ && began < next_count_) return {};
  auto census = take_census(spool_.folders(), context_.clock().now());
  if (!census) return tl::unexpected(census.error());
  census_ = *census;
  counted_at_ = Steady::now();
  next_count_ = *counted_at_ + k_count_share * (*counted_at_ - began);
  return {};
}

Result<TopView> Top::look() {
  const Time now = context_.clock().now();
  if (auto counted = count(); !counted) return tl::unexpected(counted.error());
  if (auto read = activity_.read(now); !read)
    return tl::unexpected(read.error());
  TopView view;
  view.now = now;
  view.spool = spool_.folders().path();
  view.census = census_;
  view.census_age =
      std::chrono::duration_cast<Milliseconds>(Steady::now() - *counted_at_);
  view.happened = activity_.happened(now);
  for (const auto& provider : config_.providers) {
    auto health = health_.read(provider.name);
    if (!health) return tl::unexpected(health.error());
    view.providers.push_back(
        listed_provider(config_, provider, std::move(*health), now));
  }
  if (auto in_flight = attempts_in_flight(spool_.folders()))
    view.in_flight = std::move(*in_flight);
  return view;
}

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view text = value;
    return text.find("UTF-8") != std::string_view::npos ||
           text.find("utf8") != std::string_view::npos;
  }
  return false;
}

bool wants_colour(const Context& context) {
  const char* no_color = std::getenv("NO_COLOR");
  return !context.options.no_color &&
         (no_color == nullptr || *no_color == '\0');
}

// Redrawn until it is quit, or so many times.
Result<int> show_live(Top& top, std::size_t count, Milliseconds interval,
                      Context& context) {
  Io& io = context.io();
  std::optional<Error> error;
  {
    TerminalScreen screen(io.in_is_terminal() ? io.in() : -1,
                          io.out_descriptor());
    FrameStyle style;
    style.colour = wants_colour(context);
    style.unicode = speaks_utf8();
    auto next = Steady::now();
    for (std::size_t drawn = 0;;) {
      auto view = top.look();
      if (!view) {
        error = view.error();
        break;
      }
      const auto size = screen.size();
      style.width = size.columns;
      style.height = size.rows;
      if (!screen.draw(top_frame(*view, style))) break;
      if (count > 0 && ++drawn >= count) break;
      next = std::max(next + interval, Steady::now());
      auto woken = TerminalScreen::Woken::by_key;
      while (woken == TerminalScreen::Woken::by_key)
        woken = screen.wait(std::chrono::duration_cast<Milliseconds>(
            next - Steady::now() + std::chrono::microseconds(999)));
      if (woken == TerminalScreen::Woken::by_quit) break;
    }
  }
  if (error) return tl::unexpected(*error);
  return 0;
}

// For scripts: frames without anything but text, or an object each.
Result<int> print(Top& top, std::size_t count, Milliseconds interval,
                  Context& context) {
  FrameStyle style;
  style.width = context.io().out_width();
  style.unicode = speaks_utf8();
  for (std::size_t printed = 0; printed < count; ++printed) {
    if (printed > 0) std::this_thread::sleep_for(interval);
    auto view = top.look();
    if (!view) return tl::unexpected(view.error());
    if (context.options.json) {
      context.io().out(top_json(*view));
    } else {
      if (printed > 0) context.io().out("\n");
      for (const auto& line : top_frame(*view, style))
        context.io().out(line + "\n");
    }
    if (auto flushed = context.io().flush(); !flushed)
      return tl::unexpected(flushed.error());
    if (context.io().broken_pipe()) break;
  }
  return 0;
}

Result<int> run_top(const TopFlags& flags, Context& context) {
  auto interval = parse_duration(flags.interval);
  if (!interval)
    return fail(Error::Kind::usage, "--interval: " + interval.error().what);
  if (*interval < k_least_interval)
    return fail(Error::Kind::usage, "--interval must be at least 100ms");
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  Top top(**config, **spool, context);
  const bool live =
      context.io().out_is_terminal() && !flags.once && !context.options.json;
  if (live) return show_live(top, flags.count, *interval, context);
  std::size_t count = flags.count;
  if (count == 0) count = context.options.json && !flags.once ? SIZE_MAX : 1;
  return print(top, count, *interval, context);
}

}  // namespace

Action add_top(CLI::App& app, Context& context) {
  auto flags = std::make_shared<TopFlags>();
  app.add_flag("--once", flags->once, "Print it once, as text");
  app.add_option("--count", flags->count, "Print or draw it so many times")
      ->type_name("N");
  app.add_option("--interval", flags->interval, "How often")
      ->type_name("TIME")
      ->capture_default_str();
  app.footer(
      "On a terminal it is redrawn until q is pressed; elsewhere it is printed "
      "once. With\n--json an object is printed each time, without an end.\n\n"
      "Examples\n"
      "  pony top\n"
      "  pony top --json --count 60 --interval 1s | jq .deliveries.per_s\n\n"
      "Exit codes\n"
      "  0 · 64 usage · 74 the spool cannot be read · 77 no permission · 78 "
      "the\n  configuration is wrong");
  return [flags, &context] { return run_top(*flags, context); };
}

}  // namespace pony
