// How much waits in a spool, and since when: counted by names, so that a
// million waiting cost a listing and no more.
//
// A message waits since it was accepted, or its send_at came, or a person
// brought it back (retry, release); one whose send_at is still to come does
// not wait, nor does one that is held. What a name does not tell is asked of
// the end of the file, but only of those that look older than the oldest known
// so far: of a million in no order some fourteen. Where all of them look old
// and are not (many scheduled ones) at most 64 of a folder are asked; the
// others are taken for what the folder says they are.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/clock.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

struct Census {
  std::array<std::uint64_t, 3> fresh{}, deferred{};  // by Priority
  std::uint64_t claimed = 0;
  std::uint64_t held = 0;
  // Held because they may have been delivered, where that was asked for.
  std::uint64_t held_uncertain = 0;
  std::optional<Time> oldest_since;
  bool cut_short = false;  // by CensusOptions::enough

  std::uint64_t waiting() const;  // fresh, deferred and claimed
};

struct CensusOptions {
  // Looks into the held ones, of which there are few.
  bool ask_held = false;
  // Asked now and then: may it stop, is what is known enough?
  std::function<bool(const Census&)> enough = [](const Census&) {
    return false;
  };
};

// Changes nothing, takes no lock; a message that moves meanwhile may be missed
// or counted twice. Errors: a folder that cannot be listed.
Result<Census> take_census(Folders& folders, Time now,
                           const CensusOptions& options = {});

}  // namespace pony
