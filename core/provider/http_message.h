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
#include "core/lower_case.h"
#include "core/net/http.h"
#include "core/outcome.h"
#include "core/provider/provider.h"
#include "core/secret.h"

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

// For the APIs that are asked in JSON (SendGrid, Postmark, Resend, Brevo) ----

// A message without text and without HTML, which almost nobody takes. `name`
// is the API's.
std::optional<std::string> lacks_text(std::string_view name,
                                      const RenderedMessage& message);
// What none of them takes: a message without a subject or without a text, an
// empty file.
std::optional<std::string> lacks(std::string_view name,
                                 const RenderedMessage& message);

// bad_data when a control character is in a header of `request`, or in what
// becomes a header of the mail. message_from() lets none in: this is the last
// line of defence against a header that ends where nobody meant it to.
Result<> check_lines(const RenderedMessage& message,
                     const HttpRequest& request);

// The value of `write(item)` for each item, as a JSON array.
template <class Items, class Write>
std::string json_array(const Items& items, const Write& write) {
  std::string json = "[";
  for (const auto& item : items) {
    if (json.size() > 1) json += ',';
    json += write(item);
  }
  return json + "]";
}
std::string json_string(std::string_view text);
Json json_text(std::string_view text);
// {"name":"value",…}
std::string json_object(const std::vector<Header>& members);
// {"email":…,"name":…}, without an empty name; and a list of them.
std::string json_address(const Address& address);
std::string json_addresses(const std::vector<Address>& addresses);

// The custom headers that go into an object that has `taken` (lower case)
// already and refuses `refused` (lower case): each name once, the first value
// wins. What is left out is said in `reduced`.
std::vector<Header> headers_once(const RenderedMessage& message,
                                 const std::vector<std::string_view>& taken,
                                 std::vector<std::string>& reduced);

// How it is said in `reduced`, by all of them alike.
//
// Something was left out: "metadata 'note' (over 80 characters)".
std::string left_out(std::string_view what, std::string_view name,
                     std::string_view why);
// Reasons for it.
inline constexpr std::string_view k_name_is_taken = "the name is taken";
// "over 50 characters", "over 50 tags in all".
std::string over(std::size_t limit, std::string_view of);
std::string over_in_all(std::size_t limit, std::string_view of);
// Something is carried, but spelled otherwise: "tag 'a b' as 'a_b'".
std::string carried_as(std::string_view what, std::string_view given,
                       std::string_view used);
// "10 of 12 tags"
std::string some_tags(std::size_t carried, std::size_t all);
// The file's name, of an inline image that the API calls by its cid. Nothing
// to say when it has no name, or no other one.
void say_called_by_cid(const Attachment& attachment,
                       std::vector<std::string>& reduced);

// What leads from a provider's events back to the message: the name of an
// entry among the metadata or the tags, whose value is the message's id.
inline constexpr std::string_view k_id_name = "pony_id";

// What a phrase has to be quoted for (RFC 5322, 3.2.3).
inline constexpr std::string_view k_specials = "()<>[]:;@\\,.\"";

// Where tags may have letters, digits, '_' and '-': is `c` one of them, and
// `text` with a '_' for each other character.
bool is_tag_character(char c);
std::string tag_form(std::string_view text);

// What follows the last dot, in lower case; empty without a dot.
std::string extension_of(std::string_view filename);
// Is `extension` one of the `list`, which is separated by blanks?
bool is_one_of(std::string_view extension, std::string_view list);
// The first attachment whose extension is in `refused`.
const Attachment* with_extension(const RenderedMessage& message,
                                 std::string_view refused);
// The file name, with the usual extension for the attachment's type behind it
// when the one it has belongs to another type: "data" or "data.txt" that is
// text/csv becomes "data.csv" or "data.txt.csv". Types that are not widely
// known, and application/octet-stream, go with any name.
std::string typed_filename(const Attachment& attachment);
// `text` with each non-ASCII character replaced by "_".
std::string ascii_form(std::string_view text);
// The first `limit` characters of `text` (UTF-8).
std::string_view first_characters(std::string_view text, std::size_t limit);
// Says in `reduced` that the file is called `used`, unless it is anyway.
void say_renamed(const Attachment& attachment, std::string_view used,
                 std::vector<std::string>& reduced);

bool is_success(const HttpReply& reply);
// The reply with "***" wherever its body repeats the secret, so that no error
// can.
HttpReply without_secret(const HttpReply& reply, const Secret& secret);
// An id as a provider gave it, printable and of a sane length.
std::string provider_id_from(std::string_view text);
// verdict_of_status() in the API's own `words`, if there are any.
Verdict verdict_of_status(const HttpReply& reply, Time now,
                          std::string_view words);
// A quota or a balance is used up: unavailable, with a rest. It is no rate
// that recovers in seconds, and who pays or the next day may change it, so the
// rest is an hour unless the reply asks for another.
Verdict used_up(const HttpReply& reply, Time now, std::string_view words);
// It may have been taken, by what the reply says: unknown, and no fault of
// the provider's.
Verdict may_be_taken(const HttpReply& reply, Time now, std::string_view words);

// attempt.recipients as the requests spell them: domains as A-labels.
std::vector<std::string> wire_recipients(const Attempt& attempt);

// The verdicts of a refusal that names recipients: `refused` for those that
// `is_refused` (by index), and for the others unavailable: nobody got the
// message, and without the named ones it can be tried again, which says
// nothing about the provider's health.
std::vector<Verdict> refused_among(const Attempt& attempt,
                                   const Verdict& refused,
                                   const std::vector<bool>& is_refused);

// `theirs`, cut so that whoever cuts the line later leaves our `advice` behind
// it: "403: Forbidden (the key may be of the other region)".
std::string with_advice(std::string_view theirs, std::string_view advice);

// A check that failed for a reason that has no words of its own.
ProviderCheck unexpected_answer(const HttpReply& reply, std::string_view words);

// Does the HTML show it? As compose_mime() decides.
bool is_inline(const RenderedMessage& message, const Attachment& attachment);
// For parts that must have a name: the file's, or "attachment".
std::string_view file_name(const Attachment& attachment);

}  // namespace pony
