#include "core/alert.h"

#include "core/json.h"

namespace pony {
namespace {

CheckStatus severity_in(const Json& json, std::string_view key) {
  const auto text = json.text_of(key);
  for (const CheckStatus one : {CheckStatus::warning, CheckStatus::critical})
    if (to_text(one) == text) return one;
  return CheckStatus::ok;
}

std::optional<Time> time_in(const Json& json, std::string_view key) {
  const auto time = parse_time(json.text_of(key));
  return time ? std::optional<Time>(*time) : std::nullopt;
}

}  // namespace

bool note_alert(AlertState& state, CheckStatus found, Time now,
                std::chrono::seconds every) {
  if (found == CheckStatus::ok) {
    state.severity = CheckStatus::ok;
    if (!state.open) return false;
    state.open = false;
    return true;
  }
  if (state.severity == CheckStatus::ok || !state.since) state.since = now;
  state.severity = found;
  // Told in the future: a clock that jumped.
  const bool lately =
      state.told_at && *state.told_at <= now && now - *state.told_at < every;
  if (lately && found <= state.told) return false;
  state.told_at = now;
  state.told = found;
  state.open = true;
  return true;
}

void alert_was_not_told(AlertState& state) {
  state.told_at.reset();
  // It is over, and nobody knows: as if it were told when it was not.
  if (state.severity == CheckStatus::ok) state.open = true;
}

std::string to_json_text(const AlertState& state) {
  std::string text;
  JsonWriter writer(text);
  writer.field("severity", to_text(state.severity));
  if (state.since) writer.field("since", format_time(*state.since));
  if (state.told_at) writer.field("told_at", format_time(*state.told_at));
  writer.field("told", to_text(state.told));
  writer.boolean("open", state.open);
  writer.end();
  return text;
}

AlertState alert_from(std::string_view text) {
  AlertState state;
  const auto json = parse_json(text);
  if (!json || !json->is_object()) return state;
  state.severity = severity_in(*json, "severity");
  state.since = time_in(*json, "since");
  state.told_at = time_in(*json, "told_at");
  state.told = severity_in(*json, "told");
  state.open = json->text_of("open") == "true";
  return state;
}

}  // namespace pony
