// The event loop: epoll for what is ours, libcurl's multi for what is still
// connecting, an ordered map for timers.
//
// Promises: a callback may watch, unwatch, cancel, connect or detach anything,
// itself too. That holds because no loop below keeps an iterator over a call:
// each callback is looked up again (by generation, id or handle) just before
// it is run, and is owned by the caller while it runs.
// Known limit: curl_multi_poll asks every handle, so turns are O(sessions)
// while a session is being opened; afterwards they are O(ready).
#include "core/net/reactor.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <limits>
#include <map>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/net/curl_library.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

struct Watch {
  std::uint32_t generation = 0;
  std::function<void(std::uint32_t)> ready;
};

// An epoll tag: a descriptor's number may be reused within one turn, so an
// event counts only for the watch it was asked for by.
std::uint64_t tag(int fd, std::uint32_t generation) {
  return (std::uint64_t{generation} << 32) | static_cast<std::uint32_t>(fd);
}

int poll_timeout(Steady::duration wait) {
  if (wait <= Steady::duration::zero()) return 0;
  // Rounded up: waking a fraction of a millisecond early would spin.
  auto ms = std::chrono::ceil<Milliseconds>(wait).count();
  return static_cast<int>(
      std::min<decltype(ms)>(ms, std::numeric_limits<int>::max()));
}

}  // namespace

struct Reactor::Impl {
  using TimerKey = std::pair<Steady::time_point, TimerId>;

  int epoll = -1;
  std::uint32_t generation = 0;
  std::unordered_map<int, std::shared_ptr<Watch>> watches;

  TimerId last_timer = 0;
  std::map<TimerKey, std::function<void()>> timers;
  std::unordered_map<TimerId, Steady::time_point> due;

  const CurlLibrary* curl = nullptr;
  CURLM* multi = nullptr;
  std::unordered_map<CURL*, std::function<void(int)>> connecting;
  std::vector<CURL*> attached;
  std::vector<CURL*> refused;  // libcurl would not have them

  bool open_multi();
  bool run_connects();
  void run_ready(int timeout_ms);
  void run_timers();
  Steady::duration until_next(Steady::duration max_wait) const;
};

bool Reactor::Impl::open_multi() {
  if (multi != nullptr) return true;
  auto library = curl_library();
  if (!library) return false;
  curl = *library;
  multi = curl->multi_init();
  return multi != nullptr;
}

// Lets libcurl go on and hands over what it has finished. True if anything
// was handed over.
bool Reactor::Impl::run_connects() {
  if (connecting.empty()) return false;
  // All messages first: libcurl's die when their handle leaves the multi.
  std::vector<std::pair<CURL*, CURLcode>> finished;
  for (CURL* easy : std::exchange(refused, {})) {
    finished.emplace_back(easy, CURLE_FAILED_INIT);
  }
  int running = 0;
  if (multi != nullptr) curl->multi_perform(multi, &running);
  int left = 0;
  while (multi != nullptr) {
    CURLMsg* message = curl->multi_info_read(multi, &left);
    if (message == nullptr) break;
    if (message->msg != CURLMSG_DONE) continue;
    finished.emplace_back(message->easy_handle, message->data.result);
  }
  for (auto [easy, code] : finished) {
    auto found = connecting.find(easy);
    if (found == connecting.end()) continue;  // detached meanwhile
    auto done = std::move(found->second);
    connecting.erase(found);
    done(code);
  }
  return !finished.empty();
}

void Reactor::Impl::run_ready(int timeout_ms) {
  std::array<epoll_event, 256> events{};
  int n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()),
                       timeout_ms);
  for (int i = 0; i < n; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    auto fd = static_cast<int>(static_cast<std::uint32_t>(event.data.u64));
    auto found = watches.find(fd);
    if (found == watches.end()) continue;
    if (tag(fd, found->second->generation) != event.data.u64) continue;
    auto watch = found->second;  // lives on should it unwatch itself
    watch->ready(event.events);
  }
}

void Reactor::Impl::run_timers() {
  // Timers set by a timer wait for the next turn, so this loop ends.
  const auto now = Steady::now();
  const TimerId last = last_timer;
  while (!timers.empty()) {
    auto first = timers.begin();
    while (first != timers.end() && first->first.second > last) ++first;
    if (first == timers.end() || first->first.first > now) return;
    auto fire = std::move(first->second);
    due.erase(first->first.second);
    timers.erase(first);
    fire();
  }
}

