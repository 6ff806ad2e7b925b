// Brevo's requests and replies.
#include "core/provider/brevo.h"

#include <regex>

#include "tests/support/api_under_test.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("provider");

namespace pony {
namespace {

std::unique_ptr<HttpApi> brevo() {
  return an_api(make_brevo_api);
}

HttpReply error_reply(int status, const std::string& code,
                      const std::string& words = "words",
                      std::vector<HttpHeader> headers = {}) {
  return an_api_reply(
      status, R"({"code":")" + code + R"(","message":")" + words + R"("})",
      std::move(headers));
}

// The value of `name` among the request's own headers of the mail.
std::string mail_header(const HttpRequest& request, std::string_view name) {
  const auto json = parse_json(request.body);
  REQUIRE(json.has_value());
  const Json* headers = json->find("headers");
  REQUIRE(headers != nullptr);
  return std::string(headers->text_of(name));
}

RenderedMessage without_inline_images(RenderedMessage message) {
  message.attachments.resize(1);
  message.html = "<p>Hi</p>";
  return message;
}

}  // namespace

TEST_CASE("brevo: a full message is asked for with all it can carry") {
  const auto [request, reduced] = requested(
      *brevo(), attempt_for_all(without_inline_images(a_full_message())));
  CHECK(request.method == "POST");
  CHECK(request.url == "https://api.brevo.com/v3/smtp/email");
  CHECK(header_of(request, "api-key") == "canary-key-1234");
  CHECK(header_of(request, "Content-Type") == "application/json");
  CHECK(request.body ==
        R"({"sender":{"email":"team@a.example","name":"Zoë Team"},)"
        R"("to":[{"email":"ann@b.example","name":"Ann"},)"
        R"({"email":"bob@xn--bcher-kva.example"}],)"
        R"("cc":[{"email":"cy@b.example","name":"Smith, Cy"}],)"
        R"("bcc":[{"email":"dee@b.example"}],)"
        R"("replyTo":{"email":"help@a.example","name":"Help"},)"
        R"("subject":"Grüße \"you\"","htmlContent":"<p>Hi</p>",)"
        R"("textContent":"Hi\n",)"
        R"("headers":{"Message-Id":"<01JD7Z3N8QW2E4R6T8Y0A1B2C3@a.example>",)"
        R"("X-Mailin-custom":"{\"pony_id\":\"01JD7Z3N8QW2E4R6T8Y0A1B2C3\",)"
        R"(\"user_id\":\"42\"}",)"
        R"("idempotencyKey":")" +
            mail_header(request, "idempotencyKey") +
            R"(","X-Campaign":"spring"},)"
            R"("attachment":[{"name":"a.pdf","content":"QUJD"}],)"
            R"("tags":["signup","eu"]})");
  CHECK(reduced.empty());
}

TEST_CASE("brevo: a text alone gets the HTML part that Brevo demands") {
  auto message = a_rendered_message();
  message.to = {{"", "ann@b.example"}};
  message.text = "1 < 2 & \"x\"\nBye\n";
  const auto [request, reduced] = requested(*brevo(), an_attempt(message));
  CHECK(request.body ==
        R"({"sender":{"email":"team@a.example","name":"Team"},)"
        R"("to":[{"email":"ann@b.example"}],"subject":"Hello",)"
        R"("htmlContent":"<html><body><pre style=\"white-space:pre-wrap;)"
        R"(font-family:inherit\">1 &lt; 2 &amp; \"x\"\nBye\n</pre></body>)"
        R"(</html>","textContent":"1 < 2 & \"x\"\nBye\n",)"
        R"("headers":{"Message-Id":"<01JD7Z3N8QW2E4R6T8Y0A1B2C3@a.example>",)"
        R"("X-Mailin-custom":"{\"pony_id\":\"01JD7Z3N8QW2E4R6T8Y0A1B2C3\"}",)"
        R"("idempotencyKey":")" +
            mail_header(request, "idempotencyKey") + R"("}})");
  CHECK(reduced ==
        std::vector<std::string>{"text only (with an HTML part made of it)"});
}

