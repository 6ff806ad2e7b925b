#include "cmd/watch.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace pony {
namespace {

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

FolderWatch::FolderWatch(Reactor& reactor, Folders& folders)
    : reactor_(reactor),
      folders_(folders),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!inotify_) return;
  reactor_.watch(inotify_.get(), EPOLLIN, [this](std::uint32_t) { drain(); });
}

FolderWatch::~FolderWatch() {
  if (inotify_) reactor_.unwatch(inotify_.get());
}

bool FolderWatch::watch(const std::vector<std::string>& folders) {
  if (!inotify_) return false;
  bool fresh = false;
  for (const auto& folder : folders) {
    const std::string path = folders_.path() + "/" + folder;
    const int wd = ::inotify_add_watch(inotify_.get(), path.c_str(),
                                       IN_MOVED_TO | IN_CREATE | IN_ONLYDIR);
    if (wd >= 0 && watched_.insert(wd).second) fresh = true;
  }
  return fresh;
}

bool FolderWatch::has_news() {
  return std::exchange(news_, false);
}

void FolderWatch::drain() {
  alignas(inotify_event) char buffer[16384];
  for (;;) {
    const ssize_t n = ::read(inotify_.get(), buffer, sizeof buffer);
    if (n <= 0) return;
    news_ = true;
    for (ssize_t at = 0; at < n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      // A removed bucket's number may come again for another folder.
      if ((event->mask & IN_IGNORED) != 0) watched_.erase(event->wd);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
}

Signals::Signals() {
  const sigset_t set = our_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

Signals::~Signals() {
  const sigset_t set = our_signals();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void Signals::attach(Reactor& reactor) {
  reactor.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) { read(); });
}

void Signals::detach(Reactor& reactor) {
  reactor.unwatch(signals_.get());
}

void Signals::read() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) ==
         static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGHUP) {
      reload_ = true;
    } else {
      ++stops_;
    }
  }
}

bool Signals::take_reload() {
  return std::exchange(reload_, false);
}

}  // namespace pony
