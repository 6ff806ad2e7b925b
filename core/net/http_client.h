// HTTP over libcurl: many transfers in flight from one thread, connections
// kept, and never a request that is silently sent twice.
//
// Promises: what `send` was given goes out once or not at all; what is said
// of a transfer without a reply tells the two apart as far as they can be.
// TLS is verified; redirects are not followed; no proxy, cookie or password
// file of the environment is used; a reply is read up to a limit.
// HTTP/1.1 only: over one HTTP/2 connection a single reset would leave every
// message in flight in doubt.
// Doesn't know: mail, providers, what a reply means.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/net/http.h"
#include "core/net/reactor.h"

namespace pony {

struct HttpOptions {
  Milliseconds timeout{60'000};  // for the whole of a small request
  Milliseconds connect_timeout{10'000};
  int connections = 20;  // that are kept for later requests
  std::string ca_file;   // empty: the system's authorities
  bool insecure_tls = false;
  bool allow_http = false;  // without it a http:// URL fails
  std::string proxy;        // empty: none
};

struct HttpResult {
  // The answer; its status line and headers came whole.
  std::optional<HttpReply> reply;
  // Without a reply: why, in words …
  std::string error;
  // … and whether the server may have the whole request. If not, it cannot
  // have acted on it (RFC 9112, 8: an incomplete message).
  bool may_have_arrived = false;
};

class HttpClient {
 public:
  using Done = std::function<void(HttpResult)>;

  // `reactor` outlives the client.
  HttpClient(HttpOptions options, Reactor& reactor);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Begins a transfer; `done` is called exactly once, from the reactor, or
  // before send() returns when it cannot begin (no libcurl, a line break in a
  // header). Any number may be in flight; how many is the caller's to limit.
  void send(HttpRequest request, Done done);
  // Ends what is in flight at once; each `done` is called.
  void shut_down();

 private:
  struct Transfer;

  std::unique_ptr<Transfer> idle_transfer(std::string& error);
  void begin(std::unique_ptr<Transfer> transfer);
  void ended(Transfer& transfer, int code);
  bool is_stale(Transfer& transfer, int code) const;
  std::unique_ptr<Transfer> release(Transfer& transfer);
  HttpResult result_of(Transfer& transfer, int code) const;

  HttpOptions options_;
  Reactor& reactor_;
  std::vector<std::unique_ptr<Transfer>> active_;
  std::vector<std::unique_ptr<Transfer>> idle_;
};

}  // namespace pony
