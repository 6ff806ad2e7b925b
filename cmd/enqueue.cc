// pony enqueue: messages from files, stdin or flags, made durable in groups.
//
// The reader makes messages of bytes, the committer makes them durable and
// answers; with a stream they work side by side, because one waits for the
// processor and the other for the disk. An id is printed when its message is
// safe, not before.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "cmd/commands.h"
#include "cmd/message_flags.h"
#include "cmd/message_input.h"
#include "cmd/wait_for.h"
#include "core/json_records.h"

namespace pony {
namespace {

// A group commit: so many messages or bytes, or what came without a pause.
constexpr std::size_t k_group_messages = 500;
constexpr std::size_t k_group_bytes = std::size_t{8} << 20;
// Groups that wait for the disk while the next is read: bounds the memory.
constexpr std::size_t k_groups_waiting = 2;
constexpr std::size_t k_read_size = std::size_t{64} << 10;

struct EnqueueOptions {
  std::vector<std::string> files;
  MessageFlags flags;
  std::string wait;
};

// A message, or why it was refused; in the order of the input.
struct Entry {
  std::optional<Message> message;
  Error refused;
};

struct Group {
  std::vector<Entry> entries;
  std::size_t bytes = 0;
  bool full() const {
    return entries.size() >= k_group_messages || bytes >= k_group_bytes;
  }
};

// Makes groups durable and answers. One thread at a time uses it.
class Committer {
 public:
  Committer(Context& context, Spool& spool)
      : context_(context), spool_(spool) {}

  // False when the spool failed: nothing more can be accepted.
  bool commit(Group group);
  // 0, or what went wrong: 65 when messages of a stream were refused for
  // more than one cause.
  int exit_code() const { return code_; }
  const std::vector<std::string>& ids() const { return ids_; }
  void keep_ids() { keep_ids_ = true; }

 private:
  void answer(const Accepted& accepted);
  void refuse(const Error& error);

  Context& context_;
  Spool& spool_;
  bool keep_ids_ = false;
  std::vector<std::string> ids_;
  int code_ = 0;
};

bool Committer::commit(Group group) {
  std::vector<Message> messages;
  for (auto& entry : group.entries)
    if (entry.message) messages.push_back(std::move(*entry.message));
  const auto results = spool_.accept(messages);
  bool spool_works = true;
  auto next = results.begin();
  for (const auto& entry : group.entries) {
    if (!entry.message) {
      refuse(entry.refused);
      continue;
    }
    const auto& result = *next++;
    if (result) {
      answer(*result);
    } else if (result.error().kind == Error::Kind::bad_data) {
      refuse(result.error());
    } else if (spool_works) {
      // Said once: all that follows has the same cause.
      spool_works = false;
      context_.tell(result.error());
      code_ = pony::exit_code(result.error().kind);
    }
  }
  if (auto flushed = context_.io().flush();
      !flushed || context_.io().broken_pipe()) {
    context_.warn(
        "the messages are queued, but their ids could not be "
        "written to standard output");
    code_ = pony::exit_code(Error::Kind::disk);
    return false;
  }
  return spool_works;
}

void Committer::answer(const Accepted& accepted) {
  if (keep_ids_) ids_.push_back(accepted.id);
  if (!context_.options.json) {
    context_.io().out(accepted.id + "\n");
    return;
  }
  std::string line;
  JsonWriter(line)
      .field("id", accepted.id)
      .boolean("result", true)
      .field("status", accepted.duplicate ? "duplicate" : "queued")
      .end();
  context_.io().out(line + "\n");
}

void Committer::refuse(const Error& error) {
  context_.tell(error);
  const int code = pony::exit_code(error.kind);
  code_ = code_ == 0 || code_ == code ? code : 65;
}

// A committer in a thread of its own, fed through a short queue.
class Pipeline {
 public:
  explicit Pipeline(Committer& committer) : committer_(committer) {}
  ~Pipeline() { finish(); }

  // Hands a group on; waits while k_groups_waiting are there already. False
  // when nothing more can be accepted.
  bool commit(Group group);
  void finish();

 private:
  void work();

  Committer& committer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Group> groups_;
  bool finished_ = false;
  bool failed_ = false;
  std::thread thread_;
};

bool Pipeline::commit(Group group) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  changed_.wait(lock,
                [&] { return failed_ || groups_.size() < k_groups_waiting; });
  if (failed_) return false;
  groups_.push_back(std::move(group));
  changed_.notify_all();
  return true;
}

void Pipeline::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Pipeline::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return finished_ || !groups_.empty(); });
    if (groups_.empty()) return;
    Group group = std::move(groups_.front());
    groups_.pop_front();
    changed_.notify_all();
    lock.unlock();
    const bool works = committer_.commit(std::move(group));
    lock.lock();
    if (works) continue;
    failed_ = true;
    groups_.clear();
    changed_.notify_all();
    return;
  }
}

