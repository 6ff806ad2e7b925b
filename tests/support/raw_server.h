// A TCP server on 127.0.0.1 whose every byte a test chooses: each connection
// is served by the test's function, on a thread of its own, which ends with
// the server at the latest.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace pony {

// The server's end of a connection.
class RawPeer {
 public:
  RawPeer(int fd, int number) : fd_(fd), number_(number) {}

  int number() const { return number_; }  // the first connection is 1

  // All up to the blank line, with it; empty when the client is gone.
  std::string read_head() {
    std::string head;
    char c = 0;
    while (!head.ends_with("\r\n\r\n")) {
      if (::recv(fd_, &c, 1, 0) != 1) return {};
      head += c;
    }
    return head;
  }
  // A request with its whole body; empty when the client is gone.
  std::string read_request() {
    std::string request = read_head();
    constexpr std::string_view field = "Content-Length: ";
    const auto at = request.find(field);
    if (at == request.npos) return request;
    const auto length = std::strtoul(&request[at + field.size()], nullptr, 10);
    const auto whole = request.size() + length;
    std::string bytes(65536, '\0');
    while (request.size() < whole) {
      const auto n = ::recv(fd_, bytes.data(),
                            std::min(bytes.size(), whole - request.size()), 0);
      if (n <= 0) return {};
      request.append(bytes, 0, static_cast<std::size_t>(n));
    }
    return request;
  }
  // False when the client has gone.
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // The end of the connection will be a reset.
  void reset() {
    const linger none{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  }

 private:
  int fd_;
  int number_;
};

class RawServer {
 public:
  using Serve = std::function<void(RawPeer&)>;

  explicit RawServer(Serve serve) : serve_(std::move(serve)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address),
                   sizeof address) == 0);
    REQUIRE(::listen(fd_, 100) == 0);
    socklen_t size = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~RawServer() {
    ::shutdown(fd_, SHUT_RDWR);
    accepting_.join();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : serving_) thread.join();
    ::close(fd_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + place() + "/mail"; }
  int connections() const { return connections_; }
  int ended() const { return ended_; }  // connections that are closed again

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int number = ++connections_;
      const std::lock_guard<std::mutex> lock(mutex_);
      open_.push_back(fd);
      serving_.emplace_back([this, fd, number] { serve(fd, number); });
    }
  }
  void serve(int fd, int number) {
    RawPeer peer(fd, number);
    serve_(peer);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      std::erase(open_, fd);
      ::close(fd);
    }
    ++ended_;
  }

  Serve serve_;
  int fd_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> ended_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> serving_;  // only accept_all() adds
  std::thread accepting_;
};

}  // namespace pony
