// See submitted_mail.h. One pass over the fields writes the new header and
// learns what is missing; then the body, as it is or encoded.
#include "core/mime/submitted_mail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/address.h"
#include "core/json.h"
#include "core/lower_case.h"
#include "core/mime/address_list.h"
#include "core/mime/body_encoding.h"
#include "core/mime/header_encoding.h"
#include "core/mime/mail_header.h"
#include "core/mime/raw_mail.h"

namespace pony {
namespace {

constexpr std::size_t k_most_tags = 50;  // pony-message(5)
constexpr std::size_t k_longest_tag = 200;

// What Postfix completes too.
constexpr std::array<std::string_view, 14> k_address_fields = {
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Resent-From",
    "Resent-Sender",
    "Resent-Reply-To",
    "Resent-To",
    "Resent-Cc",
    "Errors-To",
    "Return-Receipt-To",
    "Disposition-Notification-To",
    "Mail-Followup-To"};
// Content-Length counts the bytes of an mbox, and not those that arrive.
constexpr std::array<std::string_view, 5> k_dropped_fields = {
    "Bcc", "Resent-Bcc", "Return-Path", "Content-Length", "X-Pony-Tags"};
constexpr std::array<std::string_view, 3> k_recipient_fields = {"To", "Cc",
                                                                "Bcc"};
constexpr std::array<std::string_view, 3> k_resent_fields = {
    "Resent-To", "Resent-Cc", "Resent-Bcc"};

template <std::size_t N>
bool is_any_of(const MailField& field,
               const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return field.is(name); });
}