TEST_CASE("brevo: the same attempt is the same request under the same UUID") {
  const auto api = brevo();
  CHECK(api->remembers_key_for() == std::chrono::minutes(15));
  auto attempt = attempt_for_all(without_inline_images(a_full_message()));
  const auto whole = requested(*api, attempt).request;
  attempt.number = 2;
  CHECK(requested(*api, attempt).request.body == whole.body);
  attempt.recipients = {"dee@b.example"};
  const auto part = requested(*api, attempt).request;
  CHECK(part.body.find(R"("to":[{"email":"dee@b.example"}],"replyTo")") !=
        std::string::npos);
  CHECK(part.body.find("ann@") == std::string::npos);
  CHECK(mail_header(whole, "idempotencyKey") !=
        mail_header(part, "idempotencyKey"));
  const std::regex uuid(
      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]"
      "{3}-[0-9a-f]{12}");
  CHECK(std::regex_match(mail_header(whole, "idempotencyKey"), uuid));
  CHECK(std::regex_match(mail_header(part, "idempotencyKey"), uuid));
}

TEST_CASE("brevo: what it cannot carry is said before it is asked") {
  const auto why = [](const RenderedMessage& message) {
    return brevo()->cannot_carry(attempt_for_all(message)).value_or("");
  };
  CHECK(why(a_full_message()) == "Brevo takes no inline images ('logo')");
  std::vector<std::string> reduced;
  CHECK_FAILS(
      brevo()->request(attempt_for_all(a_full_message()), k_api_now, reduced),
      bad_data);
  auto message = without_inline_images(a_full_message());
  CHECK(why(message) == "");
  message.attachments = {{"a.json", "application/json", "QQ==", ""}};
  CHECK(why(message) ==
        "Brevo takes no file with such an extension ('a.json')");
  message.attachments = {{"a", "application/octet-stream", "QQ==", ""}};
  CHECK(why(message) == "Brevo takes no file with such an extension ('a')");
  message.attachments = {
      {"a.txt", "text/plain", std::string(20'000'000, 'A'), ""}};
  CHECK(why(message).starts_with("Brevo takes 20000000 bytes"));
  message = a_rendered_message();
  message.to.assign(100, {"", "a@b.example"});
  CHECK(why(message) == "Brevo takes 99 recipients, these are 100");
  message = a_rendered_message();
  message.subject.clear();
  CHECK(why(message) == "Brevo takes no message without a subject");
}

TEST_CASE("brevo: what it would garble is spelled otherwise, said") {
  auto message = without_inline_images(a_full_message());
  message.from.name = "Müller, Zoë";
  message.to = {{std::string(71, 'x'), "ann@b.example"}};
  message.cc.clear();
  message.bcc.clear();
  message.headers = {{"X-A", "é"},
                     {"X-B", "b"},
                     {"IdempotencyKey", "x"},
                     {"sender.ip", "1.2.3.4"},
                     {"X-Mailin-Custom", "x"}};
  message.attachments = {{"Grüße", "application/pdf", "QQ==", ""}};
  const auto [request, reduced] = requested(*brevo(), an_attempt(message));
  CHECK(reduced ==
        std::vector<std::string>{"the name 'Müller, Zoë' as 'Müller Zoë'",
                                 "the name '" + std::string(71, 'x') +
                                     "' as '" + std::string(70, 'x') + "'",
                                 "header 'IdempotencyKey' (the name is taken)",
                                 "header 'sender.ip' (the name is taken)",
                                 "header 'X-Mailin-Custom' (the name is taken)",
                                 "header 'X-A' (not ASCII)",
                                 "file name 'Grüße' as 'Gr__e.pdf'"});
  CHECK(request.body.find(R"("name":"Müller Zoë")") != std::string::npos);
  CHECK(mail_header(request, "X-B") == "b");
  CHECK(request.body.find(R"({"name":"Gr__e.pdf",)") != std::string::npos);
}

