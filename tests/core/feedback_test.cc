// The providers' webhooks: what is told by each, and who is not believed.
#include "core/feedback/feedback.h"

#include <doctest/doctest.h>

#include <random>

#include "core/feedback/form.h"
#include "core/feedback/readers.h"
#include "core/net/crypto.h"
#include "tests/support/require_ok.h"
#include "tests/support/signing.h"

TEST_SUITE_BEGIN("feedback");

namespace pony {
namespace {

constexpr const char* k_id = "01JD7Z3N8QW2E4R6T8Y0A1B2C3";
constexpr const char* k_topic = "arn:aws:sns:eu-west-1:123456789012:mail";

Time at(std::int64_t seconds) {
  return Time(std::chrono::seconds(seconds));
}
const Time k_now = at(1'763'719'200);
const std::string k_timestamp = "1763719200";

// For each provider its settings, and a way to sign.
struct Signer {
  TestKey p256 = TestKey::p256();
  TestKey rsa = TestKey::rsa();
  WebhookSettings settings;

  Signer() {
    settings.secret = Secret("whsec_Y2FuYXJ5LWtleS0xMjM0");
    settings.public_key = base64_of(p256.public_der());
    settings.url = "https://widgets.example/hook?x=1";
    settings.topic = k_topic;
    settings.certificate = rsa.certificate(k_now - std::chrono::hours(1));
    settings.username = "pony";
    settings.password = Secret("canary-password");
  }

  Webhook sendgrid(const std::string& body,
                   const std::string& timestamp = k_timestamp) const {
    return {{{"X-Twilio-Email-Event-Webhook-Timestamp", timestamp},
             {"X-Twilio-Email-Event-Webhook-Signature",
              base64_of(p256.sha256_signature(timestamp + body))}},
            body};
  }
  Webhook mailgun(const std::string& event,
                  const std::string& timestamp = k_timestamp) const {
    const std::string code =
        to_hex(*hmac_sha256(settings.secret.reveal(), timestamp + "tok"));
    return {{},
            R"({"signature":{"timestamp":")" + timestamp +
                R"(","token":"tok","signature":")" + code +
                R"("},"event-data":)" + event + "}"};
  }
  Webhook mandrill(const std::string& events) const {
    std::string body = "mandrill_events=";
    for (const char c : events) {
      body.push_back('%');
      body += to_hex(std::string_view(&c, 1));
    }
    const auto code = hmac_sha1(settings.secret.reveal(),
                                settings.url + "mandrill_events" + events);
    return {{{"x-mandrill-signature", base64_of(*code)}}, body};
  }
  Webhook sns(const std::string& message, const std::string& version = "2",
              const std::string& time = "2025-11-21T10:00:00.000Z") const {
    return sns(Json::string(message), version, time);
  }
  Webhook sns(Json message, const std::string& version,
              const std::string& time) const {
    Json json = Json::object();
    json.set("Type", Json::string("Notification"));
    json.set("MessageId", Json::string("m-1"));
    json.set("TopicArn", Json::string(k_topic));
    json.set("Message", message);
    json.set("Timestamp", Json::string(time));
    json.set("SignatureVersion", Json::string(version));
    json.set("SigningCertURL",
             Json::string("https://sns.eu-west-1.amazonaws.com/"
                          "SimpleNotificationService-0a1b.pem"));
    const std::string text =
        "Message\n" + message.text + "\nMessageId\nm-1\nTimestamp\n" + time +
        "\nTopicArn\n" + k_topic + "\nType\nNotification\n";
    json.set(
        "Signature",
        Json::string(base64_of(version == "1" ? rsa.sha1_signature(text)
                                              : rsa.sha256_signature(text))));
    return {{}, to_text(json)};
  }
  Webhook resend(const std::string& body,
                 const std::string& timestamp = k_timestamp) const {
    const auto code =
        hmac_sha256("canary-key-1234", "msg_1." + timestamp + "." + body);
    return {{{"svix-id", "msg_1"},
             {"svix-timestamp", timestamp},
             {"svix-signature", "v2,AAAA v1,AAAA v1," + base64_of(*code)}},
            body};
  }
  Webhook basic(const std::string& body) const {
    return {{{"authorization", "Basic " + base64_of("pony:canary-password")}},
            body};
  }

  Result<Feedback> read(std::string_view type, const Webhook& webhook,
                        Time now = k_now) const {
    auto used = settings;
    return read_feedback(type, webhook, used, now);
  }
};

// One for all: RSA keys take their time.
const Signer& signer() {
  static const Signer one;
  return one;
}

Feedback fed(std::string_view type, const Webhook& webhook) {
  auto feedback = signer().read(type, webhook);
  REQUIRE_OK(feedback);
  return std::move(*feedback);
}

FeedbackEvent only_event(const Feedback& feedback) {
  REQUIRE(feedback.events.size() == 1);
  return feedback.events.front();
}

