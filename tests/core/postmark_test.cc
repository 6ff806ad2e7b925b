// Postmark's requests and replies.
#include "core/provider/postmark.h"

#include "tests/support/api_under_test.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("provider");

namespace pony {
namespace {

std::unique_ptr<HttpApi> postmark() {
  return an_api(make_postmark_api);
}

HttpReply error_reply(int status, int code, const std::string& message) {
  return an_api_reply(status, R"({"ErrorCode":)" + std::to_string(code) +
                                  R"(,"Message":")" + message + R"("})");
}

}  // namespace

TEST_CASE("postmark: a full message is asked for with all it can carry") {
  const auto [request, reduced] =
      requested(*postmark(), attempt_for_all(a_full_message()));
  CHECK(request.method == "POST");
  CHECK(request.url == "https://api.postmarkapp.com/email");
  CHECK(header_of(request, "X-Postmark-Server-Token") == "canary-key-1234");
  CHECK(header_of(request, "Content-Type") == "application/json");
  CHECK(header_of(request, "Accept") == "application/json");
  CHECK(request.body ==
        R"({"From":"Zoë Team <team@a.example>",)"
        R"("To":"Ann <ann@b.example>, bob@xn--bcher-kva.example",)"
        R"("Cc":"\"Smith, Cy\" <cy@b.example>","Bcc":"dee@b.example",)"
        R"("ReplyTo":"Help <help@a.example>","Subject":"Grüße \"you\"",)"
        R"("TextBody":"Hi\n",)"
        R"("HtmlBody":"<p>Hi <img src=\"cid:logo\"></p>","Tag":"signup",)"
        R"("Metadata":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3",)"
        R"("user_id":"42"},)"
        R"("Headers":[{"Name":"X-Campaign","Value":"spring"}],)"
        R"("Attachments":[{"Name":"a.pdf","Content":"QUJD",)"
        R"("ContentType":"application/pdf"},)"
        R"({"Name":"logo.png","Content":"REVG","ContentType":"image/png",)"
        R"("ContentID":"cid:logo"}]})");
  CHECK(reduced == std::vector<std::string>{"1 of 2 tags"});
}

TEST_CASE("postmark: a message of a text has no empty members") {
  auto message = a_rendered_message();
  message.to = {{"", "ann@b.example"}};
  const auto [request, reduced] = requested(*postmark(), an_attempt(message));
  CHECK(request.body ==
        R"({"From":"Team <team@a.example>","To":"ann@b.example",)"
        R"("Subject":"Hello","TextBody":"Hi Ann\n.\nBye\n",)"
        R"("Metadata":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"}})");
  CHECK(reduced.empty());
}

TEST_CASE("postmark: only the recipients of the attempt are asked for") {
  auto attempt = attempt_for_all(a_full_message());
  attempt.recipients = {"bob@bücher.example", "dee@b.example"};
  const auto body = requested(*postmark(), attempt).request.body;
  CHECK(
      body.find(R"("To":"bob@xn--bcher-kva.example","Bcc":"dee@b.example",)") !=
      std::string::npos);
  CHECK(body.find("ann@") == std::string::npos);
  CHECK(body.find("Cc\":\"\\\"") == std::string::npos);
}

TEST_CASE("postmark: a message stream and another server can be set") {
  const auto api = an_api(make_postmark_api, {{"message_stream", "broadcast"},
                                              {"base_url", "http://h:1"}});
  const auto [request, reduced] = requested(*api, an_attempt());
  CHECK(request.url == "http://h:1/email");
  CHECK(request.body.ends_with(R"(,"MessageStream":"broadcast"})"));
}

TEST_CASE("postmark: what it cannot carry is said before it is asked") {
  const auto why = [](const RenderedMessage& message) {
    return postmark()->cannot_carry(attempt_for_all(message)).value_or("");
  };
  CHECK(why(a_full_message()) == "");
  auto message = a_rendered_message();
  message.text.assign(5'000'001, 'x');
  CHECK(why(message) ==
        "Postmark takes 5000000 bytes of text or HTML, this has 5000001");
  message = a_rendered_message();
  message.attachments = {{"setup.EXE", "application/octet-stream", "QQ==", ""}};
  CHECK(why(message) == "Postmark takes no such file ('setup.EXE')");
  std::vector<std::string> reduced;
  CHECK_FAILS(postmark()->request(an_attempt(message), k_api_now, reduced),
              bad_data);
  message.attachments = {
      {"a.txt", "text/plain", std::string(10'000'000, 'A'), ""}};
  CHECK(why(message).starts_with("Postmark takes 10000000 bytes"));
  message = a_rendered_message();
  message.to.assign(51, {"", "a@b.example"});
  CHECK(why(message) == "Postmark takes 50 recipients, these are 51");
  message = a_rendered_message();
  message.to.clear();
  message.bcc = {{"", "a@b.example"}, {"", "b@b.example"}};
  CHECK(why(message) == "Postmark takes no message with nobody in 'to'");
  message = a_rendered_message();
  message.text.clear();
  CHECK(why(message) == "Postmark takes no message without a text");
}

