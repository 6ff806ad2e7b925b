// What an exec provider's program is told, and what its answer means. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/net/child_process.h"
#include "core/provider/provider.h"

namespace pony {

// The one JSON object that the program gets: id, attempt, idempotency_key,
// recipients (of this attempt, as the message spells them), message (rendered,
// pony-message(5), every address an object). Of a finished message: its parts
// and `raw`, its bytes in base64; and `sender`, the envelope's.
Json exec_request(const Attempt& attempt);

// How much of an answer about so many recipients is read.
std::size_t exec_answer_limit(std::size_t recipients);

// One verdict for each of the attempt's recipients; `program` is what errors
// call it. The table is at the head of exec_answer.cc.
std::vector<Verdict> exec_verdicts(const Attempt& attempt,
                                   const ChildResult& result,
                                   std::string_view program);

// The same for a program that could not be started.
std::vector<Verdict> exec_not_started(const Attempt& attempt,
                                      const Error& error);

}  // namespace pony
