// The providers' readers, one a file, and what they share: checks of a
// request, and getting at what its JSON holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/feedback/feedback.h"
#include "core/json.h"

namespace pony {

// Each checks and reads a request of its provider; errors are those of
// read_feedback, but for the age, which is checked there.
Result<Feedback> read_brevo(const Webhook&, const WebhookSettings&, Time now);
Result<Feedback> read_mailgun(const Webhook&, const WebhookSettings&, Time now);
Result<Feedback> read_mandrill(const Webhook&, const WebhookSettings&,
                               Time now);
Result<Feedback> read_postmark(const Webhook&, const WebhookSettings&,
                               Time now);
Result<Feedback> read_resend(const Webhook&, const WebhookSettings&, Time now);
Result<Feedback> read_sendgrid(const Webhook&, const WebhookSettings&,
                               Time now);
Result<Feedback> read_sns(const Webhook&, const WebhookSettings&, Time now);

// Errors in one voice. config: 'webhook.KEY' is missing, which `why` it takes.
tl::unexpected<Error> lacks_setting(std::string_view key, std::string_view why);
tl::unexpected<Error> not_signed(std::string_view header);
tl::unexpected<Error> wrong_signature(std::string hint);
tl::unexpected<Error> no_body_of(std::string_view provider, std::string why);

// Is the request's Authorization the configured name and password (RFC 7617)?
Result<> check_password(const Webhook& webhook,
                        const WebhookSettings& settings);

// The body as JSON; bad_data saying whose it is not.
Result<Json> json_body(std::string_view body, std::string_view provider);

// Members of `json`, whatever it is: those that are missing, or of another
// kind, are empty.
const Json& member(const Json& json, std::string_view key);
// Text, fit for a log line: printable, at most `limit` bytes.
std::string text_at(const Json& json, std::string_view key,
                    std::size_t limit = 300);
// The address of `text` ("Ann <ann@example.com>" too); empty when it is none.
std::string address_in(std::string_view text);
std::string address_at(const Json& json, std::string_view key);
// An id: as it is, or empty when it is longer than 300 bytes or unprintable.
std::string id_at(const Json& json, std::string_view key);
// The same without the angle brackets around a Message-ID.
std::string without_brackets(std::string id);
// What led from the mail back to us: the entry that the providers' adapters
// add to its custom arguments, tags or metadata.
std::string our_id_in(const Json& metadata);

// A moment: seconds since 1970, with or without a fraction, as a number or as
// text; or RFC 3339, with a space for its T as well. Nothing when it is none.
std::optional<Time> epoch_time(std::string_view text);
std::optional<Time> moment_at(const Json& json, std::string_view key);

// `url` without query, fragment and password: what leads into somebody's
// account is not for a log. Empty when it is no http URL.
std::string told_url(std::string_view url);

// What a server's words say of the address, by their enhanced status code
// (RFC 3463): 5.1.1 is no such mailbox, 5.2.2 a full one, 5.7 a policy.
// `otherwise` when there is none, or it says nothing.
Bounce bounce_by_words(std::string_view words, Bounce otherwise);
// The three digits that such words begin with ("550 5.1.1 …", "smtp;550 …"),
// or 0.
int smtp_status(std::string_view words);

// Counts what is no event of ours.
void ignore(Feedback& feedback, std::string_view kind);

}  // namespace pony
