// SendGrid's requests and replies.
#include "core/provider/sendgrid.h"

#include "tests/support/api_under_test.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("provider");

namespace pony {
namespace {

std::unique_ptr<HttpApi> sendgrid() {
  return an_api(make_sendgrid_api);
}

std::string error_body(const std::string& message,
                       const std::string& field = "null") {
  return R"({"errors":[{"message":")" + message + R"(","field":")" + field +
         R"(","help":null}]})";
}

}  // namespace

TEST_CASE("sendgrid: a full message is asked for with all it has") {
  const auto [request, reduced] =
      requested(*sendgrid(), attempt_for_all(a_full_message()));
  CHECK(request.method == "POST");
  CHECK(request.url == "https://api.sendgrid.com/v3/mail/send");
  CHECK(header_of(request, "Authorization") == "Bearer canary-key-1234");
  CHECK(header_of(request, "Content-Type") == "application/json");
  CHECK(request.body ==
        R"({"personalizations":[{"to":[{"email":"ann@b.example","name":"Ann"},)"
        R"({"email":"bob@xn--bcher-kva.example"}],)"
        R"("cc":[{"email":"cy@b.example","name":"Smith, Cy"}],)"
        R"("bcc":[{"email":"dee@b.example"}]}],)"
        R"("from":{"email":"team@a.example","name":"Zoë Team"},)"
        R"("reply_to":{"email":"help@a.example","name":"Help"},)"
        R"("subject":"Grüße \"you\"",)"
        R"("content":[{"type":"text/plain","value":"Hi\n"},)"
        R"({"type":"text/html","value":"<p>Hi <img src=\"cid:logo\"></p>"}],)"
        R"("headers":{"X-Campaign":"spring"},)"
        R"("attachments":[{"content":"QUJD","filename":"a.pdf",)"
        R"("type":"application/pdf","disposition":"attachment"},)"
        R"({"content":"REVG","filename":"logo.png","type":"image/png",)"
        R"("disposition":"inline","content_id":"logo"}],)"
        R"("categories":["signup","eu"],)"
        R"("custom_args":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3",)"
        R"("user_id":"42"}})");
  CHECK(reduced.empty());
}

TEST_CASE("sendgrid: a message of a text has no empty members") {
  auto message = a_rendered_message();
  message.to = {{"", "ann@b.example"}};
  const auto [request, reduced] = requested(*sendgrid(), an_attempt(message));
  CHECK(request.body ==
        R"({"personalizations":[{"to":[{"email":"ann@b.example"}]}],)"
        R"("from":{"email":"team@a.example","name":"Team"},)"
        R"("subject":"Hello",)"
        R"("content":[{"type":"text/plain","value":"Hi Ann\n.\nBye\n"}],)"
        R"("custom_args":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"}})");
  CHECK(reduced.empty());
}

TEST_CASE("sendgrid: only the recipients of the attempt are asked for") {
  auto attempt = attempt_for_all(a_full_message());
  attempt.recipients = {"cy@b.example", "dee@b.example"};
  const auto body = requested(*sendgrid(), attempt).request.body;
  CHECK(body.find(R"("personalizations":[{"to":[{"email":"cy@b.example",)"
                  R"("name":"Smith, Cy"}],)"
                  R"("bcc":[{"email":"dee@b.example"}]}])") !=
        std::string::npos);
  CHECK(body.find("ann@") == std::string::npos);
}

TEST_CASE("sendgrid: several who are only bcc do not see each other") {
  auto message = a_full_message();
  message.bcc = {{"", "dee@b.example"}, {"", "eve@b.example"}};
  auto attempt = attempt_for_all(message);
  attempt.recipients = {"dee@b.example", "eve@b.example"};
  CHECK(requested(*sendgrid(), attempt)
            .request.body.starts_with(
                R"({"personalizations":[{"to":[{"email":"dee@b.example"}]},)"
                R"({"to":[{"email":"eve@b.example"}]}],)"));
}

TEST_CASE("sendgrid: a region of its own and another server can be set") {
  const auto url = [](std::map<std::string, std::string> settings) {
    const auto api = an_api(make_sendgrid_api, std::move(settings));
    return requested(*api, an_attempt()).request.url;
  };
  CHECK(url({{"region", "eu"}}) == "https://api.eu.sendgrid.com/v3/mail/send");
  CHECK(url({{"region", "global"}}) == "https://api.sendgrid.com/v3/mail/send");
  CHECK(url({{"base_url", "http://localhost:1"}, {"region", "eu"}}) ==
        "http://localhost:1/v3/mail/send");
}

