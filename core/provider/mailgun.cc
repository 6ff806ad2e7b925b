// Mailgun: a message is a form (RFC 7578), its attachments are the form's
// files. Says and reads what documentation.mailgun.com promises; doesn't know
// how a request travels.
//
// Order of the file: the form, what becomes of a message in it, replies.
#include "core/provider/mailgun.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/base64.h"
#include "core/json.h"
#include "core/lower_case.h"
#include "core/mime/body_encoding.h"
#include "core/mime/builder.h"
#include "core/mime/carried_form.h"
#include "core/provider/attachment_name.h"
#include "core/provider/attempt.h"
#include "core/provider/http_message.h"
#include "core/provider/http_reply.h"

namespace pony {
namespace {

constexpr ApiLimits k_limits = {.name = "Mailgun", .bytes = 25'000'000};
// Of all names and values of o:, h: and v: together; "16KB" may be either
// kind.
constexpr std::size_t k_most_options = 16'000;
// One page of the documentation says 3, another 10.
constexpr std::size_t k_most_tags = 3;
constexpr std::size_t k_longest_tag = 128;

// A name inside quotes: RFC 7578, 2, leaves it to the practice of browsers.
std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '"')
      out += "%22";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else
      out += c;
  }
  return out;
}

// multipart/form-data, whole in memory.
class Form {
 public:
  // `seed` decides on the boundary: the same form gives the same bytes.
  explicit Form(std::string_view seed)
      : seed_(XXH3_64bits(seed.data(), seed.size())) {}

  void field(std::string_view name, std::string_view value) {
    parts_.push_back({fmt::format("Content-Disposition: form-data; "
                                  "name=\"{}\"\r\n\r\n",
                                  escaped(name)),
                      std::string(value)});
  }

  void file(std::string_view name, std::string_view filename,
            std::string_view content_type, std::string bytes) {
    parts_.push_back(
        {fmt::format("Content-Disposition: form-data; name=\"{}\"; "
                     "filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
                     escaped(name), escaped(filename), content_type),
         std::move(bytes)});
  }

  // The body, and the type that names its boundary.
  std::pair<std::string, std::string> finish() const {
    const std::string boundary = free_boundary();
    std::size_t size = boundary.size() + 8;
    for (const Part& part : parts_)
      size += boundary.size() + part.head.size() + part.content.size() + 6;
    std::string body;
    body.reserve(size);
    for (const Part& part : parts_) {
      body += "--" + boundary + "\r\n";
      body += part.head;
      body += part.content;
      body += "\r\n";
    }
    body += "--" + boundary + "--\r\n";
    return {std::move(body), "multipart/form-data; boundary=" + boundary};
  }

 private:
  struct Part {
    std::string head;
    std::string content;
  };

  // The first of a row of them that is in no part.
  std::string free_boundary() const {
    for (std::size_t i = 0;; ++i) {
      std::string boundary = fmt::format("pony-{:016x}-{}", seed_, i);
      if (std::none_of(parts_.begin(), parts_.end(), [&](const Part& part) {
            return part.head.find(boundary) != std::string::npos ||
                   part.content.find(boundary) != std::string::npos;
          }))
        return boundary;
    }
  }

  std::uint64_t seed_;
  std::vector<Part> parts_;
};

// Writes o:, h: and v: as long as there is room for them.
class Options {
 public:
  Options(Form& form, std::vector<std::string>& reduced)
      : form_(form), reduced_(reduced) {}

  // What the message cannot do without; small.
  void must(std::string_view name, std::string_view value) {
    form_.field(name, value);
    used_ += name.size() + value.size();
  }

  // Writes `prefix` + `name`, or says in `reduced` that it had no room.
  void may(std::string_view kind, std::string_view prefix,
           std::string_view name, std::string_view value) {
    const std::size_t size = prefix.size() + name.size() + value.size();
    if (used_ + size > k_most_options) {
      reduced_.push_back(
          left_out(kind, name, over_in_all(k_most_options, "bytes")));
      return;
    }
    form_.field(fmt::format("{}{}", prefix, name), value);
    used_ += size;
  }

 private:
  Form& form_;
  std::vector<std::string>& reduced_;
  std::size_t used_ = 0;
};

void add_tags(const RenderedMessage& message, Options& options,
              std::vector<std::string>& reduced) {
  std::size_t carried = 0;
  for (const std::string& tag : message.tags) {
    if (tag.empty() || carried == k_most_tags || tag.size() > k_longest_tag ||
        !is_ascii(tag))
      continue;
    options.must("o:tag", tag);
    ++carried;
  }
  if (carried < message.tags.size())
    reduced.push_back(fmt::format(
        "{} (Mailgun takes {}, in ASCII, of {} bytes)",
        some_tags(carried, message.tags.size()), k_most_tags, k_longest_tag));
}

