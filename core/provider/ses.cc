// Amazon SES v2: JSON, signed (core/net/aws_signature.h). A plain message is
// said in its members ("Simple"); what those cannot say exactly goes as a mail
// that we write ourselves ("Raw").
//
// Order of the file: the message, replies, the API.
#include "core/provider/ses.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/json.h"
#include "core/lower_case.h"
#include "core/mime/body_encoding.h"
#include "core/mime/builder.h"
#include "core/mime/carried_form.h"
#include "core/mime/header_encoding.h"
#include "core/net/aws_signature.h"
#include "core/provider/attempt.h"
#include "core/provider/http_message.h"
#include "core/provider/http_reply.h"

namespace pony {
namespace {

constexpr ApiLimits k_limits = {.name = "Amazon SES",
                                .recipients = 50,
                                .bytes = 40'000'000,
                                .bcc_alone = true};
constexpr std::size_t k_most_headers = 15;
constexpr std::size_t k_longest_header_value = 995;
constexpr std::size_t k_longest_header = 996;  // name and value
constexpr std::size_t k_most_tags = 50;
constexpr std::size_t k_longest_tag = 256;
// "Maximum sending rate exceeded": it is a rate a second.
constexpr std::chrono::seconds k_rest_for_rate{1};

bool is_printable_ascii(std::string_view value) {
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c < '\x7f'; });
}

// As a header has it, on one line: "=?utf-8?B?SsO2cmc=?= <j@b.example>".
std::string encoded_mailbox(const Address& address) {
  if (address.name.empty()) return address.email;
  constexpr std::string_view k_before = "A: ";
  std::string line;
  HeaderLine header(line, "A");
  header.address(address.name, address.email, "");
  header.end();
  std::erase_if(line, [](char c) { return c == '\r' || c == '\n'; });
  return line.substr(k_before.size());
}

// Can Simple say this header? Which names Amazon keeps for itself is not
// written down in one place, so only those that surely are free: Raw takes the
// others.
bool is_simple(const Header& header) {
  const std::string name = in_lower_case(header.name);
  return (name.starts_with("x-") || name.starts_with("list-")) &&
         !name.starts_with("x-ses-") && !header.value.empty() &&
         header.value.size() <= k_longest_header_value &&
         header.name.size() + header.value.size() <= k_longest_header &&
         is_printable_ascii(header.value);
}

bool are_simple(const std::vector<Header>& headers) {
  if (headers.size() > k_most_headers) return false;
  for (auto one = headers.begin(); one != headers.end(); ++one) {
    if (!is_simple(*one)) return false;
    const bool again =
        std::any_of(headers.begin(), one, [&](const Header& other) {
          return in_lower_case(other.name) == in_lower_case(one->name);
        });
    if (again) return false;
  }
  return true;
}

// Would Simple be the same mail as ours?
bool is_simple(const RenderedMessage& message, const Addressees& addressees) {
  return message.raw.empty() && message.attachments.empty() &&
         !message.to.empty() && addressees.to.size() == message.to.size() &&
         addressees.cc.size() == message.cc.size() &&
         addressees.bcc.size() == message.bcc.size() &&
         (!message.text.empty() || !message.html.empty()) &&
         are_simple(message.headers);
}

// How an address is spelled in a list.
using Spell = std::string (*)(const Address&);

void set_list(Json& destination, std::string name,
              const std::vector<Address>& addresses, Spell spell) {
  if (addresses.empty()) return;
  Json list = Json::array();
  for (const Address& address : addresses)
    list.items.push_back(Json::string(spell(address)));
  destination.set(std::move(name), std::move(list));
}

Json destination_of(const Addressees& addressees, Spell spell) {
  Json destination = Json::object();
  set_list(destination, "ToAddresses", addressees.to, spell);
  set_list(destination, "CcAddresses", addressees.cc, spell);
  set_list(destination, "BccAddresses", addressees.bcc, spell);
  return destination;
}

