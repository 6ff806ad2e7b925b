// Mandrill's API: requests whole, replies by the documented names.
#include "core/provider/mandrill.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/json.h"
#include "tests/support/a_finished_message.h"
#include "tests/support/api_under_test.h"
#include "tests/support/require_ok.h"

namespace pony {
namespace {

std::unique_ptr<HttpApi> mandrill(
    std::map<std::string, std::string> settings = {}) {
  return an_api(make_mandrill_api, std::move(settings),
                {{"api_key", "md-key"}});
}

HttpRequest request_for(const Attempt& attempt,
                        std::vector<std::string>* reduced = nullptr) {
  std::vector<std::string> left_out;
  auto request = mandrill()->request(attempt, k_api_now, left_out);
  REQUIRE_OK(request);
  if (reduced != nullptr) *reduced = left_out;
  return *request;
}

// The member `message` of the body.
Json message_in(const HttpRequest& request) {
  const auto body = parse_json(request.body);
  REQUIRE_OK(body);
  const Json* message = body->find("message");
  REQUIRE(message != nullptr);
  return *message;
}

std::string member(const Json& object, const char* key) {
  const Json* value = object.find(key);
  return value == nullptr ? "(none)" : to_text(*value);
}

constexpr const char* k_unchanged =
    R"("preserve_recipients":true,"track_opens":false,"track_clicks":false,)"
    R"("auto_text":false,"auto_html":false,"inline_css":false,"merge":false)";

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("mandrill: a finished message goes as it is, without its trimmings") {
  RenderedMessage message = a_finished_message();
  message.tags = {"cron"};
  message.metadata = {{"user_id", "42"}};
  std::vector<std::string> reduced;
  const HttpRequest request = request_for(an_attempt(message), &reduced);
  CHECK(request.url ==
        "https://mandrillapp.com/api/1.0/messages/send-raw.json");
  const auto body = parse_json(request.body);
  REQUIRE_OK(body);
  CHECK(body->text_of("raw_message") == k_finished_wire);
  CHECK(member(*body, "to") == R"(["ann@b.example"])");
  CHECK(body->find("message") == nullptr);
  CHECK(reduced ==
        std::vector<std::string>{
            "0 of 1 tags", "metadata 'user_id' (a finished message has none)"});
}

TEST_CASE("mandrill: a full message is said whole") {
  std::vector<std::string> reduced;
  const HttpRequest request =
      request_for(attempt_for_all(a_whole_message()), &reduced);

  CHECK(request.method == "POST");
  CHECK(request.url == "https://mandrillapp.com/api/1.0/messages/send.json");
  REQUIRE(request.headers.size() == 2);
  CHECK(header_of(request, "Content-Type") == "application/json");
  CHECK(
      request.body ==
      std::string(
          R"({"key":"md-key","message":{"from_email":"team@a.example",)"
          R"("from_name":"Team, the","to":[)"
          R"({"email":"ann@b.example","name":"Ann","type":"to"},)"
          R"({"email":"bob@b.example","type":"to"},)"
          R"({"email":"joerg@xn--bcher-kva.example","name":"Jörg","type":"cc"},)"
          R"({"email":"eve@b.example","type":"bcc"}],)"
          R"("subject":"Grüße","text":"Hi Ann\n.\nBye\n",)"
          R"("html":"<p>Hi Ann <img src=\"cid:logo\">",)"
          R"("headers":{"Message-Id":"<01JD7Z3N8QW2E4R6T8Y0A1B2C3@a.example>",)"
          R"("Reply-To":"Help <help@a.example>","X-Campaign":"spring"},)"
          R"("attachments":[{"type":"text/plain","name":"a.txt",)"
          R"("content":"aGVsbG8="}],)"
          R"("images":[{"type":"image/png","name":"logo",)"
          R"("content":"iVBORw=="}],"tags":["signup","eu"],)"
          R"("metadata":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3",)"
          R"("user_id":"42"},)") +
          k_unchanged + R"(},"async":false})");
  CHECK(reduced == std::vector<std::string>{"file name 'l.png' as 'logo'"});
}

