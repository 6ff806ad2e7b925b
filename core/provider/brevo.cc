// Brevo's transactional email API, version 3.
//
// Promises: the same idempotency key for every try of an attempt, so that a
// second one within a quarter of an hour sends no second mail. `pony_id` and
// the metadata travel in X-Mailin-custom, the one header that its webhooks
// give back (recipients can see it).
// Brevo writes headers and file names as they come, so what is not ASCII
// there is spelled otherwise or left out; wants an HTML part, so a message
// that is text only gets one made of it; and tells a file's type by its
// extension, of which it has a list.
#include "core/provider/brevo.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "core/lower_case.h"
#include "core/mime/builder.h"
#include "core/provider/attachment_name.h"
#include "core/provider/attempt.h"
#include "core/provider/http_message.h"
#include "core/provider/http_reply.h"

namespace pony {
namespace {

// 20 MB and 99 recipients are told for templates and batches; nothing is for
// single mails. Too small a limit costs a skipped provider, too large a one
// costs the mail.
constexpr ApiLimits k_limits = {.name = "Brevo",
                                .recipients = 99,
                                .bytes = 20'000'000,
                                .inline_images = false};
constexpr std::size_t k_longest_name = 70;  // characters
// A header line has at most 998 bytes (RFC 5322, 2.1.1), its name included.
constexpr std::size_t k_longest_custom = 900;

// By its published description.
constexpr std::string_view k_taken_files =
    "xlsx xls ods docx docm doc csv pdf txt gif jpg jpeg png tif tiff rtf bmp "
    "cgm css shtml html htm zip xml ppt pptx tar ez ics mobi msg pub eps odt "
    "mp3 m4a m4v wma ogg flac wav aif aifc aiff mp4 mov avi mkv mpeg mpg wmv";

// Ours, and those that are orders to Brevo rather than headers.
const std::vector<std::string_view>& taken_headers() {
  static const std::vector<std::string_view> names = {
      "idempotencykey", "message-id", "sender.ip", "x-mailin-custom"};
  return names;
}

// What Brevo can write: at most 70 characters, and no punctuation together
// with what is not ASCII (it loses such names, and mails).
Address sayable(const Address& address, std::vector<std::string>& reduced) {
  Address out = wire_address(address);
  if (!is_ascii(out.name))
    std::erase_if(out.name, [](char c) {
      return k_specials.find(c) != std::string_view::npos;
    });
  out.name.resize(first_characters(out.name, k_longest_name).size());
  if (out.name != address.name)
    reduced.push_back(carried_as("the name", address.name, out.name));
  return out;
}

std::string addresses_json(const std::vector<Address>& addresses,
                           std::vector<std::string>& reduced) {
  return json_array(addresses, [&](const Address& address) {
    return json_address(sayable(address, reduced));
  });
}

// The text as HTML that shows the same lines.
std::string html_of(std::string_view text) {
  std::string html =
      "<html><body><pre style=\"white-space:pre-wrap;font-family:inherit\">";
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      default:
        html += c;
    }
  }
  return html + "</pre></body></html>";
}

void append_escape(std::string& out, std::uint32_t unit) {
  out += fmt::format("\\u{:04x}", unit);
}

