// Amazon SES's events, which come through SNS: an envelope that SNS signs with
// RSA, and in it, as a string, what SES has to tell.
//
// The certificate is the one that the operator has downloaded. SNS names its
// URL in each request, and whoever fetches what a stranger's request names can
// be sent anywhere; pony fetches nothing. For the same reason a subscription
// is confirmed by a person.
//
// Sources: Amazon SNS Developer Guide, "Verifying the signatures of Amazon SNS
// messages"; Amazon SES Developer Guide, "Examples of event data that Amazon
// SES publishes to Amazon SNS".
#include <algorithm>
#include <initializer_list>

#include "core/base64.h"
#include "core/feedback/readers.h"
#include "core/net/public_key.h"

namespace pony {
namespace {

constexpr std::string_view k_provider = "SNS";
// A message of SNS has 256 KiB at most. Nothing is verified before it is
// parsed: a stranger is not to make us parse ten megabytes.
constexpr std::size_t k_limit = std::size_t{1} << 20;
constexpr std::size_t k_longest_url = 2000;

bool is_label(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// https://sns.REGION.amazonaws.com/…, or .com.cn: what it holds behind the
// host; nothing when it leads elsewhere.
std::optional<std::string_view> path_at_sns(std::string_view url) {
  constexpr std::string_view k_begin = "https://sns.";
  const bool is_plain =
      url.size() <= k_longest_url &&
      std::all_of(url.begin(), url.end(), [](char c) {
        return c > ' ' && c < '\x7f' && c != '\'' && c != '"' && c != '\\';
      });
  if (!is_plain || !url.starts_with(k_begin)) return std::nullopt;
  url.remove_prefix(k_begin.size());
  const std::size_t slash = url.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string_view host = url.substr(0, slash);
  const std::size_t dot = host.find('.');
  if (dot == std::string_view::npos || !is_label(host.substr(0, dot)))
    return std::nullopt;
  host.remove_prefix(dot);
  if (host != ".amazonaws.com" && host != ".amazonaws.com.cn")
    return std::nullopt;
  return url.substr(slash);
}

bool is_certificates_url(std::string_view url) {
  const auto path = path_at_sns(url);
  return path && path->ends_with(".pem") &&
         std::all_of(path->begin(), path->end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/';
         });
}

// What is signed: the members that are there, a line for the name and one for
// the value of each.
std::string signed_text(const Json& envelope, bool is_notification) {
  const std::initializer_list<const char*> notification = {
      "Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"};
  const std::initializer_list<const char*> confirmation = {
      "Message", "MessageId", "SubscribeURL", "Timestamp",
      "Token",   "TopicArn",  "Type"};
  std::string text;
  for (const char* key : is_notification ? notification : confirmation) {
    const Json& value = member(envelope, key);
    if (!value.is_string()) continue;
    text.append(key).append("\n").append(value.text).append("\n");
  }
  return text;
}

Result<> check_settings(const WebhookSettings& settings,
                        std::string_view certificate_url) {
  if (settings.topic.empty())
    return lacks_setting("topic",
                         "set it to the ARN of your SNS topic: anybody's "
                         "topic is signed by the same certificate");
  if (settings.certificate.empty())
    return lacks_setting("certificate_file",
                         "pony fetches nothing that a request names. Download "
                         "the certificate once: curl -fo sns.pem " +
                             std::string(certificate_url));
  return {};
}

Result<> check_signature(const Json& envelope, bool is_notification,
                         const WebhookSettings& settings, Time now) {
  const std::string& url = member(envelope, "SigningCertURL").text;
  const std::string& version = member(envelope, "SignatureVersion").text;
  const std::string& signature = member(envelope, "Signature").text;
  if (signature.empty() || url.empty())
    return fail(Error::Kind::no_permission,
                "the request is not signed: its body has no 'Signature' with "
                "a 'SigningCertURL'",
                "raw message delivery of the SNS subscription must be off");
  if (!is_certificates_url(url))
    return fail(Error::Kind::no_permission,
                "'SigningCertURL' does not lead to SNS at Amazon");
  if (version != "1" && version != "2")
    return fail(Error::Kind::no_permission,
                "'SignatureVersion' is neither 1 nor 2");
  if (auto set = check_settings(settings, url); !set) return set;
  const auto good = is_signed_by_certificate(
      settings.certificate, now,
      version == "1" ? RsaHash::sha1 : RsaHash::sha256,
      signed_text(envelope, is_notification), decode_base64(signature));
  const std::string renew = "SNS may have a new one: curl -fo sns.pem " + url;
  if (!good && good.error().kind == Error::Kind::config &&
      good.error().hint.empty())
    return fail(Error::Kind::config,
                "'webhook.certificate_file': " + good.error().what, renew);
  if (!good) return tl::unexpected<Error>(good.error());
  if (!*good)
    return wrong_signature("is the certificate still theirs? " + renew);
  if (member(envelope, "TopicArn").text != settings.topic)
    return fail(Error::Kind::no_permission,
                "the request is of another topic than 'webhook.topic'");
  return {};
}

// What SES tells --------------------------------------------------------------

// The id is a tag, whose value is a list.
std::string our_id_of(const Json& mail) {
  for (const JsonMember& tag : member(mail, "tags").members) {
    if (tag.value.items.empty()) continue;
    Json one = Json::object();
    one.set(tag.key, tag.value.items.front());
    if (auto id = our_id_in(one); !id.empty()) return id;
  }
  return {};
}

// What all events about a mail have in common.
FeedbackEvent event_about(const Json& mail, std::string_view kind, Time time) {
  FeedbackEvent event;
  event.kind = kind;
  event.time = time;
  event.message_id = our_id_of(mail);
  event.provider_id = id_at(mail, "messageId");
  event.mail_id =
      without_brackets(id_at(member(mail, "commonHeaders"), "messageId"));
  return event;
}

class SesReader {
 public:
  SesReader(const Json& told, Time sent_at, Feedback& feedback)
      : told_(told),
        mail_(member(told, "mail")),
        sent_at_(sent_at),
        feedback_(feedback) {}

