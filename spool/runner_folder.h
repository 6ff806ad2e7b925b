// cur/<runner>/: the messages that one process has claimed, the lock that
// says it lives, and the journal of what it does with them.
//
// The folder appears in cur/ by rename with its lock already held, and the
// kernel drops the lock at any death, kill -9 included. So: no lock file, or
// a lock that can be had, means a dead runner (spool/recovery.h).
//
// The journal is what makes a drain fast without weakening a promise: the
// lines of all messages of one turn of the runner's loop are made durable by
// one fdatasync. It is the truth about a message as long as that is in this
// folder; its own file catches up in batches before it leaves (file()).
//
//   journal = *( event-line ) *NUL   core/event.h; "attempting" says that an
//                                    attempt is about to start
//
// A journal that grows is filled with zeros ahead: to sync what overwrites
// blocks that are there already takes the disk a third of the time of syncing
// what makes the file longer (measured: HACKING.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/event.h"
#include "core/fs.h"
#include "core/result.h"
#include "spool/event_log.h"
#include "spool/folders.h"
#include "spool/message_file.h"

namespace pony {

// A message that is done with for now: the events its file has not got yet,
// the last of which says where it goes.
struct Settled {
  std::string id;
  Priority priority = Priority::normal;
  std::vector<Event> events;
  Fd file;  // as read() opened it; if none, it is opened by its name
};

// A claimed message and its open file, for the events to come.
struct ClaimedFile {
  MessageFile message;
  Fd file;
};

class RunnerFolder {
 public:
  // A new folder of our own, locked. Errors: disk, no_permission, …
  static Result<RunnerFolder> create(Folders& folders);
  RunnerFolder(RunnerFolder&&) = default;
  // Leaves an empty folder behind no longer; one with messages in it stays
  // for recovery.
  ~RunnerFolder();

  // "cur/<host>.<pid>.<random>"
  const std::string& path() const { return path_; }

  // Takes a message's file: a rename, which one of many runners wins.
  // not_found when somebody else did.
  Result<> claim(const std::string& folder, const std::string& name,
                 const std::string& new_name);
  // Reads a claimed message, and ends its last line if that was torn.
  Result<ClaimedFile> read(const std::string& id);
  // Puts a claim back that nothing was done about.
  Result<> put_back(const std::string& id, Priority priority);

  // Adds lines to the journal; durable after commit().
  void note(const Event& event);
  // One write, one fdatasync; nothing when there is nothing to write.
  // After an error nothing that was noted may be acted on.
  Result<> commit();

  // What the runner does while messages are filed, so that sessions whose
  // answer has come do not wait for the disk. Who has none leaves it empty.
  struct Meanwhile {
    // Called after every few files; may claim, note and commit.
    std::function<Result<>()> turn;
    // The events of messages here that only the journal has: those a
    // rewritten journal must keep. Asked when all are filed.
    std::function<std::vector<Event>()> unfiled;
  };

  // Files what is settled: appends the events to each file and to the event
  // log, makes that durable, then renames each to where its last event says,
  // and makes that durable. On an error the messages stay here, and the
  // journal has what is needed to try again.
  Result<> file(std::vector<Settled>& settled, EventLog& log, Time now,
                const Meanwhile& meanwhile);

 private:
  explicit RunnerFolder(Folders& folders) : folders_(&folders) {}
  Result<> append_to_files(std::vector<Settled>& settled,
                           const Meanwhile& meanwhile);
  Result<> move_files(const std::vector<Settled>& settled,
                      const Meanwhile& meanwhile);
  Result<> sync_files(const std::vector<Settled>& settled, EventLog& log);
  Result<> make_room_in_journal(std::size_t size);
  Result<> rewrite_journal(const std::vector<Event>& unfiled);

  Folders* folders_;
  std::string path_;
  Fd folder_;
  Fd lock_;
  Fd journal_;
  std::string noted_;
  std::uint64_t journal_size_ = 0;    // written
  std::uint64_t journal_zeroed_ = 0;  // of the file, from its beginning
  int journal_number_ = 0;
};

// Where the message goes after `event`, and the time that picks the bucket or
// day. Nothing when the event does not move it.
Result<std::string> place_after(Folders& folders, const Event& event,
                                Priority priority);

// Appends events to the file of a claimed message, durable when it returns.
// Used where one message is moved, not a batch.
Result<> append_events(int folder, const std::string& name,
                       const std::vector<Event>& events);

}  // namespace pony
