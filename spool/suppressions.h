// The addresses that get no mail: bounced for good, complained, unsubscribed,
// or put there by a person. state/suppressions.jsonl, a JSON object a line:
//
//   {"address":"ann@example.com","reason":"bounced",
//    "since":"2026-11-20T09:30:00.000Z","provider":"main","id":"01M8…"}
//
// Of somebody who was forgotten and still gets no mail the address is a hash
// (spool/address_mask.h): h:9f86d081884c7d65@example.com. It is found by the
// address that it stands for.
//
// Promises: lines are only appended, in one write under a lock, and durable
// when add() returns; removing writes the file anew and renames it over the
// old one. A line that a crash cut short counts for nothing and is ended by
// the next writer. Looking up costs no I/O unless the address is there; what
// is kept of an address is 16 bytes.
// Doesn't know: who put them there, and what becomes of a message.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "core/fs.h"
#include "core/result.h"
#include "spool/address_mask.h"
#include "spool/folders.h"

namespace pony {

enum class SuppressedFor { bounced, complained, unsubscribed, manual };

std::string_view to_text(SuppressedFor reason);
std::optional<SuppressedFor> suppressed_for_from(std::string_view text);

struct Suppression {
  // As comparable_email() spells it.
  std::string address;
  SuppressedFor reason = SuppressedFor::manual;
  Time since{};
  std::string provider;  // that told us, if one did
  std::string id;        // the message that it was about, if it was about one
  std::string note;      // a person's words

  bool operator==(const Suppression&) const = default;
};

// "bounced on 2026-11-20 (main)", for an event and for a person.
std::string to_text(const Suppression& suppression);

// The entry as one line of the file, with its '\n', and the way back.
// bad_data when the line is none. A reason of a later version is `manual`.
void append_line(std::string& out, const Suppression& suppression);
Result<Suppression> parse_suppression(std::string_view line);

class Suppressions {
 public:
  explicit Suppressions(Folders& folders)
      : folders_(folders), mask_(folders, LogAddresses::full) {}

  // Adds those whose address (in any spelling) is not there yet and answers
  // how many that were: an entry keeps its first reason. Durable when it
  // returns; on an error (disk, …) none of them was added.
  Result<std::size_t> add(std::span<const Suppression> entries);
  // Removes the addresses and answers with the entries that were there, each
  // with the address that was given for it.
  // Durable when it returns.
  Result<std::vector<Suppression>> remove(
      std::span<const std::string> addresses);

  // Takes in what others have changed since the last call: one stat(2) when
  // nothing was. The file that has grown is read from where it ended.
  Result<> refresh();
  // Of what refresh() knows. The address may be in any spelling.
  bool empty() const { return index_.empty(); }
  std::size_t size() const { return index_.size(); }
  Result<std::optional<Suppression>> find(std::string_view address);

  // Calls `each` with the entries of the file as it is now, oldest first; the
  // list streams. Stops on false.
  Result<> for_each(const std::function<bool(const Suppression& entry)>& each);

 private:
  // Where the line is whose address has this hash.
  struct Place {
    std::uint64_t hash = 0;
    std::uint64_t offset = 0;
    auto operator<=>(const Place&) const = default;
  };
  Result<> open_again();
  Result<> read_on();
  void forget_all();
  Result<std::optional<Suppression>> find_spelled(const std::string& address);
  Result<std::optional<Suppression>> line_at(std::uint64_t offset) const;
  Result<> write_new(int state, const std::string& lines);
  Result<> append(int state, const std::string& lines);
  Result<std::vector<Suppression>> rewrite_without(
      int state, const std::unordered_map<std::string, std::string>& addresses);

  Folders& folders_;
  AddressMask mask_;
  Fd file_;  // the one that index_ was read from; its inode stays ours
  struct stat seen_ {};
  std::uint64_t read_to_ = 0;  // the end of its last whole line
  std::vector<Place> index_;   // sorted
  bool has_hashes_ = false;
};

}  // namespace pony