TEST_CASE("mandrill: a minimal message has only what it must have") {
  RenderedMessage message = a_rendered_message();
  message.from.name.clear();
  message.to = {{"", "ann@b.example"}};
  std::vector<std::string> reduced;
  const HttpRequest request = request_for(attempt_for_all(message), &reduced);

  CHECK(
      request.body ==
      std::string(
          R"({"key":"md-key","message":{"from_email":"team@a.example",)"
          R"("to":[{"email":"ann@b.example","type":"to"}],)"
          R"("subject":"Hello","text":"Hi Ann\n.\nBye\n",)"
          R"("headers":{"Message-Id":"<01JD7Z3N8QW2E4R6T8Y0A1B2C3@a.example>"},)"
          R"("metadata":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"},)") +
          k_unchanged + R"(},"async":false})");
  CHECK(reduced.empty());
}

TEST_CASE("mandrill: only the attempt's recipients are addressed") {
  Attempt attempt = attempt_for_all(a_whole_message());
  attempt.recipients = {"bob@b.example", "eve@b.example"};
  CHECK(member(message_in(request_for(attempt)), "to") ==
        R"([{"email":"bob@b.example","type":"to"},)"
        R"({"email":"eve@b.example","type":"bcc"}])");
}

TEST_CASE("mandrill: several bcc alone stay hidden from each other") {
  RenderedMessage message = a_rendered_message();
  message.bcc.swap(message.to);
  const Attempt attempt = attempt_for_all(message);
  CHECK_FALSE(mandrill()->cannot_carry(attempt).has_value());
  CHECK(member(message_in(request_for(attempt)), "to") ==
        R"([{"email":"ann@b.example","name":"Ann","type":"bcc"},)"
        R"({"email":"bob@b.example","type":"bcc"}])");
}

TEST_CASE("mandrill: base_url decides on the host") {
  std::vector<std::string> reduced;
  CHECK(mandrill({{"base_url", "http://localhost:1"}})
            ->request(an_attempt(), k_api_now, reduced)
            ->url == "http://localhost:1/api/1.0/messages/send.json");
}

TEST_CASE("mandrill: tags that it does not take are left out, and said") {
  RenderedMessage message = a_rendered_message();
  const std::string fifty(50, 'a');
  std::string umlauts;  // 50 characters, 100 bytes
  for (int i = 0; i < 50; ++i) umlauts += "\u00fc";
  message.tags = {"_own", fifty, fifty + "a", umlauts, ""};
  std::vector<std::string> reduced;
  const Json mail = message_in(request_for(an_attempt(message), &reduced));

  CHECK(member(mail, "tags") == "[\"" + fifty + "\",\"" + umlauts + "\"]");
  CHECK(reduced ==
        std::vector<std::string>{"tag '_own' (begins with '_')",
                                 "tag '" + fifty + "a' (over 50 characters)"});
}

TEST_CASE("mandrill: what an object cannot hold twice is said") {
  RenderedMessage message = a_rendered_message();
  message.headers = {{"X-A", "1"}, {"x-a", "2"}};
  message.metadata = {{"pony_id", "mine"}, {"b", "2"}};
  std::vector<std::string> reduced;
  const Json mail = message_in(request_for(an_attempt(message), &reduced));

  CHECK(member(mail, "headers") ==
        R"({"Message-Id":"<01JD7Z3N8QW2E4R6T8Y0A1B2C3@a.example>","X-A":"1"})");
  CHECK(member(mail, "metadata") ==
        R"({"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3","b":"2"})");
  CHECK(reduced.size() == 2);
}

