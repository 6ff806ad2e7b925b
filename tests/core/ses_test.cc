// Amazon's API: requests whole, their signatures (computed elsewhere), replies
// by the documented types.
#include "core/provider/ses.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/json.h"
#include "core/mime/body_encoding.h"
#include "core/mime/builder.h"
#include "tests/support/a_finished_message.h"
#include "tests/support/api_under_test.h"
#include "tests/support/require_ok.h"

namespace pony {
namespace {

using Settings = std::map<std::string, std::string>;

std::unique_ptr<HttpApi> ses(Settings more = {}, std::string token = {}) {
  more.insert({"region", "eu-west-1"});
  return an_api(make_ses_api, std::move(more),
                {{"access_key_id", "AKID"},
                 {"secret_access_key", "secret-key"},
                 {"session_token", std::move(token)}});
}

HttpRequest request_for(const Attempt& attempt,
                        std::vector<std::string>* reduced = nullptr,
                        const std::unique_ptr<HttpApi>& api = ses()) {
  std::vector<std::string> left_out;
  auto request = api->request(attempt, k_api_now, left_out);
  REQUIRE_OK(request);
  if (reduced != nullptr) *reduced = left_out;
  return *request;
}

Json body_for(const Attempt& attempt,
              std::vector<std::string>* reduced = nullptr) {
  const auto body = parse_json(request_for(attempt, reduced).body);
  REQUIRE_OK(body);
  return *body;
}

std::string member(const Json& object, const char* key) {
  const Json* value = object.find(key);
  return value == nullptr ? "(none)" : to_text(*value);
}

bool is_raw(const RenderedMessage& message) {
  const Json body = body_for(attempt_for_all(message));
  return body.find("Content")->find("Raw") != nullptr;
}

std::string mail_in_base64(const RenderedMessage& message) {
  const auto mail = compose_mime(message);
  REQUIRE_OK(mail);
  std::string out;
  append_base64_run(out, *mail);
  return out;
}

RenderedMessage a_minimal_message() {
  RenderedMessage message = a_rendered_message();
  message.to.resize(1);
  return message;
}

HttpReply an_error(int status, const std::string& type,
                   const std::string& words = "some words") {
  return an_api_reply(status, "{\"message\":\"" + words + "\"}",
                      {{"x-amzn-ErrorType", type}});
}

constexpr const char* k_minimal_body =
    R"({"FromEmailAddress":"Team <team@a.example>",)"
    R"("Destination":{"ToAddresses":["Ann <ann@b.example>"]},)"
    R"("Content":{"Simple":{"Subject":{"Data":"Hello","Charset":"UTF-8"},)"
    R"("Body":{"Text":{"Data":"Hi Ann\n.\nBye\n","Charset":"UTF-8"}}}},)"
    R"("EmailTags":[{"Name":"pony_id",)"
    R"("Value":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"}]})";

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("ses: a finished message goes byte for byte, its From is its own") {
  const Json body = body_for(an_attempt(a_finished_message()));
  std::string data;
  append_base64_run(data, k_finished_wire);
  CHECK(member(*body.find("Content")->find("Raw"), "Data") ==
        "\"" + data + "\"");
  CHECK(body.find("FromEmailAddress") == nullptr);
  CHECK(member(*body.find("Destination"), "ToAddresses") ==
        "[\"ann@b.example\"]");
}

TEST_CASE(
    "ses: a minimal message has only what it must have, and a signature") {
  std::vector<std::string> reduced;
  const HttpRequest request =
      request_for(attempt_for_all(a_minimal_message()), &reduced);

  CHECK(request.method == "POST");
  CHECK(request.url ==
        "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails");
  CHECK(request.body == k_minimal_body);
  REQUIRE(request.headers.size() == 3);
  CHECK(header_of(request, "Content-Type") == "application/json");
  CHECK(header_of(request, "X-Amz-Date") == "20261121T100000Z");
  CHECK(header_of(request, "Authorization") ==
        "AWS4-HMAC-SHA256 "
        "Credential=AKID/20261121/eu-west-1/ses/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature="
        "4fdfab999c94b6ca88385cadb8a30a5cf62f543f7e31d2faf364e96f17bdbd79");
  CHECK(reduced.empty());
}

