// The event log counted: several tallies in one pass over many files, in
// memory that does not grow with them. A report of a million events has to be
// there before one has let go of the return key, so lines are read once and
// kept as digests (digest.h); what is told is the same with and without.
//
// Doesn't know where the log lies: it is given files, and a folder for digests.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/compressed_file.h"
#include "core/fs.h"
#include "core/report/event_filter.h"
#include "core/report/tally.h"
#include "core/result.h"

namespace pony {

struct CountSource {
  std::string name;
  Compression form = Compression::none;
};

struct CountSources {
  // Oldest first: of two events of the same millisecond the later counts as
  // what became of a message.
  std::vector<CountSource> files;
  // Opens one for reading; not_found passes over it.
  std::function<Result<Fd>(const CountSource& file)> open;
  // The folder of the digests; -1: nothing is kept.
  int digests = -1;
  Owner owner = Owner::any;  // whose digests are to be trusted
  // Of how many events digests may take the place in memory where none can be
  // written, and how many are told apart at a time: what is beyond costs time.
  std::size_t kept_events = std::size_t{1} << 20;
  std::size_t told_apart = std::size_t{3} << 20;
};

// What was read.
struct CountSummary {
  std::uint64_t files = 0;
  std::uint64_t lines = 0;
  std::uint64_t unreadable = 0;  // lines that are no events
  // Events that were counted once though the log has them twice.
  std::uint64_t repeated = 0;
  // Compressed files that end too early, by name: what is behind it is missing.
  std::vector<std::string> cut_off;
  // When the first and the last event of these files were, asked for or not.
  std::optional<Time> first, last;
};

// Adds to each of `tallies` the events that `filter` asks for. An event that
// the log has twice (Event::natural_key()) counts once. Of a message that was
// retried only what became of it after the last time, as far as that lies
// between since and until, counts among what `messages` rows count. What is
// appended meanwhile does not count. disk when a file cannot be read.
Result<CountSummary> count(const CountSources& sources,
                           const EventFilter& filter,
                           std::span<Tally* const> tallies);

}  // namespace pony
