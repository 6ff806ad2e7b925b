// sendmail's flags, as forty years of callers give them: glued to their values
// or not, grouped, unknown to us, before and behind the recipients.
//
// Promises: a flag's value is never read as a flag; what we do not know costs
// one warning and not the mail; no control character gets into a sender, a
// name or a recipient. Pure.
// Doesn't know: what becomes of it all (cmd/sendmail.cc).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace pony {

enum class SendmailTask : std::uint8_t {
  submit,         // a mail on standard input
  smtp_dialogue,  // -bs
  list_queue,     // -bp, mailq
  run_queue,      // -q
  check_aliases,  // -bi, newaliases
  show_routes,    // -bv
  help,
  version,
};

struct SendmailFlags {
  SendmailTask task = SendmailTask::submit;
  bool recipients_from_header = false;  // -t
  bool lone_dot_is_text = false;        // -i
  bool verbose = false;                 // -v
  std::optional<std::string> sender;    // -f; empty: the null sender
  std::optional<std::string> full_name;
  // -N, -R, -V (RFC 3461): checked, empty if they were not given.
  std::vector<std::string> notify;  // "never", or of success, failure, delay
  std::string dsn_return;           // "full" or "headers"
  std::string envelope_id;
  // -qI, -qR, -qS: parts of an id, of a recipient, of a sender.
  std::vector<std::string> queue_ids;
  std::vector<std::string> queue_recipients;
  std::vector<std::string> queue_senders;
  std::string config;                   // --config
  std::string spool;                    // --spool
  std::vector<std::string> recipients;  // each once taken out of its list
  std::vector<std::string> warnings;
};

// Reads `words`, which are argv without the program's name, for a program
// that does `task` unless told otherwise. --config and --spool count only
// before what is sendmail's.
// Errors: usage (a mode that pony has not, a flag without its value, --config
// or --spool behind another word); bad_data
// (a line break or another control character in a sender, name or recipient;
// more than 10,000 recipients).
Result<SendmailFlags> read_sendmail_flags(
    std::span<const std::string_view> words,
    SendmailTask task = SendmailTask::submit);

// The task of a program that is called `path`: "/usr/bin/mailq" lists the
// queue. Nothing for names that are not sendmail's.
std::optional<SendmailTask> sendmail_task_of(std::string_view path);

// A sender as -f gives it, without brackets and a name:
// "Ann <ann@example.com>" → "ann@example.com", "<>" → "".
std::string bare_sender(std::string_view text);

}  // namespace pony
