// The event loop: one epoll for what is ours and for libcurl's sockets, an
// ordered map for timers.
//
// Promises: a callback may watch, unwatch, cancel, perform or detach anything,
// itself too. That holds because no loop below keeps an iterator over a call:
// each callback is looked up again (by generation, id or handle) just before
// it is run, and is owned by the caller while it runs. libcurl forbids calls
// to its multi from its own callbacks, so those only take notes; who waits for
// a transfer hears of its end when libcurl has returned.
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
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/net/curl_library.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

// Of many that are ready, how many are served before the turn ends: each gets
// its next work sooner than if all were served first.
constexpr std::size_t k_events_a_turn = 64;

struct Watch {
  std::uint32_t generation = 0;
  std::function<void(std::uint32_t)> ready;
  bool of_libcurl = false;
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
  std::unordered_map<CURL*, std::function<void(int)>> performing;
  std::vector<CURL*> attached;
  std::vector<CURL*> refused;                  // libcurl would not have them
  std::optional<Steady::time_point> curl_due;  // when libcurl wants a call
  int kept_connections = 0;

  bool open_multi();
  void watch(int fd, std::uint32_t events, std::shared_ptr<Watch> watch);
  void watch_for_libcurl(int fd, int what);
  static int on_curl_socket(CURL*, curl_socket_t fd, int what, void* impl,
                            void*);
  static int on_curl_timer(CURLM*, long wait_ms, void* impl);
  void act(curl_socket_t fd, int events);
  void run_curl_timer();
  bool hand_over_finished();
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
  if (multi == nullptr) return false;
  curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_curl_socket);
  curl->multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_curl_timer);
  curl->multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl->multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                     static_cast<long>(std::max(8, kept_connections)));
  return true;
}

void Reactor::Impl::watch(int fd, std::uint32_t events,
                          std::shared_ptr<Watch> watch) {
  watch->generation = ++generation;
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag(fd, watch->generation);
  const bool known = watches.contains(fd);
  int failed =
      ::epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  // A descriptor that was closed and opened anew behind our back.
  if (failed != 0 && known)
    failed = ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  // Only a file that cannot be waited for, or no memory: our own mistake.
  if (failed != 0) throw std::runtime_error("cannot watch a descriptor");
  watches[fd] = std::move(watch);
}

void Reactor::Impl::watch_for_libcurl(int fd, int what) {
  if (what == CURL_POLL_REMOVE) {
    const auto found = watches.find(fd);
    if (found == watches.end() || !found->second->of_libcurl) return;
    watches.erase(found);
    epoll_event ignored{};
    ::epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &ignored);
    return;
  }
  auto one = std::make_shared<Watch>();
  one->of_libcurl = true;
  one->ready = [this, fd](std::uint32_t events) {
    int mask = 0;
    if ((events & (EPOLLIN | EPOLLHUP)) != 0) mask |= CURL_CSELECT_IN;
    if ((events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
    if ((events & EPOLLERR) != 0) mask |= CURL_CSELECT_ERR;
    act(fd, mask);
  };
  const bool in = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  const bool out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  watch(fd, (in ? EPOLLIN : 0U) | (out ? EPOLLOUT : 0U), std::move(one));
}

int Reactor::Impl::on_curl_socket(CURL*, curl_socket_t fd, int what, void* impl,
                                  void*) {
  static_cast<Impl*>(impl)->watch_for_libcurl(fd, what);
  return 0;
}

int Reactor::Impl::on_curl_timer(CURLM*, long wait_ms, void* impl) {
  auto& due = static_cast<Impl*>(impl)->curl_due;
  if (wait_ms < 0) {
    due.reset();
  } else {
    due = Steady::now() + Milliseconds(wait_ms);
  }
  return 0;
}

void Reactor::Impl::act(curl_socket_t fd, int events) {
  int running = 0;
  curl->multi_socket_action(multi, fd, events, &running);
}

void Reactor::Impl::run_curl_timer() {
  if (!curl_due || *curl_due > Steady::now()) return;
  curl_due.reset();  // first: libcurl sets the next one in this call
  act(CURL_SOCKET_TIMEOUT, 0);
}

// Tells those who wait for it what libcurl has finished. True if anything
// was.
bool Reactor::Impl::hand_over_finished() {
  if (performing.empty()) return false;
  // All messages first: libcurl's die when their handle leaves the multi.
  std::vector<std::pair<CURL*, CURLcode>> finished;
  for (CURL* easy : std::exchange(refused, {})) {
    finished.emplace_back(easy, CURLE_FAILED_INIT);
  }
  int left = 0;
  while (multi != nullptr) {
    CURLMsg* message = curl->multi_info_read(multi, &left);
    if (message == nullptr) break;
    if (message->msg != CURLMSG_DONE) continue;
    finished.emplace_back(message->easy_handle, message->data.result);
  }
  for (auto [easy, code] : finished) {
    auto found = performing.find(easy);
    if (found == performing.end()) continue;  // detached meanwhile
    auto done = std::move(found->second);
    performing.erase(found);
    done(code);
  }
  return !finished.empty();
}

void Reactor::Impl::run_ready(int timeout_ms) {
  std::array<epoll_event, k_events_a_turn> events{};
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
  auto wait = max_wait;
  if (!timers.empty())
    wait = std::min(wait, timers.begin()->first.first - Steady::now());
  if (curl_due) wait = std::min(wait, *curl_due - Steady::now());
  return wait;
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
  auto watch = std::make_shared<Watch>();
  watch->ready = std::move(ready);
  impl_->watch(fd, events, std::move(watch));
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

void Reactor::perform(void* easy, std::function<void(int code)> done) {
  auto* handle = static_cast<CURL*>(easy);
  const bool added =
      impl_->open_multi() &&
      impl_->curl->multi_add_handle(impl_->multi, handle) == CURLM_OK;
  (added ? impl_->attached : impl_->refused).push_back(handle);
  impl_->performing.emplace(handle, std::move(done));
}

void Reactor::begin_performing() {
  impl_->run_curl_timer();
}

void Reactor::keep_connections(int more) {
  impl_->kept_connections += more;
  if (impl_->multi != nullptr)
    impl_->curl->multi_setopt(impl_->multi, CURLMOPT_MAXCONNECTS,
                              static_cast<long>(impl_->kept_connections));
}

void Reactor::detach(void* easy) {
  auto* handle = static_cast<CURL*>(easy);
  impl_->performing.erase(handle);
  std::erase(impl_->refused, handle);
  auto& attached = impl_->attached;
  auto found = std::find(attached.begin(), attached.end(), handle);
  if (found == attached.end()) return;
  *found = attached.back();
  attached.pop_back();
  impl_->curl->multi_remove_handle(impl_->multi, handle);
}

void Reactor::turn(Milliseconds max_wait) {
  impl_->run_curl_timer();
  Steady::duration wait = max_wait;
  if (impl_->hand_over_finished()) wait = Steady::duration::zero();
  impl_->run_ready(poll_timeout(impl_->until_next(wait)));
  impl_->run_curl_timer();
  impl_->hand_over_finished();
  impl_->run_timers();
}

}  // namespace pony