TEST_CASE("mandrill: what it cannot carry is said, and not asked for") {
  const auto api = mandrill();
  const auto refuses = [&](const RenderedMessage& message) {
    const Attempt attempt = attempt_for_all(message);
    std::vector<std::string> reduced;
    const bool asks = api->request(attempt, k_api_now, reduced).has_value();
    const bool carries = !api->cannot_carry(attempt).has_value();
    CHECK(asks == carries);
    return !carries;
  };
  CHECK_FALSE(refuses(a_whole_message()));

  RenderedMessage message = a_rendered_message();
  message.to = {{"", "j\u00f6rg@b.example"}};
  CHECK(refuses(message));

  message = a_rendered_message();
  message.attachments = {
      {"big", "text/plain", std::string(25'000'000, 'A'), ""}};
  CHECK(refuses(message));

  message = a_rendered_message();
  message.subject = std::string(998, 's');
  CHECK_FALSE(refuses(message));
  message.subject += 's';
  CHECK(refuses(message));

  // Not an image, and shown by the HTML.
  message = a_rendered_message();
  message.attachments = {{"v.mp4", "video/mp4", "AAAA", "v"}};
  CHECK_FALSE(refuses(message));
  message.html = "<video src=\"cid:v\">";
  CHECK(refuses(message));
  message.attachments[0].content_type = "Image/PNG";
  CHECK_FALSE(refuses(message));
}

TEST_CASE("mandrill: no line break reaches what becomes a header") {
  RenderedMessage message = a_rendered_message();
  message.headers = {{"X-A", "1\r\nBcc: x@y.example"}};
  std::vector<std::string> reduced;
  CHECK_FAILS(mandrill()->request(an_attempt(message), k_api_now, reduced),
              bad_data);
}

TEST_CASE("mandrill: each recipient has a verdict and an id of his own") {
  RenderedMessage message = a_whole_message();
  const Attempt attempt = attempt_for_all(message);
  const HttpReply reply = an_api_reply(200, R"([
    {"email":"eve@b.example","status":"rejected","reject_reason":"spam","_id":"4"},
    {"email":"ANN@B.example","status":"sent","reject_reason":null,"_id":"1"},
    {"email":"joerg@xn--bcher-kva.example","status":"queued","queued_reason":null,"_id":"3"},
    {"email":"bob@b.example","status":"invalid","reject_reason":null,"_id":"2"},
    {"email":"ann@b.example","status":"rejected","reject_reason":"spam","_id":"9"}
  ])");

  const auto verdicts = mandrill()->verdicts(attempt, reply, k_api_now);
  REQUIRE(verdicts.size() == 4);
  CHECK(verdicts[0].outcome == Outcome::accepted);
  CHECK(verdicts[0].provider_id == "1");
  CHECK(verdicts[1].outcome == Outcome::rejected);
  CHECK(verdicts[1].error == "200: invalid");
  CHECK(verdicts[2].outcome == Outcome::accepted);
  CHECK(verdicts[2].provider_id == "3");
  CHECK(verdicts[3].outcome == Outcome::rejected);
  CHECK(verdicts[3].error == "200: rejected: spam");
}

TEST_CASE("mandrill: a recipient may be named with his domain as given") {
  RenderedMessage message = a_rendered_message();
  message.to = {{"", "joerg@b\u00fccher.example"}};
  const auto verdicts = mandrill()->verdicts(
      attempt_for_all(message),
      an_api_reply(200,
                   R"([{"email":"joerg@bücher.example","status":"invalid"}])"),
      k_api_now);
  CHECK(verdicts[0].outcome == Outcome::rejected);
}