TEST_CASE("brevo: metadata is ASCII and fits into a header line") {
  auto message = a_rendered_message();
  message.metadata = {{"pony_id", "x"},
                      {"city", "Zürich 😀 €"},
                      {"long", std::string(900, 'x')},
                      {"n", "1"}};
  const auto [request, reduced] = requested(*brevo(), an_attempt(message));
  const std::string custom = mail_header(request, "X-Mailin-custom");
  CHECK(custom == R"({"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3",)"
                  R"("city":"Z\u00fcrich \ud83d\ude00 \u20ac","n":"1"})");
  const auto json = parse_json(custom);
  REQUIRE_OK(json);
  CHECK(json->text_of("city") == "Zürich 😀 €");
  CHECK(reduced ==
        std::vector<std::string>{"text only (with an HTML part made of it)",
                                 "metadata 'pony_id' (the name is taken)",
                                 "metadata 'long' (over 900 bytes in all)"});
}

TEST_CASE("brevo: an accepted message's id is in the body") {
  const auto api = brevo();
  const auto verdicts = verdicts_on(
      *api,
      an_api_reply(201, R"({"messageId":"<2026@smtp-relay.mailin.fr>"})"));
  CHECK(verdicts[1].outcome == Outcome::accepted);
  CHECK(verdicts[1].provider_id == "<2026@smtp-relay.mailin.fr>");
  CHECK(verdict_on(*api, an_api_reply(201, "{\"mess")) == "accepted");
}

TEST_CASE("brevo: its error codes come before the HTTP status") {
  const auto api = brevo();
  const auto on = [&](int status, const std::string& code,
                      const std::string& words = "words") {
    return verdict_on(*api, error_reply(status, code, words));
  };
  CHECK(on(400, "invalid_parameter") == "rejected");
  CHECK(on(400, "missing_parameter") == "rejected");
  // The sender is not set up here: another provider may have it.
  CHECK(on(400, "invalid_parameter", "Sender is not valid") == "unavailable");
  CHECK(on(400, "out_of_range") == "unavailable");
  CHECK(on(401, "unauthorized") == "unavailable");
  CHECK(on(402, "not_enough_credits") == "unavailable, rests 3600 s");
  CHECK(on(400, "not_enough_credits") == "unavailable, rests 3600 s");
  CHECK(on(403, "permission_denied") == "unavailable");
  CHECK(on(403, "account_under_validation") == "unavailable");
  CHECK(on(400, "duplicate_request") == "unknown, not counted");
  CHECK(on(413, "x") == "unavailable, not counted");
  CHECK(on(500, "x") == "unavailable");
  CHECK(on(504, "x") == "unknown");
  CHECK(on(429, "x") == "throttled");
  CHECK(verdict_on(*api, an_api_reply(400, "<html>")) == "unavailable");
  CHECK(verdicts_on(*api, error_reply(400, "invalid_parameter"))[0].error ==
        "400: words");
}

TEST_CASE("brevo: too many requests rest for as long as it says") {
  CHECK(verdict_on(*brevo(), error_reply(429, "x", "words",
                                         {{"x-sib-ratelimit-reset", "30"}})) ==
        "throttled, rests 30 s");
}

TEST_CASE("brevo: an error that repeats the key does not show it") {
  CHECK(verdicts_on(*brevo(),
                    error_reply(401, "unauthorized", "no canary-key-1234"))[0]
            .error == "401: no ***");
}

TEST_CASE("brevo: a hostile reply is never an end for the message") {
  survives_hostile_replies(*brevo());
}

TEST_CASE("brevo: a check names the account") {
  const auto api = brevo();
  const HttpRequest request = api->check_request(k_api_now).value();
  CHECK(request.method == "GET");
  CHECK(request.url == "https://api.brevo.com/v3/account");
  CHECK(header_of(request, "api-key") == "canary-key-1234");
  const auto on = [&](const HttpReply& reply) {
    const auto check = api->check_result(reply);
    return (check.works ? "works: " : "does not: ") + check.words;
  };
  CHECK(on(an_api_reply(200, R"({"email":"me@a.example"})")) ==
        "works: the key is valid; account 'me@a.example'");
  CHECK(on(error_reply(401, "unauthorized", "Key not found")) ==
        "does not: the key is not accepted: Key not found");
  CHECK(on(error_reply(403, "permission_denied")) ==
        "does not: the account may not send: words");
  CHECK(on(an_api_reply(200, "[]")) == "does not: unexpected answer 200");
}

}  // namespace pony

TEST_SUITE_END();