std::size_t ignored(const Feedback& feedback, const std::string& kind) {
  const auto found = feedback.ignored.find(kind);
  return found == feedback.ignored.end() ? 0 : found->second;
}

// A request of each that is in order: what is broken to see it refused.
std::vector<std::pair<std::string, Webhook>> good_ones() {
  const Signer& by = signer();
  return {
      {"sendgrid", by.sendgrid(R"([{"event":"open","email":"a@b.example"}])")},
      {"mailgun",
       by.mailgun(R"({"event":"opened","recipient":"a@b.example"})")},
      {"mandrill",
       by.mandrill(R"([{"event":"open","ts":1763719200,"msg":{}}])")},
      {"ses", by.sns(R"({"eventType":"Open","mail":{},"open":{}})")},
      {"postmark", by.basic(R"({"RecordType":"Open"})")},
      {"resend", by.resend(R"({"type":"email.opened","data":{}})")},
      {"brevo", by.basic(R"({"event":"opened"})")},
  };
}

}  // namespace

TEST_CASE("sendgrid: events are read with our id and theirs") {
  const auto feedback = fed("sendgrid", signer().sendgrid(R"([
      {"event":"processed","email":"ann@b.example","timestamp":1763719100},
      {"event":"delivered","email":"ann@b.example","timestamp":1763719100,
       "pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3","sg_event_id":"e1",
       "sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"},
      {"event":"bounce","type":"bounce","email":"bob@b.example",
       "status":"5.1.1","reason":"550 5.1.1 no such user",
       "timestamp":1763719101},
      {"event":"bounce","type":"blocked","email":"bob@b.example",
       "status":"5.7.1","reason":"550 5.7.1 spam","timestamp":1763719102},
      {"event":"bounce","type":"bounce","email":"bob@b.example",
       "status":"5.2.2","reason":"552 5.2.2 mailbox full"},
      {"event":"dropped","reason":"Bounced Address","email":"c@b.example"},
      {"event":"click","url":"https://u:p@w.example/a?token=canary#x",
       "email":"ann@b.example"},
      {"event":"spamreport","email":"ann@b.example"},
      {"event":"group_unsubscribe","email":"ann@b.example"},
      {"event":"a new one"}, "no object", 7])"));
  REQUIRE(feedback.events.size() == 8);
  const auto& events = feedback.events;
  CHECK(events[0].kind == "delivered");
  CHECK(events[0].time == at(1'763'719'100));
  CHECK(events[0].recipient == "ann@b.example");
  CHECK(events[0].message_id == k_id);
  CHECK(events[0].provider_id == "14c5d75ce93.dfd.64b469");
  CHECK(events[1].kind == "bounced");
  CHECK(events[1].bounce == Bounce::hard);
  CHECK(events[1].status == 550);
  CHECK(events[1].reason == "550 5.1.1 no such user");
  CHECK(events[2].bounce == Bounce::blocked);
  CHECK(events[3].bounce == Bounce::soft);
  CHECK(events[3].time == k_now);
  CHECK(events[4].bounce == Bounce::blocked);
  CHECK(events[5].kind == "clicked");
  CHECK(events[5].url == "https://w.example/a");
  CHECK(events[6].kind == "complained");
  CHECK(events[7].kind == "unsubscribed");
  CHECK(ignored(feedback, "processed") == 1);
  CHECK(ignored(feedback, "a new one") == 1);
  CHECK(ignored(feedback, "unnamed") == 2);
}

TEST_CASE("sendgrid: the example of its own library is believed") {
  WebhookSettings settings;
  settings.public_key =
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF"
      "9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
  const Webhook webhook{
      {{"X-Twilio-Email-Event-Webhook-Timestamp", "1600112502"},
       {"X-Twilio-Email-Event-Webhook-Signature",
        "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG"
        "+luQAbPIqHh89M15TluLtEZtM="}},
      "[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":"
      "\"Bounced Address\",\"sg_event_id\":"
      "\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\","
      "\"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-"
      "756b745b58-kmzbl-18-5F5FC76C-9.0\",\"smtp-id\":"
      "\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\","
      "\"timestamp\":1600112492}]\r\n"};
  const auto feedback =
      read_feedback("sendgrid", webhook, settings, at(1'600'112'510));
  REQUIRE_OK(feedback);
  CHECK(only_event(*feedback).provider_id == "LRzXl_NHStOGhQ4kofSm_A");
}

TEST_CASE("resend: the example of Svix's manual is believed") {
  WebhookSettings settings;
  settings.secret = Secret("whsec_plJ3nmyCDGBKInavdOK15jsl");
  Webhook webhook{
      {{"svix-id", "msg_loFOjxBNrRLzqYUf"},
       {"svix-timestamp", "1731705121"},
       {"svix-signature", "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="}},
      R"({"event_type":"ping","data":{"success":true}})"};
  // It is signed, but not what Resend sends.
  CHECK_FAILS(read_feedback("resend", webhook, settings, at(1'731'705'130)),
              bad_data);
  webhook.body.back() = ' ';
  CHECK_FAILS(read_feedback("resend", webhook, settings, at(1'731'705'130)),
              no_permission);
}

TEST_CASE("mailgun: an event is read, and its token goes with it") {
  const auto feedback = fed("mailgun", signer().mailgun(R"({
      "event":"failed","severity":"permanent","reason":"bounce","id":"e1",
      "timestamp":1763719100.501832,"recipient":"ann@b.example",
      "message":{"headers":{"message-id":"20130503182626.18666@mg.example"}},
      "user-variables":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"},
      "delivery-status":{"code":550,"message":"5.1.1 no such user",
                         "enhanced-code":"5.1.1"}})"));
  const auto event = only_event(feedback);
  CHECK(event.kind == "bounced");
  CHECK(event.bounce == Bounce::hard);
  CHECK(event.status == 550);
  CHECK(event.time == at(1'763'719'100) + Milliseconds(501));
  CHECK(event.message_id == k_id);
  CHECK(event.provider_id == "<20130503182626.18666@mg.example>");
  CHECK(feedback.token == "1763719200 tok");
}

TEST_CASE("mailgun: what is tried again, or told of others, is ignored") {
  for (const char* body :
       {R"({"event":"failed","severity":"temporary"})",
        R"({"event":"accepted"})", R"({"event":"stored"})", R"({})"}) {
    const auto feedback = fed("mailgun", signer().mailgun(body));
    CHECK(feedback.events.empty());
    CHECK(feedback.ignored.size() == 1);
  }
}

TEST_CASE(
    "mailgun: a refusal that says nothing of the address is no hard "
    "bounce") {
  const auto of = [](const std::string& members) {
    return only_event(fed("mailgun",
                          signer().mailgun(R"({"event":"failed","severity":)"
                                           R"("permanent",)" +
                                           members + "}")))
        .bounce;
  };
  CHECK(of(R"("reason":"generic")") == Bounce::blocked);
  CHECK(of(R"("reason":"suppress-bounce")") == Bounce::hard);
  CHECK(of(R"("delivery-status":{"bounce-type":"hard"})") == Bounce::hard);
  CHECK(of(R"("delivery-status":{"bounce-type":"soft"})") == Bounce::soft);
  CHECK(
      of(R"("reason":"bounce","delivery-status":{"enhanced-code":"5.7.1"})") ==
      Bounce::blocked);
}

TEST_CASE("mandrill: all events of a batch are read") {
  const auto feedback = fed("mandrill", signer().mandrill(R"([
      {"event":"send","ts":1763719100,"msg":{"_id":"abc"}},
      {"event":"hard_bounce","ts":1763719101,"_id":"abc",
       "msg":{"_id":"abc","email":"ann@b.example",
              "metadata":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"},
              "bounce_description":"bad_mailbox",
              "diag":"smtp;550 5.1.1 no account + more"}},
      {"event":"soft_bounce","ts":1763719102,"msg":{"email":"b@b.example"}},
      {"event":"reject","ts":1763719103,"msg":{"email":"b@b.example"}},
      {"event":"spam","ts":1763719104,"msg":{"email":"b@b.example"}},
      {"event":"unsub","ts":1763719105,"msg":{"email":"b@b.example"}},
      {"event":"click","ts":1763719106,"url":"http://w.example/x",
       "msg":{"email":"b@b.example"}},
      {"type":"blacklist","action":"add"}])"));
  REQUIRE(feedback.events.size() == 6);
  const auto& first = feedback.events.front();
  CHECK(first.bounce == Bounce::hard);
  CHECK(first.status == 550);
  CHECK(first.provider_id == "abc");
  CHECK(first.message_id == k_id);
  CHECK(first.recipient == "ann@b.example");
  CHECK(feedback.events[1].bounce == Bounce::soft);
  CHECK(feedback.events[2].bounce == Bounce::blocked);
  CHECK(feedback.events[5].url == "http://w.example/x");
  CHECK(ignored(feedback, "send") == 1);
  CHECK(ignored(feedback, "blacklist") == 1);
}

TEST_CASE("mandrill: the empty batch of its set-up is taken, signed or not") {
  CHECK(fed("mandrill", {{}, "mandrill_events=%5B%5D"}).events.empty());
  CHECK_FAILS(signer().read("mandrill", {{}, "mandrill_events=%5B{}%5D"}),
              no_permission);
}

TEST_CASE("ses: what SNS carries is read for each recipient") {
  const auto delivered = fed("ses", signer().sns(R"({
      "eventType":"Delivery","mail":{"messageId":"0100-000000",
        "tags":{"ses:from-domain":["a.example"],
                "pony_id":["01JD7Z3N8QW2E4R6T8Y0A1B2C3"]},
        "commonHeaders":{"messageId":"<x@a.example>"}},
      "delivery":{"timestamp":"2025-11-21T09:59:59.500Z",
        "recipients":["ann@b.example","bob@b.example"],
        "smtpResponse":"250 ok"}})"));
  REQUIRE(delivered.events.size() == 2);
  CHECK(delivered.events[1].recipient == "bob@b.example");
  CHECK(delivered.events[1].message_id == k_id);
  CHECK(delivered.events[1].provider_id == "0100-000000");
  CHECK(delivered.events[1].mail_id == "x@a.example");
  CHECK(delivered.events[1].status == 250);
  CHECK(delivered.events[1].time == k_now - Milliseconds(500));

  const auto bounced = only_event(fed("ses", signer().sns(R"({
      "notificationType":"Bounce","mail":{},"bounce":{
        "bounceType":"Permanent","bouncedRecipients":[
          {"emailAddress":"\"Ann\" <ann@b.example>",
           "diagnosticCode":"smtp; 550 5.1.1 unknown"}]}})")));
  CHECK(bounced.bounce == Bounce::hard);
  CHECK(bounced.recipient == "ann@b.example");
  CHECK(bounced.status == 550);

  CHECK(only_event(fed("ses", signer().sns(R"({"eventType":"Bounce","mail":{},
      "bounce":{"bounceType":"Transient","bouncedRecipients":[{}]}})")))
            .bounce == Bounce::soft);
  CHECK(only_event(fed("ses", signer().sns(R"({"eventType":"Complaint",
      "complaint":{"complainedRecipients":[{"emailAddress":"a@b.example"}],
      "complaintFeedbackType":"abuse"}})")))
            .reason == "abuse");
  CHECK(fed("ses", signer().sns(R"({"eventType":"Complaint",
      "complaint":{"complainedRecipients":[{"emailAddress":"a@b.example"}],
      "complaintFeedbackType":"not-spam"}})"))
            .events.empty());
}

TEST_CASE(
    "ses: both versions of the signature are believed, and text is none "
    "of our business") {
  CHECK(ignored(fed("ses", signer().sns("Successfully validated", "1")),
                "text") == 1);
  CHECK(ignored(fed("ses", signer().sns("Successfully validated", "2")),
                "text") == 1);
}

TEST_CASE("ses: without a certificate it is said where to get one") {
  auto settings = signer().settings;
  const Webhook webhook = signer().sns("{}");
  settings.certificate.clear();
  const auto none = read_feedback("ses", webhook, settings, k_now);
  CHECK_FAILS(none, config);
  CHECK(none.error().hint.find(
            "curl -fo sns.pem https://sns.eu-west-1.amazonaws.com/"
            "SimpleNotificationService-0a1b.pem") != std::string::npos);
  settings.certificate = "-----BEGIN CERTIFICATE-----\nnone\n";
  CHECK_FAILS(read_feedback("ses", webhook, settings, k_now), config);
  settings.certificate =
      signer().rsa.certificate(k_now - std::chrono::hours(48));
  const auto old = read_feedback("ses", webhook, settings, k_now);
  CHECK_FAILS(old, config);
  CHECK(old.error().what.find("out of date") != std::string::npos);
  // Two in a file, while one takes the other's place.
  settings.certificate += signer().settings.certificate;
  CHECK(read_feedback("ses", webhook, settings, k_now).has_value());
}

TEST_CASE("ses: a certificate's URL that leads elsewhere is refused") {
  for (const char* url :
       {"http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://sns.evil.example/a.pem", "https://sns.a.b.amazonaws.com/a.pem",
        "https://u@sns.eu-west-1.amazonaws.com/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com:444/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.pem;rm -rf",
        "https://sns.eu-west-1.amazonaws.com/$(id).pem",
        "https://sns..amazonaws.com/a.pem", "https://sns.", ""}) {
    CAPTURE(url);
    Webhook webhook = signer().sns("{}");
    const std::string good =
        "https://sns.eu-west-1.amazonaws.com/"
        "SimpleNotificationService-0a1b.pem";
    webhook.body.replace(webhook.body.find(good), good.size(), url);
    // Whatever is configured: no such URL may be shown as one to fetch.
    auto settings = signer().settings;
    settings.certificate.clear();
    CHECK_FAILS(read_feedback("ses", webhook, settings, k_now), no_permission);
  }
}

TEST_CASE("ses: another topic is refused, as anybody can have one") {
  auto settings = signer().settings;
  settings.topic += "x";
  CHECK_FAILS(read_feedback("ses", signer().sns("{}"), settings, k_now),
              no_permission);
  settings.topic.clear();
  CHECK_FAILS(read_feedback("ses", signer().sns("{}"), settings, k_now),
              config);
}

TEST_CASE(
    "ses: a subscription to be confirmed is told, if it leads to "
    "Amazon") {
  const auto confirmation = [](const std::string& url) {
    Json json = Json::object();
    json.set("Type", Json::string("SubscriptionConfirmation"));
    json.set("MessageId", Json::string("m-1"));
    json.set("Token", Json::string("t-1"));
    json.set("TopicArn", Json::string(k_topic));
    json.set("Message", Json::string("You have chosen …"));
    json.set("SubscribeURL", Json::string(url));
    json.set("Timestamp", Json::string("2025-11-21T10:00:00.000Z"));
    json.set("SignatureVersion", Json::string("1"));
    json.set("SigningCertURL",
             Json::string("https://sns.eu-west-1.amazonaws.com/s.pem"));
    const std::string text =
        "Message\nYou have chosen …\nMessageId\nm-1\nSubscribeURL\n" + url +
        "\nTimestamp\n2025-11-21T10:00:00.000Z\nToken\nt-1\nTopicArn\n" +
        k_topic + "\nType\nSubscriptionConfirmation\n";
    json.set("Signature",
             Json::string(base64_of(signer().rsa.sha1_signature(text))));
    return Webhook{{}, to_text(json)};
  };
  const std::string url =
      "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&"
      "Token=t-1";
  CHECK(fed("ses", confirmation(url)).confirm_url == url);
  CHECK_FAILS(signer().read("ses", confirmation("https://evil.example/?t")),
              no_permission);
}

TEST_CASE("postmark: each kind of request is read") {
  const auto read = [](const std::string& body) {
    return fed("postmark", signer().basic(body));
  };
  const auto bounce = only_event(read(R"({"RecordType":"Bounce",
      "Type":"HardBounce","Email":"ann@b.example","MessageID":"883953f4",
      "BouncedAt":"2025-11-21T09:33:54.9070259Z","Inactive":true,
      "Details":"smtp;550 5.1.1 unknown","Description":"The server …",
      "Metadata":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"}})"));
  CHECK(bounce.bounce == Bounce::hard);
  CHECK(bounce.recipient == "ann@b.example");
  CHECK(bounce.provider_id == "883953f4");
  CHECK(bounce.message_id == k_id);
  CHECK(bounce.status == 550);
  CHECK(format_time(bounce.time) == "2025-11-21T09:33:54.907Z");
  CHECK(only_event(read(R"({"RecordType":"Delivery",
      "Recipient":"a@b.example","DeliveredAt":"2025-11-21T09:00:00Z"})"))
            .kind == "delivered");
  CHECK(only_event(read(R"({"RecordType":"SpamComplaint",
      "Email":"a@b.example"})"))
            .kind == "complained");
  CHECK(only_event(read(R"({"RecordType":"Click","OriginalLink":
      "https://w.example/r/?k=v"})"))
            .url == "https://w.example/r/");
  CHECK(only_event(read(R"({"RecordType":"SubscriptionChange",
      "SuppressSending":true,"Origin":"Recipient",
      "SuppressionReason":"ManualSuppression","Recipient":"a@b.example"})"))
            .kind == "unsubscribed");
  for (const char* body :
       {R"({"RecordType":"Bounce","Type":"AutoResponder"})",
        R"({"RecordType":"SubscriptionChange","SuppressSending":false})",
        R"({"RecordType":"SubscriptionChange","SuppressSending":true,
            "Origin":"Recipient","SuppressionReason":"HardBounce"})",
        R"({"RecordType":"Inbound"})"})
    CHECK(read(body).events.empty());
}

TEST_CASE("resend: events are read, and only one recipient is believed") {
  const auto read = [](const std::string& body) {
    return fed("resend", signer().resend(body));
  };
  const auto bounce = only_event(read(R"({"type":"email.bounced",
      "created_at":"2025-11-21T09:59:00.126Z","data":{"email_id":"56761188",
      "to":["Ann <ann@b.example>"],"created_at":"2025-11-20 09:59:00+00",
      "tags":[{"name":"pony_id","value":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"}],
      "headers":[{"name":"Message-ID","value":"<m@a.example>"}],
      "bounce":{"type":"Permanent","subType":"Suppressed","message":"no"}}})"));
  CHECK(bounce.bounce == Bounce::hard);
  CHECK(bounce.recipient == "ann@b.example");
  CHECK(bounce.message_id == k_id);
  CHECK(bounce.provider_id == "56761188");
  CHECK(bounce.mail_id == "m@a.example");
  CHECK(format_time(bounce.time) == "2025-11-21T09:59:00.126Z");
  CHECK(only_event(read(R"({"type":"email.complained","data":{
      "to":["a@b.example","c@b.example"],
      "tags":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"}}})"))
            .recipient.empty());
  CHECK(only_event(read(R"({"type":"email.bounced","data":{
      "bounce":{"type":"Transient"}}})"))
            .bounce == Bounce::soft);
  CHECK(only_event(read(R"({"type":"email.clicked","data":{
      "click":{"link":"https://w.example/a?b"}}})"))
            .url == "https://w.example/a");
  CHECK(read(R"({"type":"email.delivery_delayed","data":{}})").events.empty());
}

TEST_CASE("brevo: one event or a list of them is read") {
  const auto feedback = fed("brevo", signer().basic(R"([
      {"event":"hard_bounce","email":"ann@b.example","ts_event":1763719100,
       "ts":1763700000,"message-id":"<2025@smtp-relay.mailin.fr>",
       "reason":"550 no such user",
       "X-Mailin-custom":"{\"pony_id\":\"01JD7Z3N8QW2E4R6T8Y0A1B2C3\"}"},
      {"event":"spam","email":"b@b.example"},
      {"event":"click","email":"b@b.example","link":"https://w.example/?a"},
      {"event":"proxy_open"},{"event":"deferred"}])"));
  REQUIRE(feedback.events.size() == 3);
  CHECK(feedback.events[0].bounce == Bounce::hard);
  CHECK(feedback.events[0].time == at(1'763'719'100));
  CHECK(feedback.events[0].message_id == k_id);
  CHECK(feedback.events[0].provider_id == "<2025@smtp-relay.mailin.fr>");
  CHECK(feedback.events[0].status == 550);
  CHECK(feedback.events[1].kind == "complained");
  CHECK(feedback.events[2].url == "https://w.example/");
  CHECK(ignored(feedback, "deferred") == 1);
  CHECK(only_event(fed("brevo", signer().basic(R"({"event":"unsubscribed"})")))
            .kind == "unsubscribed");
}

TEST_CASE("a request that was changed anywhere is refused") {
  for (const auto& [type, good] : good_ones()) {
    CAPTURE(type);
    REQUIRE_OK(signer().read(type, good));
    if (type == "postmark" || type == "brevo") continue;
    for (std::size_t i = 0; i < good.body.size(); ++i) {
      CAPTURE(i);
      Webhook bad = good;
      bad.body[i] = static_cast<char>(bad.body[i] ^ 1);
      const auto read = signer().read(type, bad);
      // Mailgun's signature covers no event, SNS's not all of the envelope;
      // what is covered is tried below.
      if (read) CHECK((type == "mailgun" || type == "ses"));
      if (!read)
        CHECK((read.error().kind == Error::Kind::no_permission ||
               read.error().kind == Error::Kind::bad_data));
    }
  }
}

TEST_CASE("what Mailgun signs cannot be changed") {
  const Webhook good = signer().mailgun(R"({"event":"opened"})");
  for (const char* word : {"1763719200", "tok", "signature\":\""}) {
    CAPTURE(word);
    Webhook bad = good;
    const std::size_t at = bad.body.find(word) + std::string(word).size() - 1;
    bad.body[word[0] == 's' ? at + 1 : at] = '5';
    CHECK_FAILS(signer().read("mailgun", bad), no_permission);
  }
  CHECK_FAILS(signer().read("mailgun", {{}, R"({"event-data":{}})"}),
              no_permission);
}

TEST_CASE("a request that another account's key has signed is refused") {
  auto settings = signer().settings;
  settings.secret = Secret("whsec_b3RoZXI=");
  settings.password = Secret("other");
  settings.public_key = base64_of(TestKey::p256().public_der());
  settings.certificate =
      TestKey::rsa().certificate(k_now - std::chrono::hours(1));
  for (const auto& [type, webhook] : good_ones()) {
    CAPTURE(type);
    CHECK_FAILS(read_feedback(type, webhook, settings, k_now), no_permission);
  }
}

TEST_CASE("what SNS signs cannot be changed") {
  const Webhook good = signer().sns(R"({"eventType":"Open","open":{}})");
  for (const char* word : {"eventType", "m-1", "2025-11-21", "123456789012"}) {
    CAPTURE(word);
    Webhook bad = good;
    bad.body[bad.body.find(word)] = '7';
    CHECK_FAILS(signer().read("ses", bad), no_permission);
  }
}

TEST_CASE("a request whose headers are missing or another's is refused") {
  for (const auto& [type, good] : good_ones()) {
    for (std::size_t i = 0; i < good.headers.size(); ++i) {
      CAPTURE(type);
      CAPTURE(good.headers[i].name);
      for (const char* value :
           {"", "x", "v1,", "Basic cG9ueTpjYW5hcnk=", "Basic", "AAAA",
            "Bearer cG9ueTpjYW5hcnktcGFzc3dvcmQ=", "1763719201"}) {
        Webhook bad = good;
        bad.headers[i].value = value;
        CHECK_FAILS(signer().read(type, bad), no_permission);
      }
      Webhook bad = good;
      bad.headers.erase(bad.headers.begin() + static_cast<long>(i));
      CHECK_FAILS(signer().read(type, bad), no_permission);
    }
  }
}

TEST_CASE("a request is refused when it is too old, or of a time to come") {
  using std::chrono::hours;
  using std::chrono::minutes;
  for (const auto& [type, webhook] : good_ones()) {
    CAPTURE(type);
    const auto limit = usual_max_age(type);
    if (!limit) continue;
    CHECK(*limit >= minutes(15));
    CHECK(signer().read(type, webhook, k_now + *limit).has_value());
    CHECK_FAILS(signer().read(type, webhook, k_now + *limit + minutes(1)),
                no_permission);
    CHECK(signer().read(type, webhook, k_now - minutes(5)).has_value());
    // The certificate has not come into force an hour ago.
    const auto early = signer().read(type, webhook, k_now - minutes(6));
    CHECK_FAILS(early, no_permission);
  }
}

TEST_CASE("max_age is held against the event where nothing is signed") {
  auto settings = signer().settings;
  const auto webhook =
      signer().basic(R"({"event":"opened","ts_event":1763719200})");
  const Time later = k_now + std::chrono::hours(100);
  CHECK(read_feedback("brevo", webhook, settings, later).has_value());
  settings.max_age = std::chrono::minutes(90);
  CHECK_FAILS(read_feedback("brevo", webhook, settings, later), no_permission);
  CHECK(read_feedback("brevo", webhook, settings,
                      k_now + std::chrono::minutes(80))
            .has_value());
}

TEST_CASE("without its settings nothing is believed, and it is said which") {
  const WebhookSettings none;
  for (const auto& [type, webhook] : good_ones()) {
    CAPTURE(type);
    const auto read = read_feedback(type, webhook, none, k_now);
    CHECK_FAILS(read, config);
    CHECK(read.error().what.starts_with("'webhook."));
    CHECK_FALSE(read.error().hint.empty());
  }
  CHECK_FAILS(read_feedback("smtp", {}, none, k_now), config);
}

TEST_CASE("no error holds a secret") {
  for (const auto& [type, good] : good_ones()) {
    for (const char* body : {"", "{", "[]", "7", "mandrill_events=%5b1%5d"}) {
      Webhook bad = good;
      bad.body = body;
      const auto read = signer().read(type, bad);
      if (read) continue;
      const std::string told = read.error().what + read.error().hint;
      CHECK(told.find("canary") == std::string::npos);
      CHECK(told.find("whsec_Y") == std::string::npos);
    }
  }
}

TEST_CASE("hostile bodies are refused, however they are signed") {
  const Signer& by = signer();
  const std::string deep(200'000, '[');
  std::string many = "[";
  for (int i = 0; i < 200'000; ++i) many += "{},";
  many += "{}]";
  using namespace std::string_literals;
  for (const std::string& body :
       {deep, "{\"a\":"s + deep, "\0"s, "{\"event\":\"open\0\"}"s, "\xff\xfe"s,
        "{\"event\":1e999999}"s, "null"s, "[null]"s,
        "{\"event\":{\"event\":[]}}"s, "{\"a\":1,\"a\":2}"s,
        "[{\"event\":\"open\",\"timestamp\":99999999999999999999}]"s,
        "[{\"event\":\"open\",\"timestamp\":-5,\"email\":[]}]"s,
        "[{\"event\":\"open\",\"email\":\"a@b.example\\r\\nBcc: x\"}]"s,
        many}) {
    for (const auto& [type, webhook] :
         {std::pair{"sendgrid"s, by.sendgrid(body)},
          {"mailgun"s, by.mailgun(body)},
          {"mandrill"s, by.mandrill(body)},
          {"ses"s, by.sns(body)},
          {"postmark"s, by.basic(body)},
          {"resend"s, by.resend(body)},
          {"brevo"s, by.basic(body)}}) {
      CAPTURE(type);
      const auto read = by.read(type, webhook);
      if (!read) continue;
      for (const FeedbackEvent& event : read->events) {
        CHECK(event.recipient.find('\n') == std::string::npos);
        CHECK(event.time <= k_now);
      }
      CHECK(read->ignored.size() <= 17);
    }
  }
  CHECK_FAILS(by.read("postmark", by.basic(std::string(11 << 20, ' '))),
              bad_data);
  // Where the signature is inside, less is parsed to get at it.
  CHECK_FAILS(by.read("mailgun", {{}, std::string(2 << 20, ' ')}), bad_data);
  CHECK_FAILS(by.read("ses", {{}, std::string(2 << 20, ' ')}), bad_data);
}

TEST_CASE("a body that was mangled at random crashes nothing") {
  std::mt19937 random(20251121);
  const auto some = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  const std::vector<std::string> bodies = {
      R"([{"event":"bounce","type":"blocked","email":"ann@b.example",)"
      R"("status":"5.7.1","reason":"550 5.7.1 no","timestamp":1763719100,)"
      R"("sg_message_id":"a.filter","pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"}])",
      R"({"event":"failed","severity":"permanent","timestamp":1.5,)"
      R"("delivery-status":{"code":550,"message":"5.1.1 x"},"message":)"
      R"({"headers":{"message-id":"a@b"}},"url":"https://a:b@c/d?e#f"})",
      R"({"eventType":"Bounce","mail":{"tags":{"pony_id":["x"]}},"bounce":)"
      R"({"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":)"
      R"("a@b.example","diagnosticCode":"smtp; 550 5.1.1 x"}]}})",
      R"({"RecordType":"Bounce","Type":"HardBounce","Email":"a@b.example",)"
      R"("BouncedAt":"2025-11-21 09:33:54.9070259+00","Details":"smtp;550"})",
      R"({"type":"email.bounced","created_at":"2025-11-21T09:59:00.126Z",)"
      R"("data":{"to":["a@b.example"],"tags":[{"name":"pony_id","value":"x"}])"
      R"(,"bounce":{"type":"Permanent"}}})",
      R"({"event":"hard_bounce","X-Mailin-custom":"{\"pony_id\":\"x\"}"})"};
  for (int i = 0; i < 15'000; ++i) {
    std::string body = bodies[some(bodies.size())];
    for (std::size_t edits = 1 + some(6); edits > 0; --edits) {
      const std::size_t place = some(body.size());
      switch (some(4)) {
        case 0:
          body[place] = static_cast<char>(some(256));
          break;
        case 1:
          body.erase(place, some(20));
          break;
        case 2:
          body.insert(place, body.substr(some(body.size()), some(20)));
          break;
        default:
          body[place] = "\"{}[]:,\\0"[some(9)];
      }
      if (body.empty()) body = "{}";
    }
    // The ways that cost no public key each.
    (void)signer().read("mailgun", signer().mailgun(body));
    (void)signer().read("mailgun", {{}, body});
    (void)signer().read("mandrill", signer().mandrill(body));
    (void)signer().read("mandrill", {{}, "mandrill_events=" + body});
    (void)signer().read("ses", {{}, body});
    (void)signer().read("postmark", signer().basic(body));
    (void)signer().read("brevo", signer().basic(body));
    (void)signer().read("resend", signer().resend(body));
    if (i % 50 != 0) continue;
    (void)signer().read("sendgrid", signer().sendgrid(body));
    (void)signer().read("ses", signer().sns(body));
  }
}

TEST_CASE("a form is decoded, and refused where it is none") {
  const auto fields = parse_form("a=1+2%20%3d&b&=x&c=%00");
  REQUIRE_OK(fields);
  REQUIRE(fields->size() == 4);
  CHECK(fields->at(0) == std::pair<std::string, std::string>("a", "1 2 ="));
  CHECK(fields->at(1).second.empty());
  CHECK(fields->at(3).second == std::string(1, '\0'));
  CHECK_FAILS(parse_form("a=%"), bad_data);
  CHECK_FAILS(parse_form("a=%2"), bad_data);
  CHECK_FAILS(parse_form("a=%zz"), bad_data);
  CHECK_FAILS(parse_form("a=1&a=2"), bad_data);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "f" + std::to_string(i) + "=&";
  CHECK_FAILS(parse_form(many), bad_data);
}

TEST_CASE("server's words are known by their codes") {
  CHECK(bounce_by_words("550 5.1.1 unknown", Bounce::soft) == Bounce::hard);
  CHECK(bounce_by_words("550-5.7.26 DMARC", Bounce::hard) == Bounce::blocked);
  CHECK(bounce_by_words("452 4.2.2 full", Bounce::hard) == Bounce::soft);
  CHECK(bounce_by_words("5.1.10", Bounce::soft) == Bounce::hard);
  // An address and a version are no codes.
  CHECK(bounce_by_words("from 15.1.1.4 by v5.1.1.2", Bounce::soft) ==
        Bounce::soft);
  CHECK(bounce_by_words("no code", Bounce::blocked) == Bounce::blocked);
  CHECK(smtp_status("smtp;550 5.1.1") == 550);
  CHECK(smtp_status("550-x") == 550);
  CHECK(smtp_status("5501") == 0);
  CHECK(smtp_status("999") == 0);
  CHECK(smtp_status("") == 0);
}

TEST_CASE("times are read in the spellings that are sent") {
  CHECK(epoch_time("1763719200") == k_now);
  CHECK(epoch_time("1763719200.0019") == k_now + Milliseconds(1));
  for (const char* bad : {"", "-1", "1e9", "1.x", "x", "999999999999999999999"})
    CHECK_FALSE(epoch_time(bad).has_value());
  Json json = Json::object();
  json.set("t", Json::string("2025-11-21 10:00:00.894719+00"));
  CHECK(moment_at(json, "t") == k_now + Milliseconds(894));
}

TEST_CASE("a link is told without what opens somebody's account") {
  CHECK(told_url("HTTPS://u:p@w.example/a/b?token=x#y") ==
        "https://w.example/a/b");
  CHECK(told_url("javascript:alert(1)") == "");
  CHECK(told_url("http://w.example?x=/") == "http://w.example");
}

TEST_SUITE_END();

}  // namespace pony