// The charset is ASCII unless it is said.
Json utf8(std::string_view data) {
  Json content = Json::object();
  content.set("Data", json_text(data));
  content.set("Charset", json_text("UTF-8"));
  return content;
}

Json simple_content(const RenderedMessage& message) {
  Json body = Json::object();
  if (!message.text.empty()) body.set("Text", utf8(message.text));
  if (!message.html.empty()) body.set("Html", utf8(message.html));
  Json simple = Json::object();
  simple.set("Subject", utf8(message.subject));
  simple.set("Body", std::move(body));
  if (!message.headers.empty()) {
    Json& headers = simple.set("Headers", Json::array());
    for (const Header& header : message.headers) {
      Json one = Json::object();
      one.set("Name", json_text(header.name));
      one.set("Value", json_text(header.value));
      headers.items.push_back(std::move(one));
    }
  }
  Json content = Json::object();
  content.set("Simple", std::move(simple));
  return content;
}

Result<Json> raw_content(const RenderedMessage& message) {
  const auto mail = message.raw.empty()
                        ? compose_mime(message)
                        : carried_form(message, Takes::eight_bit);
  if (!mail) return tl::unexpected<Error>(mail.error());
  std::string data;
  append_base64_run(data, *mail);
  Json raw = Json::object();
  raw.set("Data", Json::string(std::move(data)));
  Json content = Json::object();
  content.set("Raw", std::move(raw));
  return content;
}

// The EmailTags: a name and a value each, and no name twice.
class Tags {
 public:
  Tags(const std::string& id, std::vector<std::string>& reduced)
      : reduced_(reduced) {
    append(k_id_name, id);
  }

  // A tag of the message, which Amazon is to know by `name`.
  void add_tag(const std::string& tag, std::string_view name) {
    const std::string value = tag_form(tag);
    if (!add("tag", tag, name, value)) return;
    if (value != tag) reduced_.push_back(carried_as("tag", tag, value));
  }

  void add_metadata(const Header& entry) {
    const std::string name = tag_form(entry.name);
    const std::string value = tag_form(entry.value);
    if (!add("metadata", entry.name, name, value)) return;
    if (name != entry.name)
      reduced_.push_back(carried_as("metadata", entry.name, name));
    if (value != entry.value)
      reduced_.push_back(
          carried_as("the value of metadata", entry.name, value));
  }

  Json take() { return std::move(list_); }

 private:
  void append(std::string_view name, std::string_view value) {
    Json tag = Json::object();
    tag.set("Name", json_text(name));
    tag.set("Value", json_text(value));
    list_.items.push_back(std::move(tag));
  }

  // False: it is left out, which is said of the `kind` called `shown`.
  bool add(std::string_view kind, std::string_view shown, std::string_view name,
           std::string_view value) {
    const std::string trouble = trouble_with(name, value);
    if (trouble.empty())
      append(name, value);
    else
      reduced_.push_back(left_out(kind, shown, trouble));
    return trouble.empty();
  }

  std::string trouble_with(std::string_view name,
                           std::string_view value) const {
    if (name.empty() || value.empty()) return "it is empty";
    if (name.size() > k_longest_tag || value.size() > k_longest_tag)
      return over(k_longest_tag, "characters");
    if (list_.items.size() == k_most_tags)
      return over_in_all(k_most_tags, "tags");
    for (const Json& tag : list_.items)
      if (tag.text_of("Name") == name) return std::string(k_name_is_taken);
    return {};
  }

  std::vector<std::string>& reduced_;
  Json list_ = Json::array();
};

Json tags_of(const RenderedMessage& message,
             std::vector<std::string>& reduced) {
  Tags tags(message.id, reduced);
  for (std::size_t i = 0; i < message.tags.size(); ++i)
    tags.add_tag(message.tags[i], fmt::format("tag{}", i + 1));
  for (const Header& entry : message.metadata) tags.add_metadata(entry);
  return tags.take();
}

