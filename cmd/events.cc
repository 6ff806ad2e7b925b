// pony events: the event log, or the events of one message; --follow goes on
// with what is written from then on.
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>

#include "cmd/commands.h"
#include "cmd/event_filter.h"
#include "cmd/event_words.h"
#include "cmd/listing.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/words.h"

namespace pony {
namespace {

struct EventsOptions {
  EventFilter filter;
  std::string id;
  bool follow = false;
};

// Prints what matches. Answers false when the reader is gone.
class Printer {
 public:
  Printer(const EventsOptions& options, Context& context)
      : options_(options), context_(context) {}

  bool line(std::string_view line) {
    // Cheaper than reading the event, where most are another message's.
    if (!options_.id.empty() &&
        line.find(options_.id) == std::string_view::npos)
      return true;
    const auto event = parse_event(line);
    if (!event) {
      ++unreadable_;
      return true;
    }
    return this->event(*event, line);
  }

  bool event(const Event& event, std::string_view line) {
    if (!options_.id.empty() && event.id != options_.id) return true;
    if (!options_.filter.matches(event)) return true;
    Io& io = context_.io();
    io.out(context_.options.json ? std::string(line) + "\n" : log_line(event));
    return !io.broken_pipe();
  }

  void tell_unreadable() const {
    if (unreadable_ > 0)
      context_.say(counted(unreadable_, "line") +
                   " of the event log could not be read");
  }

 private:
  const EventsOptions& options_;
  Context& context_;
  std::size_t unreadable_ = 0;
};

// Waits until something is written below the log's folder, or the reader of
// our output has gone.
class LogWatch {
 public:
  explicit LogWatch(const std::string& folder)
      : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (inotify_ && ::inotify_add_watch(
                        inotify_.get(), folder.c_str(),
                        IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
      inotify_ = Fd();
  }

  // False: the reader has gone.
  bool wait(int out) {
    // Without a watch (none left on this machine) a look each second must do.
    constexpr int k_look_again_ms = 1000;
    // Asked for nothing, poll() still tells when a pipe has lost its reader.
    pollfd fds[2] = {{out, 0, 0}, {inotify_.get(), POLLIN, 0}};
    (void)::poll(fds, inotify_ ? 2 : 1, inotify_ ? -1 : k_look_again_ms);
    if ((fds[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return false;
    alignas(inotify_event) char buffer[4096];
    while (inotify_ && ::read(inotify_.get(), buffer, sizeof buffer) > 0) {
    }
    return true;
  }

 private:
  Fd inotify_;
};

Result<int> follow(const EventsOptions& options, Spool& spool,
                   Context& context) {
  // The watch comes first: what is written while we read is seen twice by
  // the watch, never missed.
  LogWatch watch(spool.folders().path() + "/log");
  Printer printer(options, context);
  EventLog::Position position;
  Io& io = context.io();
  do {
    auto read = spool.log().read_on(
        position, options.filter.since, options.filter.until,
        [&](std::string_view line) { return printer.line(line); });
    if (!read) return tl::unexpected(read.error());
    if (auto flushed = io.flush(); !flushed)
      return tl::unexpected(flushed.error());
  } while (!io.broken_pipe() && watch.wait(io.out_descriptor()));
  return 0;
}

Result<int> print_log(const EventsOptions& options, Spool& spool,
                      Context& context) {
  Printer printer(options, context);
  std::vector<std::string> cut_off;
  auto read = spool.log().read(
      options.filter.since, options.filter.until,
      [&](std::string_view line) { return printer.line(line); }, &cut_off);
  if (!read) return tl::unexpected(read.error());
  printer.tell_unreadable();
  for (const std::string& name : cut_off) context.say(cut_off_words(name));
  return 0;
}

// A message's own file has its events even where the log was cut or purged.
Result<int> print_message(const EventsOptions& options, Spool& spool,
                          Context& context) {
  auto listed = find_listed(context, options.id);
  if (!listed) return tl::unexpected(listed.error());
  std::vector<Event> events;
  if (listed->file) {
    events = listed->file->events;
  } else if (auto burial = burial_of(spool, *listed)) {
    events.push_back(std::move(*burial));
  }
  Printer printer(options, context);
  for (const auto& event : events) {
    std::string line;
    append_line(line, event);
    line.pop_back();
    if (!printer.event(event, line)) break;
  }
  return 0;
}

Result<int> run_events(const EventsOptions& options, Context& context) {
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  if (!options.id.empty() && options.follow) {
    // Of a message that there is: else it would wait for ever.
    if (auto found = find_listed(context, options.id); !found)
      return tl::unexpected(found.error());
  }
  if (options.follow) return follow(options, **spool, context);
  if (!options.id.empty()) return print_message(options, **spool, context);
  return print_log(options, **spool, context);
}

}  // namespace

Action add_events(CLI::App& app, Context& context) {
  auto options = std::make_shared<EventsOptions>();
  app.add_option("ID", options->id, "The events of this message");
  app.add_flag("--follow,-f", options->follow,
               "Go on with new events until interrupted; with --since now "
               "only those");
  add_event_filter(app, options->filter, context.clock());
  app.footer(
      "The lines are for people and may change; --json prints the events as "
      "they are.\n\n"
      "Examples:\n"
      "  pony events --since 1h --event failed --event expired\n"
      "  pony events --follow --since now --json | jq .provider\n\n"
      "Exit codes: 0 printed, 64 usage, 66 no such message, 74 the log cannot "
      "be read.");
  return [options, &context] { return run_events(*options, context); };
}

}  // namespace pony
