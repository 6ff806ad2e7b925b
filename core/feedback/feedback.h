// A webhook's body to events: what a provider tells of mail that it has taken.
//
// Pure functions: the request, the settings and the clock go in, the events
// come out; nothing is fetched, nothing remembered. Everything in a request is
// a stranger's word until its signature says otherwise: no byte of it crashes
// this, and no error holds a secret.
// Doesn't know: the messages, the spool, which events were told before.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/net/http.h"
#include "core/result.h"
#include "core/secret.h"

namespace pony {

// A larger body is refused: 10 MiB.
inline constexpr std::size_t k_webhook_limit = std::size_t{10} << 20;

// A request as it came in.
struct Webhook {
  std::vector<HttpHeader> headers;
  std::string body;

  // The first header of this name, whatever its case; empty when there is
  // none.
  std::string_view header(std::string_view name) const;
};

// What a provider's `webhook:` says of how to tell its requests from others'.
struct WebhookSettings {
  Secret secret;            // Mailgun, Mandrill, Resend
  std::string public_key;   // SendGrid: base64 of a SubjectPublicKeyInfo
  std::string url;          // Mandrill signs it
  std::string topic;        // SES: its ARN
  std::string certificate;  // SES: PEM, what the file holds
  std::string username;     // Postmark, Brevo
  Secret password;
  std::optional<Milliseconds> max_age;  // else the provider's own
};

// What a bounce says about the address: it does not exist, it could not be
// reached (now), or it was not let through.
enum class Bounce { none, hard, soft, blocked };
std::string_view to_text(Bounce bounce);

struct FeedbackEvent {
  // Of pony-spool(5): delivered, bounced, complained, opened, clicked,
  // unsubscribed.
  std::string kind;
  Time time{};
  std::string recipient;    // empty: not told, or no address
  std::string message_id;   // ours, as it came back; not checked
  std::string provider_id;  // what the provider calls the message
  std::string mail_id;      // its Message-ID, without the brackets
  Bounce bounce = Bounce::none;
  int status = 0;      // of SMTP, if told: 550
  std::string reason;  // in the provider's or the receiving server's words
  std::string url;     // clicked: without query and fragment
};

struct Feedback {
  std::vector<FeedbackEvent> events;
  // What was told and is no event of ours (processed, deferred, …), by the
  // provider's name for it; the rarer ones as "other".
  std::map<std::string, std::size_t> ignored;
  // When it was made, by what is signed; the events' time where nothing is.
  std::optional<Time> signed_at;
  // Mailgun's signature covers a token and not the body: another body with the
  // same token is forged. Empty: the signature covers the body.
  std::string token;
  // SNS asks to have a subscription confirmed: a person is to open this. It
  // was looked at: it leads to Amazon.
  std::string confirm_url;
};

// How long after it was signed a request of this provider's type is taken,
// unless the configuration says otherwise: as long as the provider repeats
// one that was not taken, and a quarter of an hour. Nothing: its requests are
// not signed, and then a limit that is set is held against the latest event.
std::optional<Milliseconds> usual_max_age(std::string_view type);
// How far a signature may lie ahead of our clock.
inline constexpr Milliseconds k_clock_difference = std::chrono::minutes(5);

// Providers of this type send webhooks that pony can read.
bool has_webhooks(std::string_view type);

// Reads a request of a provider of this type. Errors:
//   config         a setting is missing that it takes to verify it, or wrong
//   no_permission  it is not signed, not by them, or too long ago
//   bad_data       it is not what that provider sends
Result<Feedback> read_feedback(std::string_view type, const Webhook& webhook,
                               const WebhookSettings& settings, Time now);

// Must whoever sends this be asked for a name and a password (HTTP's 401)?
bool wants_password(std::string_view type);

}  // namespace pony