bool is_empty(const MailField& field) {
  return field.value.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool is_resent_field(const MailField& field) {
  return in_lower_case(field.name.substr(0, 7)) == "resent-";
}

// "Subject : Hello" can be read, but may not be sent (RFC 5322, 4.5.8).
std::string without_space_before_colon(const MailField& field) {
  const std::size_t colon = field.raw.find(':');
  return std::string(field.name).append(field.raw.substr(colon));
}

// A CR alone is a line's end to many who read mail, and to us on the wire: a
// subject that brought one would go on as a field of its own.
void replace_lone_crs(std::string& raw) {
  for (std::size_t at = raw.find('\r'); at != std::string::npos;
       at = raw.find('\r', at + 1))
    if (at + 1 == raw.size() || raw[at + 1] != '\n') raw[at] = ' ';
}

// `crlf_text` with the mail's own line ends.
std::string with_line_ends(std::string crlf_text, std::string_view line_end) {
  if (line_end == "\n") std::erase(crlf_text, '\r');
  return crlf_text;
}

// --- Recipients and tags

// The fields that say who is to get the mail: those of the newest Resent-
// block, which is the first, else To, Cc and Bcc.
std::vector<const MailField*> recipient_fields(const MailHeader& header) {
  std::vector<const MailField*> resent;
  std::vector<const MailField*> plain;
  for (const MailField& field : header.fields) {
    if (is_any_of(field, k_recipient_fields)) plain.push_back(&field);
    if (!is_any_of(field, k_resent_fields)) continue;
    const bool seen =
        std::any_of(resent.begin(), resent.end(),
                    [&](const auto* other) { return other->is(field.name); });
    if (seen) return resent;  // an older block begins
    resent.push_back(&field);
  }
  return resent.empty() ? plain : resent;
}

Result<std::vector<std::string>> recipients_of(const MailHeader& header) {
  std::vector<std::string> recipients;
  for (const MailField* field : recipient_fields(header)) {
    auto listed = read_address_list(field->value, k_most_recipients + 1);
    for (ListedAddress& one : listed)
      recipients.push_back(std::move(one.address));
    if (recipients.size() > k_most_recipients)
      return fail(Error::Kind::bad_data,
                  "the message has more than 10,000 recipients");
  }
  return recipients;
}

void add_tags(const MailField& field, SubmittedMail& out) {
  const std::string value = unfolded(field.value);
  std::size_t begin = 0;
  while (begin <= value.size()) {
    const std::size_t end = std::min(value.find(',', begin), value.size());
    const std::string tag =
        unfolded(std::string_view(value).substr(begin, end - begin));
    begin = end + 1;
    if (tag.empty()) continue;
    if (out.tags.size() == k_most_tags) {
      out.warnings.emplace_back("X-Pony-Tags: only 50 tags were taken");
      return;
    }
    if (tag.size() > k_longest_tag || !is_utf8(tag) || has_control(tag)) {
      out.warnings.push_back("X-Pony-Tags: '" + printable(tag, 60) +
                             "' is no tag");
      continue;
    }
    if (std::find(out.tags.begin(), out.tags.end(), tag) == out.tags.end())
      out.tags.push_back(tag);
  }
}

// --- The header

// Puts line breaks into a line that is too long: before a space, and behind a
// comma where addresses are listed.
class Folder {
 public:
  Folder(std::string& out, std::string_view line_end, bool at_commas)
      : out_(out), line_end_(line_end), at_commas_(at_commas) {}

  void fold(std::string_view line) {
    begin_ = break_at_ = out_.size();
    has_text_ = false;
    for (const char c : line) {
      const bool is_blank = c == ' ' || c == '\t';
      // A line of nothing but blanks would end the header for some.
      if (is_blank && has_text_ && !(at_commas_ && in_quotes_))
        break_at_ = out_.size();
      has_text_ = has_text_ || !is_blank;
      out_ += c;
      if (c == '"') in_quotes_ = !in_quotes_;
      if (c == ',' && at_commas_ && !in_quotes_) {
        // A fold that is not there yet: the space that it needs.
        break_at_ = out_.size();
      }
      if (out_.size() - begin_ > k_longest_line - 1) break_line();
    }
  }

 private:
  void break_line() {
    if (break_at_ == begin_ || break_at_ == out_.size()) return;
    const bool has_space = out_[break_at_] == ' ' || out_[break_at_] == '\t';
    const std::string fold = std::string(line_end_) + (has_space ? "" : " ");
    out_.insert(break_at_, fold);
    begin_ = break_at_ = break_at_ + line_end_.size();
    has_text_ = out_.find_first_not_of(" \t", begin_) != std::string::npos;
  }

  std::string& out_;
  std::string_view line_end_;
  bool at_commas_;
  bool in_quotes_ = false;
  bool has_text_ = false;     // the line that is being written
  std::size_t begin_ = 0;     // of the line that is being written
  std::size_t break_at_ = 0;  // where it can be broken; begin_: nowhere
};

class HeaderWriter {
 public:
  HeaderWriter(const Submission& submission, std::string_view line_end,
               SubmittedMail& out)
      : submission_(submission), line_end_(line_end), out_(out) {}

  // Writes `field` as it may go out, or not at all.
  void write(const MailField& field);
  void add(std::string_view name, std::string_view value);
  // What every mail has, and what every one has that was sent on.
  void add_missing();

 private:
  void add_missing_of_resent();
  void add_author(std::string_view name);
  void complete(const MailField& field, std::string& raw);
  void append_folded(const MailField& field, const std::string& raw);

  const Submission& submission_;
  std::string_view line_end_;
  SubmittedMail& out_;
  bool has_date_ = false;
  bool has_id_ = false;
  bool has_from_ = false;
  bool is_resent_ = false;
  bool has_resent_date_ = false;
  bool has_resent_id_ = false;
  bool has_resent_from_ = false;
};

void HeaderWriter::write(const MailField& field) {
  if (field.is("X-Pony-Tags")) add_tags(field, out_);
  if (is_resent_field(field)) is_resent_ = true;
  if (is_any_of(field, k_dropped_fields)) return;
  std::string raw = without_space_before_colon(field);
  replace_lone_crs(raw);
  if (!raw.ends_with('\n')) raw += line_end_;
  for (const auto& [name, has] : {std::pair{"Date", &has_date_},
                                  {"Message-ID", &has_id_},
                                  {"Resent-Date", &has_resent_date_},
                                  {"Resent-Message-ID", &has_resent_id_},
                                  {"Resent-From", &has_resent_from_}}) {
    if (!field.is(name)) continue;
    if (is_empty(field)) return;  // one will be added
    *has = true;
  }
  if (is_any_of(field, k_address_fields)) complete(field, raw);
  if (field.is("From")) {
    if (out_.from.empty()) return;  // it names nobody
    has_from_ = true;
  }
  if (longest_line(raw) <= k_longest_line)
    out_.mail += raw;
  else
    append_folded(field, raw);
}

// Completes the bare names in `raw`, which is the field's, with the origin.
void HeaderWriter::complete(const MailField& field, std::string& raw) {
  const auto listed = read_address_list(field.value, k_most_recipients);
  const std::size_t behind_colon = static_cast<std::size_t>(
      field.value.data() - field.raw.data() - field.raw.find(':'));
  const std::size_t value_at = field.name.size() + behind_colon;
  std::string done;
  std::size_t copied = 0;
  for (const ListedAddress& one : listed) {
    std::string address = one.address;
    if (one.is_local_name()) {
      address += '@' + submission_.origin;
      if (!check_email(address)) continue;
      const std::size_t end = value_at + one.end;
      done.append(raw, copied, end - copied);
      done.append("@").append(submission_.origin);
      copied = end;
    }
    if (field.is("From") && out_.from.empty()) out_.from = address;
  }
  if (copied == 0) return;
  raw = done + raw.substr(copied);
}

void HeaderWriter::append_folded(const MailField& field,
                                 const std::string& raw) {
  const std::size_t begin = out_.mail.size();
  Folder folder(out_.mail, line_end_, is_any_of(field, k_address_fields));
  std::string_view rest = raw;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n') + 1;
    std::string_view line = rest.substr(0, end - 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    folder.fold(line);
    out_.mail += line_end_;
    rest.remove_prefix(end);
  }
  if (longest_line(std::string_view(out_.mail).substr(begin)) > k_longest_line)
    out_.warnings.push_back("line " + std::to_string(field.line) +
                            ": the field '" + printable(field.name, 60) +
                            "' has a line of more than 998 bytes");
}

void HeaderWriter::add(std::string_view name, std::string_view value) {
  out_.mail.append(name).append(": ").append(value).append(line_end_);
}

void HeaderWriter::add_missing() {
  if (!has_date_) add("Date", format_rfc5322(submission_.now));
  if (!has_id_) add("Message-ID", submission_.message_id);
  if (!has_from_) {
    add_author("From");
    out_.from = submission_.author;
  }
  if (is_resent_) add_missing_of_resent();
}

// RFC 5322, 3.6.6: without these two it isn't told who sent it on, and when.
// Of several blocks one that has them is enough: fields here, behind all of
// them, would belong to the oldest.
void HeaderWriter::add_missing_of_resent() {
  if (!has_resent_date_) add("Resent-Date", format_rfc5322(submission_.now));
  if (!has_resent_id_) add("Resent-Message-ID", submission_.message_id);
  if (!has_resent_from_) add_author("Resent-From");
}

void HeaderWriter::add_author(std::string_view name) {
  std::string field;
  HeaderLine line(field, name);
  line.address(submission_.author_name, submission_.author, "");
  line.end();
  out_.mail += with_line_ends(std::move(field), line_end_);
}

// --- The body

// How the mail describes its body.
struct ContentFields {
  const MailField* version = nullptr;
  const MailField* type = nullptr;
  const MailField* encoding = nullptr;
};

ContentFields content_fields(const MailHeader& header) {
  ContentFields fields;
  for (const MailField& field : header.fields) {
    if (field.is("MIME-Version")) fields.version = &field;
    if (field.is("Content-Type")) fields.type = &field;
    if (field.is("Content-Transfer-Encoding")) fields.encoding = &field;
  }
  return fields;
}

std::string lower_value(const MailField* field) {
  return field == nullptr ? std::string()
                          : in_lower_case(unfolded(field->value));
}

// What becomes of the body, and which fields its description needs.
struct BodyPlan {
  enum class Change { none, encode, wrap_base64 };
  Change change = Change::none;
  std::string add_type;      // empty: it has one, or needs none
  std::string add_encoding;  // the old one, if any, is dropped
  bool add_version = false;
};

std::string text_type(std::string_view body) {
  if (is_ascii(body)) return "text/plain; charset=us-ascii";
  return is_utf8(body) ? "text/plain; charset=utf-8"
                       : "text/plain; charset=iso-8859-1";
}

BodyPlan plan_for(std::string_view body, const ContentFields& fields,
                  std::vector<std::string>& warnings) {
  BodyPlan plan;
  const std::size_t longest = longest_line(body);
  const std::string type = lower_value(fields.type);
  const std::string encoding = lower_value(fields.encoding);
  const bool is_plain_encoding = encoding.empty() || encoding == "7bit" ||
                                 encoding == "8bit" || encoding == "binary";
  const bool has_parts =
      type.starts_with("multipart/") || type.starts_with("message/");
  if (longest > k_longest_line) {
    if (is_plain_encoding && (type.empty() || type.starts_with("text/"))) {
      plan.change = BodyPlan::Change::encode;
    } else if (encoding == "base64" && !has_parts) {
      plan.change = BodyPlan::Change::wrap_base64;
    } else {
      warnings.push_back("a line of the body has " + std::to_string(longest) +
                         " bytes, and mail carries 998");
    }
  }
  const bool encodes = plan.change == BodyPlan::Change::encode;
  if (type.empty() && is_plain_encoding && (encodes || !is_ascii(body))) {
    plan.add_type = text_type(body);
    if (encoding.empty()) plan.add_encoding = "8bit";
  }
  if (encodes) {
    const auto best = choose_encoding(body);
    plan.add_encoding = to_text(
        best == BodyEncoding::base64 ? best : BodyEncoding::quoted_printable);
  }
  plan.add_version = fields.version == nullptr &&
                     (!plan.add_type.empty() || !plan.add_encoding.empty());
  return plan;
}

void append_body(std::string_view body, const BodyPlan& plan,
                 std::string_view line_end, std::string& out) {
  std::string changed;
  switch (plan.change) {
    case BodyPlan::Change::none:
      out += body;
      return;
    case BodyPlan::Change::encode:
      append_encoded(changed, body,
                     plan.add_encoding == "base64"
                         ? BodyEncoding::base64
                         : BodyEncoding::quoted_printable);
      break;
    case BodyPlan::Change::wrap_base64: {
      std::string text(body);
      std::erase_if(text, [](char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
      });
      append_base64_lines(changed, text);
      changed += "\r\n";
      break;
    }
  }
  out += with_line_ends(std::move(changed), line_end);
}

tl::unexpected<Error> too_large(std::size_t limit) {
  const double mib = static_cast<double>(limit) / (1 << 20);
  return fail(Error::Kind::bad_data,
              fmt::format("the message is larger than {} MiB", mib));
}

std::string_view without_mbox_line(std::string_view mail) {
  if (!mail.starts_with("From ")) return mail;
  return mail.substr(std::min(mail.find('\n'), mail.size() - 1) + 1);
}

}  // namespace

