// The event log: log/events-<YYYY-MM-DD>.jsonl, one event a line, the copy of
// what the messages' files say, in order of time, for those who count.
//
// Any number of processes append: one write() a call with O_APPEND, whole
// lines. A crash or a full disk can cut the last line: the next writer ends
// it first, readers skip what does not parse.
//
// A day's file may have been compressed, or rotated as logrotate(8) does it:
// renamed to events-<day>.jsonl.1, or copied there and truncated, then
// compressed. Readers take all of a day's files, and know one again by its
// first line, whatever it is called now: nothing in it is given twice.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/compressed_file.h"
#include "core/event.h"
#include "core/result.h"
#include "spool/address_mask.h"
#include "spool/folders.h"

namespace pony {

// One of the log's files.
struct LogFile {
  std::string name;  // below log/
  std::string day;   // whose events it has, the first and last of its
                     // neighbours' perhaps among them
  Compression form = Compression::none;
};

class EventLog {
 public:
  explicit EventLog(Folders& folders,
                    LogAddresses addresses = LogAddresses::full)
      : folders_(folders), mask_(folders, addresses) {}

  // How addresses in it are spelled.
  AddressMask& mask() { return mask_; }

  // Appends whole lines to the day's file, addresses as log_addresses wants
  // them. Not durable before sync().
  Result<> append(std::string_view lines, Time now);
  // Makes what was appended durable.
  Result<> sync();

  // The files that may hold events of [since, until), oldest first.
  Result<std::vector<LogFile>> files(std::optional<Time> since,
                                     std::optional<Time> until);
  // One of them for reading; not_found when it has been removed meanwhile.
  Result<Fd> open(const LogFile& file, struct stat* info = nullptr);

  // How far a reader is. A value: a copy remembers a place, also for another
  // process.
  class Position {
   public:
    // The first day of which it knows a place; nothing when it knows none.
    std::optional<Time> first_day() const;
    // Forgets places in days that are not looked at again.
    void forget_days_gone();
    // Has it seen a day after tomorrow? A clock that was wrong left a log
    // there.
    bool is_ahead_of(Time now) const;
    // As one JSON object, and back; nothing when `text` is none of ours.
    std::string to_json() const;
    static std::optional<Position> from_json(std::string_view text);

   private:
    friend class EventLog;
    struct Place {
      std::string day;
      off_t offset = 0;
    };
    // A compressed file that was read to its end, as it was then.
    struct ReadWhole {
      dev_t device = 0;
      ino_t inode = 0;
      off_t size = 0;
    };
    void see_day(const std::string& day);

    std::map<std::uint64_t, Place> places_;  // by how a file begins
    std::map<std::string, ReadWhole> read_whole_;
    std::string last_day_, day_before_;  // the latest days that were read
  };
  // Goes on at `offset` of the day's plain file, if it has a line yet; files of
  // days before the two latest for which this was called are passed over.
  Result<> go_on_at(Position& position, const std::string& day, off_t offset);

  // Calls `each` with every line of the files that may hold events of
  // [since, until), oldest day first; a torn last line is left out, one that
  // is longer than k_longest_line is given as an empty one. Stops on false.
  // The names of compressed files that end too early go to `cut_off`.
  Result<> read(std::optional<Time> since, std::optional<Time> until,
                const std::function<bool(std::string_view line)>& each,
                std::vector<std::string>* cut_off = nullptr);
  // The same from `position` on, which is moved: another call gives what was
  // appended since. Of days gone by only the last is looked at again.
  Result<> read_on(Position& position, std::optional<Time> since,
                   std::optional<Time> until,
                   const std::function<bool(std::string_view line)>& each,
                   std::vector<std::string>* cut_off = nullptr);

  // The natural keys of the logged events of these messages since `since`:
  // what a recovery need not write again.
  Result<std::vector<std::string>> keys_of(const std::vector<std::string>& ids,
                                           Time since);

 private:
  Result<> open_for(const std::string& day);
  // Reads on in one file; false when `each` stopped.
  Result<bool> read_file(Position& position, const LogFile& file,
                         const std::function<bool(std::string_view)>& each,
                         std::vector<std::string>* cut_off);

  Folders& folders_;
  AddressMask mask_;
  std::string day_;  // of file_, which is appended to
  Fd file_;
};

}  // namespace pony