// The same JSON in ASCII.
std::string ascii_json(std::string_view json) {
  std::string out;
  for (std::size_t i = 0; i < json.size();) {
    const auto first = static_cast<unsigned char>(json[i]);
    const std::size_t size = first < 0x80   ? 1
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                                            : 4;
    if (size == 1) {
      out += json[i++];
      continue;
    }
    // What append_json_string() wrote is valid UTF-8.
    std::uint32_t point = first & (0xFFu >> (size + 1));
    for (std::size_t k = 1; k < size && i + k < json.size(); ++k)
      point = point << 6 | (static_cast<unsigned char>(json[i + k]) & 0x3Fu);
    if (point >= 0x10000) {
      append_escape(out, 0xD800 + ((point - 0x10000) >> 10));
      append_escape(out, 0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      append_escape(out, point);
    }
    i += size;
  }
  return out;
}

// The value of X-Mailin-custom.
std::string custom_of(const RenderedMessage& message,
                      std::vector<std::string>& reduced) {
  std::vector<Header> kept = {{std::string(k_id_name), message.id}};
  std::string custom = ascii_json(json_object(kept));
  for (const Header& entry : message.metadata) {
    if (entry.name == k_id_name) {
      reduced.push_back(left_out("metadata", entry.name, k_name_is_taken));
      continue;
    }
    kept.push_back(entry);
    std::string longer = ascii_json(json_object(kept));
    if (longer.size() <= k_longest_custom) {
      custom = std::move(longer);
    } else {
      kept.pop_back();
      reduced.push_back(left_out("metadata", entry.name,
                                 over_in_all(k_longest_custom, "bytes")));
    }
  }
  return custom;
}

// A UUID made of the attempt's key, as Brevo asks for one. It is no random
// one (version 4), but bears its number: not everybody knows version 8.
std::string uuid_of(std::string_view key) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  const std::uint64_t high = (hash.high64 & 0xFFFFFFFFFFFF0FFF) | 0x4000;
  const std::uint64_t low =
      (hash.low64 & 0x3FFFFFFFFFFFFFFF) | 0x8000000000000000;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32,
                     high >> 16 & 0xFFFF, high & 0xFFFF, low >> 48,
                     low & 0xFFFFFFFFFFFF);
}

std::string headers_json(const Attempt& attempt,
                         std::vector<std::string>& reduced) {
  const RenderedMessage& message = *attempt.message;
  std::vector<Header> headers = {
      {"Message-Id", message_id_header(message)},
      {"X-Mailin-custom", custom_of(message, reduced)},
      {"idempotencyKey", uuid_of(idempotency_key_of(attempt))}};
  for (Header& header : headers_once(message, taken_headers(), reduced)) {
    if (is_ascii(header.value))
      headers.push_back(std::move(header));
    else
      reduced.push_back(left_out("header", header.name, "not ASCII"));
  }
  return json_object(headers);
}

std::string filename_of(const Attachment& attachment) {
  return ascii_form(typed_filename(attachment));
}

std::string attachment_json(const Attachment& attachment,
                            std::vector<std::string>& reduced) {
  const std::string filename = filename_of(attachment);
  say_renamed(attachment, filename, reduced);
  std::string json;
  JsonWriter writer(json);
  writer.field("name", filename).field("content", attachment.content).end();
  return json;
}

class BrevoApi : public HttpApi {
 public:
  explicit BrevoApi(const ApiConfig& api)
      : url_(api.base_url("https://api.brevo.com")),
        key_(api.secret("api_key")) {}

  std::string_view type() const override { return "brevo"; }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  Result<HttpRequest> request(const Attempt& attempt, Time now,
                              std::vector<std::string>& reduced) const override;
  std::vector<Verdict> verdicts(const Attempt& attempt, const HttpReply& reply,
                                Time now) const override;
  Result<HttpRequest> check_request(Time now) const override;
  ProviderCheck check_result(const HttpReply& reply) const override;
  // Its pages say 15 minutes and 30.
  std::chrono::seconds remembers_key_for() const override {
    return std::chrono::minutes(15);
  }

 private:
  HttpHeader authorization() const { return {"api-key", key_.reveal()}; }
  static Verdict refusal(const HttpReply& reply, Time now);

  std::string url_;
  Secret key_;
};

std::optional<std::string> BrevoApi::cannot_carry(
    const Attempt& attempt) const {
  const RenderedMessage& message = *attempt.message;
  if (auto why = beyond(k_limits, attempt)) return why;
  for (const Attachment& attachment : message.attachments)
    if (!is_one_of(extension_of(filename_of(attachment)), k_taken_files))
      return fmt::format("Brevo takes no file with such an extension ('{}')",
                         printable(attachment.filename, 100));
  return lacks(k_limits.name, message);
}