TEST_CASE("sendgrid: what it cannot carry is said before it is asked") {
  const auto why = [](const RenderedMessage& message) {
    return sendgrid()->cannot_carry(attempt_for_all(message)).value_or("");
  };
  CHECK(why(a_full_message()) == "");
  auto message = a_rendered_message();
  message.cc = {{"", "ANN@b.example"}};
  CHECK(why(message) == "SendGrid takes no address twice ('ann@b.example')");
  std::vector<std::string> reduced;
  CHECK_FAILS(sendgrid()->request(attempt_for_all(message), k_api_now, reduced),
              bad_data);

  message = a_rendered_message();
  message.subject.clear();
  CHECK(why(message) == "SendGrid takes no message without a subject");
  message = a_rendered_message();
  message.text.clear();
  CHECK(why(message) == "SendGrid takes no message without a text");
  message = a_rendered_message();
  message.attachments = {{"a.txt", "text/plain", "", ""}};
  CHECK(why(message) == "SendGrid takes no empty file ('a.txt')");
  message.attachments = {
      {"a.txt", "text/plain", std::string(20'000'000, 'A'), ""}};
  CHECK(why(message).starts_with("SendGrid takes 20000000 bytes"));
  message = a_rendered_message();
  message.to.assign(1001, {"", "a@b.example"});
  CHECK(why(message) == "SendGrid takes 1000 recipients, these are 1001");
  message = a_rendered_message();
  message.to = {{"", "jörg@b.example"}};
  CHECK(why(message) == "SendGrid takes no address such as 'jörg@b.example'");
}