  void read() {
    std::string_view kind = member(told_, "eventType").text;
    if (kind.empty()) kind = member(told_, "notificationType").text;
    if (kind == "Delivery") return delivery();
    if (kind == "Bounce") return bounce();
    if (kind == "Complaint") return complaint(kind);
    if (kind == "Reject") return not_sent(member(told_, "reject"), "reason");
    if (kind == "Rendering Failure")
      return not_sent(member(told_, "failure"), "errorMessage");
    if (kind == "Open") return act("opened", member(told_, "open"));
    if (kind == "Click") return act("clicked", member(told_, "click"));
    if (kind == "Subscription") return subscription(kind);
    ignore(feedback_, kind);
  }

 private:
  Time time_of(const Json& part) const {
    return moment_at(part, "timestamp").value_or(sent_at_);
  }

  // Of several it is not told which one is meant.
  std::string only_recipient() const {
    const Json& all = member(mail_, "destination");
    return all.items.size() == 1 ? address_in(all.items.front().text)
                                 : std::string();
  }

  FeedbackEvent& add(std::string_view kind, Time time) {
    return feedback_.events.emplace_back(event_about(mail_, kind, time));
  }

  void delivery() {
    const Json& part = member(told_, "delivery");
    for (const Json& recipient : member(part, "recipients").items) {
      FeedbackEvent& event = add("delivered", time_of(part));
      event.recipient = address_in(recipient.text);
      event.status = smtp_status(member(part, "smtpResponse").text);
    }
  }

  void bounce() {
    const Json& part = member(told_, "bounce");
    const bool is_permanent = member(part, "bounceType").text == "Permanent";
    for (const Json& one : member(part, "bouncedRecipients").items) {
      FeedbackEvent& event = add("bounced", time_of(part));
      event.recipient = address_at(one, "emailAddress");
      event.reason = text_at(one, "diagnosticCode");
      event.status = smtp_status(event.reason);
      event.bounce = is_permanent ? Bounce::hard : Bounce::soft;
      if (event.reason.empty()) event.reason = text_at(part, "bounceSubType");
    }
  }

  void complaint(std::string_view kind) {
    const Json& part = member(told_, "complaint");
    // Somebody took it out of the spam folder.
    if (member(part, "complaintFeedbackType").text == "not-spam")
      return ignore(feedback_, kind);
    for (const Json& one : member(part, "complainedRecipients").items) {
      FeedbackEvent& event = add("complained", time_of(part));
      event.recipient = address_at(one, "emailAddress");
      event.reason = text_at(part, "complaintFeedbackType");
    }
  }

  // It never left.
  void not_sent(const Json& part, const char* why) {
    FeedbackEvent& event = add("bounced", sent_at_);
    event.recipient = only_recipient();
    event.bounce = Bounce::blocked;
    event.reason = text_at(part, why);
  }

  void act(std::string_view kind, const Json& part) {
    FeedbackEvent& event = add(kind, time_of(part));
    event.recipient = only_recipient();
    if (kind == "clicked") event.url = told_url(member(part, "link").text);
  }

  void subscription(std::string_view kind) {
    const Json& part = member(told_, "subscription");
    if (member(member(part, "newTopicPreferences"), "unsubscribeAll").text !=
        "true")
      return ignore(feedback_, kind);
    FeedbackEvent& event = add("unsubscribed", time_of(part));
    event.recipient = only_recipient();
  }

  const Json& told_;
  const Json& mail_;
  Time sent_at_;
  Feedback& feedback_;
};

// What is in the envelope. Text that is no JSON is what SES says when a topic
// is set up.
void read_message(const Json& envelope, Feedback& feedback) {
  const auto told = parse_json(member(envelope, "Message").text);
  if (told && told->is_object())
    SesReader(*told, *feedback.signed_at, feedback).read();
  else
    ignore(feedback, "text");
}

}  // namespace

Result<Feedback> read_sns(const Webhook& webhook,
                          const WebhookSettings& settings, Time now) {
  if (webhook.body.size() > k_limit)
    return no_body_of(k_provider, "it is larger than 1 MiB");
  const auto json = json_body(webhook.body, k_provider);
  if (!json) return tl::unexpected<Error>(json.error());
  const std::string& type = member(*json, "Type").text;
  if (auto good = check_signature(*json, type == "Notification", settings, now);
      !good)
    return tl::unexpected<Error>(good.error());
  Feedback feedback;
  feedback.signed_at = moment_at(*json, "Timestamp");
  if (!feedback.signed_at)
    return no_body_of(k_provider, "its 'Timestamp' is no time");
  if (type == "Notification") {
    read_message(*json, feedback);
  } else if (type == "SubscriptionConfirmation") {
    const std::string& url = member(*json, "SubscribeURL").text;
    if (!path_at_sns(url))
      return fail(Error::Kind::no_permission,
                  "'SubscribeURL' does not lead to SNS at Amazon");
    feedback.confirm_url = url;
  } else {
    ignore(feedback, type);
  }
  return feedback;
}

}  // namespace pony
