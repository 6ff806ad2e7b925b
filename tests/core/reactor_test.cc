// The event loop: descriptors, timers, and callbacks that change them.
#include "core/net/reactor.h"

#include <curl/curl.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/net/curl_library.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("net");

namespace pony {
namespace {

constexpr Milliseconds k_now{0};
constexpr std::chrono::seconds k_long{10};

// Two ends of one connection.
struct Pair {
  std::array<int, 2> fds{};
  Pair() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) ==
            0);
  }
  ~Pair() {
    ::close(fds[0]);
    ::close(fds[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  void say() const { REQUIRE(::write(fds[1], "x", 1) == 1); }
};

}  // namespace

TEST_CASE("a watched descriptor is told of what it was asked for") {
  Reactor reactor;
  Pair pair;
  std::uint32_t seen = 0;
  reactor.watch(pair.fds[0], EPOLLIN, [&](std::uint32_t e) { seen = e; });
  reactor.turn(k_now);
  CHECK(seen == 0);
  pair.say();
  reactor.turn(k_long);
  CHECK(seen == EPOLLIN);

  seen = 0;
  reactor.unwatch(pair.fds[0]);
  reactor.turn(k_now);
  CHECK(seen == 0);
}

TEST_CASE("watching again replaces what was watched") {
  Reactor reactor;
  Pair pair;
  std::string seen;
  reactor.watch(pair.fds[0], EPOLLIN, [&](std::uint32_t) { seen += "old"; });
  reactor.watch(pair.fds[0], EPOLLIN, [&](std::uint32_t) { seen += "new"; });
  pair.say();
  reactor.turn(k_long);
  CHECK(seen == "new");
}

TEST_CASE("a callback may unwatch itself and go on") {
  Reactor reactor;
  Pair pair;
  int calls = 0;
  const std::string kept(100, 'k');
  std::string after;
  reactor.watch(pair.fds[0], EPOLLIN, [&, kept](std::uint32_t) {
    ++calls;
    reactor.unwatch(pair.fds[0]);
    after = kept;  // what the callback owns is still there
  });
  pair.say();
  reactor.turn(k_long);
  reactor.turn(k_now);
  CHECK(calls == 1);
  CHECK(after == kept);
}

TEST_CASE("an event for a descriptor that another callback closed is dropped") {
  Reactor reactor;
  Pair a;
  Pair b;
  int calls = 0;
  bool reused_called = false;
  // Whichever comes first closes the other's descriptor and watches a new one
  // that may get the same number, with nothing to read.
  std::optional<Pair> fresh;
  auto replace = [&](const Pair& other) {
    ++calls;
    reactor.unwatch(other.fds[0]);
    fresh.emplace();
    REQUIRE(::dup2(fresh->fds[0], other.fds[0]) == other.fds[0]);
    reactor.watch(other.fds[0], EPOLLIN,
                  [&](std::uint32_t) { reused_called = true; });
  };
  reactor.watch(a.fds[0], EPOLLIN, [&](std::uint32_t) { replace(b); });
  reactor.watch(b.fds[0], EPOLLIN, [&](std::uint32_t) { replace(a); });
  a.say();
  b.say();
  reactor.turn(k_long);
  CHECK(calls == 1);
  CHECK_FALSE(reused_called);
}

TEST_CASE("timers fire once, in the order of their time") {
  Reactor reactor;
  std::string order;
  reactor.after(Milliseconds(2), [&] { order += "b"; });
  reactor.after(Milliseconds(1), [&] { order += "a"; });
  reactor.after(Milliseconds(3), [&] { order += "c"; });
  while (order.size() < 3) reactor.turn(k_long);
  reactor.turn(k_now);
  CHECK(order == "abc");
}

TEST_CASE("a timer may cancel another that is due in the same turn") {
  Reactor reactor;
  std::string order;
  Reactor::TimerId second = 0;
  reactor.after(k_now, [&] {
    order += "a";
    reactor.cancel(second);
  });
  second = reactor.after(k_now, [&] { order += "b"; });
  auto third = reactor.after(k_now, [&] { order += "c"; });
  reactor.cancel(third);
  reactor.turn(k_now);
  reactor.turn(k_now);
  CHECK(order == "a");
}

TEST_CASE("a timer that a timer sets waits for the next turn") {
  Reactor reactor;
  int fired = 0;
  std::function<void()> again = [&] {
    if (++fired < 100) reactor.after(k_now, again);
  };
  reactor.after(k_now, again);
  reactor.turn(k_now);
  CHECK(fired == 1);
  reactor.turn(k_now);
  CHECK(fired == 2);
}

TEST_CASE("a connecting handle reports its end once, unless it is detached") {
  auto library = curl_library();
  REQUIRE_OK(library);
  const CurlLibrary& curl = **library;
  Reactor reactor;
  // Port 1 of this machine: nobody listens there.
  auto make = [&] {
    CURL* easy = curl.easy_init();
    REQUIRE(easy != nullptr);
    curl.easy_setopt(easy, CURLOPT_URL, "smtp://127.0.0.1:1/");
    curl.easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl.easy_setopt(easy, CURLOPT_PROXY, "");
    return easy;
  };
  CURL* kept = make();
  CURL* detached = make();
  std::vector<int> codes;
  reactor.perform(kept, [&](int code) { codes.push_back(code); });
  reactor.perform(detached, [&](int code) { codes.push_back(code); });
  reactor.detach(detached);
  curl.easy_cleanup(detached);

  bool timer_fired = false;
  reactor.after(k_now, [&] { timer_fired = true; });
  while (codes.empty()) reactor.turn(k_long);
  CHECK(codes == std::vector<int>{CURLE_COULDNT_CONNECT});
  CHECK(timer_fired);
  reactor.detach(kept);
  curl.easy_cleanup(kept);
}

TEST_CASE("descriptors are served while a handle is connecting") {
  auto library = curl_library();
  REQUIRE_OK(library);
  const CurlLibrary& curl = **library;
  Reactor reactor;
  // A server that takes the connection and never says a word.
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::listen(listener, 1) == 0);
  sockaddr_in place{};
  socklen_t size = sizeof place;
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&place), &size) ==
          0);
  const int port = ntohs(place.sin_port);
  CURL* easy = curl.easy_init();
  const std::string url = "smtp://127.0.0.1:" + std::to_string(port) + "/";
  curl.easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl.easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl.easy_setopt(easy, CURLOPT_PROXY, "");
  bool done = false;
  reactor.perform(easy, [&](int) { done = true; });

  Pair pair;
  bool seen = false;
  reactor.watch(pair.fds[0], EPOLLIN, [&](std::uint32_t) {
    seen = true;
    reactor.unwatch(pair.fds[0]);
  });
  pair.say();
  while (!seen) reactor.turn(k_long);
  CHECK_FALSE(done);

  reactor.detach(easy);
  curl.easy_cleanup(easy);
  ::close(listener);
}

}  // namespace pony

TEST_SUITE_END();
