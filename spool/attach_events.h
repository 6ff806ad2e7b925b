// What is told from outside about messages, put into their files: events that
// move nothing, added wherever the message rests.
//
// Promises: an event that was attached is durable, in the message's file and
// in the event log; the same event (Event::natural_key) is not in a file
// twice; nothing is lost or torn when the message moves, or others append, at
// the same time. The log has it before the file, so that a death in between
// leaves a line that readers fold, and not a gap.
// Doesn't know: who tells it, and whether that is to be believed.
// Known limit: a message keeps 10,000 events; what comes after them is not
// written down (an image can be opened without end).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/event.h"
#include "core/result.h"
#include "spool/spool.h"

namespace pony {

// An event, and by what its message may be known. `event` has all that is
// told: id, by and what describes the message are filled in.
struct ToldEvent {
  Event event;
  std::string message_id;   // its id, as an outsider says
  std::string mail_id;      // its Message-ID, which has the id in it
  std::string provider_id;  // what event.provider calls it
};

enum class Attached {
  added,
  known,       // the file has it already
  no_message,  // there is none, or none any more
  too_many,    // the file is full
};

struct AttachOptions {
  // How far back the log is searched for what a provider calls a message.
  Time since{};
  // For how long a message that a runner has is waited for. Then the events
  // are added in its folder: that is safe from runners, but of two that
  // replace recipients (pony retry --to) in that moment one is lost.
  Milliseconds patience = std::chrono::seconds(2);
};

// Attaches those whose message is here, and answers in their order; with
// their ids. Errors: the spool's (disk, …): what was written by then stays.
Result<std::vector<Attached>> attach_events(Spool& spool,
                                            std::span<ToldEvent> events,
                                            const AttachOptions& options);

// The same without writing anything: what would become of them.
Result<std::vector<Attached>> try_to_attach(Spool& spool,
                                            std::span<ToldEvent> events,
                                            const AttachOptions& options);

}  // namespace pony
