// Mailgun's API: requests byte by byte, replies by the documented tables.
#include "core/provider/mailgun.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/json.h"
#include "core/mime/body_encoding.h"
#include "tests/support/a_finished_message.h"
#include "tests/support/api_under_test.h"
#include "tests/support/require_ok.h"

namespace pony {
namespace {

std::unique_ptr<HttpApi> mailgun(std::map<std::string, std::string> settings = {
                                     {"domain", "mg.a.example"},
                                     {"region", "us"}}) {
  return an_api(make_mailgun_api, std::move(settings),
                {{"api_key", "key-123"}});
}

HttpRequest request_for(const Attempt& attempt,
                        std::vector<std::string>* reduced = nullptr) {
  std::vector<std::string> left_out;
  auto request = mailgun()->request(attempt, k_api_now, left_out);
  REQUIRE_OK(request);
  if (reduced != nullptr) *reduced = left_out;
  return *request;
}

std::string boundary_of(const HttpRequest& request) {
  const std::string type = header_of(request, "Content-Type");
  const std::string before = "multipart/form-data; boundary=";
  REQUIRE(type.starts_with(before));
  return type.substr(before.size());
}

// One field as it stands in the form, the delimiter before it included.
std::string field(const std::string& boundary, const std::string& name,
                  const std::string& value) {
  return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" +
         name + "\"\r\n\r\n" + value + "\r\n";
}

bool has_field(const HttpRequest& request, const std::string& name,
               const std::string& value) {
  return request.body.find(field(boundary_of(request), name, value)) !=
         std::string::npos;
}

bool names_field(const HttpRequest& request, const std::string& name) {
  return request.body.find("name=\"" + name + "\"") != std::string::npos;
}

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("mailgun: a finished message goes byte for byte, as a file") {
  RenderedMessage message = a_finished_message();
  message.tags = {"cron"};
  const HttpRequest request = request_for(an_attempt(message));
  CHECK(request.url == "https://api.mailgun.net/v3/mg.a.example/messages.mime");
  CHECK(has_field(request, "to", "ann@b.example"));
  CHECK(has_field(request, "o:tag", "cron"));
  CHECK(has_field(request, "v:pony_id", message.id));
  CHECK(request.body.find("name=\"message\"; filename=\"message.mime\"\r\n"
                          "Content-Type: message/rfc822\r\n\r\n" +
                          k_finished_wire + "\r\n--") != std::string::npos);
  for (const char* name : {"from", "subject", "text", "h:Message-Id"}) {
    CAPTURE(name);
    CHECK_FALSE(names_field(request, name));
  }
}

TEST_CASE("mailgun: a full message is said whole") {
  std::vector<std::string> reduced;
  const HttpRequest request =
      request_for(attempt_for_all(a_whole_message()), &reduced);

  CHECK(request.method == "POST");
  CHECK(request.url == "https://api.mailgun.net/v3/mg.a.example/messages");
  REQUIRE(request.headers.size() == 2);
  CHECK(header_of(request, "Authorization") == "Basic YXBpOmtleS0xMjM=");
  const std::string b = boundary_of(request);
  std::string expected;
  expected += field(b, "from", "\"Team, the\" <team@a.example>");
  expected += field(b, "to", "Ann <ann@b.example>");
  expected += field(b, "to", "bob@b.example");
  expected += field(b, "cc", "J\u00f6rg <joerg@xn--bcher-kva.example>");
  expected += field(b, "bcc", "eve@b.example");
  expected += field(b, "subject", "Gr\u00fc\u00dfe");
  expected += field(b, "text", "Hi Ann\n.\nBye\n");
  expected += field(b, "html", "<p>Hi Ann <img src=\"cid:logo\">");
  expected +=
      field(b, "h:Message-Id", "<01JD7Z3N8QW2E4R6T8Y0A1B2C3@a.example>");
  expected += field(b, "v:pony_id", "01JD7Z3N8QW2E4R6T8Y0A1B2C3");
  expected += field(b, "h:Reply-To", "Help <help@a.example>");
  expected += field(b, "o:tag", "signup");
  expected += field(b, "o:tag", "eu");
  expected += field(b, "h:X-Campaign", "spring");
  expected += field(b, "v:user_id", "42");
  expected += "--" + b +
              "\r\nContent-Disposition: form-data; name=\"attachment\"; "
              "filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n"
              "hello\r\n";
  expected += "--" + b +
              "\r\nContent-Disposition: form-data; name=\"inline\"; "
              "filename=\"logo\"\r\nContent-Type: image/png\r\n\r\n"
              "\x89PNG\r\n";
  expected += "--" + b + "--\r\n";
  CHECK(request.body == expected);
  CHECK(reduced == std::vector<std::string>{"file name 'l.png' as 'logo'"});
}

TEST_CASE("mailgun: a minimal message has only what it must have") {
  RenderedMessage message = a_rendered_message();
  message.to.resize(1);
  std::vector<std::string> reduced;
  const HttpRequest request = request_for(attempt_for_all(message), &reduced);

  const std::string b = boundary_of(request);
  CHECK(request.body ==
        field(b, "from", "Team <team@a.example>") +
            field(b, "to", "Ann <ann@b.example>") +
            field(b, "subject", "Hello") +
            field(b, "text", "Hi Ann\n.\nBye\n") +
            field(b, "h:Message-Id", "<01JD7Z3N8QW2E4R6T8Y0A1B2C3@a.example>") +
            field(b, "v:pony_id", "01JD7Z3N8QW2E4R6T8Y0A1B2C3") + "--" + b +
            "--\r\n");
  CHECK(reduced.empty());
}

TEST_CASE("mailgun: only the attempt's recipients are addressed") {
  Attempt attempt = attempt_for_all(a_whole_message());
  attempt.recipients = {"joerg@b\u00fccher.example", "eve@b.example"};
  const HttpRequest request = request_for(attempt);

  // Somebody has to be in 'to'.
  CHECK(has_field(request, "to", "J\u00f6rg <joerg@xn--bcher-kva.example>"));
  CHECK(has_field(request, "bcc", "eve@b.example"));
  CHECK_FALSE(names_field(request, "cc"));
  CHECK(request.body.find("ann@b.example") == std::string::npos);
}

TEST_CASE("mailgun: region and base_url decide on the host") {
  std::vector<std::string> reduced;
  const Attempt attempt = an_attempt();
  CHECK(mailgun({{"domain", "d.example"}, {"region", "eu"}})
            ->request(attempt, k_api_now, reduced)
            ->url == "https://api.eu.mailgun.net/v3/d.example/messages");
  CHECK(mailgun({{"domain", "d.example"},
                 {"region", "eu"},
                 {"base_url", "http://localhost:8025"}})
            ->request(attempt, k_api_now, reduced)
            ->url == "http://localhost:8025/v3/d.example/messages");
}

TEST_CASE("mailgun: the same message gives the same bytes") {
  const Attempt attempt = attempt_for_all(a_whole_message());
  CHECK(request_for(attempt).body == request_for(attempt).body);
}

TEST_CASE("mailgun: the boundary is in no part") {
  RenderedMessage message = a_rendered_message();
  const std::string usual = boundary_of(request_for(an_attempt(message)));
  SUBCASE("a text") {
    message.text = "Hi\r\n--" + usual + "--\r\n";
  }
  SUBCASE("a file") {
    std::string content;
    append_base64_run(content, "Hi\r\n--" + usual + "--\r\n");
    message.attachments = {{"a.txt", "text/plain", content, ""}};
  }
  SUBCASE("a file's name") {
    message.attachments = {{"a--" + usual, "text/plain", "aGVsbG8=", ""}};
  }

  const HttpRequest request = request_for(an_attempt(message));
  const std::string boundary = boundary_of(request);
  CHECK(boundary != usual);
  CHECK(boundary.size() <= 70);
  CHECK(request.body.find(usual) != std::string::npos);
  CHECK(has_field(request, "text", message.text));
}

TEST_CASE("mailgun: no name can break out of its part's header") {
  RenderedMessage message = a_rendered_message();
  message.metadata = {{"a\"\r\nX: y", "1"}};
  message.attachments = {{"q\"uote.txt", "text/plain", "aGVsbG8=", ""}};

  const HttpRequest request = request_for(an_attempt(message));
  CHECK(names_field(request, "v:a%22%0D%0AX: y"));
  CHECK(request.body.find("filename=\"q%22uote.txt\"") != std::string::npos);

  message.headers = {{"X-A", "1\r\nBcc: x@y.example"}};
  std::vector<std::string> reduced;
  CHECK_FAILS(mailgun()->request(an_attempt(message), k_api_now, reduced),
              bad_data);
}

TEST_CASE("mailgun: each file has a name, and its very bytes") {
  RenderedMessage message = a_rendered_message();
  message.attachments = {
      {"", "application/octet-stream", "AAECAw==", ""},
      {"empty", "text/plain", "", ""},
      {"one", "text/plain", "eA==", ""},
      {"two", "text/plain", "eHk=", ""},
      // An image that no HTML shows is an attachment.
      {"l.png", "image/png", "iVBORw==", "logo"},
  };
  const std::string body = request_for(an_attempt(message)).body;

  using namespace std::string_literals;
  CHECK(body.find("filename=\"attachment\"\r\nContent-Type: "
                  "application/octet-stream\r\n\r\n\0\1\2\3\r\n--"s) !=
        std::string::npos);
  CHECK(body.find("filename=\"empty\"\r\nContent-Type: text/plain\r\n\r\n\r\n"
                  "--") != std::string::npos);
  CHECK(body.find("filename=\"one\"\r\nContent-Type: text/plain\r\n\r\nx\r\n"
                  "--") != std::string::npos);
  CHECK(body.find("filename=\"two\"\r\nContent-Type: text/plain\r\n\r\nxy\r\n"
                  "--") != std::string::npos);
  CHECK(body.find("name=\"attachment\"; filename=\"l.png\"") !=
        std::string::npos);
}

TEST_CASE("mailgun: tags that it does not take are left out, and said") {
  RenderedMessage message = a_rendered_message();
  message.tags = {"\u00e9t\u00e9", std::string(129, 'a'), "a", "b", "c", "d"};
  std::vector<std::string> reduced;
  const HttpRequest request = request_for(an_attempt(message), &reduced);

  for (const char* tag : {"a", "b", "c"})
    CHECK(has_field(request, "o:tag", tag));
  CHECK_FALSE(has_field(request, "o:tag", "d"));
  CHECK(reduced ==
        std::vector<std::string>{
            "3 of 6 tags (Mailgun takes 3, in ASCII, of 128 bytes)"});
}

TEST_CASE("mailgun: what is over 16 KB of options is left out, and said") {
  RenderedMessage message = a_rendered_message();
  for (int i = 0; i < 5; ++i)
    message.metadata.push_back(
        {"m" + std::to_string(i), std::string(4000, 'x')});
  message.metadata.push_back({"small", "1"});
  std::vector<std::string> reduced;
  const HttpRequest request = request_for(an_attempt(message), &reduced);

  CHECK(names_field(request, "v:m2"));
  CHECK_FALSE(names_field(request, "v:m3"));
  CHECK(names_field(request, "v:small"));
  CHECK(reduced ==
        std::vector<std::string>{"metadata 'm3' (over 16000 bytes in all)",
                                 "metadata 'm4' (over 16000 bytes in all)"});
}

TEST_CASE("mailgun: nobody can take the name of our own id") {
  RenderedMessage message = a_rendered_message();
  message.metadata = {{"pony_id", "mine"}};
  std::vector<std::string> reduced;
  const HttpRequest request = request_for(an_attempt(message), &reduced);

  CHECK(has_field(request, "v:pony_id", message.id));
  CHECK_FALSE(has_field(request, "v:pony_id", "mine"));
  CHECK(reduced.size() == 1);
}

TEST_CASE("mailgun: what it cannot carry is said, and not asked for") {
  const auto api = mailgun();
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
  message.bcc.swap(message.to);  // two
  CHECK(refuses(message));
  message.bcc.resize(1);
  CHECK_FALSE(refuses(message));

  message = a_rendered_message();
  message.to.clear();
  for (int i = 0; i < 1000; ++i)
    message.to.push_back({"", "a" + std::to_string(i) + "@b.example"});
  CHECK_FALSE(refuses(message));
  message.to.push_back({"", "b@b.example"});
  CHECK(refuses(message));

  message = a_rendered_message();
  message.attachments = {
      {"big", "text/plain", std::string(25'000'000, 'A'), ""}};
  CHECK(refuses(message));

  message = a_rendered_message();
  message.text.clear();
  CHECK(refuses(message));
}

TEST_CASE("mailgun: an accepted message has its id without brackets") {
  const auto api = mailgun();
  const Verdict verdict =
      verdict_of(*api, an_api_reply(200, R"({"id":"<2026.1@mg.a.example>",)"
                                         R"("message":"Queued. Thank you."})"));
  CHECK(verdict.outcome == Outcome::accepted);
  CHECK(verdict.provider_id == "2026.1@mg.a.example");
  CHECK(verdict.error.empty());
}

TEST_CASE("mailgun: a 2xx is accepted, whatever became of its body") {
  const HttpReply cut = an_api_reply(200, R"({"id":"<2026.1@m)");
  const Verdict verdict = verdict_of(*mailgun(), cut);
  CHECK(verdict.outcome == Outcome::accepted);
  CHECK(verdict.provider_id.empty());
}

TEST_CASE("mailgun: every refusal is what the documentation makes of it") {
  struct Row {
    int status;
    const char* body;
    Outcome outcome;
    const char* error;
  };
  const Row rows[] = {
      {400, R"({"message":"to parameter is not a valid address"})",
       Outcome::rejected, "400: to parameter is not a valid address"},
      {400, R"({"message":"Need at least one of 'text'"})", Outcome::rejected,
       "400: Need at least one of 'text'"},
      {400, "<html>", Outcome::unavailable, "400"},
      {400, "{}", Outcome::unavailable, "400: {}"},
      {400, R"({"message":"Sandbox subdomains are for test purposes only."})",
       Outcome::unavailable,
       "400: Sandbox subdomains are for test purposes only."},
      {401, "Forbidden", Outcome::unavailable, "401: Forbidden"},
      {402, R"({"message":"Payment required"})", Outcome::unavailable,
       "402: Payment required"},
      {403, R"({"message":"Domain d is not allowed to send: disabled"})",
       Outcome::unavailable, "403: Domain d is not allowed to send: disabled"},
      {404, R"({"message":"Domain not found: d"})", Outcome::unavailable,
       "404: Domain not found: d"},
      {404, "404 page not found", Outcome::unavailable,
       "404: 404 page not found"},
      {413, "", Outcome::unavailable, "413"},
      {500, R"({"message":"Internal Server Error"})", Outcome::unavailable,
       "500: Internal Server Error"},
      {502, "<html>", Outcome::unavailable, "502"},
      {504, "<html>", Outcome::unknown, "504: gateway timeout"},
      {302, "", Outcome::unavailable, "302: a redirect, which is not followed"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    const Verdict verdict =
        verdict_of(*mailgun(), an_api_reply(row.status, row.body));
    CHECK(verdict.outcome == row.outcome);
    CHECK(verdict.error == row.error);
    CHECK(verdict.status == row.status);
    CHECK(verdict.counts_against_provider == (row.status != 413));
  }
}

TEST_CASE("mailgun: a limit that is exceeded asks for the rest it names") {
  const std::string body =
      R"({"message":"Domain d is not allowed to send: )"
      R"(account-requests-per-sec limit exceeded, try again after )"
      R"(120 seconds"})";
  // 403 too: the words decide.
  for (const int status : {429, 403}) {
    const Verdict verdict = verdict_of(*mailgun(), an_api_reply(status, body));
    CHECK(verdict.outcome == Outcome::throttled);
    CHECK(verdict.rest == std::chrono::seconds(120));
  }
  // The header is worth more.
  CHECK(verdict_of(*mailgun(), an_api_reply(429, body, {{"Retry-After", "7"}}))
            .rest == std::chrono::seconds(7));
  for (const char* words : {"try again after ", "try again after x seconds",
                            "try again after 99999999999999999999 seconds",
                            "try again after 5 minutes"})
    CHECK_FALSE(verdict_of(*mailgun(),
                           an_api_reply(429, "{\"message\":\"" +
                                                 std::string(words) + "\"}"))
                    .rest.has_value());
}

