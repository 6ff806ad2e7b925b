// The SMTP transaction; see smtp_session.h.
//
// With PIPELINING a transaction is two flights: MAIL, every RCPT and DATA,
// then the body with its dot. A server without it gets one command at a time.
#include "core/provider/smtp_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/json.h"

namespace pony {
namespace {

// RFC 5321, 4.5.3.1.5 wants 512 bytes a line; some answer with a page.
constexpr std::size_t k_largest_reply = 64 * 1024;
constexpr std::size_t k_longest_error = 1000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

// RFC 3461, 4: what could end a parameter is spelled as "+" and two digits.
std::string xtext(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c > ' ' && c < '\x7F' && c != '+' && c != '=') {
      out += c;
    } else {
      out += fmt::format("+{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool says(std::string_view text, std::string_view words) {
  return std::search(text.begin(), text.end(), words.begin(), words.end(),
                     [](char x, char y) { return lower(x) == y; }) !=
         text.end();
}

// Has the reply this enhanced status code, or one that begins so ("4.7.")?
bool has_status(const SmtpReply& reply, std::string_view status) {
  return reply.text.compare(0, status.size(), status) == 0 &&
         (status.back() == '.' || reply.text.size() == status.size() ||
          !is_digit(reply.text[status.size()]));
}

bool is_positive(const SmtpReply& reply) {
  return reply.code / 100 == 2;
}

// Codes that speak of the session (syntax, order, authentication, a host that
// takes no mail at all), not of the message: RFC 5321, 4954, 7504.
bool concerns_session(const SmtpReply& reply, SmtpStage stage) {
  constexpr std::array codes = {500, 502, 503, 504, 521, 530, 534, 535, 538};
  // 501 is how an address is called malformed; anywhere else it is our words
  // that were not understood.
  if (reply.code == 501) return stage == SmtpStage::data;
  return std::find(codes.begin(), codes.end(), reply.code) != codes.end();
}

bool is_throttling(const SmtpReply& reply) {
  if (reply.code == 421 || has_status(reply, "4.7.")) return true;
  // "too many hops" is a loop, "too many recipients" this transaction's size.
  return says(reply.text, "too many") && !says(reply.text, "hops") &&
         !says(reply.text, "too many recipients");
}

bool is_too_big(const SmtpReply& reply, SmtpStage stage) {
  return has_status(reply, "5.3.4") ||
         (reply.code == 552 && stage == SmtpStage::mail);
}

// Does a refused MAIL speak of the sender's address? Then other mail by this
// provider is none the worse for it.
bool is_about_sender(const SmtpReply& reply) {
  return reply.code == 501 || reply.code == 550 || reply.code == 553 ||
         has_status(reply, "5.1.");
}

Verdict in_words(Outcome outcome, const SmtpReply& reply) {
  Verdict verdict;
  verdict.outcome = outcome;
  verdict.status = reply.code;
  verdict.error =
      printable(fmt::format("{} {}", reply.code, reply.text), k_longest_error);
  return verdict;
}

// "2.0.0 Ok: queued as 4XyZ" → "4XyZ" (Postfix, and many after it);
// "OK id=1tE0aB-000001-2x" (Exim).
std::string queue_id(std::string_view text) {
  for (std::string_view before : {"queued as ", "id="}) {
    auto at = text.find(before);
    if (at == text.npos) continue;
    auto id = text.substr(at + before.size());
    id = id.substr(0, id.find_first_of(" \t>)],;"));
    if (!id.empty()) return printable(id, 200);
  }
  return {};
}

// Does each line end in CRLF, none begin with a dot, and nowhere else stand a
// CR or LF?
bool goes_as_it_is(std::string_view mime) {
  auto cr = mime.find('\r');
  for (std::size_t at = 0; at < mime.size();) {
    const auto lf = mime.find('\n', at);
    const bool is_whole = cr != std::string_view::npos && cr + 1 == lf;
    if (!is_whole || mime[at] == '.') return false;
    at = lf + 1;
    cr = mime.find('\r', at);
  }
  return true;
}

SmtpData rewritten(std::string_view mime) {
  SmtpData data;
  data.bytes.reserve(mime.size() + mime.size() / 32 + 8);
  std::size_t doubled = 0;
  // Each kind of line end is looked for only past the last one found, so that
  // a body of nothing but CRs takes no longer than another.
  auto cr = mime.find('\r');
  auto lf = mime.find('\n');
  for (std::size_t at = 0; at < mime.size();) {
    if (cr < at) cr = mime.find('\r', at);
    if (lf < at) lf = mime.find('\n', at);
    const auto end = std::min({cr, lf, mime.size()});
    if (mime[at] == '.') {
      data.bytes += '.';
      ++doubled;
    }
    data.bytes.append(mime.substr(at, end - at));
    data.bytes.append("\r\n");
    at = end + (cr + 1 == lf && end == cr ? 2 : 1);
  }
  data.size = data.bytes.size() - doubled;
  data.bytes.append(".\r\n");
  return data;
}

}  // namespace

void note_feature(SmtpFeatures& features, std::string_view line) {
  auto end = line.find_first_of(" \t\r\n");
  auto word = line.substr(0, end);
  if (same_word(word, "PIPELINING")) features.pipelining = true;
  if (same_word(word, "8BITMIME")) features.eight_bit_mime = true;
  if (same_word(word, "SMTPUTF8")) features.smtputf8 = true;
  if (same_word(word, "DSN")) features.dsn = true;
  if (!same_word(word, "SIZE")) return;
  features.size = true;
  if (end == line.npos) return;
  auto number = line.substr(end + 1);
  std::from_chars(number.data(), number.data() + number.size(),
                  features.size_limit);
}

SmtpReplyReader::Next SmtpReplyReader::next(SmtpReply& reply) {
  reply.code = 0;
  reply.text.clear();
  for (std::size_t line_at = at_;;) {
    auto end = buffer_.find('\n', line_at);
    const auto limit = end == buffer_.npos ? buffer_.size() : end;
    if (limit - at_ > k_largest_reply) return Next::broken;
    if (end == buffer_.npos) break;
    auto line = std::string_view(buffer_).substr(line_at, end - line_at);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    line_at = end + 1;

    if (line.size() < 3 || line[0] < '2' || line[0] > '5' ||
        !is_digit(line[1]) || !is_digit(line[2])) {
      return Next::broken;
    }
    const int code =
        (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (reply.code != 0 && reply.code != code) return Next::broken;
    reply.code = code;
    const char mark = line.size() > 3 ? line[3] : ' ';
    if (mark != ' ' && mark != '-') return Next::broken;
    if (line.size() > 4) {
      if (!reply.text.empty()) reply.text += ' ';
      reply.text.append(line.substr(4));
    }
    if (mark == '-') continue;

    at_ = line_at;
    if (at_ == buffer_.size()) {
      buffer_.clear();
      at_ = 0;
    }
    return Next::reply;
  }
  buffer_.erase(0, at_);
  at_ = 0;
  return Next::more;
}

SmtpData smtp_data(std::string mime) {
  if (!goes_as_it_is(mime)) return rewritten(mime);
  SmtpData data;
  data.size = mime.size();
  data.bytes = std::move(mime);
  data.bytes.append(".\r\n");
  return data;
}

std::string dsn_of_mail(const Dsn& dsn) {
  std::string parameters;
  if (dsn.return_part == "full") parameters += " RET=FULL";
  if (dsn.return_part == "headers") parameters += " RET=HDRS";
  if (!dsn.envelope_id.empty())
    parameters += " ENVID=" + xtext(dsn.envelope_id);
  return parameters;
}

std::string dsn_of_rcpt(const Dsn& dsn, std::string_view recipient) {
  std::string parameters;
  for (const std::string& occasion : dsn.notify) {
    parameters += parameters.empty() ? " NOTIFY=" : ",";
    for (const char c : occasion) parameters += upper(c);
  }
  // What is not ASCII has no form that every server reads (RFC 6533).
  if (is_ascii(recipient)) parameters += " ORCPT=rfc822;" + xtext(recipient);
  return parameters;
}

Verdict smtp_verdict(SmtpStage stage, const SmtpReply& reply) {
  if (is_throttling(reply)) return in_words(Outcome::throttled, reply);
  auto unavailable = in_words(Outcome::unavailable, reply);
  const bool permanent = reply.code / 100 == 5;
  if (permanent && concerns_session(reply, stage)) return unavailable;
  switch (stage) {
    case SmtpStage::open:
      return unavailable;
    case SmtpStage::mail:
      // Another provider may take that sender, or that size.
      unavailable.counts_against_provider =
          !permanent || (!is_too_big(reply, stage) && !is_about_sender(reply));
      return unavailable;
    case SmtpStage::rcpt:
      if (permanent && !says(reply.text, "too many recipients")) {
        return in_words(Outcome::rejected, reply);
      }
      unavailable.counts_against_provider = false;
      return unavailable;
    case SmtpStage::data:
    case SmtpStage::dot:
      if (permanent) return in_words(Outcome::rejected, reply);
      return unavailable;
  }
  return unavailable;
}

void SmtpSession::begin(SmtpMail mail) {
  mail_ = std::move(mail);
  const auto count = mail_.recipients.size();
  verdicts_.assign(count, Verdict{});
  settled_.assign(count, false);
  open_count_ = count;
  next_write_ = 0;
  next_answer_ = 0;
  mail_refused_ = false;
  untouched_ = true;
  dot_left_ = false;
  state_ = State::envelope;
  out_.clear();
  out_at_ = 0;
  awaits_reset_ = std::exchange(needs_reset_, false);
  if (awaits_reset_) write("RSET\r\n");
  if (features_.pipelining) {
    while (next_write_ < command_count()) write_command(next_write_++);
  } else if (!awaits_reset_) {
    write_command(next_write_++);
  }
}

std::string_view SmtpSession::output() const {
  return std::string_view(out_).substr(out_at_);
}

void SmtpSession::sent(std::size_t count) {
  out_at_ += count;
  if (out_at_ < out_.size()) return;
  out_.clear();
  out_at_ = 0;
  if (state_ == State::body) dot_left_ = true;
}

void SmtpSession::receive(std::string_view bytes) {
  reader_.add(bytes);
  SmtpReply reply;
  while (!must_close_) {
    auto next = reader_.next(reply);
    if (next == SmtpReplyReader::Next::more) return;
    if (next == SmtpReplyReader::Next::broken) {
      return give_up("the server's reply is no SMTP");
    }
    on_reply(reply);
  }
}

void SmtpSession::lost(std::string_view why) {
  must_close_ = true;
  if (state_ == State::idle) return;
  Verdict verdict;
  if (dot_left_) {
    verdict.outcome = Outcome::unknown;
    verdict.error = fmt::format(
        "{} after the message was sent, it may have been taken", why);
  } else {
    verdict.error =
        fmt::format("{} before the message was sent, nothing was taken", why);
  }
  settle_rest(verdict);
  finish();
}

void SmtpSession::write(std::string_view bytes) {
  out_.append(bytes);
}

void SmtpSession::write_command(std::size_t index) {
  if (index == 0) {
    write("MAIL FROM:<");
    write(mail_.sender);
    write(">");
    if (features_.size) write(fmt::format(" SIZE={}", mail_.data.size));
    // A header with UTF-8 in it is 8-bit mail.
    if (features_.eight_bit_mime && (mail_.utf8 || mail_.eight_bit)) {
      write(" BODY=8BITMIME");
    }
    if (mail_.utf8) write(" SMTPUTF8");
    write(mail_.mail_parameters);
    write("\r\n");
  } else if (index <= mail_.recipients.size()) {
    write("RCPT TO:<");
    write(mail_.recipients[index - 1]);
    write(">");
    if (index <= mail_.rcpt_parameters.size()) {
      write(mail_.rcpt_parameters[index - 1]);
    }
    write("\r\n");
  } else {
    write("DATA\r\n");
  }
}

void SmtpSession::on_reply(const SmtpReply& reply) {
  switch (state_) {
    case State::idle:
      // To no command of ours: a 421 before it hangs up, or nonsense.
      must_close_ = true;
      return;
    case State::void_body:
      // Whatever it says about no recipients and an empty body.
      must_close_ = reply.code == 421;
      return finish();
    case State::body:
      return on_dot_reply(reply);
    case State::envelope:
      break;
  }
  if (awaits_reset_) {
    if (reply.code == 421) return on_closing(SmtpStage::mail, reply);
    if (!is_positive(reply)) return give_up("the server refused RSET");
    awaits_reset_ = false;
    return go_on();
  }
  if (next_answer_ == next_write_) {
    return give_up("the server answered what it was not asked");
  }
  const auto index = next_answer_++;
  if (reply.code == 421) {
    return on_closing(index == 0 ? SmtpStage::mail : SmtpStage::rcpt, reply);
  }
  untouched_ = false;
  if (index == 0) {
    on_mail_reply(reply);
  } else if (index + 1 < command_count()) {
    on_rcpt_reply(index - 1, reply);
  } else {
    return on_data_reply(reply);
  }
  go_on();
}

void SmtpSession::on_mail_reply(const SmtpReply& reply) {
  if (is_positive(reply)) {
    needs_reset_ = true;
    return;
  }
  mail_refused_ = true;
  settle_rest(smtp_verdict(SmtpStage::mail, reply));
}

void SmtpSession::on_rcpt_reply(std::size_t recipient, const SmtpReply& reply) {
  if (is_positive(reply) || settled_[recipient]) return;
  settled_[recipient] = true;
  --open_count_;
  verdicts_[recipient] = smtp_verdict(SmtpStage::rcpt, reply);
}

void SmtpSession::on_data_reply(const SmtpReply& reply) {
  if (reply.code == 354) {
    if (open_count_ == 0) {
      // Nobody is left, yet it wants a body: an empty one ends the matter.
      state_ = State::void_body;
      needs_reset_ = false;
      return write(".\r\n");
    }
    state_ = State::body;
    out_ = std::move(mail_.data.bytes);
    out_at_ = 0;
    return;
  }
  if (open_count_ != 0) {
    if (reply.code / 100 < 4) {
      return give_up(
          fmt::format("the server answered DATA with {}", reply.code));
    }
    settle_rest(smtp_verdict(SmtpStage::data, reply));
  }
  finish();
}

void SmtpSession::on_dot_reply(const SmtpReply& reply) {
  const bool negative = reply.code / 100 >= 4;
  if (!dot_left_) {
    // In the middle of the body. A refusal is clear enough: without the dot
    // nothing was taken. Anything else makes no sense.
    must_close_ = true;
    if (!negative) return give_up("the server answered an unfinished body");
  }
  if (reply.code == 421) must_close_ = true;
  if (reply.code / 100 == 3) return give_up("the server asked for more");
  needs_reset_ = false;
  if (negative) {
    settle_rest(smtp_verdict(SmtpStage::dot, reply));
    return finish();
  }
  Verdict verdict;
  verdict.outcome = Outcome::accepted;
  verdict.status = reply.code;
  verdict.provider_id = queue_id(reply.text);
  settle_rest(verdict);
  finish();
}

// A 421 before the body: nothing was taken, and nothing more will be.
void SmtpSession::on_closing(SmtpStage stage, const SmtpReply& reply) {
  must_close_ = true;
  settle_rest(smtp_verdict(stage, reply));
  finish();
}

// The next command for a server without PIPELINING, unless what was answered
// makes it pointless.
void SmtpSession::go_on() {
  if (state_ != State::envelope || features_.pipelining) return;
  if (mail_refused_) return finish();
  const bool data_is_next = next_write_ + 1 == command_count();
  if (data_is_next && open_count_ == 0) return finish();
  write_command(next_write_++);
}

void SmtpSession::settle_rest(const Verdict& verdict) {
  for (std::size_t i = 0; i < verdicts_.size(); ++i) {
    if (!settled_[i]) verdicts_[i] = verdict;
  }
  settled_.assign(settled_.size(), true);
  open_count_ = 0;
}

void SmtpSession::finish() {
  state_ = State::idle;
  out_.clear();
  out_at_ = 0;
  mail_.data.bytes.clear();
  // A reply after the last one that was due belongs to no command.
  if (!reader_.empty()) must_close_ = true;
}

void SmtpSession::give_up(std::string_view why) {
  lost(why);
}

}  // namespace pony
