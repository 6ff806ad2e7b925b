// Removing a person from a spool: the messages to an address, what the event
// log, the idempotency keys and the providers' health say of it, and whether
// it is suppressed.
//
// Promises: a message that has other recipients stays theirs, with the address
// struck out; the event log keeps its lines, and its figures: of an address in
// it every byte is overwritten, where it stands, so that whoever appends to it
// meanwhile loses nothing. What was not done is said. Cut short by a crash it
// is finished by doing it again.
// Doesn't know: other spools, mail that was delivered, backups.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/result.h"
#include "spool/spool.h"
#include "spool/suppressions.h"

namespace pony {

// Some people's addresses, and where a text mentions them.
class People {
 public:
  // `key` of the spool's hashes, if it has one.
  People(std::span<const std::string> addresses,
         const std::optional<HashKey>& key);

  bool has(std::string_view email) const;
  // Calls `each` with every mention in `text`, JSON or not: the addresses in
  // any spelling, and their hashes. `masked`: also what they look like masked,
  // which others may as well.
  enum class Masked { no, yes };
  void for_each_mention(
      std::string_view text, Masked masked,
      const std::function<void(std::string_view)>& each) const;
  bool mentioned_in(std::string_view text) const;
  // `text` with each mention overwritten by as many bytes.
  std::string without_mentions(std::string_view text, Masked masked) const;

 private:
  std::unordered_set<std::string> addresses_;  // comparable
  std::unordered_set<std::string> hashed_;
  std::unordered_set<std::string> masked_;
};

// What stands where an address stood: "forgotten", cut or filled with dots to
// `size` bytes.
std::string forgotten_text(std::size_t size);

struct ForgetOptions {
  enum class DryRun { no, yes };
  // Who is suppressed stays so, by a hash instead of the address.
  enum class Suppressed { remove, keep_hashed };
  DryRun dry_run = DryRun::no;
  Suppressed suppressed = Suppressed::remove;
};

// What was done; with dry_run: would be.
struct Forgotten {
  std::vector<std::string> removed;    // ended messages, to them alone
  std::vector<std::string> cancelled;  // waiting ones, to them alone: removed
  std::vector<std::string> struck;     // others got or get it, too
  // Left as they are: being delivered, or dropped and not taken in yet (their
  // file's name). To be done again.
  std::vector<std::string> busy;
  // Messages to others that mention them in what they say, or are from them.
  std::vector<std::string> mentioned;
  // Compressed logs that are damaged: what is behind it was not seen, and
  // they are left as they are.
  std::vector<std::string> not_read;
  std::size_t files = 0;      // that were no messages, in failed/
  std::size_t log_lines = 0;  // of the event log
  std::size_t log_files = 0;  // in which these are
  std::size_t keys = 0;       // idempotency keys
  std::size_t providers = 0;  // whose last error named them
  std::vector<Suppression> suppressions;
};

// Forgets these people. Errors: disk, no_permission, …; what was done by then
// stays done.
Result<Forgotten> forget(Spool& spool, std::span<const std::string> addresses,
                         const ForgetOptions& options);

}  // namespace pony
