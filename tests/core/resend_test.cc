// Resend's requests and replies.
#include "core/provider/resend.h"

#include "tests/support/api_under_test.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("provider");

namespace pony {
namespace {

std::unique_ptr<HttpApi> resend() {
  return an_api(make_resend_api);
}

HttpReply error_reply(int status, const std::string& name,
                      std::vector<HttpHeader> headers = {}) {
  return an_api_reply(status,
                      R"({"statusCode":)" + std::to_string(status) +
                          R"(,"name":")" + name + R"(","message":"words"})",
                      std::move(headers));
}

}  // namespace

TEST_CASE("resend: a full message is asked for with all it has") {
  const auto [request, reduced] =
      requested(*resend(), attempt_for_all(a_full_message()));
  CHECK(request.method == "POST");
  CHECK(request.url == "https://api.resend.com/emails");
  CHECK(header_of(request, "Authorization") == "Bearer canary-key-1234");
  CHECK(header_of(request, "Content-Type") == "application/json");
  CHECK(header_of(request, "Idempotency-Key") == "01JD7Z3N8QW2E4R6T8Y0A1B2C3");
  CHECK(request.body ==
        R"({"from":"Zoë Team <team@a.example>",)"
        R"("to":["Ann <ann@b.example>","bob@xn--bcher-kva.example"],)"
        R"("cc":["=?utf-8?Q?Smith=2C_Cy?= <cy@b.example>"],)"
        R"("bcc":["dee@b.example"],"reply_to":"Help <help@a.example>",)"
        R"("subject":"Grüße \"you\"","text":"Hi\n",)"
        R"("html":"<p>Hi <img src=\"cid:logo\"></p>",)"
        R"("headers":{"Message-ID":"<01JD7Z3N8QW2E4R6T8Y0A1B2C3@a.example>",)"
        R"("X-Campaign":"spring"},)"
        R"("attachments":[{"filename":"a.pdf","content":"QUJD",)"
        R"("content_type":"application/pdf"},)"
        R"({"filename":"logo.png","content":"REVG",)"
        R"("content_type":"image/png","content_id":"logo"}],)"
        R"("tags":[{"name":"pony_id","value":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"},)"
        R"({"name":"tag","value":"signup"},{"name":"tag2","value":"eu"},)"
        R"({"name":"user_id","value":"42"}]})");
  CHECK(reduced.empty());
}

TEST_CASE("resend: a message of a text has no empty members") {
  auto message = a_rendered_message();
  message.to = {{"", "ann@b.example"}};
  const auto [request, reduced] = requested(*resend(), an_attempt(message));
  CHECK(request.body ==
        R"({"from":"Team <team@a.example>","to":["ann@b.example"],)"
        R"("subject":"Hello","text":"Hi Ann\n.\nBye\n",)"
        R"("headers":{"Message-ID":"<01JD7Z3N8QW2E4R6T8Y0A1B2C3@a.example>"},)"
        R"("tags":[{"name":"pony_id","value":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"}]})");
  CHECK(reduced.empty());
}

TEST_CASE("resend: the same attempt is the same request under the same key") {
  const auto api = resend();
  CHECK(api->remembers_key_for() == std::chrono::hours(24));
  auto attempt = attempt_for_all(a_full_message());
  const auto first = requested(*api, attempt).request;
  attempt.number = 2;
  const auto second = requested(*api, attempt).request;
  CHECK(first.body == second.body);
  CHECK(header_of(first, "Idempotency-Key") ==
        header_of(second, "Idempotency-Key"));
}

TEST_CASE("resend: a part of the recipients is another request") {
  const auto api = resend();
  auto attempt = attempt_for_all(a_full_message());
  const auto whole = requested(*api, attempt).request;
  attempt.recipients = {"dee@b.example"};
  const auto part = requested(*api, attempt).request;
  CHECK(part.body.find(R"("to":["dee@b.example"],"reply_to")") !=
        std::string::npos);
  CHECK(part.body.find("ann@") == std::string::npos);
  CHECK(header_of(whole, "Idempotency-Key") !=
        header_of(part, "Idempotency-Key"));
}

