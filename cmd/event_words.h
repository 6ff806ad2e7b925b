// An event as a line for people: in a log of many messages, and in the story
// of one. Both may change; scripts read the JSON.
#pragma once

#include <string>

#include "core/event.h"

namespace pony {

// "2026-11-21T10:00:00.123Z  sent       01J…  provider=main attempt=1 …", with
// its '\n'. Times first, outcome and reason last; fit for a terminal.
std::string log_line(const Event& event);

// "2026-11-21T10:00:00.123Z  attempted  main, try 1: accepted (202), 123 ms".
std::string story_line(const Event& event);

// What is said of a compressed file of the log that ends too early.
std::string cut_off_words(const std::string& name);

}  // namespace pony