// Replies ---------------------------------------------------------------------

struct SesError {
  std::string type;  // "MessageRejected"; empty when the reply names none
  std::string message;
};

// The header may carry ":http://…" behind the type, the body "prefix#" before
// it.
SesError error_in(const HttpReply& reply, const std::optional<Json>& body) {
  SesError error;
  std::string_view type = reply.header("x-amzn-errortype");
  if (type.empty() && body) type = body->text_of("__type");
  type = type.substr(0, type.find(':'));
  const std::size_t hash = type.rfind('#');
  if (hash != std::string_view::npos) type.remove_prefix(hash + 1);
  error.type = type;
  if (!body) return error;
  error.message = body->text_of("message", body->text_of("Message"));
  // A wrong signature is told with all that should have been signed, which
  // has the session token in it.
  error.message.resize(std::min({error.message.size(), error.message.find('\n'),
                                 error.message.find("The Canonical String")}));
  error.message.erase(error.message.find_last_not_of(' ') + 1);
  return error;
}

enum class Meaning { rejected, refused, unavailable, too_large, rate, unclear };

Meaning meaning_of(std::string_view type) {
  struct Row {
    std::string_view type;
    Meaning meaning;
  };
  static constexpr std::array k_rows = {
      Row{"AccessDeniedException", Meaning::unavailable},
      Row{"AccountSuspendedException", Meaning::unavailable},
      Row{"BadRequestException", Meaning::rejected},
      Row{"ExpiredTokenException", Meaning::unavailable},
      Row{"IncompleteSignature", Meaning::unavailable},
      Row{"InternalFailure", Meaning::unavailable},
      Row{"InvalidSignatureException", Meaning::unavailable},
      Row{"LimitExceededException", Meaning::unavailable},
      Row{"MailFromDomainNotVerifiedException", Meaning::unavailable},
      Row{"MessageRejected", Meaning::refused},
      Row{"NotAuthorized", Meaning::unavailable},
      Row{"NotFoundException", Meaning::unavailable},
      Row{"OptInRequired", Meaning::unavailable},
      Row{"RequestEntityTooLargeException", Meaning::too_large},
      Row{"RequestTimeoutException", Meaning::unavailable},
      Row{"SendingPausedException", Meaning::unavailable},
      Row{"ServiceUnavailable", Meaning::unavailable},
      Row{"SignatureDoesNotMatch", Meaning::unavailable},
      Row{"ThrottlingException", Meaning::rate},
      Row{"TooManyRequestsException", Meaning::rate},
      Row{"UnrecognizedClientException", Meaning::unavailable},
      Row{"ValidationError", Meaning::rejected},
  };
  const auto* row =
      std::find_if(k_rows.begin(), k_rows.end(),
                   [&](const Row& one) { return one.type == type; });
  return row == k_rows.end() ? Meaning::unclear : row->meaning;
}

// MessageRejected is two things: our set-up, and the message.
bool is_about_account(const std::string& message) {
  // Without a message nobody knows; then it is not the message.
  if (message.empty()) return true;
  const std::string words = in_lower_case(message);
  for (const char* of_account : {"not verified", "paused", "suspended"})
    if (words.find(of_account) != std::string::npos) return true;
  return false;
}

std::string words_of(const SesError& error) {
  std::string words = error.type;
  if (!error.message.empty())
    words += (words.empty() ? "" : ": ") + error.message;
  if (in_lower_case(error.message).starts_with("signature expired") ||
      in_lower_case(error.message).find("is now earlier than") !=
          std::string::npos)
    return with_advice(words, "is the clock of this machine right?");
  return words;
}