TEST_CASE("mailgun: too many options are no fault of the message or of it") {
  const Verdict verdict = verdict_of(
      *mailgun(),
      an_api_reply(400, R"({"message":"Send options (parameters )"
                        R"(starting with o:, h:, or v:) are limited )"
                        R"(to 16KB total"})"));
  CHECK(verdict.outcome == Outcome::unavailable);
  CHECK_FALSE(verdict.counts_against_provider);
}

TEST_CASE("mailgun: hostile replies are answered calmly") {
  // With words in it, a 400 is a refusal.
  survives_hostile_replies(
      *an_api(make_mailgun_api, {{"domain", "mg.a.example"}}),
      Rejects::any_400_with_words);
}

TEST_CASE("mailgun: no error repeats the key") {
  const Verdict verdict =
      verdict_of(*mailgun(),
                 an_api_reply(401, R"({"message":"wrong key key-123 given"})"));
  CHECK(verdict.error == "401: wrong key *** given");
}

TEST_CASE("mailgun: a check asks for the domain and sends no mail") {
  const HttpRequest request = mailgun()->check_request(k_api_now).value();
  CHECK(request.method == "GET");
  CHECK(request.url == "https://api.mailgun.net/v3/domains/mg.a.example");
  CHECK(header_of(request, "Authorization") == "Basic YXBpOmtleS0xMjM=");
  CHECK(request.body.empty());
}

