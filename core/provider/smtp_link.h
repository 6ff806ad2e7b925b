// The connection below an SMTP session: libcurl opens it (DNS, connect, TLS or
// STARTTLS, EHLO, AUTH) and then only carries our bytes through its TLS.
//
// Promises: credentials go nowhere but to libcurl, and in no clear; what a
// failed opening is called never holds them. Nothing here blocks.
// Doesn't know: messages, how many links there are, when one is idle too long.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/net/curl_library.h"
#include "core/net/reactor.h"
#include "core/outcome.h"
#include "core/provider/smtp_session.h"
#include "core/result.h"
#include "core/secret.h"

namespace pony {

enum class SmtpTls { required, implicit, off };

// Where to connect and how; checked, and the same for all links of a provider.
struct SmtpServer {
  std::string host;
  std::string place;  // "host:port", for people
  std::string url;    // smtp://host:port/ehlo-name
  SmtpTls tls = SmtpTls::required;
  bool insecure_tls = false;
  std::string ca_file;
  std::string username;  // empty: no AUTH
  Secret password;
  Milliseconds connect_timeout{0};

  // `text` with the credentials, in each form in which AUTH sends them,
  // replaced by "***": a server may quote what it was sent.
  std::string masked(std::string text) const;
};

class SmtpLink {
 public:
  using Steady = std::chrono::steady_clock;
  // Nothing when the session is open; else the verdict on what waited for it.
  using Opened = std::function<void(std::optional<Verdict> failure)>;

  // `server` and `reactor` outlive the link. config without libcurl.
  static Result<std::unique_ptr<SmtpLink>> make(const SmtpServer& server,
                                                Reactor& reactor);
  ~SmtpLink();
  SmtpLink(const SmtpLink&) = delete;
  SmtpLink& operator=(const SmtpLink&) = delete;

  // Begins to open; `opened` is called once from the reactor, and may destroy
  // the link.
  void open(Opened opened);
  // The verdict for a link that was not open in time.
  Verdict open_timed_out() const;

  // From now on `ready` is called whenever the session got bytes or may write.
  // It is the last thing the link does, so it may destroy it. Only when open.
  void on_ready(std::function<void()> ready);

  bool is_open() const { return session_.has_value(); }
  SmtpSession& session() { return *session_; }

  // Hands the session what has come, up to the end; a closed connection is
  // told by lost().
  void read();
  // Writes what the session wants to say, as far as that goes without waiting.
  void flush();
  // Says QUIT without waiting for its answer.
  void quit();

  // When anything last came or went.
  Steady::time_point last_progress() const { return last_progress_; }

 private:
  SmtpLink(const CurlLibrary& curl, const SmtpServer& server, Reactor& reactor);
  bool prepare();
  void on_reply_line(std::string_view line);
  void on_connected(int code, const Opened& opened);
  Verdict open_failure(CURLcode code) const;
  Verdict refused(std::string_view what) const;
  static std::size_t on_header(char* data, std::size_t, std::size_t size,
                               void* link);

  const CurlLibrary& curl_;
  const SmtpServer& server_;
  Reactor& reactor_;
  CURL* easy_ = nullptr;
  int fd_ = -1;
  char curl_words_[CURL_ERROR_SIZE] = {};
  std::optional<SmtpSession> session_;
  Steady::time_point last_progress_ = Steady::now();

  // What was said while libcurl opened the session.
  SmtpFeatures features_;
  bool in_reply_ = false;  // its last line has not come yet
  bool authenticated_ = false;
  SmtpReply refusal_;  // the last 4yz or 5yz
};

}  // namespace pony
