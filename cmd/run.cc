// pony run: delivers what is due, once (cron) or for as long as it is left
// alone (--loop).
#include "cmd/run.h"

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "cmd/alerts.h"
#include "cmd/commands.h"
#include "cmd/delivery.h"
#include "cmd/event_sink.h"
#include "cmd/hooks.h"
#include "cmd/message_input.h"
#include "cmd/watch.h"
#include "spool/due.h"
#include "spool/heartbeat.h"
#include "spool/housekeeping.h"
#include "spool/runner.h"

namespace pony {
namespace {

// How long hooks may work on after a pass has nothing left to deliver.
constexpr Milliseconds k_hooks_may_take = std::chrono::seconds(60);

struct RunFlags {
  bool loop = false;
  int jobs = 50;
  std::size_t limit = 0;
  std::string max_time;
  std::string grace = "30s";
  std::string pool;
  bool dry_run = false;
  std::optional<std::set<std::string>> only;  // ids; without: all
};

void add(RunSummary& sum, const RunSummary& more) {
  sum.processed += more.processed;
  sum.sent += more.sent;
  sum.deferred += more.deferred;
  sum.failed += more.failed;
  sum.held += more.held;
  sum.stalled = more.stalled;
}

std::string in_words(const RunSummary& summary) {
  std::string text = "Finished processing " +
                     std::to_string(summary.processed) + " messages (" +
                     std::to_string(summary.sent) + " sent, " +
                     std::to_string(summary.deferred) + " deferred, " +
                     std::to_string(summary.failed) + " failed";
  if (summary.held > 0) text += ", " + std::to_string(summary.held) + " held";
  return text + ")\n";
}

std::string as_json(const RunSummary& summary) {
  std::string line;
  JsonWriter(line)
      .field("processed", static_cast<std::int64_t>(summary.processed))
      .field("sent", static_cast<std::int64_t>(summary.sent))
      .field("deferred", static_cast<std::int64_t>(summary.deferred))
      .field("failed", static_cast<std::int64_t>(summary.failed))
      .field("held", static_cast<std::int64_t>(summary.held))
      .end();
  return line + "\n";
}

// A line on a terminal's stderr that counts while a long run is at work.
class Progress {
 public:
  explicit Progress(Context& context)
      : context_(context),
        on_(context.io().err_is_terminal() && !context.options.quiet &&
            !context.options.verbose) {}
  ~Progress() {
    if (shown_) context_.io().err("\r\033[K");
  }

  void count() { ++done_; }
  void show() {
    if (!on_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(500);
    if (done_ == 0) return;
    shown_ = true;
    context_.io().err("\r" + std::to_string(done_) + " messages …\033[K");
  }

 private:
  Context& context_;
  bool on_;
  bool shown_ = false;
  std::size_t done_ = 0;
  std::chrono::steady_clock::time_point next_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(1);
};

// As many descriptors as we may have: sessions and messages each need one.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

// Those who are told of what happens while a run is at work.
struct Listeners {
  Hooks hooks;
  EventSink sink;
  Alerts alerts;

  Listeners(DeliverySet& set, Spool& spool,
            const std::function<void(const std::string&)>& warn)
      : hooks(set.config().hooks, set.reactor(), warn),
        sink(set.config().event_sink, spool, set.reactor(), warn),
        alerts(set.config(), spool, set.reactor(), warn) {}
};

class RunCommand {
 public:
  RunCommand(const RunFlags& flags, Context& context)
      : flags_(flags), context_(context) {}

  Result<int> run();

 private:
  Result<RunOptions> options_for(DeliverySet& set, FolderWatch& watch,
                                 Spool& spool, Listeners& listeners);
  void finish(Listeners& listeners, Milliseconds grace) const;
  Result<int> dry_run(Spool& spool);
  void tell(const Delivery& delivery, const Event& event);

