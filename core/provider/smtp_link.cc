// The libcurl side of an SMTP session; see smtp_link.h.
//
// CURLOPT_CONNECT_ONLY is not libcurl's most trodden path. What we rely on:
// the header callback sees every reply line until the session is ours; the
// last answer to EHLO is the one after STARTTLS; curl_easy_send and
// curl_easy_recv work while the handle stays in the multi.
#include "core/provider/smtp_link.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/json.h"
#include "core/mime/body_encoding.h"
#include "core/net/curl_easy.h"
#include "core/provider/credential_mask.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_error = 1000;

std::string base64(std::string_view bytes) {
  std::string out;
  append_base64_run(out, bytes);
  return out;
}

}  // namespace

std::string SmtpServer::masked(std::string text) const {
  if (password.empty()) return text;
  const std::string& value = password.reveal();
  std::string plain = username;  // RFC 4616: authzid NUL user NUL password
  plain.insert(0, 1, '\0');
  plain += '\0';
  plain += value;
  mask_secret(text, base64(plain));
  mask_credential(text, value);
  return text;
}

Result<std::unique_ptr<SmtpLink>> SmtpLink::make(const SmtpServer& server,
                                                 Reactor& reactor) {
  auto curl = curl_library();
  if (!curl) return tl::unexpected<Error>(curl.error());
  std::unique_ptr<SmtpLink> link(new SmtpLink(**curl, server, reactor));
  if (!link->prepare()) {
    return fail(Error::Kind::config, "libcurl refuses an option for SMTP",
                "it may have been built without SMTP or TLS");
  }
  return link;
}

SmtpLink::SmtpLink(const CurlLibrary& curl, const SmtpServer& server,
                   Reactor& reactor)
    : curl_(curl), server_(server), reactor_(reactor) {}

SmtpLink::~SmtpLink() {
  if (fd_ >= 0) reactor_.unwatch(fd_);
  if (easy_ == nullptr) return;
  reactor_.detach(easy_);
  curl_.easy_cleanup(easy_);
}

bool SmtpLink::prepare() {
  easy_ = curl_.easy_init();
  if (easy_ == nullptr) return false;
  bool fine = true;
  auto set = [this, &fine](CURLoption option, auto value) {
    fine = curl_.easy_setopt(easy_, option, value) == CURLE_OK && fine;
  };
  set(CURLOPT_URL, server_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(CURLOPT_CONNECT_ONLY, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  // Without this, cleaning up would wait for a resolver thread.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_OPENSOCKETFUNCTION, open_socket_cloexec);
  set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(server_.connect_timeout.count()));
  set(CURLOPT_USE_SSL,
      static_cast<long>(server_.tls == SmtpTls::off ? CURLUSESSL_NONE
                                                    : CURLUSESSL_ALL));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, server_.insecure_tls ? 0L : 1L);
  set(CURLOPT_SSL_VERIFYHOST, server_.insecure_tls ? 0L : 2L);
  if (!server_.ca_file.empty()) {
    // Those authorities and no others: the system's folder is switched off.
    set(CURLOPT_CAINFO, server_.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!server_.username.empty()) {
    set(CURLOPT_USERNAME, server_.username.c_str());
    set(CURLOPT_PASSWORD, server_.password.reveal().c_str());
  }
  set(CURLOPT_HEADERFUNCTION, &SmtpLink::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(curl_words_));
  return fine;
}

std::size_t SmtpLink::on_header(char* data, std::size_t, std::size_t size,
                                void* link) {
  static_cast<SmtpLink*>(link)->on_reply_line({data, size});
  return size;
}

void SmtpLink::on_reply_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) {
    line.remove_suffix(1);
  }
  if (line.size() < 3) return;
  int code = 0;
  for (char c : line.substr(0, 3)) {
    if (c < '0' || c > '9') return;
    code = code * 10 + (c - '0');
  }
  const bool first =
      !std::exchange(in_reply_, line.size() > 3 && line[3] == '-');
  auto text = line.substr(std::min<std::size_t>(4, line.size()));
  if (code == 235) authenticated_ = true;
  if (code == 250 && first) {
    // The server's greeting. What an earlier EHLO offered, in the clear
    // before STARTTLS, is void.
    features_ = SmtpFeatures{};
  } else if (code == 250) {
    note_feature(features_, text);
  }
  if (code < 400) return;
  if (first) refusal_ = SmtpReply{code, {}};
  if (refusal_.text.size() + text.size() > k_longest_error) return;
  if (!refusal_.text.empty()) refusal_.text += ' ';
  refusal_.text.append(text);
}

