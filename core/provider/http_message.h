// What the HTTP APIs have in common: who an attempt is for, what fits, how a
// reply is read. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/net/http.h"
#include "core/outcome.h"
#include "core/provider/provider.h"

namespace pony {

// The recipients of an attempt in the roles that the message gives them, with
// their names; each domain as A-labels.
struct Addressees {
  std::vector<Address> to;
  std::vector<Address> cc;
  std::vector<Address> bcc;
};

// Most APIs demand somebody in `to`. When nobody is left there, cc moves up
// (they see each other anyway), else a single bcc (who sees only himself).
// Several bcc alone stay: limits below say whether the API can say that.
Addressees addressees_of(const Attempt& attempt);

// With the domain as A-labels; the local part as it is.
Address wire_address(const Address& address);
// "ann@example.com" or "Ann Smith <ann@example.com>", the name quoted where
// RFC 5322 asks for it, in UTF-8.
std::string mailbox(const Address& address);

// What an API can carry of the essentials.
struct ApiLimits {
  std::string_view name;           // "Postmark": whose limit it is
  std::size_t recipients = 1000;   // to, cc and bcc together
  std::size_t bytes = 10'000'000;  // of the whole mail, attachments as base64
  bool inline_images = true;       // attachments with a cid
  bool bcc_alone = false;          // several bcc without to and cc
};

// Why an API with these limits cannot carry `attempt`; nothing when it can.
// None of them takes a non-ASCII local part dependably, so that is refused
// for all.
std::optional<std::string> beyond(const ApiLimits& limits,
                                  const Attempt& attempt);

// About how large the mail is: bodies, attachments as base64, headers.
std::size_t carried_bytes(const RenderedMessage& message);

// A key for the provider's own deduplication: the same for the same message
// to the same recipients. At most 64 characters of [0-9A-Za-z-].
std::string idempotency_key_of(const Attempt& attempt);

// Reading replies -----------------------------------------------------------

// The body as JSON, or nothing when it is none (HTML of a front end, cut).
std::optional<Json> json_of(const HttpReply& reply);

// How long the reply asks to be left alone: Retry-After in seconds or as a
// date (RFC 9110, 10.2.3), else `reset` (the name of a header that holds the
// seconds to wait or the Unix time of the reset), clamped to 1 s … 24 h.
// Nothing when it says nothing.
std::optional<std::chrono::seconds> asked_rest(const HttpReply& reply, Time now,
                                               std::string_view reset = {});

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

// The same verdict for every recipient of the attempt.
std::vector<Verdict> for_all(const Attempt& attempt, const Verdict& verdict);

}  // namespace pony