Steady::duration Reactor::Impl::until_next(Steady::duration max_wait) const {
  if (timers.empty()) return max_wait;
  return std::min(max_wait, timers.begin()->first.first - Steady::now());
}

Reactor::Reactor() : impl_(std::make_unique<Impl>()) {
  // Whoever writes to what has gone away gets EPIPE, not death; libcurl with
  // CURLOPT_NOSIGNAL expects that, too.
  struct sigaction action {};
  if (::sigaction(SIGPIPE, nullptr, &action) == 0 &&
      action.sa_handler == SIG_DFL) {
    std::signal(SIGPIPE, SIG_IGN);
  }
  impl_->epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (impl_->epoll < 0) throw std::runtime_error("cannot make an epoll");
}

Reactor::~Reactor() {
  for (CURL* easy : impl_->attached) {
    impl_->curl->multi_remove_handle(impl_->multi, easy);
  }
  if (impl_->multi != nullptr) impl_->curl->multi_cleanup(impl_->multi);
  ::close(impl_->epoll);
}

void Reactor::watch(int fd, std::uint32_t events,
                    std::function<void(std::uint32_t)> ready) {
  unwatch(fd);
  auto watch = std::make_shared<Watch>();
  watch->generation = ++impl_->generation;
  watch->ready = std::move(ready);
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag(fd, watch->generation);
  if (::epoll_ctl(impl_->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
    // Only a file that cannot be waited for, or no memory: our own mistake.
    throw std::runtime_error("cannot watch a descriptor");
  }
  impl_->watches[fd] = std::move(watch);
}

void Reactor::unwatch(int fd) {
  if (impl_->watches.erase(fd) == 0) return;
  epoll_event ignored{};
  ::epoll_ctl(impl_->epoll, EPOLL_CTL_DEL, fd, &ignored);
}

Reactor::TimerId Reactor::after(Milliseconds delay,
                                std::function<void()> fire) {
  const TimerId id = ++impl_->last_timer;
  const auto due = Steady::now() + delay;
  impl_->timers.emplace(Impl::TimerKey{due, id}, std::move(fire));
  impl_->due.emplace(id, due);
  return id;
}

void Reactor::cancel(TimerId timer) {
  auto found = impl_->due.find(timer);
  if (found == impl_->due.end()) return;
  impl_->timers.erase(Impl::TimerKey{found->second, timer});
  impl_->due.erase(found);
}

void Reactor::connect(void* easy, std::function<void(int code)> done) {
  auto* handle = static_cast<CURL*>(easy);
  const bool added =
      impl_->open_multi() &&
      impl_->curl->multi_add_handle(impl_->multi, handle) == CURLM_OK;
  (added ? impl_->attached : impl_->refused).push_back(handle);
  impl_->connecting.emplace(handle, std::move(done));
}

void Reactor::detach(void* easy) {
  auto* handle = static_cast<CURL*>(easy);
  impl_->connecting.erase(handle);
  auto& attached = impl_->attached;
  auto found = std::find(attached.begin(), attached.end(), handle);
  if (found == attached.end()) return;
  *found = attached.back();
  attached.pop_back();
  impl_->curl->multi_remove_handle(impl_->multi, handle);
}

void Reactor::turn(Milliseconds max_wait) {
  auto wait = impl_->until_next(max_wait);
  if (impl_->run_connects()) wait = Steady::duration::zero();
  // Asked again, as what was handed over may have begun or ended connects.
  if (impl_->connecting.empty() || impl_->multi == nullptr) {
    impl_->run_ready(poll_timeout(std::min(wait, impl_->until_next(wait))));
  } else {
    curl_waitfd extra{};
    extra.fd = impl_->epoll;
    extra.events = CURL_WAIT_POLLIN;
    wait = std::min(wait, impl_->until_next(wait));
    impl_->curl->multi_poll(impl_->multi, &extra, 1, poll_timeout(wait),
                            nullptr);
    impl_->run_connects();
    impl_->run_ready(0);
  }
  impl_->run_timers();
}

}  // namespace pony
