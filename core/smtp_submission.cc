#include "core/smtp_submission.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/json.h"
#include "core/lower_case.h"
#include "core/message.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_command = 4096;    // RFC 5321 asks for 512
constexpr std::size_t k_most_recipients = 10'000;  // pony-message(5)
// Enough of a line that is thrown away to see that it is no lone dot.
constexpr std::size_t k_kept_of_discarded = 4;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Cuts the next word off `text`.
std::string_view next_word(std::string_view& text) {
  text = trimmed(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// "FROM:<a@b> SIZE=3" with "from:" → the path, and the parameters left in
// `argument`. Nothing when it is neither. A source route is left out, as RFC
// 5321, appendix C allows.
std::optional<std::string> take_path(std::string_view& argument,
                                     std::string_view keyword) {
  if (in_lower_case(argument.substr(0, keyword.size())) != keyword)
    return std::nullopt;
  argument = trimmed(argument.substr(keyword.size()));
  if (!argument.starts_with('<')) {
    const std::string_view path = next_word(argument);
    if (path.empty()) return std::nullopt;
    return std::string(path);
  }
  bool in_quotes = false;
  std::size_t end = 1;
  for (; end < argument.size(); ++end) {
    if (argument[end] == '\\' && in_quotes)
      ++end;
    else if (argument[end] == '"')
      in_quotes = !in_quotes;
    else if (argument[end] == '>' && !in_quotes)
      break;
  }
  if (end >= argument.size()) return std::nullopt;
  std::string_view path = argument.substr(1, end - 1);
  argument.remove_prefix(end + 1);
  if (path.starts_with('@') && path.find(':') != std::string_view::npos)
    path.remove_prefix(path.find(':') + 1);
  return std::string(path);
}

// RFC 3461, 4: "+2B" is a '+'. Nothing when it is no xtext.
std::optional<std::string> from_xtext(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '+') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto read = std::from_chars(digits.data(),
                                      digits.data() + digits.size(), value, 16);
    if (digits.size() < 2 || read.ptr != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

// "SUCCESS,DELAY" → {"success", "delay"}; empty: that is no NOTIFY.
std::vector<std::string> notify_of(std::string_view value) {
  std::vector<std::string> when;
  const std::string text = in_lower_case(value);
  if (text == "never") return {"never"};
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string one = text.substr(begin, end - begin);
    begin = end + 1;
    if (one != "success" && one != "failure" && one != "delay") return {};
    if (std::find(when.begin(), when.end(), one) == when.end())
      when.push_back(std::move(one));
  }
  return when;
}

std::optional<std::size_t> size_of(std::string_view digits) {
  std::size_t size = 0;
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), size);
  const bool whole =
      !digits.empty() && read.ptr == digits.data() + digits.size();
  if (!whole) return std::nullopt;
  // More than fits is too much in any case.
  return read.ec == std::errc() ? size : ~std::size_t{0};
}

// Of a line that is thrown away its begin and its end are still asked about.
void discard_middle(std::string& line) {
  if (line.size() <= k_kept_of_discarded) return;
  const char last = line.back();
  line.resize(k_kept_of_discarded);
  line += last;
}

}  // namespace

struct SmtpSubmission::Verb {
  std::string_view name;
  void (SmtpSubmission::*take)(std::string_view argument);
};

SmtpSubmission::SmtpSubmission(std::string host, Owner owner,
                               std::size_t size_limit)
    : host_(std::move(host)),
      owner_(std::move(owner)),
      size_limit_(size_limit) {}

std::string SmtpSubmission::greeting() const {
  return "220 " + host_ + " ESMTP pony\r\n";
}

bool SmtpSubmission::feed(std::string_view bytes, std::string& answers) {
  answers_ = &answers;
  while (!bytes.empty() && !quit_) {
    const std::size_t end = bytes.find('\n');
    line_ += bytes.substr(0, end);
    if (in_data_ && mail_.data.size() + line_.size() > size_limit_ + 2)
      is_too_large_ = true;
    if (in_data_ && is_too_large_) {
      mail_.data.clear();
      discard_middle(line_);
    } else if (!in_data_ && line_.size() > k_longest_command) {
      line_is_too_long_ = true;
      line_.clear();
    }
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    const bool has_crlf = line_.ends_with('\r');
    if (has_crlf) line_.pop_back();
    if (in_data_)
      data_line(has_crlf);
    else
      command(line_, has_crlf);
    line_.clear();
  }
  answers_ = nullptr;
  return !quit_;
}

void SmtpSubmission::reply(int code, std::string_view text) {
  answers_->append(std::to_string(code)).append(" ").append(text);
  answers_->append("\r\n");
}

void SmtpSubmission::reply(const DialogueReply& reply_of_owner) {
  reply(reply_of_owner.code, printable(reply_of_owner.text, 1000));
}

void SmtpSubmission::reset() {
  has_sender_ = false;
  mail_ = DialogueMail();
  is_too_large_ = false;
}

void SmtpSubmission::command(std::string_view line, bool has_crlf) {
  static constexpr Verb k_verbs[] = {
      {"ehlo", &SmtpSubmission::extended_hello},
      {"helo", &SmtpSubmission::hello},
      {"mail", &SmtpSubmission::mail},
      {"rcpt", &SmtpSubmission::rcpt},
      {"data", &SmtpSubmission::data},
      {"rset", &SmtpSubmission::rset},
      {"noop", &SmtpSubmission::noop},
      {"vrfy", &SmtpSubmission::vrfy},
      {"help", &SmtpSubmission::help},
      {"quit", &SmtpSubmission::quit},
  };
  if (std::exchange(line_is_too_long_, false))
    return reply(500, "5.5.2 the line is too long");
  if (has_control(line))
    return reply(500, "5.5.2 a control character is in the command");
  crlf_counts_ = has_crlf;
  std::string_view argument = line;
  const std::string name = in_lower_case(next_word(argument));
  for (const Verb& verb : k_verbs)
    if (verb.name == name) return (this->*verb.take)(trimmed(argument));
  if (name == "auth" || name == "starttls" || name == "expn" || name == "turn")
    return reply(502, "5.5.1 not here: whoever runs this program may send");
  reply(500, "5.5.2 '" + printable(name, 40) + "' is no command");
}