TEST_CASE("postmark: metadata that it would refuse is left out, said") {
  auto message = a_rendered_message();
  message.metadata = {{"Pony_ID", "x"},
                      {std::string(21, 'k'), "x"},
                      {"long", std::string(81, 'x')},
                      {"fits",
                       "éééééééééééééééééééééééééééééééééééééééé"
                       "éééééééééééééééééééééééééééééééééééééééé"},
                      {"FITS", "again"}};
  for (int i = 0; i < 9; ++i)
    message.metadata.push_back({"m" + std::to_string(i), "v"});
  const auto [request, reduced] = requested(*postmark(), an_attempt(message));
  CHECK(reduced == std::vector<std::string>{
                       "metadata 'Pony_ID' (the name is taken)",
                       "metadata 'kkkkkkkkkkkkkkkkkkkkk' (a name over 20 "
                       "characters)",
                       "metadata 'long' (over 80 characters)",
                       "metadata 'FITS' (the name is taken)",
                       "metadata 'm8' (over 10 entries in all)"});
  CHECK(request.body.find(R"("m7":"v"}})") != std::string::npos);
}

TEST_CASE("postmark: a header that is there twice is sent twice") {
  auto message = a_rendered_message();
  message.headers = {{"X-A", "1"}, {"X-A", "2"}};
  const auto [request, reduced] = requested(*postmark(), an_attempt(message));
  CHECK(reduced.empty());
  CHECK(request.body.find(R"("Headers":[{"Name":"X-A","Value":"1"},)"
                          R"({"Name":"X-A","Value":"2"}])") !=
        std::string::npos);
}

TEST_CASE("postmark: an accepted message's id is in the body") {
  const auto api = postmark();
  const auto verdicts = verdicts_on(
      *api, an_api_reply(200, R"({"To":"x","MessageID":"b7bc2f4a-e38e",)"
                              R"("ErrorCode":0,"Message":"OK"})"));
  CHECK(verdicts[1].outcome == Outcome::accepted);
  CHECK(verdicts[1].provider_id == "b7bc2f4a-e38e");
  CHECK(verdict_on(*api, an_api_reply(200, "{\"MessageID\":\"b7")) ==
        "accepted");
}

TEST_CASE("postmark: inactive recipients of an accepted message are refused") {
  const auto attempt = attempt_for_all(a_full_message());
  const auto verdicts = verdicts_on(
      *postmark(),
      an_api_reply(200,
                   R"({"MessageID":"m","ErrorCode":0,"Message":)"
                   R"("Message OK, but will not deliver to these inactive )"
                   R"(addresses: BOB@xn--bcher-kva.example, )"
                   R"(dee@b.example. Inactive recipients are ones that )"
                   R"(have generated a hard bounce."})"),
      attempt);
  CHECK(verdicts[0].outcome == Outcome::accepted);
  CHECK(verdicts[0].provider_id == "m");
  CHECK(verdicts[1].outcome == Outcome::rejected);
  CHECK(verdicts[1].error.starts_with("200: Message OK, but will not"));
  CHECK(verdicts[2].outcome == Outcome::accepted);
  CHECK(verdicts[3].outcome == Outcome::rejected);
}