TEST_CASE("ses: base_url decides on the host that is signed, port and all") {
  const HttpRequest request =
      request_for(attempt_for_all(a_minimal_message()), nullptr,
                  ses({{"base_url", "http://localhost:8025"}}));
  CHECK(request.url == "http://localhost:8025/v2/email/outbound-emails");
  CHECK(header_of(request, "Authorization")
            .ends_with("c514b765a25e033ab432b5c42f24d258"
                       "dfe0c1f802d70d56c32a7be3e391fda0"));
}

TEST_CASE("ses: a session token is sent and signed") {
  const HttpRequest request = request_for(attempt_for_all(a_minimal_message()),
                                          nullptr, ses({}, "token-1"));
  CHECK(header_of(request, "X-Amz-Security-Token") == "token-1");
  CHECK(header_of(request, "Authorization")
            .ends_with("ba92fa7a4cc8cfd17cacb2198ca5c424"
                       "e4ba6ff2b526afbf3b23d17c7e169bb5"));
}

TEST_CASE("ses: a full message without files is said in Simple") {
  RenderedMessage message = a_whole_message();
  message.attachments.clear();
  std::vector<std::string> reduced;
  const HttpRequest request =
      request_for(attempt_for_all(message), &reduced,
                  ses({{"configuration_set", "events"}}));

  CHECK(
      request.body ==
      R"({"FromEmailAddress":"\"Team, the\" <team@a.example>",)"
      R"("Destination":{)"
      R"("ToAddresses":["Ann <ann@b.example>","bob@b.example"],)"
      R"("CcAddresses":["=?utf-8?B?SsO2cmc=?= <joerg@xn--bcher-kva.example>"],)"
      R"("BccAddresses":["eve@b.example"]},)"
      R"("ReplyToAddresses":["Help <help@a.example>"],)"
      R"("Content":{"Simple":{"Subject":{"Data":"Grüße","Charset":"UTF-8"},)"
      R"("Body":{"Text":{"Data":"Hi Ann\n.\nBye\n","Charset":"UTF-8"},)"
      R"("Html":{"Data":"<p>Hi Ann <img src=\"cid:logo\">",)"
      R"("Charset":"UTF-8"}},)"
      R"("Headers":[{"Name":"X-Campaign","Value":"spring"}]}},)"
      R"("EmailTags":[{"Name":"pony_id",)"
      R"("Value":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"},)"
      R"({"Name":"tag1","Value":"signup"},{"Name":"tag2","Value":"eu"},)"
      R"({"Name":"user_id","Value":"42"}],"ConfigurationSetName":"events"})");
  CHECK(reduced.empty());
}

TEST_CASE("ses: a message with files is a mail of our own, with its envelope") {
  const RenderedMessage message = a_whole_message();
  const Json body = body_for(attempt_for_all(message));

  CHECK(member(body, "FromEmailAddress") ==
        R"("\"Team, the\" <team@a.example>")");
  CHECK(member(body, "Destination") ==
        R"({"ToAddresses":["ann@b.example","bob@b.example"],)"
        R"("CcAddresses":["joerg@xn--bcher-kva.example"],)"
        R"("BccAddresses":["eve@b.example"]})");
  CHECK(body.find("ReplyToAddresses") == nullptr);
  CHECK(member(body, "Content") ==
        "{\"Raw\":{\"Data\":\"" + mail_in_base64(message) + "\"}}");
}

TEST_CASE("ses: a part of the recipients gets the mail that names them all") {
  RenderedMessage message = a_whole_message();
  message.attachments.clear();
  Attempt attempt = attempt_for_all(message);
  attempt.recipients = {"bob@b.example", "eve@b.example"};
  const Json body = body_for(attempt);

  CHECK(member(body, "Destination") == R"({"ToAddresses":["bob@b.example"],)"
                                       R"("BccAddresses":["eve@b.example"]})");
  CHECK(member(body, "Content") ==
        "{\"Raw\":{\"Data\":\"" + mail_in_base64(message) + "\"}}");

  // Whichever list it is that is not addressed whole.
  for (const std::string& missing : attempt_for_all(message).recipients) {
    CAPTURE(missing);
    Attempt others = attempt_for_all(message);
    std::erase(others.recipients, missing);
    const Json sent = body_for(others);
    CHECK(sent.find("Content")->find("Raw") != nullptr);
  }
}

