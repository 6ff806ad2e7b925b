// The selectors: which messages a command is about. The same options in
// `queue`, `retry`, `cancel`, `hold` and `release`.
//
// Values of one option are alternatives (--tag a --tag b: either); different
// options must all hold. Doesn't know where messages are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/history.h"
#include "core/message.h"
#include "core/result.h"
#include "spool/message_file.h"

namespace CLI {
class App;
}

namespace pony {

// "3", ">3", ">=3", "<3", "<=3".
struct Bound {
  enum class Is { equal, above, at_least, below, at_most };
  Is is = Is::equal;
  std::uint64_t value = 0;

  bool holds(std::uint64_t number) const;
};

// Reads a Bound; with `Unit::bytes` its number may end in K, M or G (1024
// each). bad_data otherwise.
enum class Unit { times, bytes };
Result<Bound> parse_bound(std::string_view text, Unit unit);

struct Selector {
  std::vector<State> states;  // empty: the command's own choice
  std::vector<std::string> ids;
  // Whole addresses, the case ignored; "*" stands for anything.
  std::vector<std::string> to;
  std::vector<std::string> from;
  std::vector<std::string> domains;  // of any recipient, with "*" as above
  std::vector<std::string> tags;
  std::vector<std::string> templates;
  std::vector<std::string> langs;
  std::vector<std::string> providers;  // the last that was tried
  std::vector<std::string> pools;
  std::vector<std::string> keys;  // its idempotency key
  std::vector<Priority> priorities;
  std::optional<Milliseconds> older;  // accepted at least that long ago
  std::optional<Milliseconds> newer;  // accepted less than that long ago
  std::optional<Bound> attempts;      // providers tried
  std::optional<Bound> size;          // of its file, in bytes
  std::string reason;     // part of the last error or reason, case ignored
  std::size_t limit = 0;  // 0: all. The caller counts.

  // Was any selector given? --limit alone selects nothing.
  bool given() const;
  // Does it ask for more than a file's name (the id, and so the age) and its
  // folder tell?
  bool needs_content() const;
  // Does it ask for what only a valid message has?
  bool asks_of_message() const;

  // Is the message, which is in `state`, one of those meant? `sender` is who
  // it is from where it does not say so itself.
  bool matches(const MessageFile& file, State state, Time now,
               const std::optional<Address>& sender = {}) const;
  // The same of a file that is no valid message: only state, id, age and
  // reason can be asked of it, so every other selector leaves it out.
  bool matches_unreadable(std::string_view id, State state, Time arrived,
                          std::string_view problem, Time now) const;
  // As far as name and folder tell: false means that matches() is false too.
  bool may_match(std::string_view id, State state) const;
  // As far as the time in its id tells.
  bool may_be_aged(Time id_made, Time now) const;
  // May a message that ended on this day ("2026-11-21") be meant?
  bool may_have_ended_on(std::string_view day, Time now) const;
};

// Adds the selectors' options to a command's parser; `selector` must outlive
// it. Values are checked while the command line is read.
void add_selectors(CLI::App& app, Selector& selector);

}  // namespace pony
