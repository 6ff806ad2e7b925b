// Which webhook bodies were taken, for as long as they could be sent again:
// state/feedback/<provider>.<hex digit>, sixteen files a provider, of records
// of 82 bytes:
//
//   record = milliseconds(13) SP state SP key(32) SP body(32) LF
//   state  = "b" (begun) | "t" (taken)
//   key    = what the request cannot share with another one, in hex: a token
//            that is signed, or the body
//
// Promises: of two processes with one key the second waits for the first;
// before a body does anything its record is durable; a file does not outgrow
// 8,192 records: then those too old to be taken go, and the oldest.
// Doesn't know: what a webhook is, and who signed it.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/fs.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

class FeedbackMemory {
 public:
  enum class Seen {
    never,
    begun,  // the same body, of which we do not know how far it came
    taken,  // the same body: nothing is left to be done
    other,  // another body had this key
  };

  // Looks for `key` (32 hex digits), whose body has the digest `body` (the
  // same), and keeps all others with keys of its first digit waiting until
  // this goes. What is older than `window` may be forgotten. Errors: disk, …
  static Result<FeedbackMemory> open(Folders& folders,
                                     const std::string& provider,
                                     std::string key, std::string body,
                                     Milliseconds window);
  Seen seen() const { return seen_; }

  // Writes down that it begins; durable when it returns.
  Result<> begin(Time now);
  // It is done. Not durable: without it the same is done once more, which
  // finds it done.
  Result<> taken();

 private:
  FeedbackMemory(std::string key, std::string body, Milliseconds window)
      : key_(std::move(key)), body_(std::move(body)), window_(window) {}
  Result<> look();
  Result<> make_room(Time now);

  std::string key_;
  std::string body_;
  Milliseconds window_;
  Fd file_;  // holds the lock
  std::string records_;
  std::size_t at_ = std::string::npos;  // of the record, if there is one
  Seen seen_ = Seen::never;
};

}  // namespace pony