TEST_CASE("ses: several bcc alone stay hidden from each other") {
  RenderedMessage message = a_rendered_message();
  message.bcc.swap(message.to);
  const Json body = body_for(attempt_for_all(message));
  CHECK(member(body, "Destination") ==
        R"({"BccAddresses":["ann@b.example","bob@b.example"]})");
  CHECK(is_raw(message));
}

TEST_CASE("ses: what Simple cannot say exactly goes as a mail of our own") {
  RenderedMessage message = a_minimal_message();
  CHECK_FALSE(is_raw(message));

  const auto with_header = [&](std::string name, std::string value) {
    RenderedMessage one = message;
    one.headers = {{std::move(name), std::move(value)}};
    return one;
  };
  CHECK_FALSE(is_raw(with_header("List-Unsubscribe", "<https://a.example>")));
  CHECK(is_raw(with_header("In-Reply-To", "<1@a.example>")));
  CHECK(is_raw(with_header("X-SES-Something", "1")));
  CHECK(is_raw(with_header("X-A", "Gr\u00fc\u00dfe")));
  CHECK(is_raw(with_header("X-A", "")));
  // 996 of name and value.
  std::string words;
  while (words.size() < 992) words += "a ";
  CHECK_FALSE(is_raw(with_header("X-A", words + "b")));
  CHECK(is_raw(with_header("X-A", words + "bcd")));

  RenderedMessage twice = message;
  twice.headers = {{"X-A", "1"}, {"x-a", "2"}};
  CHECK(is_raw(twice));

  RenderedMessage many = message;
  for (int i = 0; i < 15; ++i)
    many.headers.push_back({"X-" + std::to_string(i), "1"});
  CHECK_FALSE(is_raw(many));
  many.headers.push_back({"X-15", "1"});
  CHECK(is_raw(many));

  RenderedMessage no_text = message;
  no_text.text.clear();
  no_text.attachments = {{"a.txt", "text/plain", "aGVsbG8=", ""}};
  CHECK(is_raw(no_text));
}

TEST_CASE("ses: a long name stays on one line, in encoded words") {
  RenderedMessage message = a_minimal_message();
  message.from.name.clear();
  for (int i = 0; i < 30; ++i) message.from.name += "\u00fc\u00f6 ";
  message.from.name += "x";
  const Json body = body_for(attempt_for_all(message));
  const std::string_view from = body.text_of("FromEmailAddress");
  CHECK(from.starts_with("=?utf-8?"));
  CHECK(from.ends_with("?= <team@a.example>"));
  CHECK(is_ascii(from));
  CHECK_FALSE(has_control(from));
}

TEST_CASE(
    "ses: tags are carried in their characters, and what changed is said") {
  RenderedMessage message = a_minimal_message();
  message.tags = {"sign up", "gr\u00fcn"};
  message.metadata = {{"order no", "7"},
                      {"order_no", "8"},
                      {"tag1", "x"},
                      {"pony_id", "mine"},
                      {"note", std::string(257, 'x')},
                      {"empty", ""},
                      {"plan", "pro+"}};
  std::vector<std::string> reduced;
  const Json body = body_for(attempt_for_all(message), &reduced);

  CHECK(member(body, "EmailTags") ==
        R"([{"Name":"pony_id","Value":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"},)"
        R"({"Name":"tag1","Value":"sign_up"},)"
        R"({"Name":"tag2","Value":"gr_n"},{"Name":"order_no","Value":"7"},)"
        R"({"Name":"plan","Value":"pro_"}])");
  CHECK(reduced ==
        std::vector<std::string>{"tag 'sign up' as 'sign_up'",
                                 "tag 'gr\u00fcn' as 'gr_n'",
                                 "metadata 'order no' as 'order_no'",
                                 "metadata 'order_no' (the name is taken)",
                                 "metadata 'tag1' (the name is taken)",
                                 "metadata 'pony_id' (the name is taken)",
                                 "metadata 'note' (over 256 characters)",
                                 "metadata 'empty' (it is empty)",
                                 "the value of metadata 'plan' as 'pro_'"});
}