Result<HttpRequest> BrevoApi::request(const Attempt& attempt, Time,
                                      std::vector<std::string>& reduced) const {
  if (auto why = cannot_carry(attempt))
    return fail(Error::Kind::bad_data, *why);
  const RenderedMessage& message = *attempt.message;
  const Addressees addressees = addressees_of(attempt);

  HttpRequest request;
  request.url = url_ + "/v3/smtp/email";
  request.headers = {authorization(),
                     {"Content-Type", "application/json"},
                     {"Accept", "application/json"}};
  JsonWriter body(request.body);
  body.raw("sender", json_address(sayable(message.from, reduced)));
  body.raw("to", addresses_json(addressees.to, reduced));
  if (!addressees.cc.empty())
    body.raw("cc", addresses_json(addressees.cc, reduced));
  if (!addressees.bcc.empty())
    body.raw("bcc", addresses_json(addressees.bcc, reduced));
  if (message.reply_to)
    body.raw("replyTo", json_address(sayable(*message.reply_to, reduced)));
  body.field("subject", message.subject);
  if (!message.html.empty()) {
    body.field("htmlContent", message.html);
  } else {
    body.field("htmlContent", html_of(message.text));
    reduced.push_back("text only (with an HTML part made of it)");
  }
  if (!message.text.empty()) body.field("textContent", message.text);
  body.raw("headers", headers_json(attempt, reduced));
  if (!message.attachments.empty())
    body.raw("attachment",
             json_array(message.attachments, [&](const Attachment& one) {
               return attachment_json(one, reduced);
             }));
  if (!message.tags.empty()) body.field("tags", message.tags);
  body.end();

  if (auto checked = check_lines(message, request); !checked)
    return tl::unexpected(checked.error());
  return request;
}

Verdict BrevoApi::refusal(const HttpReply& reply, Time now) {
  const Json body = json_of(reply).value_or(Json());
  const std::string_view code = body.text_of("code");
  const std::string_view words = body.text_of("message", code);
  // A key that it has seen: it may well have sent what came with it.
  if (code == "duplicate_request" || code == "duplicate_parameter")
    return may_be_taken(reply, now, words);
  if (code == "not_enough_credits") return used_up(reply, now, words);
  if (reply.status == 429) {
    Verdict verdict = verdict_of_status(reply, now, words);
    verdict.rest = asked_rest(reply, now, "x-sib-ratelimit-reset");
    return verdict;
  }
  // A sender that is not set up here is one of the invalid parameters.
  const bool is_about_message =
      reply.status == 400 &&
      (code == "invalid_parameter" || code == "missing_parameter") &&
      in_lower_case(words).find("sender") == std::string::npos;
  if (is_about_message)
    return api_verdict(Outcome::rejected, reply, now, words);
  return verdict_of_status(reply, now, words);
}

std::vector<Verdict> BrevoApi::verdicts(const Attempt& attempt,
                                        const HttpReply& said, Time now) const {
  if (!is_success(said))
    return for_all(attempt, refusal(without_secret(said, key_), now));
  const Json body = json_of(said).value_or(Json());
  return for_all(attempt, taken_as(said, now, body.text_of("messageId")));
}

Result<HttpRequest> BrevoApi::check_request(Time) const {
  return json_question(url_ + "/v3/account", authorization());
}

ProviderCheck BrevoApi::check_result(const HttpReply& said) const {
  const HttpReply reply = without_secret(said, key_);
  const Json body = json_of(reply).value_or(Json());
  const std::string_view words = body.text_of("message", body.text_of("code"));
  // The words tell a wrong key from an IP address that is not allowed.
  if (reply.status == 401)
    return {false,
            printable(fmt::format("the key is not accepted: {}", words))};
  if (reply.status == 403)
    return {false,
            printable(fmt::format("the account may not send: {}", words))};
  if (reply.status != 200 || body.find("email") == nullptr)
    return unexpected_answer(reply, words);
  return {true, fmt::format("the key is valid; account '{}'",
                            printable(body.text_of("email"), 100))};
}

}  // namespace

std::unique_ptr<HttpApi> make_brevo_api(const ApiConfig& api) {
  return std::make_unique<BrevoApi>(api);
}

}  // namespace pony