TEST_CASE("mailgun: a check tells what the key and the domain are good for") {
  struct Row {
    int status;
    const char* body;
    bool works;
    const char* word;
  };
  const Row rows[] = {
      {200, R"({"domain":{"state":"active"}})", true, "active"},
      {200, R"({"domain":{"state":"active","is_disabled":true}})", false,
       "disabled"},
      {200, R"({"domain":{"state":"disabled"}})", false, "disabled"},
      {200, R"({"domain":{"state":"unverified"}})", false, "not verified"},
      {200, "{}", false, "unexpected"},
      {200, "hello", false, "unexpected"},
      {401, "Forbidden", false, "other region"},
      {403, R"({"message":"Forbidden"})", true, "may only send"},
      {404, R"({"message":"Domain not found"})", false, "region"},
      {503, "", false, "503"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    const ProviderCheck check =
        mailgun()->check_result(an_api_reply(row.status, row.body));
    CHECK(check.works == row.works);
    CAPTURE(check.words);
    CHECK(check.words.find(row.word) != std::string::npos);
  }
}

TEST_CASE("mailgun: a check's advice outlasts words of any length") {
  const std::string words = R"({"message":")" + std::string(5000, 'x') + "\"}";
  for (const int status : {401, 403, 404}) {
    const ProviderCheck check =
        mailgun()->check_result(an_api_reply(status, words));
    CAPTURE(check.words);
    CHECK(check.words.size() < 500);
    CHECK(check.words.ends_with(')'));
  }
}

TEST_SUITE_END();

}  // namespace pony
