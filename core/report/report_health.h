// What a report says in words, before its figures: of which time it is, and
// how mail fared in it. Above all that a provider has been failing while
// another carried its mail, which nobody notices otherwise.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/report/tally.h"

namespace pony {

// Which events were asked for, and when.
struct ReportSpan {
  std::optional<Time> since;  // else: from the log's beginning
  std::optional<Time> until;  // else: to now
  Time now{};
};

// "2026-11-21 00:00 to 2026-11-22 08:43 UTC"; "all up to … UTC" without a
// beginning. The end is `now` where it would lie ahead.
std::string span_text(const ReportSpan& span);

// How mail fared. Names are raw: the caller makes them fit for what shows them.
struct ReportHealth {
  // A sentence without a full stop; empty when nothing was counted, or for
  // rows by reason or event.
  //   messages  "12 of 4,812 messages failed or expired (0.2 %)"
  //   attempts  "412 of 830 attempts were not accepted (49.6 %)"
  std::string whole;
  // One for each provider that fails, see health_of().
  std::vector<std::string> providers;
  // Bad: a provider failed, the outcome of an attempt is unknown, or one
  // message in twenty failed. Quiet: nothing was counted.
  enum class Mood { quiet, good, bad } mood = Mood::quiet;
};
// The same events by provider alone, and by provider and day or hour; either
// may be missing.
struct ProviderTallies {
  const Tally* all = nullptr;
  const Tally* over_time = nullptr;
};

// Of providers those are told of whose attempts half or more failed by their
// own doing (not by the message's: `rejected`), with who took mail:
// "sendgrid: 412 of 412 attempts failed (412 unavailable); mailgun accepted
// 405". With `over_time` a provider is told of from the time on since when it
// fails, also if it did well before: "sendgrid: 71 of 71 attempts since
// 2026-11-22 04:00 failed (71 unavailable); mailgun accepted 70 meanwhile".
ReportHealth health_of(const Tally& tally, const ProviderTallies& providers);
// The keys of `over_time`, by time_key().
std::vector<TallyBy> provider_time_keys(const ReportSpan& span);

// Day or hour, as suits the length of the span: by hour if it has a beginning
// and is at most two days long.
TallyBy time_key(const ReportSpan& span);

// Both for a terminal or a file, broken at `width` columns (0: not at all),
// each line ending in '\n'.
std::string to_headline(const Tally& tally, const ProviderTallies& providers,
                        const ReportSpan& span, int width);

}  // namespace pony
