// The server's half of an SMTP dialogue (RFC 5321, RFC 6409) with a program of
// this machine, as `sendmail -bs` holds it: bytes in, answers out, no I/O.
//
// Promises: any bytes give an answer, memory is bounded; a mail is answered
// 250 only when its owner said so. Line ends: a command may end in LF or
// CRLF, and the one behind DATA says what counts in the mail. After "DATA CRLF"
// only <CRLF>.<CRLF> ends it, so no bare LF in somebody's text can end one
// mail and begin a second; after "DATA LF" a lone dot on any line does. The
// mail's lines come out with CRLF.
// Doesn't know: who may send, who is local, what becomes of a mail.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

struct DialogueReply {
  int code = 250;
  std::string text;  // with its enhanced code: "2.1.5 Ok"; one line
};

struct DialogueRecipient {
  std::string address;
  std::vector<std::string> notify;  // NOTIFY (RFC 3461), in lower case
};

struct DialogueMail {
  std::string sender;  // without brackets; empty: the null sender
  std::vector<DialogueRecipient> recipients;
  std::string data;
  std::string dsn_return;   // RET: "full", "headers" or empty
  std::string envelope_id;  // ENVID, decoded; empty where it was not plain
};

class SmtpSubmission {
 public:
  // Who decides; each is asked at its command and its answer is given.
  struct Owner {
    std::function<DialogueReply(const std::string& sender)> sender;
    std::function<DialogueReply(const std::string& recipient)> recipient;
    // The mail; 250 says that it is durable.
    std::function<DialogueReply(DialogueMail mail)> mail;
  };

  // `host` is what it calls itself; larger mails than `size_limit` are
  // refused (and read to their end).
  SmtpSubmission(std::string host, Owner owner, std::size_t size_limit);

  // The first line, which the server says unasked.
  std::string greeting() const;
  // Takes in what the client wrote and appends the answers. False after QUIT:
  // no more is wanted.
  bool feed(std::string_view bytes, std::string& answers);
  // Did the client leave in the middle of a mail?
  bool is_in_mail() const { return in_data_; }

 private:
  struct Verb;
  void command(std::string_view line, bool has_crlf);
  void data_line(bool has_crlf);
  void end_data();
  void reset();
  void reply(int code, std::string_view text);
  void reply(const DialogueReply& reply_of_owner);

  void hello(std::string_view argument);
  void extended_hello(std::string_view argument);
  void mail(std::string_view argument);
  void rcpt(std::string_view argument);
  void data(std::string_view argument);
  void rset(std::string_view argument);
  void noop(std::string_view argument);
  void vrfy(std::string_view argument);
  void help(std::string_view argument);
  void quit(std::string_view argument);
  bool take_mail_parameter(std::string_view name, std::string_view value);

  std::string host_;
  Owner owner_;
  std::size_t size_limit_;
  std::string* answers_ = nullptr;  // during feed()

  std::string line_;  // what came of it so far
  bool line_is_too_long_ = false;
  bool quit_ = false;

  bool has_sender_ = false;
  DialogueMail mail_;

  bool in_data_ = false;
  bool crlf_counts_ = false;    // of the mail's lines only those with CRLF
  bool at_line_start_ = false;  // the line before ended in what counts
  bool is_too_large_ = false;
};

}  // namespace pony