TEST_CASE("mandrill: every status of a recipient is what is documented") {
  struct Row {
    const char* line;
    Outcome outcome;
    const char* error;
  };
  const Row rows[] = {
      {R"("status":"sent")", Outcome::accepted, ""},
      {R"("status":"scheduled")", Outcome::accepted, ""},
      {R"("status":"queued")", Outcome::accepted, ""},
      {R"("status":"queued","queued_reason":"attachments")", Outcome::accepted,
       ""},
      {R"("status":"queued","queued_reason":"multiple-recipients")",
       Outcome::accepted, ""},
      {R"("status":"queued","queued_reason":"sending-backlogged")",
       Outcome::accepted, ""},
      {R"("status":"queued","queued_reason":"hourly-quota-exhausted")",
       Outcome::accepted, ""},
      {R"("status":"queued","queued_reason":"free-trial-sends-exhausted")",
       Outcome::unknown,
       "200: taken, but held by the account: queued: "
       "free-trial-sends-exhausted"},
      {R"("status":"queued","queued_reason":"monthly-limit-reached")",
       Outcome::unknown,
       "200: taken, but held by the account: queued: monthly-limit-reached"},
      {R"("status":"queued","queued_reason":"sending-paused")",
       Outcome::unknown,
       "200: taken, but held by the account: queued: sending-paused"},
      {R"("status":"queued","queued_reason":"sending-suspended")",
       Outcome::unknown,
       "200: taken, but held by the account: queued: sending-suspended"},
      {R"("status":"queued","queued_reason":"account-suspended")",
       Outcome::unknown,
       "200: taken, but held by the account: queued: account-suspended"},
      {R"("status":"rejected","reject_reason":"hard-bounce")",
       Outcome::rejected, "200: rejected: hard-bounce"},
      {R"("status":"rejected","reject_reason":"soft-bounce")",
       Outcome::rejected, "200: rejected: soft-bounce"},
      {R"("status":"rejected","reject_reason":"spam")", Outcome::rejected,
       "200: rejected: spam"},
      {R"("status":"rejected","reject_reason":"unsub")", Outcome::rejected,
       "200: rejected: unsub"},
      {R"("status":"rejected","reject_reason":"custom")", Outcome::rejected,
       "200: rejected: custom"},
      {R"("status":"rejected","reject_reason":"rule")", Outcome::rejected,
       "200: rejected: rule"},
      {R"("status":"invalid")", Outcome::rejected, "200: invalid"},
      {R"("status":"rejected","reject_reason":"unsigned")",
       Outcome::unavailable, "200: rejected: unsigned"},
      {R"("status":"rejected","reject_reason":"invalid-sender")",
       Outcome::unavailable, "200: rejected: invalid-sender"},
      {R"("status":"rejected","reject_reason":"test-mode-limit")",
       Outcome::unavailable, "200: rejected: test-mode-limit"},
      // Not understood: not rejected.
      {R"("status":"rejected","reject_reason":"new-reason")",
       Outcome::unavailable, "200: rejected: new-reason"},
      {R"("status":"rejected","reject_reason":null)", Outcome::unavailable,
       "200: rejected"},
      {R"("status":"new-status")", Outcome::accepted, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    const Verdict verdict =
        verdict_of(*mandrill(),
                   an_api_reply(200, R"([{"email":"ann@b.example","_id":"i",)" +
                                         std::string(row.line) + "}]"));
    CHECK(verdict.outcome == row.outcome);
    CHECK(verdict.error == row.error);
    CHECK(verdict.provider_id == "i");
    // While the account holds mail back, more of it helps nobody.
    CHECK(verdict.rest.has_value() == (row.outcome == Outcome::unknown));
  }
}

TEST_CASE("mandrill: an error's name decides, whatever the status") {
  struct Row {
    const char* name;
    Outcome outcome;
  };
  const Row rows[] = {
      {"Invalid_Key", Outcome::unavailable},
      {"PaymentRequired", Outcome::unavailable},
      {"ServiceUnavailable", Outcome::unavailable},
      {"GeneralError", Outcome::unavailable},
      {"PoorReputation", Outcome::unavailable},
      {"Unknown_Subaccount", Outcome::unavailable},
      {"ValidationError", Outcome::rejected},
      {"RequestLimitExceeded", Outcome::throttled},
  };
  for (const Row& row : rows) {
    for (const int status : {200, 400, 401, 429, 500, 504}) {
      CAPTURE(row.name);
      CAPTURE(status);
      const Verdict verdict = verdict_of(
          *mandrill(),
          an_api_reply(status, R"({"status":"error","code":-1,"name":")" +
                                   std::string(row.name) +
                                   R"(","message":"some words"})"));
      CHECK(verdict.outcome == row.outcome);
      CHECK(verdict.error ==
            std::to_string(status) + ": " + row.name + ": some words");
    }
  }
}