Verdict verdict_on_rate(const SesError& error, const HttpReply& reply,
                        Time now) {
  if (in_lower_case(error.message).find("daily message quota") !=
      std::string::npos)
    return used_up(reply, now, words_of(error));
  Verdict verdict =
      api_verdict(Outcome::throttled, reply, now, words_of(error));
  if (!verdict.rest) verdict.rest = k_rest_for_rate;
  return verdict;
}

Verdict verdict_on(const HttpReply& reply, Time now) {
  const std::optional<Json> body = json_of(reply);
  const SesError error = error_in(reply, body);
  const std::string words = words_of(error);
  switch (meaning_of(error.type)) {
    case Meaning::rejected:
      return api_verdict(Outcome::rejected, reply, now, words);
    case Meaning::refused:
      return api_verdict(is_about_account(error.message) ? Outcome::unavailable
                                                         : Outcome::rejected,
                         reply, now, words);
    case Meaning::unavailable:
      return api_verdict(Outcome::unavailable, reply, now, words);
    case Meaning::too_large: {
      Verdict verdict = api_verdict(Outcome::unavailable, reply, now, words);
      verdict.counts_against_provider = false;
      return verdict;
    }
    case Meaning::rate:
      return verdict_on_rate(error, reply, now);
    case Meaning::unclear:
      break;
  }
  Verdict verdict = verdict_of_status(reply, now, words);
  if (verdict.outcome == Outcome::accepted && body)
    verdict.provider_id = provider_id_from(body->text_of("MessageId"));
  return verdict;
}