  const RunFlags& flags_;
  Context& context_;
  Signals signals_;
  bool reload_ = false;
  RunSummary sum_;
  std::unique_ptr<Progress> progress_;
};

Result<int> RunCommand::run() {
  auto spool = context_.spool();
  if (!spool) return tl::unexpected(spool.error());
  if (flags_.dry_run) return dry_run(**spool);
  raise_descriptor_limit();
  if (auto kept = housekeep(**spool, context_.clock().now()); !kept)
    context_.warn(kept.error().what);
  progress_ = std::make_unique<Progress>(context_);

  do {
    reload_ = false;
    auto set = DeliverySet::make(context_, **spool, flags_.jobs);
    if (!set) return tl::unexpected(set.error());
    FolderWatch watch((*set)->reactor(), (*spool)->folders());
    signals_.attach((*set)->reactor());
    auto folder = RunnerFolder::create((*spool)->folders());
    if (!folder) return tl::unexpected(folder.error());
    Listeners listeners(**set, **spool, [this](const std::string& text) {
      context_.warn(text);
    });
    auto options = options_for(**set, watch, **spool, listeners);
    if (!options) return tl::unexpected(options.error());
    (*set)->on_breaker(
        [&listeners](const Json& event) { listeners.hooks.breaker(event); });
    // Nobody but who monitors asks for it.
    (void)note_run((*spool)->folders(), context_.clock().now());
    const Milliseconds grace = options->grace;
    Runner runner(**spool, *folder, (*set)->deliverer(), std::move(*options));
    auto summary = runner.run();
    (void)note_run((*spool)->folders(), context_.clock().now());
    finish(listeners, grace);
    signals_.detach((*set)->reactor());
    if (!summary) {
      auto error = summary.error();
      error.hint =
          "what was claimed is taken up by the next run; see: pony fsck";
      return tl::unexpected(std::move(error));
    }
    add(sum_, *summary);
    if (reload_)
      if (auto loaded = context_.reload_config(); !loaded)
        context_.tell(loaded.error());  // the old one stays in force
  } while (reload_ && signals_.stops() == 0);

  progress_.reset();
  if (context_.options.json) {
    context_.io().out(as_json(sum_));
  } else if (!context_.options.quiet) {
    context_.io().out(in_words(sum_));
  }
  if (sum_.stalled.empty() || signals_.stops() > 0) return 0;
  context_.warn("mail is due, but " + sum_.stalled +
                "; the queue was left alone");
  return exit_code(Error::Kind::temporary);
}

// Hooks may end their work, but a signal hurries them, a second one ends them;
// while the configuration is read again mail waits, so those in line are few.
void RunCommand::finish(Listeners& listeners, Milliseconds grace) const {
  const int stops = signals_.stops();
  const Milliseconds usual = reload_ ? HookLimits{}.time : k_hooks_may_take;
  const auto is_hurried = [this, stops] { return signals_.stops() > stops; };
  listeners.hooks.finish(stops > 0 ? grace : usual, is_hurried);
  listeners.alerts.finish(is_hurried);
  listeners.sink.finish(is_hurried);
}

Result<RunOptions> RunCommand::options_for(DeliverySet& set, FolderWatch& watch,
                                           Spool& spool, Listeners& listeners) {
  RunOptions options;
  options.policy = policy_from(set.config());
  options.loop = flags_.loop;
  if (flags_.limit > 0) {
    if (sum_.processed >= flags_.limit) {
      options.limit = 0;
    } else {
      options.limit = flags_.limit - sum_.processed;
    }
  }
  auto grace = parse_duration(flags_.grace);
  if (!grace) return fail(Error::Kind::usage, "--grace: " + grace.error().what);
  options.grace = *grace;
  if (!flags_.max_time.empty()) {
    auto most = parse_duration(flags_.max_time);
    if (!most)
      return fail(Error::Kind::usage, "--max-time: " + most.error().what);
    options.max_time = *most;
  }
  if (!flags_.pool.empty() && set.config().pool(flags_.pool) == nullptr)
    return fail(Error::Kind::usage,
                "there is no pool '" + flags_.pool + "' in the configuration");
  options.stop = [this] {
    progress_->show();
    reload_ = signals_.take_reload() || reload_;
    return reload_ || signals_.stops() > 0;
  };
  options.stop_now = [this] { return signals_.stops() > 1; };
  options.wanted = [this, &set](const Message& message) {
    if (flags_.pool.empty()) return true;
    const bool by_default = !message.from && message.raw.empty();
    const auto from = by_default ? set.config().default_from : message.from;
    const auto* pool = Dispatcher::pool_for(
        set.config().pools, message,
        from ? domain_of(from->email) : std::string_view{});
    return pool != nullptr && pool->name == flags_.pool;
  };
  if (flags_.only)
    options.wanted_id = [this](std::string_view id) {
      return flags_.only->contains(std::string(id));
    };
  options.check = [&set](Message& message) {
    std::vector<std::string> warnings;
    return check_message(message, set.config(), set.templates(), warnings);
  };
  options.on_settled = [this](const Delivery& delivery, const Event& event) {
    tell(delivery, event);
  };
  options.on_durable = [&listeners](const Event& event) {
    listeners.hooks.settled(event);
    listeners.sink.something_happens();
  };
  options.on_warning = [this](const std::string& text) { context_.warn(text); };
  // Templates may be edited at any time: what was read is forgotten before
  // each wait, and now and then while there is much to do.
  options.on_idle = [&watch, &set](const std::vector<std::string>& folders) {
    set.templates().refresh();
    return watch.watch(folders);
  };
  options.now_and_then = [this, &set, &spool, &listeners] {
    set.templates().refresh();
    (void)note_run(spool.folders(), context_.clock().now());
    listeners.sink.look();
    listeners.alerts.look_now_and_then();
  };
  options.has_news = [&watch] { return watch.has_news(); };
  return options;
}

// One line a message with --verbose; what failed for good always, once: it is
// what a person should know when cron mails it.
void RunCommand::tell(const Delivery& delivery, const Event& event) {
  progress_->count();
  const bool ended_badly = event.event == "failed" ||
                           event.event == "expired" || event.event == "held";
  if (!ended_badly && !context_.options.verbose) return;
  context_.io().err(describe(delivery, event, context_.clock().now()) + "\n");
}

Result<int> RunCommand::dry_run(Spool& spool) {
  Due due(spool.folders());
  if (auto ok = due.look(context_.clock().now()); !ok)
    return tl::unexpected(ok.error());
  std::size_t count = 0;
  while (auto file = due.next()) {
    ++count;
    context_.io().out(file->folder + "/" + printable(file->name) + "\n");
  }
  context_.say(std::to_string(count) + " messages would be processed now" +
               (count >= k_lane_window ? " (and perhaps more)" : ""));
  return 0;
}

}  // namespace

Result<int> run_once(std::optional<std::set<std::string>> only,
                     Context& context) {
  RunFlags flags;
  flags.only = std::move(only);
  return RunCommand(flags, context).run();
}

Action add_run(CLI::App& app, Context& context) {
  auto flags = std::make_shared<RunFlags>();
  app.add_flag("--loop", flags->loop,
               "Stay, and deliver what comes as soon as it comes");
  app.add_option("--jobs", flags->jobs, "Messages in flight at once")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  app.add_option("--limit", flags->limit, "At most this many messages")
      ->type_name("N");
  app.add_option("--max-time", flags->max_time,
                 "Start nothing more after this long (50s)")
      ->type_name("TIME");
  app.add_option("--grace", flags->grace,
                 "After SIGTERM: how long what is in flight may take")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("--pool", flags->pool, "Only messages of this pool")
      ->type_name("NAME");
  app.add_flag("--dry-run", flags->dry_run, "Say what is due, deliver nothing");
  app.footer(
      "Any number of runs at once share the work. SIGTERM ends a run cleanly, "
      "SIGHUP makes\na loop read its configuration again.\n\n"
      "Examples\n"
      "  * * * * * pony run --quiet --max-time 50s      (crontab)\n"
      "  pony run --loop --jobs 200\n\n"
      "Exit codes\n"
      "  0 the pass is finished, whatever became of the messages · 74 the "
      "spool fails\n  75 mail is due and every provider rests · 77 no "
      "permission · 78 configuration");
  return [flags, &context] { return RunCommand(*flags, context).run(); };
}

}  // namespace pony
