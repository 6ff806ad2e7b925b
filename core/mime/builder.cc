// See builder.h. First everything that could not be said is refused, then the
// message is written in one go to the end of one string.
#include "core/mime/builder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/mime/body_encoding.h"
#include "core/mime/header_encoding.h"
#include "core/mime/raw_mail.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_line = 998;  // RFC 5322, 2.1.1
// A boundary is at most 70 characters (RFC 2046, 5.1.1), and the id is in it.
constexpr std::size_t k_longest_id = 60;
// "=_" is found neither in quoted-printable nor in base64.
constexpr std::string_view k_boundary_begin = "=_";

tl::unexpected<Error> unsayable(std::string_view field, std::string_view why) {
  return fail(Error::Kind::bad_data,
              "'" + std::string(field) +
                  "' cannot be written in a mail: " + std::string(why));
}

std::string place(std::string_view list, std::size_t index) {
  return std::string(list) + '[' + std::to_string(index) + ']';
}

// Why `text` cannot stand in a header as text; empty if it can.
std::string_view trouble_with_text(std::string_view text) {
  if (!is_utf8(text)) return "it is not UTF-8";
  if (has_control(text))
    return "it has a line break or other control character";
  return {};
}

Result<> check_text(std::string_view field, std::string_view text) {
  const auto trouble = trouble_with_text(text);
  if (trouble.empty()) return {};
  return unsayable(field, trouble);
}

// For what stands in a header as a token.
bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < '\x7f'; });
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

// Does a program read the header's value, so that encoded-words would break it
// (RFC 2047, 5)?
bool is_structured(std::string_view name) {
  constexpr std::string_view k_list = "List-";
  constexpr std::string_view k_message_id = "Message-ID";
  constexpr std::array<std::string_view, 15> k_others = {
      "In-Reply-To",       "References",  "Resent-From",
      "Resent-To",         "Resent-Cc",   "Errors-To",
      "Return-Receipt-To", "Precedence",  "Disposition-Notification-To",
      "Importance",        "Priority",    "Sensitivity",
      "Auto-Submitted",    "Feedback-ID", "X-SMTPAPI",
  };
  if (equal_ignoring_case(name.substr(0, k_list.size()), k_list)) return true;
  if (name.size() > k_message_id.size() &&
      equal_ignoring_case(name.substr(name.size() - k_message_id.size()),
                          k_message_id)) {
    return true;
  }
  return std::any_of(
      k_others.begin(), k_others.end(),
      [&](std::string_view other) { return equal_ignoring_case(name, other); });
}

// Why `header` cannot be written; empty if it can.
std::string_view trouble_with_header(const Header& header) {
  if (!is_free_header_name(header.name)) {
    return "no custom header may be called that";
  }
  const auto trouble = trouble_with_text(header.value);
  if (!trouble.empty()) return trouble;
  if (is_ascii(header.value)) {
    if (can_fold(header.name, header.value)) return {};
    return "a word in it is longer than a line may be";
  }
  if (is_structured(header.name)) return "this header takes only ASCII";
  return {};
}

Result<> check_header(const Header& header) {
  const auto trouble = trouble_with_header(header);
  if (trouble.empty()) return {};
  return unsayable("headers." + printable(header.name), trouble);
}

// "type/subtype", and perhaps parameters (RFC 2045, 5.1), on which only that
// one part depends.
bool is_content_type(std::string_view text) {
  const auto type = text.substr(0, text.find(';'));
  const auto slash = type.find('/');
  if (slash == std::string_view::npos || slash == 0) return false;
  auto subtype = type.substr(slash + 1);
  subtype = subtype.substr(0, subtype.find_last_not_of(' ') + 1);
  return !subtype.empty() && is_visible_ascii(subtype) &&
         is_visible_ascii(type.substr(0, slash));
}

Result<> check_attachment(const Attachment& attachment,
                          const std::string& field) {
  const auto& type = attachment.content_type;
  if (auto ok = check_text(field + ".filename", attachment.filename); !ok) {
    return ok;
  }
  if (auto ok = check_text(field + ".content_type", type); !ok) return ok;
  if (!is_ascii(type) || !is_content_type(type) ||
      !can_fold("Content-Type", type)) {
    return unsayable(field + ".content_type", "it is not 'type/subtype'");
  }
  if (!is_visible_ascii(attachment.cid) ||
      attachment.cid.find_first_of("<>") != std::string::npos ||
      attachment.cid.size() > k_longest_line / 2) {
    return unsayable(field + ".cid", "it is no Content-ID");
  }
  if (!is_base64_text(attachment.content)) {
    return unsayable(field + ".content", "it is not base64");
  }
  return {};
}