TEST_CASE("resend: what it cannot carry is said before it is asked") {
  const auto why = [](const RenderedMessage& message) {
    return resend()->cannot_carry(attempt_for_all(message)).value_or("");
  };
  CHECK(why(a_full_message()) == "");
  auto message = a_rendered_message();
  message.attachments = {{"run.js", "text/javascript", "QQ==", ""}};
  CHECK(why(message) == "Resend takes no such file ('run.js')");
  std::vector<std::string> reduced;
  CHECK_FAILS(resend()->request(an_attempt(message), k_api_now, reduced),
              bad_data);
  message.attachments = {
      {"a.txt", "text/plain", std::string(40'000'000, 'A'), ""}};
  CHECK(why(message).starts_with("Resend takes 40000000 bytes"));
  message = a_rendered_message();
  message.cc.assign(49, {"", "a@b.example"});
  CHECK(why(message) == "Resend takes 50 recipients, these are 51");
  message = a_rendered_message();
  message.subject.clear();
  CHECK(why(message) == "Resend takes no message without a subject");
}

TEST_CASE("resend: a sender's name goes without what it would refuse") {
  auto message = a_rendered_message();
  message.from.name = "Widgets, \"Best\" Inc.";
  const auto [request, reduced] = requested(*resend(), an_attempt(message));
  CHECK(request.body.starts_with(
      R"({"from":"Widgets Best Inc <team@a.example>",)"));
  CHECK(reduced == std::vector<std::string>{
                       "the sender's name 'Widgets, \"Best\" Inc.' as "
                       "'Widgets Best Inc'"});
  message.from.name = "(@)";
  CHECK(requested(*resend(), an_attempt(message))
            .request.body.starts_with(R"({"from":"team@a.example",)"));
}

TEST_CASE("resend: a recipient's name is encoded on one line") {
  auto message = a_rendered_message();
  message.to = {
      {std::string(60, 'x') + ", é " + std::string(60, 'y'), "ann@b.example"}};
  const auto [request, reduced] = requested(*resend(), an_attempt(message));
  const auto json = parse_json(request.body);
  REQUIRE_OK(json);
  const std::string to = json->find("to")->items.at(0).text;
  CHECK(to.starts_with("=?utf-8?"));
  CHECK(to.find("?= =?utf-8?") != std::string::npos);
  CHECK(to.ends_with("?= <ann@b.example>"));
  CHECK_FALSE(has_control(to));
  CHECK(reduced.empty());
}

TEST_CASE("resend: tags and metadata are said in the letters that it has") {
  auto message = a_rendered_message();
  message.tags = {"welcome mail", "größe"};
  message.metadata = {{"email", "ann@b.example"},
                      {"tag", "x"},
                      {"empty", ""},
                      {"long", std::string(257, 'x')},
                      {"ok", "y"}};
  const auto [request, reduced] = requested(*resend(), an_attempt(message));
  const std::string why = "(not 1 to 256 of A-Z a-z 0-9 _ -)";
  CHECK(reduced == std::vector<std::string>{
                       "tag 'welcome mail' as 'welcome_mail'",
                       "tag 'größe' as 'gr__e'", "metadata 'email' " + why,
                       "metadata 'tag' (the name is taken)",
                       "metadata 'empty' " + why, "metadata 'long' " + why});
  CHECK(request.body.ends_with(
      R"({"name":"tag","value":"welcome_mail"},)"
      R"({"name":"tag2","value":"gr__e"},{"name":"ok","value":"y"}]})"));
}

TEST_CASE("resend: more tags than it takes are left out, said") {
  auto message = a_rendered_message();
  message.tags.assign(50, "t");
  message.metadata = {{"a", "b"}};
  const auto [request, reduced] = requested(*resend(), an_attempt(message));
  CHECK(reduced == std::vector<std::string>{
                       "49 of 50 tags", "metadata 'a' (over 50 tags in all)"});
  CHECK(request.body.ends_with(R"({"name":"tag49","value":"t"}]})"));
}

TEST_CASE("resend: a file whose extension contradicts its type gets another") {
  auto message = a_rendered_message();
  message.attachments = {{"data.txt", "text/csv; charset=utf-8", "QQ==", ""},
                         {"scan", "application/pdf", "QQ==", ""},
                         {"photo.JPEG", "image/jpeg", "QQ==", ""},
                         {"main.c", "text/plain", "QQ==", ""},
                         {"x.bin", "application/octet-stream", "QQ==", ""},
                         {"a.foo", "application/x-foo", "QQ==", ""}};
  const auto [request, reduced] = requested(*resend(), an_attempt(message));
  CHECK(reduced ==
        std::vector<std::string>{"file name 'data.txt' as 'data.txt.csv'",
                                 "file name 'scan' as 'scan.pdf'"});
  CHECK(request.body.find(R"({"filename":"data.txt.csv","content":"QQ==",)"
                          R"("content_type":"text/csv; charset=utf-8"})") !=
        std::string::npos);
  CHECK(request.body.find(R"({"filename":"x.bin","content":"QQ=="})") !=
        std::string::npos);
}