TEST_CASE("ses: no more than 50 tags are asked for") {
  RenderedMessage message = a_minimal_message();
  for (int i = 0; i < 60; ++i) message.tags.push_back("t" + std::to_string(i));
  std::vector<std::string> reduced;
  const Json body = body_for(attempt_for_all(message), &reduced);
  CHECK(body.find("EmailTags")->items.size() == 50);
  CHECK(reduced.size() == 11);
}

TEST_CASE("ses: what it cannot carry is said, and not asked for") {
  const auto api = ses();
  const auto refuses = [&](const Attempt& attempt) {
    std::vector<std::string> reduced;
    const bool asks = api->request(attempt, k_api_now, reduced).has_value();
    const bool carries = !api->cannot_carry(attempt).has_value();
    CHECK(asks == carries);
    return !carries;
  };
  CHECK_FALSE(refuses(attempt_for_all(a_whole_message())));

  RenderedMessage message = a_rendered_message();
  message.to.push_back({"", "j\u00f6rg@b.example"});
  CHECK(refuses(attempt_for_all(message)));
  // The mail would name him even if he has his already.
  Attempt rest = attempt_for_all(message);
  rest.recipients.pop_back();
  CHECK(refuses(rest));

  message = a_rendered_message();
  message.to.clear();
  for (int i = 0; i < 50; ++i)
    message.to.push_back({"", "a" + std::to_string(i) + "@b.example"});
  CHECK_FALSE(refuses(attempt_for_all(message)));
  message.to.push_back({"", "b@b.example"});
  CHECK(refuses(attempt_for_all(message)));

  message = a_rendered_message();
  message.attachments = {
      {"big", "text/plain", std::string(40'000'000, 'A'), ""}};
  CHECK(refuses(attempt_for_all(message)));
}

TEST_CASE("ses: no line break reaches what becomes a header") {
  std::vector<std::string> reduced;
  RenderedMessage message = a_minimal_message();
  message.headers = {{"X-A", "1\r\nBcc: x@y.example"}};
  CHECK_FAILS(ses()->request(attempt_for_all(message), k_api_now, reduced),
              bad_data);
  message = a_minimal_message();
  message.from.name = "Team\r\nBcc: x@y.example";
  CHECK_FAILS(ses()->request(attempt_for_all(message), k_api_now, reduced),
              bad_data);
}

