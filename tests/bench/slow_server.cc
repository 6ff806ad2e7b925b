// An SMTP server that thinks for a while about each message and does nothing
// else: what a distant provider looks like. It keeps no mail. A thread a
// session, so that the sessions do not wait for each other.
//
//   slow_server PORT DELAY_MS        listens on 127.0.0.1 until it is killed
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

namespace {

class Session {
 public:
  Session(int socket, std::chrono::milliseconds delay)
      : socket_(socket), delay_(delay) {}
  ~Session() { close(socket_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void serve() {
    replies_ = "220 slow.example ESMTP\r\n";
    while (!done_ && send_replies() && read_more()) {
      std::size_t end = 0;
      while (!done_ && (end = input_.find("\r\n")) != std::string::npos) {
        const std::string line = input_.substr(0, end);
        input_.erase(0, end + 2);
        take(line);
      }
    }
    send_replies();
  }

 private:
  void take(std::string_view line) {
    if (in_data_) {
      if (line != ".") return;
      in_data_ = false;
      std::this_thread::sleep_for(delay_);
      replies_ += "250 2.0.0 OK\r\n";
      return;
    }
    const std::string_view verb = line.substr(0, 4);
    if (verb == "EHLO") {
      replies_ += "250-slow.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
    } else if (verb == "DATA") {
      in_data_ = true;
      replies_ += "354 go on\r\n";
    } else if (verb == "QUIT") {
      done_ = true;
      replies_ += "221 2.0.0 bye\r\n";
    } else {
      replies_ += "250 2.0.0 OK\r\n";
    }
  }

  // One send for all that is to be said: what a pipelining client expects.
  bool send_replies() {
    const ssize_t sent = replies_.empty() ? 0
                                          : send(socket_, replies_.data(),
                                                 replies_.size(), MSG_NOSIGNAL);
    const bool whole = sent == static_cast<ssize_t>(replies_.size());
    replies_.clear();
    return whole;
  }

  bool read_more() {
    char buffer[65536];
    const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  std::chrono::milliseconds delay_;
  std::string input_;
  std::string replies_;
  bool in_data_ = false;
  bool done_ = false;
};

int listen_on(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) !=
          0 ||
      listen(listener, 1024) != 0)
    return -1;
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const std::chrono::milliseconds delay(std::atoi(argv[2]));
  const int listener = listen_on(std::atoi(argv[1]));
  if (listener < 0) {
    std::perror("slow_server");
    return 69;
  }
  while (true) {
    const int socket = accept(listener, nullptr, nullptr);
    if (socket < 0) continue;
    const int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    std::thread([socket, delay] { Session(socket, delay).serve(); }).detach();
  }
}
