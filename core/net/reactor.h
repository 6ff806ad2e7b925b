// The event loop that deliveries live in: descriptors, timers, libcurl's
// transfers, child processes. One thread; every callback runs inside turn().
// libcurl's multi interface tells which sockets it waits for and they are
// watched like any other, so a turn costs what is ready, not what is open.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "core/clock.h"

namespace pony {

class Reactor {
 public:
  using TimerId = std::uint64_t;

  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // Calls `ready` with the epoll events of `fd` whenever it has some of
  // `events` (EPOLLIN, EPOLLOUT, EPOLLET …). `fd` stays its owner's and is
  // unwatched before it is closed. Watching again replaces.
  void watch(int fd, std::uint32_t events,
             std::function<void(std::uint32_t)> ready);
  void unwatch(int fd);

  // Calls `fire` once, after `delay` of monotonic time.
  TimerId after(Milliseconds delay, std::function<void()> fire);
  void cancel(TimerId timer);

  // Hands a prepared easy handle (a CURL*: an HTTP transfer, or a
  // CURLOPT_CONNECT_ONLY one) to libcurl's multi; `done` gets its CURLcode,
  // once. The handle stays in the multi until detach(), which must come before
  // curl_easy_cleanup and before it is performed again.
  void perform(void* easy, std::function<void(int code)> done);
  void detach(void* easy);
  // Lets what was handed to perform() begin now instead of in the next turn.
  // Not from a callback.
  void begin_performing();
  // How many idle connections libcurl may keep for later transfers: call it
  // with what each user of perform() wants to keep; the sum holds.
  void keep_connections(int more);

  // Waits until something happens, at most `max_wait`, and runs what is due.
  // Signals that interrupt the wait end it.
  void turn(Milliseconds max_wait);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pony
