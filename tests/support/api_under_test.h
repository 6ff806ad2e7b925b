// What tests of HTTP APIs need: an API with a key, messages that use all of
// it, replies, and bodies that no provider should ever send.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/provider/http_api.h"
#include "tests/support/an_attempt.h"

namespace pony {

inline constexpr const char* k_api_key = "canary-key-1234";
// 2026-11-21T10:00:00Z
inline constexpr Time k_api_now{std::chrono::seconds(1'795'255'200)};

using ApiMaker = std::unique_ptr<HttpApi> (*)(const ApiConfig& api);

using ApiSecrets = std::map<std::string, std::string, std::less<>>;

inline std::unique_ptr<HttpApi> an_api(
    ApiMaker make, std::map<std::string, std::string> settings = {},
    ApiSecrets secrets = {{"api_key", k_api_key}}) {
  ProviderConfig config;
  config.name = "main";
  config.settings = std::move(settings);
  return make({config, [&secrets](std::string_view key) {
                 const auto found = secrets.find(key);
                 return found == secrets.end() ? Secret()
                                               : Secret(found->second);
               }});
}

// Uses everything that a message may have.
inline RenderedMessage a_full_message() {
  RenderedMessage message = a_rendered_message();
  message.from = {"Zoë Team", "team@a.example"};
  message.to = {{"Ann", "ann@b.example"}, {"", "bob@bücher.example"}};
  message.cc = {{"Smith, Cy", "cy@b.example"}};
  message.bcc = {{"", "dee@b.example"}};
  message.reply_to = Address{"Help", "help@a.example"};
  message.subject = "Grüße \"you\"";
  message.text = "Hi\n";
  message.html = "<p>Hi <img src=\"cid:logo\"></p>";
  message.headers = {{"X-Campaign", "spring"}};
  message.attachments = {{"a.pdf", "application/pdf", "QUJD", ""},
                         {"logo.png", "image/png", "REVG", "logo"}};
  message.tags = {"signup", "eu"};
  message.metadata = {{"user_id", "42"}};
  return message;
}

// To Ann and Bob, cc Jörg (at a non-ASCII domain), bcc Eve, with everything
// else that a message can have.
inline RenderedMessage a_whole_message() {
  RenderedMessage message = a_rendered_message();
  message.accepted_at = k_api_now;
  message.from = {"Team, the", "team@a.example"};
  message.cc = {{"J\u00f6rg", "joerg@b\u00fccher.example"}};
  message.bcc = {{"", "eve@b.example"}};
  message.reply_to = Address{"Help", "help@a.example"};
  message.subject = "Gr\u00fc\u00dfe";
  message.html = "<p>Hi Ann <img src=\"cid:logo\">";
  message.headers = {{"X-Campaign", "spring"}};
  message.attachments = {
      {"a.txt", "text/plain", "aGVsbG8=", ""},
      {"l.png", "image/png", "iVBORw==", "logo"},
  };
  message.tags = {"signup", "eu"};
  message.metadata = {{"user_id", "42"}};
  return message;
}

// For all of the message's recipients.
inline Attempt attempt_for_all(RenderedMessage message) {
  Attempt attempt;
  for (const auto* list : {&message.to, &message.cc, &message.bcc})
    for (const Address& address : *list)
      attempt.recipients.push_back(address.email);
  attempt.message = std::make_shared<const RenderedMessage>(std::move(message));
  return attempt;
}

struct Requested {
  HttpRequest request;
  std::vector<std::string> reduced;
};

inline Requested requested(const HttpApi& api, const Attempt& attempt) {
  Requested out;
  auto request = api.request(attempt, k_api_now, out.reduced);
  REQUIRE_MESSAGE(request.has_value(),
                  (request ? std::string() : request.error().what));
  out.request = std::move(*request);
  REQUIRE(parse_json(out.request.body).has_value());
  return out;
}

inline std::string header_of(const HttpRequest& request,
                             std::string_view name) {
  for (const HttpHeader& header : request.headers)
    if (header.name == name) return header.value;
  return {};
}

inline HttpReply an_api_reply(int status, std::string body = {},
                              std::vector<HttpHeader> headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

inline std::vector<Verdict> verdicts_on(const HttpApi& api,
                                        const HttpReply& reply,
                                        const Attempt& attempt = an_attempt()) {
  std::vector<Verdict> verdicts = api.verdicts(attempt, reply, k_api_now);
  REQUIRE(verdicts.size() == attempt.recipients.size());
  for (const Verdict& verdict : verdicts) CHECK(verdict.status == reply.status);
  return verdicts;
}

// The verdict on an attempt with one recipient.
inline Verdict verdict_of(const HttpApi& api, const HttpReply& reply) {
  RenderedMessage message = a_rendered_message();
  message.to.resize(1);
  return verdicts_on(api, reply, attempt_for_all(std::move(message))).front();
}

// The one verdict that all recipients share, as "unavailable", "unavailable,
// not counted", "unavailable, rests 3600 s".
inline std::string verdict_on(const HttpApi& api, const HttpReply& reply) {
  const std::vector<Verdict> verdicts = verdicts_on(api, reply);
  for (const Verdict& verdict : verdicts)
    REQUIRE(verdict.outcome == verdicts.front().outcome);
  const Verdict& verdict = verdicts.front();
  std::string text(to_text(verdict.outcome));
  if (!verdict.counts_against_provider) text += ", not counted";
  if (verdict.rest)
    text += ", rests " + std::to_string(verdict.rest->count()) + " s";
  return text;
}

inline std::string outcomes_on(const HttpApi& api, const HttpReply& reply,
                               const Attempt& attempt) {
  std::string text;
  for (const Verdict& verdict : verdicts_on(api, reply, attempt)) {
    if (!text.empty()) text += ' ';
    text += to_text(verdict.outcome);
    if (!verdict.counts_against_provider) text += "-";
  }
  return text;
}

inline std::vector<std::string> hostile_bodies() {
  const std::string deep(200'000, '[');
  std::string garbage;
  for (unsigned i = 0; i < 256 * 1024; ++i)
    garbage += static_cast<char>((i * 2654435761U) >> 13);
  return {
      "",
      "null",
      "[]",
      "{}",
      "{",
      "42",
      "\"text\"",
      "Forbidden",
      "<html><h1>502</h1></html>",
      deep,
      "{\"errors\":" + deep,
      garbage,
      "{\"errors\":[[1],null,\"x\",[{\"message\":1}]],\"ErrorCode\":\"300\","
      "\"Message\":[],\"MessageID\":{},\"name\":[\"validation_error\"],"
      "\"code\":{\"a\":1},\"message\":{},\"messageId\":[],\"id\":[1]}",
      "{\"errors\":{\"message\":\"x\"},\"ErrorCode\":1e99,\"Message\":7,"
      "\"name\":null,\"message\":null,\"code\":null,\"scopes\":{},\"data\":1}",
      "{\"errors\":\"x\",\"ErrorCode\":300.5,\"name\":3,\"code\":4}",
      "{\"message\":\"\xFF\xFE\x80\",\"Message\":\"\xC3\"}",
      "{\"message\":\"a\\u0000\\u001b[31m\",\"Message\":\"a\\u202e\"}",
      "[[],{},null,7,\"text\"]",
      "{\"message\":{\"message\":[]},\"id\":[],\"status\":null}",
      "{\"message\":null,\"Message\":[],\"__type\":{},\"MessageId\":false}",
      "[{\"email\":[],\"status\":{},\"_id\":7,\"reject_reason\":[]}]",
      "{\"domain\":[],\"SendQuota\":7,\"SendingEnabled\":{},\"PING\":[]}",
      "{\"a\":1,\"a\":2}",
      std::string(3, '\0'),
      std::string(256 * 1024, '\xFF'),
      std::string(256 * 1024, 'x'),
      "{\"message\":\"" + std::string(256 * 1024 - 15, '\t') + "\"}",
      "{\"message\":\"" + std::string(256 * 1024 - 15, 'y') +
          "\",\"id\":\"z\"}",
      std::string("{\"message\":\"key ") + k_api_key +
          " is odd\",\"Message\":\"" + k_api_key + "\"}",
      std::string("the key is ") + k_api_key,
  };
}

enum class Rejects { nothing, any_400_with_words };

// A reply that no provider means: never an end for the message (but with some
// the words of a 400 are one), no crash, no secret, and what is said of it can
// be shown.
inline void survives_hostile_replies(const HttpApi& api,
                                     Rejects rejects = Rejects::nothing) {
  const auto can_be_shown = [](const std::string& text) {
    CHECK(text.size() <= 1200);  // its words and ours
    CHECK(is_utf8(text));
    CHECK_FALSE(has_control(text));
    CHECK(text.find(k_api_key) == std::string::npos);
  };
  for (const std::string& body : hostile_bodies()) {
    CAPTURE(body.substr(0, 60));
    for (const int status : {0,   100, 200, 201, 202, 204, 301, 307, 400, 401,
                             402, 403, 404, 405, 406, 408, 409, 413, 415, 422,
                             429, 451, 500, 502, 503, 504, 599, 999}) {
      CAPTURE(status);
      HttpReply reply =
          an_api_reply(status, body,
                       {{"Retry-After", "\xFF"},
                        {"X-RateLimit-Reset", "-1"},
                        {"ratelimit-reset", "999999999999999999"}});
      reply.whole = false;
      for (const Verdict& verdict : verdicts_on(api, reply)) {
        const bool success = status >= 200 && status < 300;
        // A line for each recipient that is not there leaves them in doubt.
        const bool in_doubt =
            api.type() == "mandrill" && verdict.outcome == Outcome::unknown;
        if (!success || !in_doubt)
          CHECK((verdict.outcome == Outcome::accepted) == success);
        if (rejects == Rejects::nothing || status != 400)
          CHECK(verdict.outcome != Outcome::rejected);
        can_be_shown(verdict.error);
        can_be_shown(verdict.provider_id);
      }
      can_be_shown(api.check_result(reply).words);
    }
  }
}

}  // namespace pony
