// One message, whole: for people and as a JSON document.
#pragma once

#include <string>
#include <vector>

#include "cmd/listing.h"
#include "core/event.h"

namespace pony {

// A message with what show knows beyond its file.
struct Shown {
  Listed listed;
  std::vector<Event> events;
  std::string subject;  // as it is sent; empty when it cannot be made
};

// Lines for people, and may change.
std::string show_text(const Shown& shown, Time now);

enum class Contents { sizes, whole };

// One document, one line: what the message's file holds, with the names that
// the replaced services' callers know (status, created_at, …, result).
// `contents`: attachments as they are, or only their sizes.
std::string show_json(const Shown& shown, Contents contents);

}  // namespace pony
