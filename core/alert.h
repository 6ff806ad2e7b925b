// What is remembered of an alert between two looks, and when somebody is told:
// a value and functions on it.
//
// Told are: that something is wrong; the same again after a while; at once
// when it got worse; and, once, that it is over. Something that comes and goes
// is told once in that while, and so is its end.
// Doesn't know: files, clocks, who is told.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/vitals.h"

namespace pony {

struct AlertState {
  CheckStatus severity = CheckStatus::ok;  // as it was last found
  std::optional<Time> since;               // when it became wrong
  std::optional<Time> told_at;  // when somebody was last told it is wrong
  CheckStatus told = CheckStatus::ok;  // what was told then
  bool open = false;                   // told, and not yet told that it is over
};

// It was found so at `now`: changes what is remembered, and answers whether
// somebody is to be told. `every`: of what is wrong all the time at most one
// word in this time.
bool note_alert(AlertState& state, CheckStatus found, Time now,
                std::chrono::seconds every);

// Nobody could be told: the next look tells.
void alert_was_not_told(AlertState& state);

// One JSON object on one line, without '\n'.
std::string to_json_text(const AlertState& state);
// A text that is none of ours is a fresh value.
AlertState alert_from(std::string_view text);

}  // namespace pony
