// What tests of HTTP APIs need: their configuration, a message with everything
// in it, replies, and bodies that nobody should trip over.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/provider/http_api.h"
#include "tests/support/an_attempt.h"

namespace pony {

struct ApiSettings {
  std::map<std::string, std::string> settings;
  std::map<std::string, std::string, std::less<>> secrets;
};

inline std::unique_ptr<HttpApi> an_api(
    std::unique_ptr<HttpApi> (*make)(const ApiConfig&), ApiSettings with) {
  ProviderConfig config;
  config.settings = std::move(with.settings);
  return make(
      {config, [secrets = std::move(with.secrets)](std::string_view key) {
         const auto it = secrets.find(key);
         return it == secrets.end() ? Secret() : Secret(it->second);
       }});
}

inline Time api_time() {
  return *parse_time("2026-11-21T10:00:00Z");
}

// To Ann and Bob, cc Jörg (at a non-ASCII domain), bcc Eve, with everything
// else that a message can have.
inline RenderedMessage a_whole_message() {
  RenderedMessage message = a_rendered_message();
  message.accepted_at = api_time();
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

// For all recipients of `message`.
inline Attempt attempt_at(RenderedMessage message) {
  Attempt attempt;
  for (const auto* list : {&message.to, &message.cc, &message.bcc})
    for (const Address& address : *list)
      attempt.recipients.push_back(address.email);
  attempt.message = std::make_shared<const RenderedMessage>(std::move(message));
  return attempt;
}

inline HttpReply a_reply(int status, std::string body = {},
                         std::vector<HttpHeader> headers = {}) {
  return {status, std::move(headers), std::move(body), true};
}

// The verdict on an attempt with one recipient.
inline Verdict verdict_of(const HttpApi& api, const HttpReply& reply) {
  RenderedMessage message = a_rendered_message();
  message.to.resize(1);
  const auto verdicts =
      api.verdicts(attempt_at(std::move(message)), reply, api_time());
  REQUIRE(verdicts.size() == 1);
  return verdicts.front();
}

inline const std::string* find_header(const HttpRequest& request,
                                      std::string_view name) {
  for (const HttpHeader& header : request.headers)
    if (header.name == name) return &header.value;
  return nullptr;
}

// Bodies that say nothing, or what they say in a way that nobody expects.
inline std::vector<std::string> odd_bodies() {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "[{\"a\":";
  std::vector<std::string> bodies = {
      "",
      "<html>502 Bad Gateway</html>",
      "{",
      "null",
      "7",
      "\"text\"",
      "[]",
      "[[],{},null,7,\"text\"]",
      "{\"message\":{\"message\":[]},\"id\":[],\"name\":7,\"status\":null}",
      "{\"message\":null,\"Message\":[],\"__type\":{},\"MessageId\":false}",
      "[{\"email\":[],\"status\":{},\"_id\":7,\"reject_reason\":[]}]",
      "{\"domain\":[],\"SendQuota\":7,\"SendingEnabled\":{},\"PING\":[]}",
      "{\"a\":1,\"a\":2}",
      "{\"message\":\"\xff\xfe\"}",
      std::string(3, '\0'),
      deep,
      std::string(256 * 1024, '\xff'),
      std::string(256 * 1024, 'x'),
  };
  // And a long text where words are expected.
  bodies.push_back("{\"message\":\"" + std::string(256 * 1024 - 15, '\t') +
                   "\"}");
  bodies.push_back("{\"message\":\"" + std::string(256 * 1024 - 15, 'y') +
                   "\",\"id\":\"z\"}");
  return bodies;
}

// None of these is a clear refusal, so nothing may be rejected, a 2xx is
// accepted, and no error is unprintable or long.
inline void check_odd_bodies(const HttpApi& api, bool may_reject_400) {
  for (const std::string& body : odd_bodies()) {
    for (const int status : {200, 202, 301, 400, 401, 403, 404, 413, 422, 429,
                             500, 502, 503, 504, 0, 999}) {
      CAPTURE(status);
      CAPTURE(body.substr(0, 60));
      HttpReply reply = a_reply(status, body);
      reply.whole = false;
      const Verdict verdict = verdict_of(api, reply);
      if (!may_reject_400 || status != 400)
        CHECK(verdict.outcome != Outcome::rejected);
      if (status == 200 || status == 202)
        CHECK(verdict.outcome == Outcome::accepted);
      CHECK(verdict.error.size() <= 1024);
      CHECK(verdict.provider_id.size() <= 260);
      CHECK_FALSE(has_control(verdict.error));
      CHECK(is_utf8(verdict.error));
      (void)api.check_result(reply);
    }
  }
}

}  // namespace pony
