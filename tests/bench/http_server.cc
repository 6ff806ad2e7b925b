// An HTTP provider that thinks for a while about each message and does nothing
// else: what a distant API looks like. It keeps no mail and reads no JSON. One
// thread and one epoll, so that the server is not what is measured.
//
//   http_server PORT DELAY_MS        listens on 127.0.0.1 until it is killed
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view k_reply =
    "HTTP/1.1 202 Accepted\r\nServer: nginx\r\nContent-Length: 0\r\n"
    "X-Message-Id: 14c5d75ce93.dfd.64b469\r\n\r\n";

struct Connection {
  std::string input;
  unsigned serial = 0;  // tells it from an earlier one with this descriptor
};

// An answer that is being thought about; all take the same time, so they are
// due in the order in which they came.
struct Due {
  Clock::time_point at;
  int fd;
  unsigned serial;
};

class HttpServer {
 public:
  HttpServer(int listener, std::chrono::milliseconds delay)
      : listener_(listener), delay_(delay), epoll_(epoll_create1(0)) {
    watch(listener_);
  }

  void serve() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const timespec left = wait();
      const int n = epoll_pwait2(epoll_, events.data(), events.size(),
                                 due_.empty() ? nullptr : &left, nullptr);
      for (int i = 0; i < n; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_) {
          accept_all();
        } else {
          read(fd);
        }
      }
      answer_due();
    }
  }

 private:
  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  timespec wait() const {
    if (due_.empty()) return {};
    const auto left =
        std::max(Clock::duration::zero(), due_.front().at - Clock::now());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    return {static_cast<time_t>(seconds.count()),
            static_cast<long>((left - seconds).count())};
  }

  void accept_all() {
    int fd = -1;
    while ((fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_[fd] = Connection{{}, ++serial_};
      watch(fd);
    }
  }

  void read(int fd) {
    Connection& connection = connections_[fd];
    std::array<char, 65536> buffer;
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      connections_.erase(fd);
      close(fd);
      return;
    }
    connection.input.append(buffer.data(), static_cast<std::size_t>(got));
    const auto end = connection.input.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const auto field = connection.input.find("Content-Length: ");
    const std::size_t length =
        field < end ? std::strtoul(&connection.input[field + 16], nullptr, 10)
                    : 0;
    if (connection.input.size() < end + 4 + length) return;
    connection.input.clear();
    if (delay_.count() == 0) {
      answer(fd);
    } else {
      due_.push_back({Clock::now() + delay_, fd, connection.serial});
    }
  }

  static void answer(int fd) {
    (void)!send(fd, k_reply.data(), k_reply.size(), MSG_NOSIGNAL);
  }

  void answer_due() {
    const auto now = Clock::now();
    while (!due_.empty() && due_.front().at <= now) {
      const auto found = connections_.find(due_.front().fd);
      if (found != connections_.end() &&
          found->second.serial == due_.front().serial)
        answer(due_.front().fd);
      due_.pop_front();
    }
  }

  int listener_;
  std::chrono::milliseconds delay_;
  int epoll_;
  unsigned serial_ = 0;
  std::unordered_map<int, Connection> connections_;
  std::deque<Due> due_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: http_server PORT DELAY_MS\n");
    return 64;
  }
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) !=
          0 ||
      listen(listener, 1024) != 0) {
    std::fprintf(stderr, "http_server: %s\n", std::strerror(errno));
    return 1;
  }
  HttpServer(listener, std::chrono::milliseconds(std::atoi(argv[2]))).serve();
}