void SmtpLink::open(Opened opened) {
  reactor_.perform(easy_, [this, opened = std::move(opened)](int code) {
    on_connected(code, opened);
  });
}

void SmtpLink::on_connected(int code, const Opened& opened) {
  last_progress_ = Steady::now();
  if (code != CURLE_OK) {
    return opened(open_failure(static_cast<CURLcode>(code)));
  }
  // libcurl goes on without AUTH where it finds no mechanism.
  if (!server_.username.empty() && !authenticated_) {
    Verdict verdict;
    verdict.error =
        fmt::format("'{}' offers no AUTH that libcurl knows", server_.place);
    return opened(verdict);
  }
  curl_socket_t fd = CURL_SOCKET_BAD;
  curl_.easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &fd);
  if (fd == CURL_SOCKET_BAD) return opened(open_failure(CURLE_RECV_ERROR));
  fd_ = fd;
  session_.emplace(features_);
  opened(std::nullopt);
}

// "`what` 'host:port': 550 …" with the outcome that the server's words call
// for.
Verdict SmtpLink::refused(std::string_view what) const {
  Verdict verdict = smtp_verdict(SmtpStage::open, refusal_);
  verdict.error = printable(
      server_.masked(fmt::format("{} '{}': {} {}", what, server_.place,
                                 refusal_.code, refusal_.text)),
      k_longest_error);
  return verdict;
}

Verdict SmtpLink::open_timed_out() const {
  Verdict verdict;
  verdict.error =
      fmt::format("cannot connect to '{}': no session within {}", server_.place,
                  format_duration(server_.connect_timeout));
  return verdict;
}

Verdict SmtpLink::open_failure(CURLcode code) const {
  if (code == CURLE_OPERATION_TIMEDOUT) return open_timed_out();
  if (code == CURLE_LOGIN_DENIED && refusal_.code != 0) {
    return refused("login refused by");
  }
  if (code == CURLE_USE_SSL_FAILED && refusal_.code == 0) {
    Verdict verdict;
    verdict.error = fmt::format("'{}' offers no STARTTLS", server_.place);
    return verdict;
  }
  if (refusal_.code != 0) return refused("session refused by");

  Verdict verdict;
  verdict.error =
      printable(server_.masked(fmt::format(
                    "cannot connect to '{}': {}", server_.place,
                    pony::curl_words(curl_, easy_, code, curl_words_))),
                k_longest_error);
  return verdict;
}

void SmtpLink::on_ready(std::function<void()> ready) {
  reactor_.watch(fd_, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                 [this, ready = std::move(ready)](std::uint32_t events) {
                   constexpr std::uint32_t readable =
                       EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
                   if ((events & readable) != 0) read();
                   ready();
                 });
}

void SmtpLink::read() {
  std::array<char, 16384> bytes;  // NOLINT: filled by curl_easy_recv
  while (!session_->must_close()) {
    std::size_t count = 0;
    auto code = curl_.easy_recv(easy_, bytes.data(), bytes.size(), &count);
    if (code == CURLE_AGAIN) return;
    if (code != CURLE_OK || count == 0) {
      return session_->lost(
          fmt::format("connection closed by '{}'", server_.place));
    }
    last_progress_ = Steady::now();
    session_->receive({bytes.data(), count});
    // A short read has emptied the socket, and what comes later is a new
    // event; only TLS may hold bytes that epoll cannot see.
    if (server_.tls == SmtpTls::off && count < bytes.size()) return;
  }
}

void SmtpLink::flush() {
  for (auto out = session_->output(); !out.empty(); out = session_->output()) {
    std::size_t count = 0;
    auto code = curl_.easy_send(easy_, out.data(), out.size(), &count);
    if (code == CURLE_AGAIN) return;
    if (code != CURLE_OK) {
      // A refusal may have come before the connection broke: hear it.
      read();
      if (session_->output().empty()) return;
      return session_->lost(
          fmt::format("connection closed by '{}'", server_.place));
    }
    last_progress_ = Steady::now();
    session_->sent(count);
  }
}

void SmtpLink::quit() {
  constexpr std::string_view bye = "QUIT\r\n";
  std::size_t ignored = 0;
  (void)curl_.easy_send(easy_, bye.data(), bye.size(), &ignored);
}

}  // namespace pony