TEST_CASE("ses: an accepted message has its id") {
  const Verdict verdict =
      verdict_of(*ses(), an_api_reply(200, R"({"MessageId":"0100-000000"})"));
  CHECK(verdict.outcome == Outcome::accepted);
  CHECK(verdict.provider_id == "0100-000000");

  const Verdict cut =
      verdict_of(*ses(), an_api_reply(200, R"({"MessageId":"01)"));
  CHECK(cut.outcome == Outcome::accepted);
  CHECK(cut.provider_id.empty());
}

TEST_CASE("ses: every type of error is what the documentation makes of it") {
  struct Row {
    const char* type;
    int status;
    Outcome outcome;
  };
  const Row rows[] = {
      {"BadRequestException", 400, Outcome::rejected},
      {"ValidationError", 400, Outcome::rejected},
      {"AccountSuspendedException", 400, Outcome::unavailable},
      {"SendingPausedException", 400, Outcome::unavailable},
      {"MailFromDomainNotVerifiedException", 400, Outcome::unavailable},
      {"LimitExceededException", 400, Outcome::unavailable},
      {"NotFoundException", 404, Outcome::unavailable},
      {"TooManyRequestsException", 429, Outcome::throttled},
      {"ThrottlingException", 400, Outcome::throttled},
      {"UnrecognizedClientException", 403, Outcome::unavailable},
      {"InvalidSignatureException", 403, Outcome::unavailable},
      {"SignatureDoesNotMatch", 403, Outcome::unavailable},
      {"IncompleteSignature", 403, Outcome::unavailable},
      {"ExpiredTokenException", 403, Outcome::unavailable},
      {"AccessDeniedException", 403, Outcome::unavailable},
      {"OptInRequired", 403, Outcome::unavailable},
      {"NotAuthorized", 401, Outcome::unavailable},
      {"RequestEntityTooLargeException", 413, Outcome::unavailable},
      {"RequestTimeoutException", 408, Outcome::unavailable},
      {"InternalFailure", 500, Outcome::unavailable},
      {"ServiceUnavailable", 503, Outcome::unavailable},
      {"SomethingNew", 400, Outcome::unavailable},
      {"SomethingNew", 504, Outcome::unknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.type);
    const Verdict verdict = verdict_of(*ses(), an_error(row.status, row.type));
    CHECK(verdict.outcome == row.outcome);
    CHECK(verdict.error ==
          std::to_string(row.status) + ": " + row.type + ": some words");
    CHECK(verdict.counts_against_provider == (row.status != 413));
  }
}

TEST_CASE("ses: the type is found wherever it is told") {
  const auto outcome = [](const HttpReply& reply) {
    return verdict_of(*ses(), reply).outcome;
  };
  CHECK(outcome(an_error(400, "BadRequestException:http://x.example/#y")) ==
        Outcome::rejected);
  CHECK(outcome(an_api_reply(400, R"({"__type":"BadRequestException"})")) ==
        Outcome::rejected);
  CHECK(outcome(an_api_reply(
            400, R"({"__type":"com.amazon.ses#BadRequestException"})")) ==
        Outcome::rejected);
  CHECK(
      verdict_of(*ses(), an_api_reply(400, R"({"__type":"BadRequestException",)"
                                           R"("Message":"words"})"))
          .error == "400: BadRequestException: words");
  // The header is the one to believe.
  CHECK(
      outcome(an_api_reply(400, R"({"__type":"BadRequestException"})",
                           {{"x-amzn-errortype", "SendingPausedException"}})) ==
      Outcome::unavailable);
  // 400 alone says nothing about the message.
  CHECK(outcome(an_api_reply(400, R"({"message":"no type"})")) ==
        Outcome::unavailable);
}

TEST_CASE("ses: MessageRejected is read by its message") {
  const auto outcome = [](const char* words) {
    return verdict_of(*ses(), an_error(400, "MessageRejected", words)).outcome;
  };
  CHECK(outcome("Email address is not verified. The following identities "
                "failed the check in region EU-WEST-1: a@b.c") ==
        Outcome::unavailable);
  CHECK(outcome("Sending paused for this account.") == Outcome::unavailable);
  CHECK(outcome("Missing final '@domain'") == Outcome::rejected);
  CHECK(outcome("") == Outcome::unavailable);
}

TEST_CASE("ses: a rate is over in a second, a day's quota is not") {
  const auto verdict = [](int status, const char* type, const char* words) {
    return verdict_of(*ses(), an_error(status, type, words));
  };
  const Verdict rate = verdict(429, "TooManyRequestsException",
                               "Maximum sending rate exceeded.");
  CHECK(rate.outcome == Outcome::throttled);
  CHECK(rate.rest == std::chrono::seconds(1));
  for (const char* type : {"TooManyRequestsException", "ThrottlingException"}) {
    const Verdict quota = verdict(400, type, "Daily message quota exceeded.");
    CHECK(quota.outcome == Outcome::unavailable);
    CHECK(quota.rest == std::chrono::hours(1));
  }
  HttpReply reply = an_error(429, "TooManyRequestsException");
  reply.headers.push_back({"Retry-After", "30"});
  CHECK(verdict_of(*ses(), reply).rest == std::chrono::seconds(30));
}

TEST_CASE("ses: a clock that is wrong is named as the reason") {
  const Verdict verdict = verdict_of(
      *ses(), an_error(403, "InvalidSignatureException",
                       "Signature expired: 20261121T095400Z is now earlier "
                       "than 20261121T095500Z"));
  CHECK(verdict.outcome == Outcome::unavailable);
  CHECK(verdict.error.ends_with("(is the clock of this machine right?)"));
}

TEST_CASE("ses: no error repeats a secret") {
  const auto api = ses({}, "token-1");
  const Verdict verdict = verdict_of(
      *api,
      an_api_reply(403,
                   R"({"message":"It does not match secret-key token-1. )"
                   R"(\n\nThe Canonical String for this request should have )"
                   R"(been 'POST x-amz-security-token:token-1'"})",
                   {{"x-amzn-ErrorType", "InvalidSignatureException"}}));
  CHECK(verdict.error ==
        "403: InvalidSignatureException: It does not match *** ***.");
}