TEST_CASE("postmark: with inactive recipients nobody got it, the others may") {
  const auto api = postmark();
  const auto attempt = attempt_for_all(a_full_message());
  const auto reply = error_reply(
      422, 406,
      "You tried to send to recipients that have been marked as inactive.\\n"
      "Found inactive addresses: cy@b.example.\\nInactive recipients are ones "
      "that have generated a hard bounce.");
  CHECK(outcomes_on(*api, reply, attempt) ==
        "unavailable- unavailable- rejected unavailable-");
  const auto verdicts = verdicts_on(*api, reply, attempt);
  CHECK(verdicts[2].error.starts_with("422: You tried to send"));
  CHECK(verdicts[0].error.starts_with(
      "not sent, as other recipients were refused: 422: You tried"));
  // Whom it means is not understood: nobody is given up.
  CHECK(outcomes_on(*api, error_reply(422, 406, "inactive"), attempt) ==
        "unavailable- unavailable- unavailable- unavailable-");
  // One alone can only be meant.
  Attempt one = attempt;
  one.recipients = {"ann@b.example"};
  CHECK(outcomes_on(*api, error_reply(422, 406, "inactive"), one) ==
        "rejected");
  // A part of another address is not it.
  CHECK(outcomes_on(
            *api,
            error_reply(422, 406, "Found inactive addresses: xcy@b.example."),
            attempt) == "unavailable- unavailable- unavailable- unavailable-");
}

TEST_CASE("postmark: a bad recipient does not take the others along") {
  const auto api = postmark();
  const auto attempt = attempt_for_all(a_full_message());
  CHECK(outcomes_on(*api,
                    error_reply(422, 300,
                                "Invalid 'Cc' address: "
                                "'cy@b.example'."),
                    attempt) ==
        "unavailable- unavailable- rejected unavailable-");
  CHECK(outcomes_on(*api,
                    error_reply(422, 300,
                                "Error parsing 'To': Illegal email "
                                "address 'ann@b.example'."),
                    attempt) ==
        "rejected unavailable- unavailable- unavailable-");
  const std::string all = "rejected rejected rejected rejected";
  CHECK(outcomes_on(*api,
                    error_reply(422, 300,
                                "Invalid 'From' address: "
                                "'ann@b.example'."),
                    attempt) == all);
  CHECK(outcomes_on(*api, error_reply(422, 300, "Zero recipients"), attempt) ==
        all);
}

TEST_CASE("postmark: its error codes come before the HTTP status") {
  const auto api = postmark();
  const auto on = [&](int status, int code) {
    return verdict_on(*api, error_reply(status, code, "words"));
  };
  for (const int code : {300, 402, 403, 409, 411}) {
    CAPTURE(code);
    CHECK(on(422, code) == "rejected");
  }
  for (const int code : {400, 401, 412, 413, 100}) {
    CAPTURE(code);
    CHECK(on(422, code) == "unavailable");
  }
  CHECK(on(422, 405) == "unavailable, rests 3600 s");
  CHECK(on(401, 10) == "unavailable");
  CHECK(on(503, 100) == "unavailable");
  // No code that is known here: the status.
  CHECK(on(422, 999) == "unavailable");
  // A code of 413 is the account's trouble, a status of 413 the message's.
  CHECK(on(413, 413) == "unavailable");
  CHECK(on(413, 0) == "unavailable, not counted");
  CHECK(on(429, 0) == "throttled");
  CHECK(on(500, 0) == "unavailable");
  CHECK(on(504, 0) == "unknown");
  CHECK(verdict_on(*api, an_api_reply(422, "<html>")) == "unavailable");
  CHECK(verdicts_on(*api, error_reply(422, 300, "words"))[0].error ==
        "422: words");
}

TEST_CASE("postmark: a hostile reply is never an end for the message") {
  survives_hostile_replies(*postmark());
}

TEST_CASE("postmark: a check names the server, and says if it is a sandbox") {
  const auto api = postmark();
  const HttpRequest request = api->check_request(k_api_now).value();
  CHECK(request.method == "GET");
  CHECK(request.url == "https://api.postmarkapp.com/server");
  CHECK(header_of(request, "X-Postmark-Server-Token") == "canary-key-1234");
  const auto on = [&](int status, const std::string& body) {
    const auto check = api->check_result(an_api_reply(status, body));
    return (check.works ? "works: " : "does not: ") + check.words;
  };
  CHECK(on(200, R"({"ID":1,"Name":"shop","DeliveryType":"Live"})") ==
        "works: the token belongs to server 'shop'");
  CHECK(on(200, R"({"ID":1,"Name":"try","DeliveryType":"Sandbox"})") ==
        "works: the token belongs to server 'try', a sandbox: it takes mail "
        "and delivers none");
  CHECK(on(401, R"({"ErrorCode":10,"Message":"Bad token"})") ==
        "does not: the token is not valid; it must be a server's, not the "
        "account's");
  CHECK(on(500, R"({"ErrorCode":1,"Message":"oh"})") ==
        "does not: unexpected answer 500: oh");
}

}  // namespace pony

TEST_SUITE_END();
