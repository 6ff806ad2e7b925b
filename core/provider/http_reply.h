// Reading replies of HTTP APIs: what they say in their headers, by their
// status and in their own words, as verdicts. Pure.
//
// Doesn't know: what an API calls its errors, and where in a body it says
// what.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/net/http.h"
#include "core/outcome.h"
#include "core/provider/provider.h"
#include "core/secret.h"

namespace pony {

bool is_success(const HttpReply& reply);

// The reply with "***" wherever its body repeats the secret, so that no error
// can.
HttpReply without_secret(const HttpReply& reply, const Secret& secret);

// The body as JSON, or nothing when it is none (HTML of a front end, cut).
std::optional<Json> json_of(const HttpReply& reply);

// How long the reply asks to be left alone: Retry-After in seconds or as a
// date (RFC 9110, 10.2.3), else `reset` (the name of a header that holds the
// seconds to wait or the Unix time of the reset), as clamped_rest() bounds it.
// Nothing when it says nothing.
std::optional<std::chrono::seconds> asked_rest(const HttpReply& reply, Time now,
                                               std::string_view reset = {});

// An id as a provider gave it, printable and of a sane length.
std::string provider_id_from(std::string_view text);

// The verdict of a reply that took the message, and called it `id`.
Verdict taken_as(const HttpReply& reply, Time now, std::string_view id);

// Verdicts --------------------------------------------------------------------

// A verdict in the API's own words: `words` come after the status, as
// "429: rate limit", made printable and cut. Takes Retry-After in, whatever
// the outcome.
Verdict api_verdict(Outcome outcome, const HttpReply& reply, Time now,
                    std::string_view words);

// What the status alone says, for replies whose body is not understood:
// 2xx accepted (without an id); 429 throttled; 504 unknown; everything else
// unavailable: never rejected. A 413 does not count against the provider's
// health. The words are the first of the body when it is plain text.
Verdict verdict_of_status(const HttpReply& reply, Time now);
// The same in the API's own `words`, if there are any.
Verdict verdict_of_status(const HttpReply& reply, Time now,
                          std::string_view words);

// A quota or a balance is used up: unavailable, with a rest. It is no rate
// that recovers in seconds, and who pays or the next day may change it, so the
// rest is an hour unless the reply asks for another.
Verdict used_up(const HttpReply& reply, Time now, std::string_view words);

// It may have been taken, by what the reply says: unknown, and no fault of
// the provider's.
Verdict may_be_taken(const HttpReply& reply, Time now, std::string_view words);

// The verdicts of a refusal that names recipients: `refused` for those that
// `is_refused` (by index), and for the others unavailable: nobody got the
// message, and without the named ones it can be tried again, which says
// nothing about the provider's health.
std::vector<Verdict> refused_among(const Attempt& attempt,
                                   const Verdict& refused,
                                   const std::vector<bool>& is_refused);

// Checks ----------------------------------------------------------------------

// `theirs`, cut so that whoever cuts the line later leaves our `advice` behind
// it: "403: Forbidden (the key may be of the other region)".
std::string with_advice(std::string_view theirs, std::string_view advice);

// A check that failed for a reason that has no words of its own.
ProviderCheck unexpected_answer(const HttpReply& reply, std::string_view words);

}  // namespace pony