TEST_CASE("ses: what should have been signed is not repeated") {
  const Verdict verdict =
      verdict_of(*ses(), an_error(403, "SignatureDoesNotMatch",
                                  "No match. The Canonical String was 'POST'"));
  CHECK(verdict.error == "403: SignatureDoesNotMatch: No match.");
}

TEST_CASE("ses: hostile replies are answered calmly") {
  survives_hostile_replies(*an_api(make_ses_api, {{"region", "eu-west-1"}},
                                   {{"secret_access_key", k_api_key}}));
  for (const char* type : {"", ":", "#", "#:#", "\xff"})
    CHECK(verdict_of(*ses(), an_error(400, type)).outcome ==
          Outcome::unavailable);
}

TEST_CASE("ses: a check asks about the account, signed, and sends no mail") {
  const HttpRequest request = ses()->check_request(k_api_now).value();
  CHECK(request.method == "GET");
  CHECK(request.url ==
        "https://email.eu-west-1.amazonaws.com/v2/email/account");
  CHECK(request.body.empty());
  CHECK(header_of(request, "Authorization")
            .ends_with("42bb4a2bb87c84ee38f8cfb85f6bda6f"
                       "dfa7d8b8a799830b0bed5c2b493cb1a8"));
}

TEST_CASE("ses: a check tells what the account may") {
  const auto check = [](const HttpReply& reply) {
    return ses()->check_result(reply);
  };
  const ProviderCheck sandbox = check(an_api_reply(
      200, R"({"SendingEnabled":true,"ProductionAccessEnabled":false,)"
           R"("EnforcementStatus":"PROBATION","SendQuota":{)"
           R"("Max24HourSend":200.0,"MaxSendRate":1.0,)"
           R"("SentLast24Hours":5.0E1}})"));
  CHECK(sandbox.works);
  CHECK(sandbox.words ==
        "the keys are accepted; the account may send; in the sandbox: to "
        "verified recipients only; it is under review; 150 of 200 mails left "
        "for these 24 hours");
  const ProviderCheck plain = check(an_api_reply(
      200, R"({"SendingEnabled":true,"ProductionAccessEnabled":true,)"
           R"("EnforcementStatus":"HEALTHY",)"
           R"("SendQuota":{"Max24HourSend":-1,"SentLast24Hours":3}})"));
  CHECK(plain.works);
  CHECK(plain.words == "the keys are accepted; the account may send");

  CHECK_FALSE(check(an_api_reply(200, R"({"SendingEnabled":false})")).works);
  CHECK_FALSE(check(an_api_reply(200, R"({"SendingEnabled":true,)"
                                      R"("EnforcementStatus":"SHUTDOWN"})"))
                  .works);
  CHECK_FALSE(check(an_api_reply(200, "<html>")).works);

  // It may send without the right to ask.
  const ProviderCheck send_only = check(an_error(403, "AccessDeniedException"));
  CHECK(send_only.works);
  CHECK(send_only.words.find("may not ask") != std::string::npos);

  CHECK_FALSE(check(an_error(403, "UnrecognizedClientException")).works);
  CHECK_FALSE(check(an_api_reply(503)).works);
}

TEST_CASE("ses: a check's advice outlasts words of any length") {
  const std::string words(5000, 'x');
  const ProviderCheck asked =
      ses()->check_result(an_error(403, "AccessDeniedException", words));
  CHECK(asked.words.size() < 500);
  CHECK(asked.words.ends_with("all is well)"));
  const ProviderCheck clock = ses()->check_result(an_error(
      403, "InvalidSignatureException", "Signature expired: " + words));
  CHECK(clock.words.size() < 500);
  CHECK(clock.words.ends_with("(is the clock of this machine right?)"));
}

TEST_SUITE_END();

}  // namespace pony