void add_options(const RenderedMessage& message, Form& form,
                 std::vector<std::string>& reduced) {
  Options options(form, reduced);
  if (message.raw.empty())
    options.must("h:Message-Id", message_id_header(message));
  options.must("v:" + std::string(k_id_name), message.id);
  if (message.reply_to)
    options.must("h:Reply-To", mailbox(wire_address(*message.reply_to)));
  add_tags(message, options, reduced);
  for (const Header& header : message.headers)
    options.may("header", "h:", header.name, header.value);
  for (const Header& entry : message.metadata) {
    if (entry.name == k_id_name)
      reduced.push_back(left_out("metadata", entry.name, k_name_is_taken));
    else
      options.may("metadata", "v:", entry.name, entry.value);
  }
}

void add_addresses(const Attempt& attempt, Form& form) {
  form.field("from", mailbox(wire_address(attempt.message->from)));
  const Addressees addressees = addressees_of(attempt);
  for (const Address& address : addressees.to)
    form.field("to", mailbox(address));
  for (const Address& address : addressees.cc)
    form.field("cc", mailbox(address));
  for (const Address& address : addressees.bcc)
    form.field("bcc", mailbox(address));
}

void add_attachments(const RenderedMessage& message, Form& form,
                     std::vector<std::string>& reduced) {
  for (const Attachment& attachment : message.attachments) {
    // A part without a file name is dropped without an error.
    std::string_view name = file_name(attachment);
    const bool shown = is_inline(message, attachment);
    if (shown) {
      // The file name becomes the Content-ID.
      name = attachment.cid;
      say_called_by_cid(attachment, reduced);
    }
    form.file(shown ? "inline" : "attachment", name, attachment.content_type,
              decode_base64(attachment.content));
  }
}

// The form of a message that Mailgun composes.
Result<Form> form_of(const Attempt& attempt) {
  const RenderedMessage& message = *attempt.message;
  Form form(message.id);
  add_addresses(attempt, form);
  form.field("subject", message.subject);
  if (!message.text.empty()) form.field("text", message.text);
  if (!message.html.empty()) form.field("html", message.html);
  return form;
}

// The form around a finished message.
Result<Form> form_around(const Attempt& attempt) {
  auto mail = carried_form(*attempt.message, Takes::eight_bit);
  if (!mail) return tl::unexpected<Error>(mail.error());
  Form form(attempt.message->id);
  for (const std::string& recipient : wire_recipients(attempt))
    form.field("to", recipient);
  form.file("message", "message.mime", "message/rfc822", std::move(*mail));
  return form;
}

// Replies ---------------------------------------------------------------------

// The `message` of the body; empty when it has none.
std::string message_of(const std::optional<Json>& body) {
  if (!body) return {};
  const Json* message = body->find("message");
  return message != nullptr && message->is_string() ? message->text
                                                    : std::string();
}

// "… try again after 120 seconds": 120, as Retry-After would be read.
std::optional<std::chrono::seconds> rest_in(std::string_view words, Time now) {
  constexpr std::string_view k_before = "try again after ";
  const std::size_t at = words.find(k_before);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = words.substr(at + k_before.size());
  const std::size_t end = rest.find_first_not_of("0123456789");
  if (rest.substr(std::min(end, rest.size())).find("second") != 1) return {};
  HttpReply as_header;
  as_header.headers.push_back(
      {"Retry-After", std::string(rest.substr(0, end))});
  return asked_rest(as_header, now);
}

Verdict verdict_on(const HttpReply& reply, Time now) {
  const std::optional<Json> body = json_of(reply);
  const std::string words = message_of(body);
  const std::string lowered = in_lower_case(words);
  const auto says = [&](std::string_view what) {
    return lowered.find(what) != std::string::npos;
  };
  Verdict verdict = verdict_of_status(reply, now, words);
  if (verdict.outcome == Outcome::accepted) {
    if (body) {
      std::string_view id = body->text_of("id");
      // Events name it without the brackets.
      if (id.starts_with('<') && id.ends_with('>') && id.size() > 2)
        id = id.substr(1, id.size() - 2);
      verdict.provider_id = provider_id_from(id);
    }
    return verdict;
  }
  if (says("limit exceeded") && says("try again")) {
    verdict = api_verdict(Outcome::throttled, reply, now, words);
  } else if (reply.status == 400 && says("limited to 16kb")) {
    verdict.counts_against_provider = false;  // too much for them, that is all
  } else if (reply.status == 400 && !words.empty() &&
             !says("not allowed to send") && !says("sandbox")) {
    verdict = api_verdict(Outcome::rejected, reply, now, words);
  }
  if (!verdict.rest) verdict.rest = rest_in(lowered, now);
  return verdict;
}

