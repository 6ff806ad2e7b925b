// Idempotency keys: the same key and content within the window is the same
// message. A record a key, in state/keys/<hex digit>/, which is also the lock
// that makes two enqueuers with one key take turns.
//
//   record = {"key":…,"id":…,"content":"<32 hex digits>","at":"<time>"} LF
//   name   = the key's 128-bit hash (XXH3) in hex; the record holds the key
//            itself, so that a collision is seen and not believed
//
// A record is durable before its message shows in new/. A record whose
// message is nowhere (a crash in between) is void.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/fs.h"
#include "core/message.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

// What a message says, without what is only how it was told: two messages
// with equal digests are the same mail.
std::string content_digest(const Message& message);

class IdempotencyKeys {
 public:
  IdempotencyKeys(Folders& folders, std::chrono::seconds window)
      : folders_(folders), window_(window) {}

  // Locks the key's folder until release_locks(). A caller with several keys
  // locks them in the order of lock_order().
  Result<> lock(std::string_view key);
  static char lock_order(std::string_view key);
  void release_locks() { locks_.clear(); }

  // The id that the key stands for, or empty. bad_data when it stands for
  // other content. The key must be locked.
  Result<std::string> find(std::string_view key, const std::string& digest,
                           Time now);
  // Writes the record in its place; durable after sync().
  Result<> record(std::string_view key, std::string_view id,
                  const std::string& digest, Time now);
  // Makes what was recorded durable.
  Result<> sync();

  // Removes the records that `which` picks by key and message; with dry_run
  // only counts them. How many; durable when it returns. Locks each folder in
  // turn.
  enum class DryRun { no, yes };
  Result<std::size_t> remove_if(
      DryRun dry_run,
      const std::function<bool(std::string_view key, std::string_view id)>&
          which);

  // Removes records older than the window. Called now and then by runners.
  Result<> sweep(Time now);

 private:
  Folders& folders_;
  std::chrono::seconds window_;
  std::map<char, Fd> locks_;
};

}  // namespace pony