// A number of a reply, whatever its spelling.
std::optional<double> number_in(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  if (value == nullptr || !value->is(Json::Kind::number)) return {};
  double number = 0;
  const char* end = value->text.data() + value->text.size();
  const auto read = std::from_chars(value->text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return {};
  return number;
}

// "; 150 of 200 mails left for these 24 hours", if the account has a quota.
std::string quota_words(const Json& account) {
  const Json* quota = account.find("SendQuota");
  if (quota == nullptr) return {};
  const auto most = number_in(*quota, "Max24HourSend");
  const auto sent = number_in(*quota, "SentLast24Hours");
  if (!most || !sent || *most < 0) return {};
  return fmt::format("; {:.0f} of {:.0f} mails left for these 24 hours",
                     std::max(0.0, *most - *sent), *most);
}

ProviderCheck check_of_account(const Json& account) {
  const std::string_view enforcement = account.text_of("EnforcementStatus");
  if (account.text_of("SendingEnabled") != "true")
    return {false, "the keys are accepted, but the account may not send here"};
  if (enforcement == "SHUTDOWN")
    return {false, "the keys are accepted, but the account is shut down"};
  std::string words = "the keys are accepted; the account may send";
  if (account.text_of("ProductionAccessEnabled") == "false")
    words += "; in the sandbox: to verified recipients only";
  if (enforcement == "PROBATION") words += "; it is under review";
  return {true, words + quota_words(account)};
}

// The API ---------------------------------------------------------------------

class SesApi : public HttpApi {
 public:
  explicit SesApi(const ApiConfig& api)
      : scope_{api.config.setting("region"), "ses"},
        base_url_(api.base_url(
            fmt::format("https://email.{}.amazonaws.com", scope_.region))),
        configuration_set_(api.config.setting("configuration_set")),
        credentials_{api.secret("access_key_id"),
                     api.secret("secret_access_key"),
                     api.secret("session_token")} {}

  std::string_view type() const override { return "ses"; }
  bool takes_finished() const override { return true; }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  Result<HttpRequest> request(const Attempt& attempt, Time now,
                              std::vector<std::string>& reduced) const override;
  std::vector<Verdict> verdicts(const Attempt& attempt, const HttpReply& reply,
                                Time now) const override {
    return for_all(attempt, verdict_on(clean(reply), now));
  }
  Result<HttpRequest> check_request(Time now) const override;
  ProviderCheck check_result(const HttpReply& reply) const override;

 private:
  Result<> sign(HttpRequest& request, Time now) const;
  // `reply` without our secrets.
  HttpReply clean(const HttpReply& reply) const {
    return without_secret(without_secret(reply, credentials_.secret_access_key),
                          credentials_.session_token);
  }

  AwsScope scope_;
  std::string base_url_;
  std::string configuration_set_;
  AwsCredentials credentials_;
};

std::optional<std::string> SesApi::cannot_carry(const Attempt& attempt) const {
  // A mail of our own names everybody, those too who have theirs already.
  for (const auto* list : {&attempt.message->to, &attempt.message->cc})
    for (const Address& address : *list)
      if (!is_ascii(local_part(address.email)))
        return fmt::format("Amazon SES takes no address such as '{}'",
                           printable(address.email, 100));
  return beyond(k_limits, attempt);
}

Result<HttpRequest> SesApi::request(const Attempt& attempt, Time now,
                                    std::vector<std::string>& reduced) const {
  if (const auto why = cannot_carry(attempt))
    return fail(Error::Kind::bad_data, *why);
  const RenderedMessage& message = *attempt.message;
  const Addressees addressees = addressees_of(attempt);
  const bool simple = is_simple(message, addressees);
  auto content =
      simple ? Result<Json>(simple_content(message)) : raw_content(message);
  if (!content) return tl::unexpected<Error>(content.error());

  Json body = Json::object();
  // A finished message has a From; the envelope's sender may be nobody that
  // Amazon has verified.
  if (message.raw.empty())
    body.set("FromEmailAddress",
             Json::string(encoded_mailbox(wire_address(message.from))));
  // Beside a mail of our own this is the envelope.
  const Spell spell = simple ? encoded_mailbox : +[](const Address& address) {
    return address.email;
  };
  body.set("Destination", destination_of(addressees, spell));
  if (simple && message.reply_to)
    set_list(body, "ReplyToAddresses", {wire_address(*message.reply_to)},
             encoded_mailbox);
  body.set("Content", std::move(*content));
  body.set("EmailTags", tags_of(message, reduced));
  if (!configuration_set_.empty())
    body.set("ConfigurationSetName", json_text(configuration_set_));

  HttpRequest request;
  request.url = base_url_ + "/v2/email/outbound-emails";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = to_text(body);
  if (auto ok = check_lines(message, request); !ok)
    return tl::unexpected<Error>(ok.error());
  if (auto ok = sign(request, now); !ok)
    return tl::unexpected<Error>(ok.error());
  return request;
}

Result<> SesApi::sign(HttpRequest& request, Time now) const {
  auto headers = aws_signature(request, credentials_, scope_, now);
  if (!headers) return tl::unexpected<Error>(headers.error());
  for (HttpHeader& header : *headers)
    request.headers.push_back(std::move(header));
  return {};
}

Result<HttpRequest> SesApi::check_request(Time now) const {
  HttpRequest request;
  request.method = "GET";
  request.url = base_url_ + "/v2/email/account";
  if (auto ok = sign(request, now); !ok)
    return tl::unexpected<Error>(ok.error());
  return request;
}

ProviderCheck SesApi::check_result(const HttpReply& given) const {
  const HttpReply reply = clean(given);
  const std::optional<Json> body = json_of(reply);
  if (reply.status == 200) {
    if (!body || body->find("SendingEnabled") == nullptr)
      return unexpected_answer(reply, "it describes no account");
    return check_of_account(*body);
  }
  const Verdict verdict = verdict_on(reply, Time());
  if (error_in(reply, body).type == "AccessDeniedException")
    return {true, with_advice(verdict.error,
                              "the keys are accepted, but may not ask about "
                              "the account; if they may send, all is well")};
  if (verdict.error.empty()) return unexpected_answer(reply, {});
  return {false, verdict.error};
}

}  // namespace

std::unique_ptr<HttpApi> make_ses_api(const ApiConfig& api) {
  return std::make_unique<SesApi>(api);
}

}  // namespace pony
