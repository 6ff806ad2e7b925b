// One SMTP session after it has been opened, as a machine without a socket:
// bytes from the server go in, bytes to the server and a verdict for each
// recipient come out (RFC 5321, 1870, 2920, 6531).
//
// Promises: every transaction that is begun ends with one verdict a recipient,
// whatever the server says or does not say. `rejected` only for a 5yz that
// speaks of the message or the recipient; `unknown` only when the terminating
// dot may have reached the server and no clear reply came.
// Doesn't know: sockets, TLS, time, other sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/message.h"
#include "core/outcome.h"

namespace pony {

// What the server offered in its answer to EHLO.
struct SmtpFeatures {
  bool pipelining = false;
  bool size = false;
  std::uint64_t size_limit = 0;  // bytes; 0: none told
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool dsn = false;  // RFC 3461
};

// Notes what one line of the answer to EHLO offers: "SIZE 10240000", without
// its "250-". Unknown keywords are passed over.
void note_feature(SmtpFeatures& features, std::string_view line);

struct SmtpReply {
  int code = 0;
  std::string text;  // the lines after their codes, joined by a space
};

// Takes replies out of a stream of bytes.
class SmtpReplyReader {
 public:
  enum class Next { reply, more, broken };

  void add(std::string_view bytes) { buffer_.append(bytes); }
  // Moves the next complete reply to `reply`. `more`: it has not all come.
  // `broken`: that is no SMTP, or one reply is over 64 KiB.
  Next next(SmtpReply& reply);
  bool empty() const { return at_ == buffer_.size(); }

 private:
  std::string buffer_;
  std::size_t at_ = 0;  // where the unread part begins
};

// `mime` as it goes between DATA and its reply: CRLF for each line end (a
// lone CR or LF counts as one: SMTP smuggling lives on servers that disagree
// about them), leading dots doubled, the terminating dot at the end. Nothing
// large is copied if only that dot is to be added.
struct SmtpData {
  std::string bytes;
  std::size_t size = 0;  // the message's own, as SIZE= counts it (RFC 1870)
};
SmtpData smtp_data(std::string mime);

enum class SmtpStage { open, mail, rcpt, data, dot };

// What a negative `reply` at `stage` means.
Verdict smtp_verdict(SmtpStage stage, const SmtpReply& reply);

// One transaction. The addresses are safe to write (envelope.h).
struct SmtpMail {
  std::string sender;
  std::vector<std::string> recipients;  // at least one
  SmtpData data;
  bool utf8 = false;       // say SMTPUTF8; the server offered it
  bool eight_bit = false;  // say BODY=8BITMIME; the server offered it
  // Behind MAIL and RCPT, with a space before each; what the server offered.
  std::string mail_parameters;
  std::vector<std::string> rcpt_parameters;  // one a recipient, or none
};

// What `dsn` asks for, as parameters of MAIL and of the RCPT for `recipient`
// (RFC 3461, 4), each with a space before it.
std::string dsn_of_mail(const Dsn& dsn);
std::string dsn_of_rcpt(const Dsn& dsn, std::string_view recipient);

class SmtpSession {
 public:
  explicit SmtpSession(const SmtpFeatures& features) : features_(features) {}

  const SmtpFeatures& features() const { return features_; }

  // Begins a transaction; the last one is done and must_close() is false.
  void begin(SmtpMail mail);

  // What is to be written next; sent() says how much of it left our hands.
  std::string_view output() const;
  void sent(std::size_t count);

  void receive(std::string_view bytes);
  // Nothing more will come: the connection is gone, or the server silent.
  // `why` is for people ("connection closed by the server").
  void lost(std::string_view why);

  // Between transactions, or with every verdict of the last one known.
  bool done() const { return state_ == State::idle; }
  const std::vector<Verdict>& verdicts() const { return verdicts_; }
  // The session is of no more use (421, not SMTP, a reply to no command).
  bool must_close() const { return must_close_; }
  // The transaction ended before the server answered its MAIL, or with a 421
  // there: it may be a session that went stale while it idled, so the same
  // may be begun on another without any doubt.
  bool was_untouched() const { return untouched_; }
  // The terminating dot may have reached the server.
  bool dot_may_have_left() const { return dot_left_; }

 private:
  enum class State { idle, envelope, body, void_body };

  void write(std::string_view bytes);
  void write_command(std::size_t index);
  std::size_t command_count() const { return mail_.recipients.size() + 2; }
  void on_reply(const SmtpReply& reply);
  void on_mail_reply(const SmtpReply& reply);
  void on_rcpt_reply(std::size_t recipient, const SmtpReply& reply);
  void on_data_reply(const SmtpReply& reply);
  void on_dot_reply(const SmtpReply& reply);
  void on_closing(SmtpStage stage, const SmtpReply& reply);
  void go_on();
  void settle_rest(const Verdict& verdict);
  void finish();
  void give_up(std::string_view why);

  SmtpFeatures features_;
  SmtpReplyReader reader_;
  State state_ = State::idle;
  bool must_close_ = false;

  SmtpMail mail_;
  std::string out_;
  std::size_t out_at_ = 0;
  bool awaits_reset_ = false;   // RSET went out first; its reply comes first
  bool needs_reset_ = false;    // the server still has our MAIL
  std::size_t next_write_ = 0;  // MAIL is 0, then the RCPTs, DATA the last
  std::size_t next_answer_ = 0;
  bool mail_refused_ = false;
  bool untouched_ = false;
  bool dot_left_ = false;
  std::vector<Verdict> verdicts_;
  std::vector<bool> settled_;
  std::size_t open_count_ = 0;  // recipients without a verdict
};

}  // namespace pony