void SmtpSubmission::hello(std::string_view) {
  reset();
  reply(250, host_);
}

void SmtpSubmission::extended_hello(std::string_view) {
  reset();
  *answers_ += "250-" + host_ + "\r\n250-PIPELINING\r\n250-SIZE " +
               std::to_string(size_limit_) +
               "\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
               "250-ENHANCEDSTATUSCODES\r\n250 HELP\r\n";
}

// False: it was answered.
bool SmtpSubmission::take_mail_parameter(std::string_view name,
                                         std::string_view value) {
  const std::string key = in_lower_case(name);
  const std::string word = in_lower_case(value);
  if (key == "size") {
    const auto size = size_of(value);
    if (size && *size <= size_limit_) return true;
    if (size)
      reply(552, "5.3.4 the mail is larger than " +
                     std::to_string(size_limit_) + " bytes");
    else
      reply(501, "5.5.4 SIZE is no number");
    return false;
  }
  if (key == "body" && (word == "7bit" || word == "8bitmime")) return true;
  if (key == "smtputf8" || key == "auth") return true;
  if (key == "ret" && (word == "full" || word == "hdrs")) {
    mail_.dsn_return = word == "full" ? "full" : "headers";
    return true;
  }
  if (key == "envid") {
    auto id = from_xtext(value);
    if (id && is_envelope_id(*id)) mail_.envelope_id = std::move(*id);
    return true;
  }
  reply(555, "5.5.4 '" + printable(name, 40) +
                 "' with that value is not "
                 "known to MAIL");
  return false;
}

void SmtpSubmission::mail(std::string_view argument) {
  if (has_sender_) return reply(503, "5.5.1 MAIL was there already");
  auto path = take_path(argument, "from:");
  if (!path) return reply(501, "5.5.4 MAIL FROM:<address>");
  reset();
  while (!trimmed(argument).empty()) {
    const std::string_view word = next_word(argument);
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string_view value =
        word.substr(std::min(equals + 1, word.size()));
    if (!take_mail_parameter(word.substr(0, equals), value)) return reset();
  }
  const DialogueReply answer = owner_.sender(*path);
  if (answer.code == 250) {
    has_sender_ = true;
    mail_.sender = std::move(*path);
  }
  reply(answer);
}

void SmtpSubmission::rcpt(std::string_view argument) {
  if (!has_sender_) return reply(503, "5.5.1 MAIL comes first");
  auto path = take_path(argument, "to:");
  if (!path || path->empty()) return reply(501, "5.5.4 RCPT TO:<address>");
  DialogueRecipient recipient;
  while (!trimmed(argument).empty()) {
    const std::string_view word = next_word(argument);
    const std::string name = in_lower_case(word.substr(0, word.find('=')));
    if (name == "orcpt") continue;
    if (name == "notify") recipient.notify = notify_of(word.substr(7));
    if (recipient.notify.empty())
      return reply(555,
                   "5.5.4 '" + printable(word, 40) + "' is not known to RCPT");
  }
  if (mail_.recipients.size() == k_most_recipients)
    return reply(452, "4.5.3 more than 10,000 recipients");
  const DialogueReply answer = owner_.recipient(*path);
  if (answer.code == 250) {
    recipient.address = std::move(*path);
    mail_.recipients.push_back(std::move(recipient));
  }
  reply(answer);
}

void SmtpSubmission::data(std::string_view) {
  if (!has_sender_) return reply(503, "5.5.1 MAIL comes first");
  if (mail_.recipients.empty())
    return reply(554, "5.5.1 there is no recipient");
  in_data_ = at_line_start_ = true;
  reply(354, "end with a line that is a lone dot");
}

void SmtpSubmission::data_line(bool has_crlf) {
  const bool ends_line = has_crlf || !crlf_counts_;
  if (at_line_start_ && ends_line && line_ == ".") return end_data();
  if (!is_too_large_) {
    const bool is_stuffed = at_line_start_ && line_.starts_with('.');
    mail_.data += std::string_view(line_).substr(is_stuffed ? 1 : 0);
    mail_.data += "\r\n";
    if (mail_.data.size() > size_limit_) is_too_large_ = true;
  }
  at_line_start_ = ends_line;
}

void SmtpSubmission::end_data() {
  in_data_ = false;
  if (is_too_large_)
    reply(552, "5.3.4 the mail is larger than " + std::to_string(size_limit_) +
                   " bytes");
  else
    reply(owner_.mail(std::exchange(mail_, DialogueMail())));
  reset();
}

void SmtpSubmission::rset(std::string_view) {
  reset();
  reply(250, "2.0.0 Ok");
}

void SmtpSubmission::noop(std::string_view) {
  reply(250, "2.0.0 Ok");
}

void SmtpSubmission::vrfy(std::string_view) {
  reply(252, "2.5.0 send a mail, and see");
}

void SmtpSubmission::help(std::string_view) {
  reply(214, "2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT");
}

void SmtpSubmission::quit(std::string_view) {
  quit_ = true;
  reply(221, "2.0.0 Bye");
}

}  // namespace pony
