// What the event log says of people (log_addresses in pony.yaml): their
// addresses in full, masked (a***@example.com), or hashed with a key of the
// spool's own (h:9f86d081884c7d65@example.com), which tells two people apart
// without saying who they are. The messages' own files keep them in full.
//
// Promises: a line without '@' costs a look for one; the rest of an event
// stays as it is. A key that cannot be read or made is an error: an address
// is never written in full where it should not be.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/event.h"
#include "core/keyed_hash.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

class AddressMask {
 public:
  AddressMask(Folders& folders, LogAddresses how)
      : folders_(folders), how_(how) {}

  // Whole event lines as the log is to have them; good until the next call,
  // and as long as `lines`. Errors: as key().
  Result<std::string_view> masked(std::string_view lines);

  // The natural keys by which the log may know `event`: as it is, masked and
  // hashed, whatever log_addresses was when it was written.
  std::vector<std::string> keys_of(const Event& event);

  // The spool's key, in state/address.key; made when there is none.
  // Errors: disk, no_permission; bad_data when what is there is no key.
  Result<HashKey> key();
  // The same, but nothing when there is none.
  Result<std::optional<HashKey>> existing_key();

 private:
  Folders& folders_;
  LogAddresses how_;
  std::optional<HashKey> key_;
  std::string lines_;
};

// "a***@example.com": the first character and the domain.
std::string masked_email(std::string_view email);
// "h:9f86d081884c7d65@example.com": of every spelling the same.
std::string hashed_email(const HashKey& key, std::string_view email);

// The addresses in a text, in order, as views into it: what looks like
// local-part@domain, without quotes around it.
std::vector<std::string_view> emails_in(std::string_view text);

}  // namespace pony