bool more_is_there(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

// Reads one source to its end. Groups are committed as they fill, and
// whenever the input pauses: who sends one line waits for its answer.
class Reader {
 public:
  Reader(MessageInput& input, Committer& committer, Pipeline& pipeline)
      : input_(input), committer_(committer), pipeline_(pipeline) {}

  // False when nothing more can be accepted.
  Result<bool> read(int fd, const std::string& source);
  // The last group; in this thread when it is the only one.
  bool finish();
  std::size_t records() const { return records_; }

 private:
  void take(const JsonRecords::Record& record, const std::string& source);
  bool commit();

  MessageInput& input_;
  Committer& committer_;
  Pipeline& pipeline_;
  Group group_;
  std::size_t records_ = 0;
  bool piped_ = false;
};

Result<bool> Reader::read(int fd, const std::string& source) {
  JsonRecords records(k_message_limit);
  // Not zeroed: touching its pages would cost one message more than its JSON.
  const auto buffer = std::make_unique_for_overwrite<char[]>(k_read_size);
  for (bool ended = false; !ended;) {
    const ssize_t n = ::read(fd, buffer.get(), k_read_size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return fail_errno(
          errno, "cannot read " +
                     (source.empty() ? "standard input" : "'" + source + "'"));
    ended = n == 0;
    if (ended) {
      records.finish();
    } else {
      records.feed({buffer.get(), static_cast<std::size_t>(n)});
    }
    while (auto record = records.next()) {
      take(*record, source);
      if (group_.full() && !commit()) return false;
    }
    if (!ended && !group_.entries.empty() && !more_is_there(fd) && !commit())
      return false;
  }
  return true;
}

void Reader::take(const JsonRecords::Record& record,
                  const std::string& source) {
  ++records_;
  group_.bytes += record.text.size();
  Entry entry;
  if (record.too_large) {
    entry.refused = {Error::Kind::bad_data,
                     (source.empty() ? "" : source + ", ") + "line " +
                         std::to_string(record.line) +
                         ": the message is larger than 50 MiB",
                     {},
                     {}};
  } else if (auto message = input_.read(record.text, record.line, source)) {
    entry.message = std::move(*message);
  } else {
    entry.refused = std::move(message.error());
  }
  group_.entries.push_back(std::move(entry));
}

bool Reader::commit() {
  piped_ = true;
  return pipeline_.commit(std::exchange(group_, {}));
}

bool Reader::finish() {
  if (group_.entries.empty()) return true;
  if (piped_) return commit();
  return committer_.commit(std::exchange(group_, {}));
}

Result<bool> read_sources(const EnqueueOptions& options, Context& context,
                          Reader& reader) {
  std::vector<std::string> files = options.files;
  if (files.empty()) files.emplace_back("-");
  for (const auto& file : files) {
    if (file == "-") {
      if (context.io().in_is_terminal())
        context.say("reading a message from the terminal; end it with Ctrl-D");
      auto whole = reader.read(context.io().in(), "");
      if (!whole || !*whole) return whole;
      continue;
    }
    const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return fail_errno(errno, "cannot open '" + file + "'");
    auto whole = reader.read(fd.get(), file);
    if (!whole || !*whole) return whole;
  }
  return true;
}

Result<int> run_enqueue(const EnqueueOptions& options, Context& context) {
  std::optional<Milliseconds> wait;
  if (!options.wait.empty()) {
    auto duration = parse_duration(options.wait);
    if (!duration)
      return fail(Error::Kind::usage, "--wait: " + duration.error().what);
    wait = *duration;
  }
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto flags = json_from(options.flags, context.clock().now());
  if (!flags) return tl::unexpected(flags.error());
  MessageInput input(context, **config, std::move(*flags));

  // Before the spool: what is wrong with the only message is said even where
  // there is no spool yet.
  std::optional<Message> from_flags;
  if (options.files.empty() && options.flags.is_whole()) {
    auto message = input.from_flags();
    if (!message) return tl::unexpected(message.error());
    from_flags = std::move(*message);
  }
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  Committer committer(context, **spool);
  if (wait) committer.keep_ids();

  if (from_flags) {
    Group group;
    group.entries.push_back({std::move(from_flags), {}});
    committer.commit(std::move(group));
  } else {
    Pipeline pipeline(committer);
    Reader reader(input, committer, pipeline);
    auto whole = read_sources(options, context, reader);
    if (!whole || *whole) reader.finish();
    pipeline.finish();
    if (!whole) return tl::unexpected(whole.error());
    if (reader.records() == 0)
      return fail(Error::Kind::bad_data, "the input holds no message",
                  "pipe a JSON message to it, or see: pony enqueue --help");
  }
  if (!wait || committer.exit_code() != 0) return committer.exit_code();
  return wait_for_outcome(**spool, committer.ids(), *wait, context);
}

}  // namespace

Action add_enqueue(CLI::App& app, Context& context) {
  auto options = std::make_shared<EnqueueOptions>();
  const Action action = [options, &context] {
    return run_enqueue(*options, context);
  };
  if (context.bare) return action;
  app.add_option("FILE", options->files,
                 "Files of messages; - or none: standard input")
      ->type_name("");
  add_message_flags(app, options->flags);
  app.add_option("--wait", options->wait,
                 "Wait for the outcome, at most this long (30s, 5m)")
      ->type_name("TIME");
  app.footer(
      "A message is a JSON object (pony-message(5)); also an array of them, "
      "or JSON Lines\nwithout end. Flags fill in what the JSON leaves out; "
      "with --to and --template or\n--subject they are a message by "
      "themselves, and standard input is not read.\n\n"
      "Examples\n"
      "  echo '{\"to\":\"ann@example.com\",\"template\":\"welcome\","
      "\"replacements\":{…}}' | pony enqueue\n"
      "  pony enqueue --to ann@example.com --subject Hello --text 'It works.'"
      "\n\n"
      "Exit codes\n"
      "  0 safe on disk · 65 not a valid message · 66 no such file or template"
      "\n  74 disk error, not accepted · 75 not accepted, call again · 77 no "
      "permission\n  78 configuration; with --wait: 69 failed, 75 not yet "
      "known");
  return action;
}

}  // namespace pony