Result<SubmittedMail> fit_for_sending(std::string_view given,
                                      const Submission& submission) {
  const std::string_view line_end = line_end_of(given);
  const std::string_view mail = without_mbox_line(given);
  const auto header = scan_mail_header(mail);
  if (!header) return tl::unexpected<Error>(header.error());
  SubmittedMail out;
  auto recipients = recipients_of(*header);
  if (!recipients) return tl::unexpected<Error>(recipients.error());
  out.recipients = std::move(*recipients);

  const std::string_view body = mail.substr(header->body);
  const ContentFields fields = content_fields(*header);
  const BodyPlan plan = plan_for(body, fields, out.warnings);
  out.mail.reserve(mail.size() + 1024);
  HeaderWriter writer(submission, line_end, out);
  for (const MailField& field : header->fields) {
    const bool is_encoding = field.is("Content-Transfer-Encoding");
    if (is_encoding && !plan.add_encoding.empty()) continue;
    writer.write(field);
  }
  writer.add_missing();
  if (plan.add_version) writer.add("MIME-Version", "1.0");
  if (!plan.add_type.empty()) writer.add("Content-Type", plan.add_type);
  if (!plan.add_encoding.empty())
    writer.add("Content-Transfer-Encoding", plan.add_encoding);
  if (header->is_separated)
    out.mail += mail.substr(header->size, header->body - header->size);
  else
    out.mail += line_end;
  append_body(body, plan, line_end, out.mail);
  if (out.mail.size() > k_submitted_mail_limit)
    return too_large(k_submitted_mail_limit);
  return out;
}

bool MailCollector::feed(std::string_view piece) {
  if (ended_ || mail_.size() > limit_) return false;
  mail_ += piece;
  if (dot_ == LoneDot::is_text) return mail_.size() <= limit_;
  for (std::size_t end = mail_.find('\n', looked_at_); end != std::string::npos;
       end = mail_.find('\n', looked_at_)) {
    const auto line = std::string_view(mail_).substr(line_, end - line_);
    if (line == "." || line == ".\r") {
      mail_.resize(line_);
      ended_ = true;
      return false;
    }
    line_ = looked_at_ = end + 1;
  }
  looked_at_ = mail_.size();
  return mail_.size() <= limit_;
}

Result<std::string> MailCollector::finish() {
  if (mail_.size() > limit_) return too_large(limit_);
  const auto last =
      std::string_view(mail_).substr(std::min(line_, mail_.size()));
  if (dot_ == LoneDot::ends_mail && !ended_ && (last == "." || last == ".\r"))
    mail_.resize(line_);
  return std::move(mail_);
}

}  // namespace pony