Result<> check_id(std::string_view id) {
  constexpr std::string_view k_plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  const bool plain = id.find_first_not_of(k_plain) == std::string_view::npos;
  if (plain && !id.empty() && id.size() <= k_longest_id) return {};
  return unsayable("id", "it is not fit for a Message-ID");
}

// Everything but the addresses, which are checked as they are written.
Result<> check(const RenderedMessage& message) {
  if (auto ok = check_id(message.id); !ok) return ok;
  if (auto ok = check_text("subject", message.subject); !ok) return ok;
  if (!is_utf8(message.text)) return unsayable("text", "it is not UTF-8");
  if (!is_utf8(message.html)) return unsayable("html", "it is not UTF-8");
  for (const auto& header : message.headers) {
    if (auto ok = check_header(header); !ok) return ok;
  }
  for (std::size_t i = 0; i < message.attachments.size(); ++i) {
    auto ok = check_attachment(message.attachments[i], place("attachments", i));
    if (!ok) return ok;
  }
  return {};
}

Result<std::string> header_email(const Address& address,
                                 const std::string& field,
                                 const MimeOptions& options) {
  if (auto ok = check_text(field, address.name); !ok) {
    return tl::unexpected<Error>(ok.error());
  }
  if (auto ok = check_email(address.email); !ok) {
    return wrap(ok.error(), "cannot write '" + field + "'");
  }
  auto email = wire_email(address.email);
  if (!email) return wrap(email.error(), "cannot write '" + field + "'");
  if (!options.utf8_addresses && !is_ascii(*email)) {
    return unsayable(field,
                     "before the '@' this route takes only ASCII (it has no "
                     "SMTPUTF8)");
  }
  return email;
}

// The header `name` with all of `addresses`; `field` is what a message calls
// them.
Result<> append_addresses(std::string& out, std::string_view name,
                          std::string_view field,
                          std::span<const Address> addresses,
                          const MimeOptions& options) {
  HeaderLine line(out, name);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto where =
        addresses.size() > 1 ? place(field, i) : std::string(field);
    auto email = header_email(addresses[i], where, options);
    if (!email) return tl::unexpected<Error>(email.error());
    const auto after = i + 1 < addresses.size() ? "," : "";
    line.address(addresses[i].name, *email, after);
  }
  line.end();
  return {};
}

Result<> append_recipients(std::string& out, const RenderedMessage& message,
                           const MimeOptions& options) {
  if (message.to.empty() && message.cc.empty()) {
    append_kept_header(out, "To", "undisclosed-recipients:;");
    return {};
  }
  if (!message.to.empty()) {
    auto ok = append_addresses(out, "To", "to", message.to, options);
    if (!ok) return ok;
  }
  if (message.cc.empty()) return {};
  return append_addresses(out, "Cc", "cc", message.cc, options);
}

void append_custom_header(std::string& out, const Header& header) {
  // ASCII is kept as it is even if it looks encoded: who sets a header may have
  // done that on purpose.
  if (is_ascii(header.value)) {
    append_kept_header(out, header.name, header.value);
  } else {
    append_text_header(out, header.name, header.value);
  }
}

Result<> append_header(std::string& out, const RenderedMessage& message,
                       const MimeOptions& options) {
  append_kept_header(out, "Date", format_rfc5322(message.accepted_at));
  auto ok = append_addresses(out, "From", "from", {&message.from, 1}, options);
  if (!ok) return ok;
  if (message.reply_to) {
    ok = append_addresses(out, "Reply-To", "reply_to", {&*message.reply_to, 1},
                          options);
    if (!ok) return ok;
  }
  ok = append_recipients(out, message, options);
  if (!ok) return ok;
  append_text_header(out, "Subject", message.subject);
  append_kept_header(out, "Message-ID", message_id_header(message));
  for (const auto& header : message.headers) append_custom_header(out, header);
  out += "MIME-Version: 1.0\r\n";
  return {};
}

// Readers take these apart themselves, so base64 is forbidden for them (RFC
// 2046, 5.1 and 5.2). Declared as bytes they arrive as they were.
bool is_composite(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find('/'));
  return equal_ignoring_case(type, "message") ||
         equal_ignoring_case(type, "multipart");
}

// Writes the Content-* headers and the body. Each function writes one part,
// its headers included, to where the headers of the message or of a part
// stand open.
class Body {
 public:
  Body(std::string& out, const RenderedMessage& message)
      : out_(out),
        message_(message),
        stem_(std::string(k_boundary_begin) + message.id) {
    for (const auto& attachment : message.attachments) {
      const bool is_inline = !attachment.cid.empty() && !message.html.empty();
      (is_inline ? inlines_ : others_).push_back(&attachment);
    }
  }

  void append_mixed();

