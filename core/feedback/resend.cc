// Resend's webhooks: one event, signed the way of Svix, HMAC-SHA-256 over id,
// time and body.
//
// Sources: Resend's "Managing Webhooks", "Event Types"; Svix's "Verifying
// Webhooks Manually" and the Standard Webhooks specification.
#include "core/base64.h"
#include "core/feedback/readers.h"
#include "core/net/crypto.h"
#include "core/trimmed.h"

namespace pony {
namespace {

constexpr std::string_view k_provider = "Resend";
constexpr std::string_view k_secret_prefix = "whsec_";
constexpr std::string_view k_version = "v1,";
// While a secret is replaced there are two signatures.
constexpr std::size_t k_most_signatures = 20;

// The headers' newer name, and Svix's own.
std::string_view header_of(const Webhook& webhook, const char* name) {
  const std::string_view own = webhook.header(std::string("svix-") + name);
  return own.empty() ? webhook.header(std::string("webhook-") + name) : own;
}

// Is one of the signatures (separated by spaces) the body's?
Result<bool> has_signature(std::string_view signatures,
                           std::string_view expected) {
  for (std::size_t i = 0; i < k_most_signatures; ++i) {
    signatures = trimmed(signatures);
    if (signatures.empty()) break;
    const std::string_view one = signatures.substr(0, signatures.find(' '));
    signatures.remove_prefix(one.size());
    if (!one.starts_with(k_version)) continue;
    const auto same = same_in_constant_time(
        decode_base64(one.substr(k_version.size())), expected);
    if (!same || *same) return same;
  }
  return false;
}

Result<> check_signature(const Webhook& webhook,
                         const WebhookSettings& settings) {
  std::string_view secret = settings.secret.reveal();
  if (secret.empty())
    return lacks_setting("secret",
                         "Resend shows it as the signing secret of the "
                         "webhook: give it with 'secret_file'");
  if (!secret.starts_with(k_secret_prefix))
    return fail(Error::Kind::config,
                "'webhook.secret' is no signing secret of Resend's",
                "it begins with whsec_");
  secret.remove_prefix(k_secret_prefix.size());
  for (const char* name : {"id", "timestamp", "signature"})
    if (header_of(webhook, name).empty())
      return not_signed(std::string("svix-") + name);
  const Secret key(decode_base64(secret));
  if (key.empty())
    return fail(Error::Kind::config,
                "'webhook.secret' has nothing after its whsec_");
  std::string text(header_of(webhook, "id"));
  text.append(".").append(header_of(webhook, "timestamp")).append(".");
  text += webhook.body;
  const auto code = hmac_sha256(key.reveal(), text);
  if (!code) return tl::unexpected<Error>(code.error());
  const auto good = has_signature(header_of(webhook, "signature"), *code);
  if (!good) return tl::unexpected<Error>(good.error());
  if (!*good)
    return wrong_signature(
        "is 'webhook.secret' this webhook's? has the body been handed over "
        "byte for byte?");
  return {};
}

struct Kind {
  std::string_view name;
  std::string_view ours;
};
constexpr Kind k_kinds[] = {
    {"email.delivered", "delivered"},   {"email.bounced", "bounced"},
    {"email.failed", "bounced"},        {"email.suppressed", "bounced"},
    {"email.complained", "complained"}, {"email.opened", "opened"},
    {"email.clicked", "clicked"},
};

std::string_view our_kind(std::string_view name) {
  for (const Kind& kind : k_kinds)
    if (kind.name == name) return kind.ours;
  return {};
}

// The tags come back as an object, or as they were sent: a list of names and
// values.
std::string our_id_among(const Json& tags) {
  if (tags.is_object()) return our_id_in(tags);
  for (const Json& tag : tags.items) {
    Json one = Json::object();
    one.set(member(tag, "name").text, member(tag, "value"));
    if (auto id = our_id_in(one); !id.empty()) return id;
  }
  return {};
}

std::string mail_id_among(const Json& headers) {
  for (const Json& header : headers.items) {
    const std::string& name = member(header, "name").text;
    if (name == "Message-ID" || name == "Message-Id")
      return without_brackets(id_at(header, "value"));
  }
  return {};
}

// Of several recipients it is not told which one is meant.
std::string only_recipient(const Json& data) {
  const Json& to = member(data, "to");
  if (to.is_string()) return address_in(to.text);
  if (to.items.size() != 1 || !to.items.front().is_string()) return {};
  return address_in(to.items.front().text);
}

void add_bounce(const Json& data, std::string_view name, FeedbackEvent& event) {
  event.bounce = Bounce::blocked;
  if (name == "email.failed")
    event.reason = text_at(member(data, "failed"), "reason");
  if (name == "email.suppressed")
    event.reason = text_at(member(data, "suppressed"), "message");
  if (name != "email.bounced") return;
  const Json& bounce = member(data, "bounce");
  const std::string& type = member(bounce, "type").text;
  event.reason = text_at(bounce, "message");
  event.status = smtp_status(event.reason);
  event.bounce = type == "Permanent" ? Bounce::hard : Bounce::soft;
}

FeedbackEvent event_from(const Json& json, std::string_view kind,
                         Time signed_at) {
  const Json& data = member(json, "data");
  FeedbackEvent event;
  event.kind = kind;
  // That of the event; `data` has the mail's.
  event.time = moment_at(json, "created_at").value_or(signed_at);
  event.recipient = only_recipient(data);
  event.message_id = our_id_among(member(data, "tags"));
  event.mail_id = mail_id_among(member(data, "headers"));
  event.provider_id = id_at(data, "email_id");
  if (kind == "clicked")
    event.url = told_url(member(member(data, "click"), "link").text);
  if (kind == "bounced") add_bounce(data, member(json, "type").text, event);
  return event;
}

}  // namespace

Result<Feedback> read_resend(const Webhook& webhook,
                             const WebhookSettings& settings, Time /*now*/) {
  if (auto good = check_signature(webhook, settings); !good)
    return tl::unexpected<Error>(good.error());
  Feedback feedback;
  feedback.signed_at = epoch_time(trimmed(header_of(webhook, "timestamp")));
  if (!feedback.signed_at)
    return no_body_of(k_provider, "'svix-timestamp' is no number of seconds");
  const auto json = json_body(webhook.body, k_provider);
  if (!json) return tl::unexpected<Error>(json.error());
  const std::string& name = member(*json, "type").text;
  if (name.empty()) return no_body_of(k_provider, "no 'type'");
  const std::string_view kind = our_kind(name);
  if (kind.empty())
    ignore(feedback, name);
  else
    feedback.events.push_back(event_from(*json, kind, *feedback.signed_at));
  return feedback;
}

}  // namespace pony