TEST_CASE("resend: an accepted message's id is in the body") {
  const auto api = resend();
  const auto verdicts =
      verdicts_on(*api, an_api_reply(200, R"({"id":"49a3999c-0ce1"})"));
  CHECK(verdicts[1].outcome == Outcome::accepted);
  CHECK(verdicts[1].provider_id == "49a3999c-0ce1");
  CHECK(verdict_on(*api, an_api_reply(200, "{\"id\":\"49")) == "accepted");
}

TEST_CASE("resend: its error names come before the HTTP status") {
  const auto api = resend();
  const auto on = [&](int status, const std::string& name) {
    return verdict_on(*api, error_reply(status, name));
  };
  for (const int status : {400, 422})
    for (const char* name :
         {"validation_error", "missing_required_field", "invalid_attachment"}) {
      CAPTURE(name);
      CHECK(on(status, name) == "rejected");
    }
  CHECK(on(401, "missing_api_key") == "unavailable");
  CHECK(on(401, "restricted_api_key") == "unavailable");
  CHECK(on(403, "invalid_api_key") == "unavailable");
  CHECK(on(403, "validation_error") == "unavailable");
  CHECK(on(409, "invalid_idempotent_request") == "unknown, not counted");
  CHECK(on(409, "concurrent_idempotent_requests") == "unknown, not counted");
  CHECK(on(429, "daily_quota_exceeded") == "unavailable, rests 3600 s");
  CHECK(on(429, "monthly_quota_exceeded") == "unavailable, rests 3600 s");
  CHECK(on(429, "rate_limit_exceeded") == "throttled");
  CHECK(on(400, "invalid_idempotency_key") == "unavailable");
  CHECK(on(404, "not_found") == "unavailable");
  CHECK(on(413, "x") == "unavailable, not counted");
  CHECK(on(451, "security_error") == "unavailable");
  CHECK(on(500, "application_error") == "unavailable");
  CHECK(on(504, "x") == "unknown");
  CHECK(verdict_on(*api, an_api_reply(403, "error code: 1010")) ==
        "unavailable");
  CHECK(verdicts_on(*api, error_reply(422, "validation_error"))[0].error ==
        "422: words");
}

TEST_CASE("resend: too many requests rest for as long as it says") {
  const auto api = resend();
  CHECK(verdict_on(*api, error_reply(429, "rate_limit_exceeded",
                                     {{"ratelimit-reset", "3"}})) ==
        "throttled, rests 3 s");
  CHECK(verdict_on(*api, error_reply(429, "rate_limit_exceeded",
                                     {{"ratelimit-reset", "3"},
                                      {"retry-after", "5"}})) ==
        "throttled, rests 5 s");
  CHECK(verdict_on(*api, error_reply(429, "daily_quota_exceeded",
                                     {{"retry-after", "500"}})) ==
        "unavailable, rests 500 s");
}

TEST_CASE("resend: an error that repeats the key does not show it") {
  CHECK(verdicts_on(*resend(),
                    an_api_reply(403, R"({"name":"invalid_api_key",)"
                                      R"("message":"no canary-key-1234"})"))[0]
            .error == "403: no ***");
}

TEST_CASE("resend: a hostile reply is never an end for the message") {
  survives_hostile_replies(*resend());
}

TEST_CASE("resend: a check takes a key that may only send for a good one") {
  const auto api = resend();
  const HttpRequest request = api->check_request(k_api_now).value();
  CHECK(request.method == "GET");
  CHECK(request.url == "https://api.resend.com/domains");
  CHECK(header_of(request, "Authorization") == "Bearer canary-key-1234");
  const auto on = [&](const HttpReply& reply) {
    const auto check = api->check_result(reply);
    return (check.works ? "works: " : "does not: ") + check.words;
  };
  CHECK(on(error_reply(401, "restricted_api_key")) ==
        "works: the key may send, and nothing else");
  CHECK(on(error_reply(403, "invalid_api_key")) ==
        "does not: the key is not valid: words");
  CHECK(on(an_api_reply(200, R"({"data":[{"name":"a.example",)"
                             R"("status":"pending"},{"name":"b.example",)"
                             R"("status":"verified"}]})")) ==
        "works: the key is valid; domain 'b.example' is verified");
  CHECK(on(an_api_reply(200, R"({"data":[]})")) ==
        "does not: the key is valid, but no domain is verified: Resend would "
        "send to the account's owner only");
  CHECK(on(an_api_reply(200, R"({"has_more":true,"data":[]})")) ==
        "works: the key is valid");
  CHECK(on(error_reply(500, "application_error")) ==
        "does not: unexpected answer 500: words");
}

}  // namespace pony

TEST_SUITE_END();