TEST_CASE("sendgrid: what it would refuse of the trimmings is left out, said") {
  auto message = a_rendered_message();
  message.headers = {{"X-SG-EID", "1"}, {"X-A", "1"}, {"x-a", "2"}};
  message.attachments = {
      {"Grüße.txt", "text/plain; charset=utf-8", "QQ==", ""}};
  for (int i = 0; i < 12; ++i) message.tags.push_back("t" + std::to_string(i));
  message.tags.push_back("t0");
  message.metadata = {
      {"pony_id", "x"}, {"long", std::string(10'000, 'x')}, {"short", "y"}};
  const auto [request, reduced] = requested(*sendgrid(), an_attempt(message));
  CHECK(reduced ==
        std::vector<std::string>{
            "header 'X-SG-EID' (the name is taken)",
            "header 'x-a' (there twice)",
            "file name 'Grüße.txt' as 'Gr__e.txt'",
            "the parameters of the type of 'Grüße.txt' ( charset=utf-8)",
            "10 of 12 tags", "metadata 'pony_id' (the name is taken)",
            "metadata 'long' (over 10000 bytes in all)"});
  CHECK(request.body.find(R"("headers":{"X-A":"1"})") != std::string::npos);
  CHECK(request.body.find(R"("filename":"Gr__e.txt","type":"text/plain",)") !=
        std::string::npos);
  CHECK(request.body.find(R"("t8","t9"])") != std::string::npos);
  CHECK(request.body.find(R"("custom_args":{"pony_id":")" + message.id +
                          R"(","short":"y"})") != std::string::npos);
}

TEST_CASE("sendgrid: a control character reaches no header") {
  const auto refused = [](const RenderedMessage& message) {
    std::vector<std::string> reduced;
    CHECK_FAILS(sendgrid()->request(an_attempt(message), k_api_now, reduced),
                bad_data);
  };
  auto message = a_rendered_message();
  message.headers = {{"X-A", "a\r\nBcc: x@y.example"}};
  refused(message);
  message = a_rendered_message();
  message.subject = "a\nb";
  refused(message);
  message = a_rendered_message();
  message.from.name = "a\nb";
  refused(message);
}

TEST_CASE("sendgrid: an accepted message's id is in a header") {
  const auto api = sendgrid();
  const auto verdicts = verdicts_on(
      *api, an_api_reply(202, "", {{"X-Message-Id", "14c5d75ce93.dfd"}}));
  CHECK(verdicts[1].outcome == Outcome::accepted);
  CHECK(verdicts[1].provider_id == "14c5d75ce93.dfd");
  CHECK(verdicts[1].error == "");
  CHECK(verdict_on(*api, an_api_reply(200)) == "accepted");
  CHECK(verdict_on(*api, an_api_reply(202, "{\"errors\":[{\"mess")) ==
        "accepted");
}

TEST_CASE("sendgrid: its errors are told apart by their words and status") {
  const auto api = sendgrid();
  const auto on = [&](int status, const std::string& message,
                      const std::string& field = "null") {
    return verdict_on(*api, an_api_reply(status, error_body(message, field)));
  };
  CHECK(on(400, "The subject is required.", "subject") == "rejected");
  CHECK(on(401,
           "The provided authorization grant is invalid, expired, or "
           "revoked") == "unavailable");
  CHECK(on(401, "Maximum credits exceeded") == "unavailable, rests 3600 s");
  CHECK(on(403, "The from address does not match a verified Sender Identity.",
           "from") == "unavailable");
  CHECK(on(403, "access forbidden") == "unavailable");
  for (const int status : {404, 405, 406, 415, 500, 502, 503})
    CHECK(on(status, "x") == "unavailable");
  CHECK(on(413, "x") == "unavailable, not counted");
  CHECK(on(504, "x") == "unknown");
  CHECK(verdict_on(*api, an_api_reply(400, "<html>Bad Request</html>")) ==
        "unavailable");
  CHECK(verdicts_on(*api, an_api_reply(400, error_body("Bad.", "subject")))[0]
            .error == "400: Bad. (subject)");
  CHECK(
      verdicts_on(*api, an_api_reply(413, error_body("Too large.")))[0].error ==
      "413: Too large.");
}

TEST_CASE("sendgrid: too many requests rest until the time that it says") {
  const auto api = sendgrid();
  const std::string body = error_body("too many requests");
  CHECK(verdict_on(*api, an_api_reply(429, body)) == "throttled");
  CHECK(verdict_on(*api, an_api_reply(429, body,
                                      {{"X-RateLimit-Reset", "1795255242"}})) ==
        "throttled, rests 42 s");
  CHECK(verdict_on(*api, an_api_reply(429, body, {{"Retry-After", "7"}})) ==
        "throttled, rests 7 s");
}

TEST_CASE("sendgrid: a bad recipient does not take the others along") {
  const auto api = sendgrid();
  const auto attempt = attempt_for_all(a_full_message());
  const std::string bad = "Does not contain a valid address.";
  const auto on = [&](const std::string& field) {
    return outcomes_on(*api, an_api_reply(400, error_body(bad, field)),
                       attempt);
  };
  CHECK(on("personalizations.0.to.1.email") ==
        "unavailable- rejected unavailable- unavailable-");
  CHECK(on("personalizations.0.bcc.0.email") ==
        "unavailable- unavailable- unavailable- rejected");
  const std::string all = "rejected rejected rejected rejected";
  for (const char* field :
       {"personalizations.0.to.2.email", "personalizations.1.to.0.email",
        "personalizations.0.to.-1.email", "personalizations.0.to.0.name",
        "personalizations.0.to.0.email.x", "personalizations.0.to",
        "personalizations", "from.email", "",
        "personalizations.99999999999999999999999.to.0.email"}) {
    CAPTURE(field);
    CHECK(on(field) == all);
  }
  // Another complaint beside it concerns everybody.
  CHECK(outcomes_on(*api,
                    an_api_reply(400, R"({"errors":[{"message":"a","field":)"
                                      R"("personalizations.0.to.1.email"},)"
                                      R"({"message":"b","field":null}]})"),
                    attempt) == all);
}

TEST_CASE("sendgrid: an error that repeats the key does not show it") {
  CHECK(verdicts_on(*sendgrid(),
                    an_api_reply(400, error_body("bad canary-key-1234")))[0]
            .error == "400: bad ***");
}

TEST_CASE("sendgrid: a hostile reply is never an end for the message") {
  survives_hostile_replies(*sendgrid());
}

TEST_CASE("sendgrid: a check tells whether the key may send") {
  const auto api = sendgrid();
  const HttpRequest request = api->check_request(k_api_now).value();
  CHECK(request.method == "GET");
  CHECK(request.url == "https://api.sendgrid.com/v3/scopes");
  CHECK(header_of(request, "Authorization") == "Bearer canary-key-1234");
  const auto on = [&](int status, const std::string& body) {
    const auto check = api->check_result(an_api_reply(status, body));
    return (check.works ? "works: " : "does not: ") + check.words;
  };
  CHECK(on(200, R"({"scopes":["alerts.read","mail.send"]})") ==
        "works: the key may send");
  CHECK(on(200, R"({"scopes":["mail.batch"]})") ==
        "does not: the key is valid but may not send (no 'mail.send')");
  CHECK(on(401, error_body("authorization required")) ==
        "does not: the key is not valid here (a key of an EU subuser needs "
        "'region: eu')");
  CHECK(on(403, error_body("access forbidden")) ==
        "does not: the key has no rights: access forbidden");
  CHECK(on(503, "<html>") == "does not: unexpected answer 503");
  CHECK(on(200, "<html>") == "does not: unexpected answer 200");
}

}  // namespace pony

TEST_SUITE_END();
