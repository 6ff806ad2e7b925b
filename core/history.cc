#include "core/history.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pony {
namespace {

constexpr std::array<std::pair<State, std::string_view>, 6> k_states = {{
    {State::fresh, "new"},
    {State::deferred, "deferred"},
    {State::held, "held"},
    {State::claimed, "cur"},
    {State::sent, "sent"},
    {State::failed, "failed"},
}};

// Which events move a message, and where to.
constexpr std::array<std::pair<std::string_view, State>, 9> k_moves = {{
    {"queued", State::fresh},
    {"released", State::fresh},
    {"retried", State::fresh},
    {"deferred", State::deferred},
    {"held", State::held},
    {"sent", State::sent},
    {"failed", State::failed},
    {"expired", State::failed},
    {"cancelled", State::failed},
}};

}  // namespace

std::string_view to_text(State state) {
  for (const auto& [known, text] : k_states)
    if (known == state) return text;
  return {};
}

std::optional<State> state_from(std::string_view text) {
  for (const auto& [state, known] : k_states)
    if (known == text) return state;
  return {};
}

std::optional<State> state_after(std::string_view event) {
  for (const auto& [name, state] : k_moves)
    if (name == event) return state;
  return {};
}

std::optional<State> state_after(const Event& event) {
  const auto state = state_after(event.event);
  if (state == State::fresh && event.next_at) return State::deferred;
  return state;
}

void History::add(const Event& event,
                  const std::vector<std::string>& recipients) {
  if (const auto moved = state_after(event)) {
    state = *moved;
    next_at = event.next_at;
    reason = event.reason;
    if (event.event == "deferred") {
      ++rounds;
      for (const auto& one : event.recipients)
        settled.try_emplace(one.email, one.outcome);
    }
    if (event.event == "retried" || event.event == "released")
      restarted_at = event.ts;
    // A person asked for another try: who was refused may be tried again,
    // who has it may not.
    if (event.event == "retried") {
      rounds = 0;
      suppressed.clear();
      std::erase_if(settled, [](const auto& entry) {
        return entry.second != Outcome::accepted;
      });
    }
    return;
  }
  // Dropped before anybody was asked. Who has it already keeps it.
  if (event.event == "suppressed" && !event.recipient.empty() &&
      settled.try_emplace(event.recipient, Outcome::rejected).second)
    suppressed.emplace(event.recipient, event.reason);
  if (event.event != "attempted" || !event.outcome) return;

  attempts = std::max(attempts, event.attempt);
  last_provider = event.provider;
  last_error = event.error;
  // Of those it lists none need be in doubt at the other provider.
  const std::string in_doubt = unknown_at;
  if (event.recipients.empty() || event.provider == unknown_at)
    unknown_at.clear();
  const auto settle = [&](const std::string& email, Outcome outcome) {
    if (outcome == Outcome::accepted || outcome == Outcome::rejected)
      settled.insert_or_assign(email, outcome);
    if (outcome != Outcome::unknown) return;
    if (event.provider != in_doubt) unknown_since = event.ts;
    unknown_at = event.provider;
  };
  if (!event.recipients.empty()) {
    for (const auto& one : event.recipients) settle(one.email, one.outcome);
    return;
  }
  // Without a list the outcome is everybody's who was still to be reached.
  for (const auto& email : recipients)
    if (!settled.contains(email)) settle(email, *event.outcome);
}

}  // namespace pony
