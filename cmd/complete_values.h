// Values that exist on this machine now, for completion: ids of messages,
// templates, tags, providers, pools. Each looks at a bounded number of files,
// makes nothing, and has nothing to say where it cannot read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmd/complete.h"
#include "cmd/context.h"
#include "core/history.h"

namespace pony {

// Ids in these states that begin with `prefix`, newest first.
std::vector<Candidate> ids_that_exist(Context& context,
                                      const std::vector<State>& states,
                                      std::string_view prefix);
std::vector<Candidate> templates_that_exist(Context& context);
std::vector<Candidate> providers_that_exist(Context& context);
std::vector<Candidate> pools_that_exist(Context& context);
// Those that the event log has seen of late.
std::vector<Candidate> tags_of_late(Context& context);

}  // namespace pony
