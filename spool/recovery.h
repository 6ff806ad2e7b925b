// Recovery: bringing back what a dead runner held. Any runner does it, at
// start and now and then; so does `pony fsck`.
//
// For each message in a dead runner's folder its journal is applied to its
// file (events that the file has not got yet), made durable, and then the last
// word decides:
//   it ended (sent, failed, deferred, held …)  → filed there
//   an attempt had started, no outcome         → unknown: on_unknown decides
//   nothing was started                        → back to new/
//   `pony send` held it, nothing was started   → failed/: its caller got no
//                                                answer and may try again
//                                                (sent/ if anyone has it)
// Whoever holds the dead runner's lock does this, so two cannot do it at once;
// if that one dies too, the next begins again and finds nothing done twice.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "spool/policy.h"
#include "spool/spool.h"

namespace pony {

struct Recovered {
  std::size_t messages = 0;
  std::vector<std::string> warnings;
};

// `own` is the folder of the caller's own runner, or empty. With `dry_run`
// nothing is changed and the warnings say what would be done.
Result<Recovered> recover(Spool& spool, const Policy& policy,
                          const std::string& own, bool dry_run = false);

}  // namespace pony
