// The HTTP client against a server of which every byte is chosen: what is sent
// goes out once or not at all, and what came back is told as it was.
#include "core/net/http_client.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/net/curl_library.h"
#include "core/net/reactor.h"
#include "tests/support/raw_server.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("net");

namespace pony {
namespace {

constexpr std::string_view k_fine =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// A client, its loop and what it said.
struct Harness {
  explicit Harness(HttpOptions options = {})
      : client(
            [&options] {
              options.allow_http = true;
              return std::move(options);
            }(),
            reactor) {
    REQUIRE_OK(curl_library());
  }

  void send(HttpRequest request) {
    const std::size_t index = results.size();
    results.emplace_back();
    calls.push_back(0);
    client.send(std::move(request), [this, index](HttpResult result) {
      ++calls[index];
      results[index] = std::move(result);
    });
  }
  // Until every `done` was called, or `until` holds.
  template <class Until>
  void turn_until(const Until& until) {
    for (int turns = 0; turns < 10'000 && !until(); ++turns)
      reactor.turn(Milliseconds(10));
    REQUIRE(until());
  }
  void turn() {
    turn_until(
        [this] { return std::count(calls.begin(), calls.end(), 0) == 0; });
  }
  const HttpResult& ask(HttpRequest request) {
    send(std::move(request));
    turn();
    CHECK(calls.back() == 1);
    return results.back();
  }

  Reactor reactor;
  HttpClient client;
  std::vector<HttpResult> results;
  std::vector<int> calls;
};

HttpRequest post(const RawServer& server, std::string body = "a mail") {
  HttpRequest request;
  request.url = server.url();
  request.headers = {{"X-Test", "yes"}};
  request.body = std::move(body);
  return request;
}

// Serves each connection one request and says `answer`.
RawServer::Serve answering(std::string answer) {
  return [answer = std::move(answer)](RawPeer& peer) {
    if (!peer.read_request().empty()) peer.say(answer);
  };
}

// Each request of a connection is counted and answered.
RawServer::Serve counting(std::atomic<int>& requests) {
  return [&requests](RawPeer& peer) {
    while (!peer.read_request().empty()) {
      ++requests;
      peer.say(k_fine);
    }
  };
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE(
    "a line break in a header or URL is refused before anything is sent") {
  RawServer server(answering(std::string(k_fine)));
  Harness harness;
  const auto refused = [&](HttpRequest request) {
    harness.send(std::move(request));
    CHECK(harness.calls.back() == 1);
    const HttpResult& result = harness.results.back();
    CHECK_FALSE(result.reply.has_value());
    CHECK_FALSE(result.may_have_arrived);
    CHECK(result.error == "a line break in the request's header");
  };
  for (const std::string_view bad :
       {std::string_view("a\r\nX-Evil: b"), std::string_view("a\nb"),
        std::string_view("a\rb"), std::string_view("a\0b", 3)}) {
    HttpRequest request = post(server);
    request.headers.push_back({"X-Value", std::string(bad)});
    refused(std::move(request));
    request = post(server);
    request.headers.push_back({std::string(bad), "value"});
    refused(std::move(request));
    request = post(server);
    request.url += bad;
    refused(std::move(request));
  }
  CHECK(server.connections() == 0);
}

TEST_CASE("a request says what it was given, who asks, and nothing else") {
  std::string seen;
  std::atomic<bool> done{false};
  RawServer server([&](RawPeer& peer) {
    seen = peer.read_request();
    done = true;
    peer.say(k_fine);
  });
  Harness harness;
  const std::string body("line\r\n\0\xff after a NUL", 20);
  const HttpResult& result = harness.ask(post(server, body));
  REQUIRE(result.reply.has_value());
  CHECK(result.reply->status == 200);
  CHECK(result.reply->body == "ok");
  REQUIRE(done);
  CHECK(seen.starts_with("POST /mail HTTP/1.1\r\n"));
  CHECK(seen.ends_with("\r\n\r\n" + body));
  CHECK(has(seen, "\r\nX-Test: yes\r\n"));
  CHECK(has(seen, "\r\nUser-Agent: pony/"));
  // What is packed can be without end.
  CHECK_FALSE(has(seen, "Accept-Encoding"));
  CHECK_FALSE(has(seen, "Expect"));
  CHECK_FALSE(has(seen, "Cookie"));
}

TEST_CASE("a GET has no body, after a POST on the same connection as before") {
  std::string seen;
  std::atomic<int> requests{0};
  RawServer server([&](RawPeer& peer) {
    for (std::string one = peer.read_request(); !one.empty();
         one = peer.read_request()) {
      seen += one;
      ++requests;
      peer.say(k_fine);
    }
  });
  Harness harness;
  harness.ask(post(server));
  HttpRequest get;
  get.method = "GET";
  get.url = server.url();
  REQUIRE(harness.ask(get).reply.has_value());
  REQUIRE(harness.ask(post(server, "third")).reply.has_value());
  REQUIRE(requests == 3);
  CHECK(server.connections() == 1);
  const auto at = seen.find("GET /mail");
  REQUIRE(at != seen.npos);
  const auto asked = seen.substr(at, seen.find("POST", at) - at);
  CHECK_FALSE(has(asked, "Content-Length"));
  CHECK_FALSE(has(asked, "X-Test"));
  CHECK(asked.ends_with("\r\n\r\n"));
  CHECK(seen.ends_with("third"));
}

TEST_CASE("an answer is read up to 256 KiB") {
  RawServer server([](RawPeer& peer) {
    (void)peer.read_request();
    peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "4000\r\n" + std::string(0x4000, 'x') + "\r\n";
    while (peer.say(chunk)) continue;
  });
  Harness harness;
  const HttpResult& result = harness.ask(post(server));
  REQUIRE(result.reply.has_value());
  CHECK(result.reply->status == 200);
  CHECK(result.reply->body.size() == 256 * 1024);
}

TEST_CASE("an answer of 256 KiB to the byte is read whole") {
  const std::string body(256 * 1024, 'x');
  RawServer server(
      answering("HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n" + body));
  Harness harness;
  const HttpResult& result = harness.ask(post(server));
  REQUIRE(result.reply.has_value());
  CHECK(result.reply->body == body);
}

TEST_CASE("headers without end are no answer, and it may have arrived") {
  std::string_view piece;
  SUBCASE("many") {
    piece = "X-More: some words of no interest\r\n";
  }
  SUBCASE("one") {
    piece = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
  }
  RawServer server([piece](RawPeer& peer) {
    (void)peer.read_request();
    peer.say("HTTP/1.1 200 OK\r\nX-First: ");
    while (peer.say(piece)) continue;
  });
  Harness harness;
  const HttpResult& result = harness.ask(post(server));
  CHECK_FALSE(result.reply.has_value());
  CHECK(result.may_have_arrived);
  CHECK(has(result.error, "no answer from '" + server.place() + "'"));
}

TEST_CASE("what comes before the answer (1xx) is not taken for it") {
  RawServer server(
      answering("HTTP/1.1 100 Continue\r\nX-Message-Id: no\r\n\r\n"
                "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                "HTTP/1.1 202 Accepted\r\nX-Message-Id: yes\r\nContent-Length: "
                "0\r\n\r\n"));
  Harness harness;
  const HttpResult& result = harness.ask(post(server));
  REQUIRE(result.reply.has_value());
  CHECK(result.reply->status == 202);
  CHECK(result.reply->header("x-message-id") == "yes");
  CHECK(result.reply->header("link").empty());
}

TEST_CASE("a 1xx alone is no answer") {
  RawServer server(answering("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"));
  Harness harness;
  const HttpResult& result = harness.ask(post(server));
  CHECK_FALSE(result.reply.has_value());
  CHECK(result.may_have_arrived);
}

TEST_CASE("an answer whose body broke off is an answer") {
  std::string_view answer;
  SUBCASE("by its length") {
    answer = "HTTP/1.1 202 OK\r\nContent-Length: 9\r\n\r\nok";
  }
  SUBCASE("in its chunks") {
    answer = "HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n";
  }
  RawServer server(answering(std::string(answer)));
  Harness harness;
  const HttpResult& result = harness.ask(post(server));
  REQUIRE(result.reply.has_value());
  CHECK(result.reply->status == 202);
  CHECK(result.reply->body == "ok");
}

TEST_CASE("half an answer's header is none, and it may have arrived") {
  std::string_view answer;
  SUBCASE("nothing") {
    answer = "";
  }
  SUBCASE("in the status line") {
    answer = "HTTP/1.1 20";
  }
  SUBCASE("after the status line") {
    answer = "HTTP/1.1 200 OK\r\n";
  }
  SUBCASE("in a header") {
    answer = "HTTP/1.1 200 OK\r\nX-Message-Id: a";
  }
  SUBCASE("no HTTP") {
    answer = "SSH-2.0-OpenSSH\r\n\r\n200 OK\r\n";
  }
  SUBCASE("HTTP of another time") {
    answer = "<html>200 OK</html>";
  }
  std::atomic<int> requests{0};
  RawServer server([&](RawPeer& peer) {
    if (peer.read_request().empty()) return;
    ++requests;
    peer.say(answer);
  });
  Harness harness;
  const HttpResult& result = harness.ask(post(server));
  CHECK_FALSE(result.reply.has_value());
  CHECK(result.may_have_arrived);
  CHECK(has(result.error, server.place()));
  CHECK(requests == 1);
}

TEST_CASE("a redirect is an answer, and is not followed") {
  std::atomic<int> requests{0};
  for (const std::string_view where :
       {"/other", "file:///etc/passwd", "http://127.0.0.1:1/"}) {
    for (const std::string_view status : {"301", "302", "303", "307", "308"}) {
      RawServer server([&](RawPeer& peer) {
        while (!peer.read_request().empty()) {
          ++requests;
          peer.say(std::string("HTTP/1.1 ") + std::string(status) +
                   " Moved\r\nContent-Length: 0\r\nLocation: " +
                   std::string(where) + "\r\n\r\n");
        }
      });
      Harness harness;
      requests = 0;
      const HttpResult& result = harness.ask(post(server));
      REQUIRE(result.reply.has_value());
      CHECK(std::to_string(result.reply->status) == status);
      CHECK(requests == 1);
    }
  }
}

TEST_CASE("nobody there: it cannot have arrived") {
  std::string url;
  {
    RawServer server(answering(""));
    url = server.url();
  }
  Harness harness;
  HttpRequest request;
  request.url = url;
  request.body = "x";
  const HttpResult& result = harness.ask(request);
  CHECK_FALSE(result.reply.has_value());
  CHECK_FALSE(result.may_have_arrived);
  CHECK(has(result.error, "cannot connect to '127.0.0.1:"));
  CHECK(has(result.error, "onnection refused"));
}

TEST_CASE(
    "http:// that was not allowed, and other protocols, connect nowhere") {
  RawServer server(answering(std::string(k_fine)));
  Reactor reactor;
  HttpOptions options;
  SUBCASE("not allowed") {}
  SUBCASE("allowed") {
    options.allow_http = true;
  }
  HttpClient client(options, reactor);
  std::vector<std::string> urls = {
      "file:///etc/hostname", "ftp://" + server.place() + "/",
      "gopher://" + server.place() + "/", "smtp://" + server.place() + "/"};
  if (!options.allow_http) urls.push_back(server.url());
  for (const std::string& url : urls) {
    HttpRequest request;
    request.url = url;
    request.method = "GET";
    int calls = 0;
    client.send(request, [&](const HttpResult& result) {
      ++calls;
      CHECK_FALSE(result.reply.has_value());
      CHECK_FALSE(result.may_have_arrived);
      CHECK_FALSE(result.error.empty());
    });
    for (int turns = 0; turns < 1000 && calls == 0; ++turns)
      reactor.turn(Milliseconds(10));
    CHECK(calls == 1);
  }
  CHECK(server.connections() == 0);
}

TEST_CASE("silence is told with the time that was waited") {
  std::atomic<int> requests{0};
  RawServer server([&](RawPeer& peer) {
    while (!peer.read_request().empty()) ++requests;
  });
  HttpOptions options;
  options.timeout = Milliseconds(80);
  Harness harness(std::move(options));
  const HttpResult& result = harness.ask(post(server));
  CHECK_FALSE(result.reply.has_value());
  CHECK(result.may_have_arrived);
  CHECK(result.error == "no answer from '" + server.place() + "' within 80ms");
  CHECK(requests == 1);
}

TEST_CASE("a kept connection is used again") {
  std::atomic<int> requests{0};
  RawServer server(counting(requests));
  Harness harness;
  for (int i = 0; i < 20; ++i)
    REQUIRE(harness.ask(post(server)).reply.has_value());
  CHECK(requests == 20);
  CHECK(server.connections() == 1);
}

TEST_CASE("a kept connection that was closed meanwhile costs nothing") {
  std::atomic<int> requests{0};
  bool by_reset = false;
  SUBCASE("closed") {}
  SUBCASE("reset") {
    by_reset = true;
  }
  RawServer server([&, by_reset](RawPeer& peer) {
    if (peer.read_request().empty()) return;
    ++requests;
    peer.say(k_fine);
    if (by_reset) peer.reset();
  });
  Harness harness;
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(harness.ask(post(server)).reply.has_value());
    harness.turn_until([&] { return server.ended() == i; });
  }
  CHECK(requests == 3);
}

TEST_CASE("a kept connection that dies inside the body costs nothing either") {
  std::atomic<int> requests{0};
  RawServer server([&](RawPeer& peer) {
    if (peer.number() == 1) {
      (void)peer.read_request();
      peer.say(k_fine);
      (void)peer.read_head();
      return peer.reset();
    }
    if (peer.read_request().empty()) return;
    ++requests;
    peer.say(k_fine);
  });
  Harness harness;
  REQUIRE(harness.ask(post(server)).reply.has_value());
  // More than both ends' buffers hold.
  const std::string large(std::size_t{32} << 20, 'x');
  const HttpResult& result = harness.ask(post(server, large));
  CHECK(result.error == "");
  CHECK(result.reply.has_value());
  CHECK(requests == 1);
}

TEST_CASE("a request that was read on a kept connection is never sent twice") {
  std::atomic<int> requests{0};
  bool by_reset = false;
  SUBCASE("closed") {}
  SUBCASE("reset") {
    by_reset = true;
  }
  RawServer server([&, by_reset](RawPeer& peer) {
    if (peer.read_request().empty()) return;
    ++requests;
    peer.say(k_fine);
    if (peer.read_request().empty()) return;
    ++requests;
    if (by_reset) peer.reset();
  });
  Harness harness;
  REQUIRE(harness.ask(post(server)).reply.has_value());
  const HttpResult& result = harness.ask(post(server));
  CHECK_FALSE(result.reply.has_value());
  CHECK(result.may_have_arrived);
  CHECK(requests == 2);
}

TEST_CASE("an answer before the body's end is an answer") {
  RawServer server([](RawPeer& peer) {
    (void)peer.read_head();
    peer.say(
        "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: "
        "0\r\n\r\n");
    // Until the client has gone: a reset could overtake the answer.
    (void)peer.read_head();
  });
  Harness harness;
  const HttpResult& result =
      harness.ask(post(server, std::string(std::size_t{16} << 20, 'x')));
  REQUIRE(result.reply.has_value());
  CHECK(result.reply->status == 413);
}

TEST_CASE("giving up calls each done once, and tells what may have arrived") {
  std::atomic<int> requests{0};
  RawServer server([&](RawPeer& peer) {
    while (!peer.read_request().empty()) ++requests;
  });
  Harness harness;
  for (int i = 0; i < 3; ++i) harness.send(post(server));
  harness.turn_until([&] { return requests == 3; });
  harness.send(post(server));  // not even begun
  harness.client.shut_down();
  CHECK(harness.calls == std::vector<int>{1, 1, 1, 1});
  for (int i = 0; i < 3; ++i) {
    const HttpResult& result = harness.results[static_cast<std::size_t>(i)];
    CHECK_FALSE(result.reply.has_value());
    CHECK(result.may_have_arrived);
    CHECK(result.error == "given up");
  }
  CHECK_FALSE(harness.results[3].may_have_arrived);
  harness.client.shut_down();
  harness.reactor.turn(Milliseconds(0));
  CHECK(harness.calls == std::vector<int>{1, 1, 1, 1});
}

TEST_CASE("who is told may ask again at once") {
  std::atomic<int> requests{0};
  RawServer server(counting(requests));
  Reactor reactor;
  HttpOptions options;
  options.allow_http = true;
  HttpClient client(options, reactor);
  int answers = 0;
  std::function<void()> ask = [&] {
    client.send(post(server), [&](const HttpResult& result) {
      REQUIRE(result.reply.has_value());
      if (++answers < 5) ask();
    });
  };
  ask();
  for (int turns = 0; turns < 1000 && answers < 5; ++turns)
    reactor.turn(Milliseconds(10));
  CHECK(answers == 5);
  CHECK(server.connections() == 1);
}

TEST_CASE("a client that goes takes its transfers with it") {
  std::atomic<int> requests{0};
  RawServer server([&](RawPeer& peer) {
    while (!peer.read_request().empty()) ++requests;
  });
  Reactor reactor;
  int calls = 0;
  {
    HttpOptions options;
    options.allow_http = true;
    HttpClient client(options, reactor);
    client.send(post(server), [&](const HttpResult&) { ++calls; });
    for (int turns = 0; turns < 1000 && requests == 0; ++turns)
      reactor.turn(Milliseconds(10));
  }
  reactor.turn(Milliseconds(0));
  CHECK(calls == 0);
}

}  // namespace pony