TEST_CASE("mandrill: an error of an unknown name falls back on the status") {
  const auto at = [](int status) {
    return verdict_of(*mandrill(),
                      an_api_reply(status, R"({"status":"error","name":"New",)"
                                           R"("message":"words"})"));
  };
  CHECK(at(429).outcome == Outcome::throttled);
  CHECK(at(500).outcome == Outcome::unavailable);
  CHECK(at(500).error == "500: New: words");
  CHECK(at(504).outcome == Outcome::unknown);
  CHECK(at(400).outcome == Outcome::unavailable);
  // It says that it failed.
  CHECK(at(200).outcome == Outcome::unavailable);
  CHECK_FALSE(at(413).counts_against_provider);
}

TEST_CASE("mandrill: who has no line in an answer is in doubt") {
  const std::string ann = R"({"email":"ann@b.example","status":"sent"})";
  const auto outcome_of_bob = [&](const std::string& body, bool whole) {
    HttpReply reply = an_api_reply(200, body);
    reply.whole = whole;
    const auto verdicts = mandrill()->verdicts(an_attempt(), reply, k_api_now);
    REQUIRE(verdicts.size() == 2);
    CHECK(verdicts[1].provider_id.empty());
    return verdicts[1].outcome;
  };
  CHECK(outcome_of_bob("[" + ann + "]", true) == Outcome::unknown);
  CHECK(outcome_of_bob("[]", true) == Outcome::unknown);
  // Cut before his line, which may have said "rejected".
  CHECK(outcome_of_bob("[" + ann + R"(,{"ema)", false) == Outcome::unknown);
  // No lines at all: the status is all there is.
  CHECK(outcome_of_bob("", true) == Outcome::accepted);
}

TEST_CASE("mandrill: without JSON the status speaks") {
  CHECK(verdict_of(*mandrill(), an_api_reply(403)).outcome ==
        Outcome::unavailable);
  const Verdict limit =
      verdict_of(*mandrill(), an_api_reply(429, "", {{"Retry-After", "30"}}));
  CHECK(limit.outcome == Outcome::throttled);
  CHECK(limit.rest == std::chrono::seconds(30));
}

TEST_CASE("mandrill: hostile replies are answered calmly") {
  survives_hostile_replies(*an_api(make_mandrill_api));
}

TEST_CASE("mandrill: many lines for many recipients are read in no time") {
  RenderedMessage message = a_rendered_message();
  message.to.clear();
  std::string body = "[";
  for (int i = 0; i < 1000; ++i)
    message.to.push_back({"", "a" + std::to_string(i) + "@b.example"});
  for (int i = 0; i < 12'000; ++i) body += R"({"email":"x"},)";
  body += R"({"email":"a999@b.example","status":"invalid"}])";
  const auto verdicts = mandrill()->verdicts(
      attempt_for_all(message), an_api_reply(200, body), k_api_now);
  CHECK(verdicts.front().outcome == Outcome::unknown);
  CHECK(verdicts.back().outcome == Outcome::rejected);
}

TEST_CASE("mandrill: no error repeats the key") {
  CHECK(
      verdict_of(*mandrill(),
                 an_api_reply(401, R"({"status":"error","name":"Invalid_Key",)"
                                   R"("message":"no such key: md-key"})"))
          .error == "401: Invalid_Key: no such key: ***");
}

TEST_CASE("mandrill: a check is a ping, which sends no mail") {
  const HttpRequest request = mandrill()->check_request(k_api_now).value();
  CHECK(request.method == "POST");
  CHECK(request.url == "https://mandrillapp.com/api/1.0/users/ping2.json");
  CHECK(request.body == R"({"key":"md-key"})");
}

TEST_CASE("mandrill: only a pong shows that the key works") {
  const auto check = [](int status, const char* body) {
    return mandrill()->check_result(an_api_reply(status, body));
  };
  CHECK(check(200, R"({"PING":"PONG!"})").works);
  CHECK(check(200, R"("PONG!")").works);
  CHECK_FALSE(check(200, "{}").works);
  CHECK_FALSE(check(200, "<html>").works);
  const ProviderCheck wrong =
      check(500, R"({"status":"error","name":"Invalid_Key","message":"bad"})");
  CHECK_FALSE(wrong.works);
  CHECK(wrong.words == "500: Invalid_Key: bad");
  CHECK_FALSE(check(503, "").works);
}

TEST_SUITE_END();

}  // namespace pony