class MailgunApi : public HttpApi {
 public:
  explicit MailgunApi(const ApiConfig& api)
      : base_url_(api.base_url(api.config.setting("region") == "eu"
                                   ? "https://api.eu.mailgun.net"
                                   : "https://api.mailgun.net")),
        domain_(api.config.setting("domain")),
        key_(api.secret("api_key")) {}

  std::string_view type() const override { return "mailgun"; }
  bool takes_finished() const override { return true; }

  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override {
    const RenderedMessage& message = *attempt.message;
    if (message.raw.empty())
      if (auto why = lacks_text(k_limits.name, message)) return why;
    return beyond(k_limits, attempt);
  }

  Result<HttpRequest> request(const Attempt& attempt, Time,
                              std::vector<std::string>& reduced) const override;

  std::vector<Verdict> verdicts(const Attempt& attempt, const HttpReply& reply,
                                Time now) const override {
    return for_all(attempt, verdict_on(without_secret(reply, key_), now));
  }

  Result<HttpRequest> check_request(Time) const override {
    HttpRequest request;
    request.method = "GET";
    request.url = base_url_ + "/v3/domains/" + domain_;
    request.headers = {authorization()};
    return request;
  }

  ProviderCheck check_result(const HttpReply& reply) const override;

 private:
  HttpHeader authorization() const {
    Secret credentials("api:" + key_.reveal());
    HttpHeader header{"Authorization", "Basic "};
    append_base64_run(header.value, credentials.reveal());
    return header;
  }
  ProviderCheck check_domain(const Json& domain) const;

  std::string base_url_;
  std::string domain_;
  Secret key_;
};

Result<HttpRequest> MailgunApi::request(
    const Attempt& attempt, Time, std::vector<std::string>& reduced) const {
  if (const auto why = cannot_carry(attempt))
    return fail(Error::Kind::bad_data, *why);
  const RenderedMessage& message = *attempt.message;
  const bool is_finished = !message.raw.empty();
  auto form = is_finished ? form_around(attempt) : form_of(attempt);
  if (!form) return tl::unexpected<Error>(form.error());
  add_options(message, *form, reduced);
  if (!is_finished) add_attachments(message, *form, reduced);

  auto [body, content_type] = form->finish();
  HttpRequest request;
  request.url = base_url_ + "/v3/" + domain_ +
                (is_finished ? "/messages.mime" : "/messages");
  request.headers = {authorization(),
                     {"Content-Type", std::move(content_type)}};
  request.body = std::move(body);
  if (auto ok = check_lines(message, request); !ok)
    return tl::unexpected<Error>(ok.error());
  return request;
}

ProviderCheck MailgunApi::check_domain(const Json& domain) const {
  const std::string_view state = domain.text_of("state");
  if (state == "disabled" || domain.text_of("is_disabled") == "true")
    return {false, fmt::format("the domain '{}' is disabled", domain_)};
  if (state == "active")
    return {true, fmt::format("the key is accepted; the domain '{}' is active",
                              domain_)};
  if (state == "unverified")
    return {false, fmt::format("the domain '{}' is not verified: its DNS "
                               "records are missing",
                               domain_)};
  return {false, fmt::format("the domain '{}' is in the state '{}'", domain_,
                             printable(state, 60))};
}

ProviderCheck MailgunApi::check_result(const HttpReply& given) const {
  const HttpReply reply = without_secret(given, key_);
  const std::optional<Json> body = json_of(reply);
  if (reply.status == 200) {
    const Json* domain = body ? body->find("domain") : nullptr;
    if (domain == nullptr || !domain->is_object())
      return unexpected_answer(reply, "it names no domain");
    return check_domain(*domain);
  }
  const std::string words =
      verdict_of_status(reply, Time(), message_of(body)).error;
  // A wrong key must not look like a right one, so this is no "works".
  if (reply.status == 401)
    return {false,
            with_advice(words,
                        "a wrong key, or one of the other region; a key that "
                        "may only send is refused here too, and works")};
  if (reply.status == 403)
    return {true, with_advice(words,
                              "the key may not look at the domain; if it may "
                              "only send, all is well")};
  if (reply.status == 404)
    return {false,
            with_advice(words, fmt::format("is '{}' a domain of this region?",
                                           domain_))};
  if (words.empty()) return unexpected_answer(reply, {});
  return {false, words};
}

}  // namespace

std::unique_ptr<HttpApi> make_mailgun_api(const ApiConfig& api) {
  return std::make_unique<MailgunApi>(api);
}

}  // namespace pony