 private:
  void append_related();
  void append_alternative();
  void append_text(std::string_view subtype, std::string_view text);
  void append_attachment(const Attachment& attachment,
                         std::string_view disposition);
  // Opens a multipart; the delimiters come from delimit() and close().
  void open(std::string_view subtype, std::string_view parameter = {});
  void delimit(std::string_view subtype);
  void close(std::string_view subtype);

  std::string& out_;
  const RenderedMessage& message_;
  std::string stem_;  // what all boundaries begin with
  std::vector<const Attachment*> inlines_;
  std::vector<const Attachment*> others_;
};

void Body::open(std::string_view subtype, std::string_view parameter) {
  out_ += "Content-Type: multipart/";
  out_ += subtype;
  out_ += parameter;
  out_ += ";\r\n boundary=\"";
  out_ += stem_;
  out_ += '_';
  out_ += subtype.substr(0, 1);
  out_ += "\"\r\n";
}

void Body::delimit(std::string_view subtype) {
  out_ += "\r\n--";
  out_ += stem_;
  out_ += '_';
  out_ += subtype.substr(0, 1);
  out_ += "\r\n";
}

void Body::close(std::string_view subtype) {
  delimit(subtype);
  out_.resize(out_.size() - 2);
  out_ += "--\r\n";
}

void Body::append_mixed() {
  if (others_.empty()) return append_related();
  open("mixed");
  if (!message_.text.empty() || !message_.html.empty()) {
    delimit("mixed");
    append_related();
  }
  for (const auto* attachment : others_) {
    delimit("mixed");
    append_attachment(*attachment, "attachment");
  }
  close("mixed");
}

void Body::append_related() {
  if (inlines_.empty()) return append_alternative();
  open("related", message_.text.empty()
                      ? ";\r\n type=\"text/html\""
                      : ";\r\n type=\"multipart/alternative\"");
  delimit("related");
  append_alternative();
  for (const auto* attachment : inlines_) {
    delimit("related");
    append_attachment(*attachment, "inline");
  }
  close("related");
}

void Body::append_alternative() {
  if (message_.html.empty()) return append_text("plain", message_.text);
  if (message_.text.empty()) return append_text("html", message_.html);
  open("alternative");
  delimit("alternative");
  append_text("plain", message_.text);
  delimit("alternative");
  append_text("html", message_.html);
  close("alternative");
}

void Body::append_text(std::string_view subtype, std::string_view text) {
  auto encoding = choose_encoding(text);
  // Whoever saw one of our mails could send us its boundary in a text.
  if (encoding == BodyEncoding::seven_bit &&
      text.find(stem_) != std::string_view::npos) {
    encoding = BodyEncoding::quoted_printable;
  }
  out_ += "Content-Type: text/";
  out_ += subtype;
  out_ += "; charset=utf-8\r\nContent-Transfer-Encoding: ";
  out_ += to_text(encoding);
  out_ += "\r\n\r\n";
  append_encoded(out_, text, encoding);
}

void Body::append_attachment(const Attachment& attachment,
                             std::string_view disposition) {
  append_kept_header(out_, "Content-Type",
                     is_composite(attachment.content_type)
                         ? "application/octet-stream"
                         : attachment.content_type);
  out_ += "Content-Transfer-Encoding: base64\r\nContent-Disposition: ";
  out_ += disposition;
  append_file_name(out_, attachment.filename);
  out_ += "\r\n";
  if (!attachment.cid.empty()) {
    out_ += "Content-ID: <";
    out_ += attachment.cid;
    out_ += ">\r\n";
  }
  out_ += "\r\n";
  append_base64_lines(out_, attachment.content);
}

// Enough in nearly every case, so that the string is allocated once.
std::size_t likely_size(const RenderedMessage& message) {
  auto size = 2048 + (message.text.size() + message.html.size()) * 3 / 2;
  size += (message.to.size() + message.cc.size()) * 80;
  for (const auto& header : message.headers) size += header.value.size() + 80;
  for (const auto& attachment : message.attachments) {
    size += attachment.content.size() * 79 / 76 + 512;
  }
  return size;
}

}  // namespace

Result<std::string> compose_mime(const RenderedMessage& message,
                                 const MimeOptions& options) {
  if (!message.raw.empty()) return wire_form(message.raw);
  if (auto ok = check(message); !ok) return tl::unexpected<Error>(ok.error());
  std::string out;
  out.reserve(likely_size(message));
  auto ok = append_header(out, message, options);
  if (!ok) return tl::unexpected<Error>(ok.error());
  Body(out, message).append_mixed();
  return out;
}

std::string message_id_header(const RenderedMessage& message) {
  const auto email = wire_email(message.from.email);
  // Without a domain nothing is sent; this is for looking at it (--dry-run).
  const auto domain = email ? domain_of(*email) : "localhost";
  std::string header = "<";
  header += message.id;
  header += '@';
  header += domain;
  header += '>';
  return header;
}

}  // namespace pony
