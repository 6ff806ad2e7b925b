// The spool: a directory in which mail waits. The moves of a message, and
// nothing else: accept makes it durable, a RunnerFolder claims and files it,
// recovery brings back what a dead runner held.
//
// Promises: an id that accept() has answered stands for a message that
// neither kill -9 nor a power cut loses; every message is one file in one
// place; it moves only by rename(2).
// Doesn't know: providers, pools, templates.
// Known limits: one local file system; not NFS (flock, rename).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/message.h"
#include "core/result.h"
#include "spool/event_log.h"
#include "spool/folders.h"
#include "spool/idempotency.h"
#include "spool/message_file.h"
#include "spool/runner_folder.h"

namespace pony {

struct SpoolOptions {
  std::string path;
  std::string group;
  std::chrono::seconds idempotency_window{24 * 3600};
  LogAddresses log_addresses = LogAddresses::full;
};

struct Accepted {
  std::string id;
  // An earlier message has the same idempotency key and content: its id, and
  // nothing was queued.
  bool duplicate = false;
};

class Spool {
 public:
  // Errors: as Folders::open.
  static Result<std::unique_ptr<Spool>> open(const SpoolOptions& options,
                                             const Clock& clock);

  // Makes `message` durable and answers with its id: from then on neither
  // kill -9 nor a power cut loses it. Safe from any number of processes.
  // `note`, if there is one, becomes the `reason` of its `queued` event: what
  // a person should know of how it came.
  // Errors: disk, temporary (nothing was accepted); bad_data (its key was
  // used for other content).
  Result<Accepted> accept(const Message& message, const std::string& note = {});

  // The same for many, with one sync for all: answers in the messages' order.
  // A message that is refused alone (its key) has its error; when the disk
  // fails, what was not yet in place has that error and the rest is durable.
  std::vector<Result<Accepted>> accept(std::span<const Message> messages,
                                       const std::string& note = {});

  // Accepts `message` into held/, where it waits for a person: its file has
  // `queued` and `held` with this reason from the first, made durable by one
  // write, so that no runner can see it in between. Errors as accept().
  Result<Accepted> accept_held(const Message& message,
                               const std::string& reason,
                               const std::string& note = {});

  // Accepts straight into a runner's folder: `pony send` delivers it itself,
  // a runner takes in a dropped file. Mode::queue promises that it will be
  // delivered, whatever becomes of us. `id`: to be used for it, if not empty.
  Result<Accepted> accept_into(RunnerFolder& runner, const Message& message,
                               Mode mode, std::string id = {});

  // A message wherever it is. not_found with the id.
  struct Located {
    MessageFile file;
    std::string folder;
    State state = State::fresh;  // by its folder; cur says "claimed"
  };
  Result<Located> load(std::string_view id);
  // Reads the file `name` in `folder`; not_found when it has moved on.
  Result<MessageFile> read(const std::string& folder, std::string_view id);

  Folders& folders() { return folders_; }
  EventLog& log() { return log_; }
  IdempotencyKeys& keys() { return keys_; }
  const Clock& clock() const { return clock_; }
  // "host:pid", who writes an event.
  const std::string& by() const { return by_; }
  // Fills in what every event about `message` says: when, who, and what the
  // log wants to know of it.
  void describe(Event& event, std::string_view id,
                const Message& message) const;
  // A new event of this kind, described.
  Event event(std::string_view kind, std::string_view id,
              const Message& message) const;

 private:
  Spool(Folders folders, const SpoolOptions& options, const Clock& clock);
  struct Staged;
  // What is said of a message as it is accepted, in its events.
  struct Remarks {
    std::string note;         // with `queued`
    std::string hold_reason;  // empty: it is not held
  };
  Result<Staged> stage(const Message& message, Mode mode, std::string id,
                       const Remarks& remarks);
  std::vector<Result<Accepted>> accept_batch(std::span<const Message> messages,
                                             const Remarks& remarks);

  Folders folders_;
  EventLog log_;
  IdempotencyKeys keys_;
  const Clock& clock_;
  std::string by_;
};

}  // namespace pony
