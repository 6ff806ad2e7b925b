// A mail that a local program handed over, made fit to be sent: what a
// submission agent does (RFC 6409, 8), and no more.
//
// Promises: what need not change stays byte for byte, line ends too. Bcc goes
// nowhere, and a mail that was accepted has Date, Message-ID and From.
// Doesn't know: aliases, the spool, who may send as whom.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace pony {

// In base64, as it waits in the spool, these are 50 MiB (pony-message(5)).
inline constexpr std::size_t k_submitted_mail_limit =
    (std::size_t{50} << 20) / 4 * 3;
// As many as a message may have (pony-message(5)).
inline constexpr std::size_t k_most_recipients = 10'000;

// What is known of a mail besides its bytes.
struct Submission {
  std::string origin;       // the domain that completes a bare name
  std::string author;       // ann@web1.widgets.example: From, if it has none
  std::string author_name;  // of From, if it has none; UTF-8, may be empty
  std::string message_id;   // "<…>", if it has none
  Time now{};               // its Date, if it has none
};

struct SubmittedMail {
  std::string mail;
  // Of To, Cc and Bcc, or of the newest Resent-To, -Cc and -Bcc if there is
  // any of these; as they stand there, local names without a domain.
  std::vector<std::string> recipients;
  std::string from;               // the first address of From, completed
  std::vector<std::string> tags;  // of X-Pony-Tags
  // What a person should know of the mail: "line 7: …".
  std::vector<std::string> warnings;
};

// Makes `given` fit to be sent:
//   - a first line "From …" (of an mbox) is dropped; a text without a header
//     gets one;
//   - Bcc, Resent-Bcc, Return-Path, Content-Length and X-Pony-Tags are taken
//     out, and a space before a field's colon; a lone CR in a field becomes a
//     space;
//   - bare names in From, Sender, Reply-To, To, Cc (and Resent-), and in those
//     that ask for receipts and answers are completed;
//   - what is missing of Date, Message-ID and From is added, of Resent-Date,
//     -Message-ID and -From too if it has any Resent- field; for a body with
//     8-bit bytes and no Content-Type that too (UTF-8 if it is valid, else
//     ISO-8859-1), with MIME-Version and Content-Transfer-Encoding;
//   - lines over 998 bytes: a text body is encoded, one in base64 wrapped, a
//     header folded. In other bodies they are a warning.
// bad_data: a header over 4 MiB, more than k_most_recipients in it, a mail
// that is larger than k_submitted_mail_limit now.
Result<SubmittedMail> fit_for_sending(std::string_view given,
                                      const Submission& submission);

// Gathers a mail from standard input, piece by piece.
enum class LoneDot { ends_mail, is_text };
class MailCollector {
 public:
  explicit MailCollector(LoneDot dot,
                         std::size_t limit = k_submitted_mail_limit)
      : dot_(dot), limit_(limit) {}

  // False: no more is wanted.
  bool feed(std::string_view piece);
  // The mail. bad_data when it is larger than the limit.
  Result<std::string> finish();

 private:
  LoneDot dot_;
  std::size_t limit_;
  std::string mail_;
  std::size_t line_ = 0;       // where the last line begins
  std::size_t looked_at_ = 0;  // for line ends, up to here
  bool ended_ = false;
};

}  // namespace pony
