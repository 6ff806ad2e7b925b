// Mandrill: one JSON object there, an array with a line for each recipient
// back. The key is a member of the body. Errors are told by their `name`: the
// status has meant different things over the years.
//
// Order of the file: the message, replies.
#include "core/provider/mandrill.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "core/json.h"
#include "core/lower_case.h"
#include "core/mime/builder.h"
#include "core/mime/carried_form.h"
#include "core/provider/attachment_name.h"
#include "core/provider/attempt.h"
#include "core/provider/http_message.h"
#include "core/provider/http_reply.h"

namespace pony {
namespace {

constexpr ApiLimits k_limits = {
    .name = "Mandrill", .bytes = 25'000'000, .bcc_alone = true};
constexpr std::size_t k_longest_subject = 998;
constexpr std::size_t k_longest_tag = 50;  // characters
// Mail that the account holds back waits for a person: no use to add to it.
constexpr std::chrono::seconds k_rest_while_held{3600};

void append_recipients(Json& list, const std::vector<Address>& addresses,
                       std::string_view type) {
  for (const Address& address : addresses) {
    Json one = Json::object();
    one.set("email", json_text(address.email));
    if (!address.name.empty()) one.set("name", json_text(address.name));
    one.set("type", json_text(type));
    list.items.push_back(std::move(one));
  }
}

Json recipients_of(const Attempt& attempt) {
  const Addressees addressees = addressees_of(attempt);
  Json list = Json::array();
  append_recipients(list, addressees.to, "to");
  append_recipients(list, addressees.cc, "cc");
  append_recipients(list, addressees.bcc, "bcc");
  return list;
}

Json headers_of(const RenderedMessage& message,
                std::vector<std::string>& reduced) {
  Json headers = Json::object();
  headers.set("Message-Id", json_text(message_id_header(message)));
  if (message.reply_to)
    headers.set("Reply-To",
                json_text(mailbox(wire_address(*message.reply_to))));
  for (const Header& header :
       headers_once(message, {"message-id", "reply-to"}, reduced))
    headers.set(header.name, json_text(header.value));
  return headers;
}

Json file_of(const Attachment& attachment, std::string_view name) {
  Json file = Json::object();
  file.set("type", json_text(attachment.content_type));
  file.set("name", json_text(name));
  file.set("content", json_text(attachment.content));
  return file;
}

void set_files(Json& mail, const RenderedMessage& message,
               std::vector<std::string>& reduced) {
  Json attachments = Json::array();
  Json images = Json::array();
  for (const Attachment& attachment : message.attachments) {
    if (!is_inline(message, attachment)) {
      attachments.items.push_back(file_of(attachment, file_name(attachment)));
      continue;
    }
    // The name becomes the Content-ID.
    images.items.push_back(file_of(attachment, attachment.cid));
    say_called_by_cid(attachment, reduced);
  }
  if (!attachments.items.empty())
    mail.set("attachments", std::move(attachments));
  if (!images.items.empty()) mail.set("images", std::move(images));
}

void set_tags(Json& mail, const RenderedMessage& message,
              std::vector<std::string>& reduced) {
  Json tags = Json::array();
  for (const std::string& tag : message.tags) {
    if (tag.starts_with('_'))
      reduced.push_back(left_out("tag", tag, "begins with '_'"));
    else if (first_characters(tag, k_longest_tag).size() < tag.size())
      reduced.push_back(
          left_out("tag", tag, over(k_longest_tag, "characters")));
    else if (!tag.empty())
      tags.items.push_back(json_text(tag));
  }
  if (!tags.items.empty()) mail.set("tags", std::move(tags));
}

void set_metadata(Json& mail, const RenderedMessage& message,
                  std::vector<std::string>& reduced) {
  Json metadata = Json::object();
  metadata.set(std::string(k_id_name), json_text(message.id));
  for (const Header& entry : message.metadata) {
    if (entry.name == k_id_name)
      reduced.push_back(left_out("metadata", entry.name, k_name_is_taken));
    else
      metadata.set(entry.name, json_text(entry.value));
  }
  mail.set("metadata", std::move(metadata));
}

Json mail_of(const Attempt& attempt, std::vector<std::string>& reduced) {
  const RenderedMessage& message = *attempt.message;
  const Address from = wire_address(message.from);
  Json mail = Json::object();
  mail.set("from_email", json_text(from.email));
  if (!from.name.empty()) mail.set("from_name", json_text(from.name));
  mail.set("to", recipients_of(attempt));
  mail.set("subject", json_text(message.subject));
  if (!message.text.empty()) mail.set("text", json_text(message.text));
  if (!message.html.empty()) mail.set("html", json_text(message.html));
  mail.set("headers", headers_of(message, reduced));
  set_files(mail, message, reduced);
  set_tags(mail, message, reduced);
  set_metadata(mail, message, reduced);
  // Without this each recipient may get a mail of his own, cc and bcc too. The
  // rest would change what was written, if the account's settings say so.
  mail.set("preserve_recipients", Json::boolean(true));
  for (const char* change : {"track_opens", "track_clicks", "auto_text",
                             "auto_html", "inline_css", "merge"})
    mail.set(change, Json::boolean(false));
  return mail;
}

// What messages/send-raw is told. It has no place for tags and metadata, and
// takes the sender from the header.
Result<Json> finished_mail_of(const Attempt& attempt,
                              std::vector<std::string>& reduced) {
  const RenderedMessage& message = *attempt.message;
  // The bytes become a JSON string.
  auto mail = carried_form(message, Takes::utf8);
  if (!mail) return tl::unexpected<Error>(mail.error());
  Json arguments = Json::object();
  arguments.set("raw_message", Json::string(std::move(*mail)));
  Json& to = arguments.set("to", Json::array());
  for (std::string& recipient : wire_recipients(attempt))
    to.items.push_back(Json::string(std::move(recipient)));
  if (!message.tags.empty())
    reduced.push_back(some_tags(0, message.tags.size()));
  for (const Header& entry : message.metadata)
    reduced.push_back(
        left_out("metadata", entry.name, "a finished message has none"));
  return arguments;
}

// Replies ---------------------------------------------------------------------

enum class Meaning {
  accepted,
  held,         // taken, but may never leave
  rejected,     // for this recipient
  unavailable,  // this account cannot
  throttled,
  unclear
};

struct Row {
  std::string_view name;
  Meaning meaning;
};

Meaning meaning_in(const Row* begin, const Row* end, std::string_view name) {
  const Row* row = std::find_if(
      begin, end, [&](const Row& one) { return one.name == name; });
  return row == end ? Meaning::unclear : row->meaning;
}

// What an error's `name` says.
Meaning meaning_of_error(std::string_view name) {
  constexpr std::array k_errors = {
      Row{"GeneralError", Meaning::unavailable},
      Row{"Invalid_Key", Meaning::unavailable},
      Row{"PaymentRequired", Meaning::unavailable},
      Row{"PoorReputation", Meaning::unavailable},
      Row{"RequestLimitExceeded", Meaning::throttled},
      Row{"ServiceUnavailable", Meaning::unavailable},
      Row{"Unknown_Subaccount", Meaning::unavailable},
      Row{"ValidationError", Meaning::rejected},
  };
  return meaning_in(k_errors.begin(), k_errors.end(), name);
}

Meaning meaning_of_rejection(std::string_view reason) {
  constexpr std::array k_reasons = {
      Row{"custom", Meaning::rejected},
      Row{"hard-bounce", Meaning::rejected},
      Row{"invalid", Meaning::rejected},
      Row{"invalid-sender", Meaning::unavailable},
      Row{"rule", Meaning::rejected},
      Row{"soft-bounce", Meaning::rejected},
      Row{"spam", Meaning::rejected},
      Row{"test-mode-limit", Meaning::unavailable},
      Row{"unsigned", Meaning::unavailable},
      Row{"unsub", Meaning::rejected},
  };
  const Meaning meaning =
      meaning_in(k_reasons.begin(), k_reasons.end(), reason);
  // It was not taken; why, we do not know.
  return meaning == Meaning::unclear ? Meaning::unavailable : meaning;
}

Meaning meaning_of_queued(std::string_view reason) {
  constexpr std::array k_held = {
      Row{"account-suspended", Meaning::held},
      Row{"free-trial-sends-exhausted", Meaning::held},
      Row{"monthly-limit-reached", Meaning::held},
      Row{"sending-paused", Meaning::held},
      Row{"sending-suspended", Meaning::held},
  };
  const Meaning meaning = meaning_in(k_held.begin(), k_held.end(), reason);
  return meaning == Meaning::unclear ? Meaning::accepted : meaning;
}

struct LineReading {
  Meaning meaning = Meaning::unclear;
  std::string words;
};

// What the line of one recipient says.
LineReading read_line(const Json& line) {
  const std::string_view status = line.text_of("status");
  const auto because = [&](std::string_view reason) {
    return reason.empty() ? std::string(status)
                          : fmt::format("{}: {}", status, reason);
  };
  if (status == "sent" || status == "scheduled") return {Meaning::accepted, {}};
  if (status == "invalid") return {Meaning::rejected, because({})};
  if (status == "rejected") {
    const std::string_view reason = line.text_of("reject_reason");
    return {meaning_of_rejection(reason), because(reason)};
  }
  if (status == "queued") {
    const std::string_view reason = line.text_of("queued_reason");
    return {meaning_of_queued(reason), because(reason)};
  }
  return {};
}

Verdict verdict_of_line(const Json& line, const HttpReply& reply, Time now) {
  const auto [meaning, words] = read_line(line);
  Verdict verdict;
  switch (meaning) {
    case Meaning::accepted:
      verdict = api_verdict(Outcome::accepted, reply, now, {});
      break;
    case Meaning::rejected:
      verdict = api_verdict(Outcome::rejected, reply, now, words);
      break;
    case Meaning::held:
      verdict = api_verdict(Outcome::unknown, reply, now,
                            "taken, but held by the account: " + words);
      if (!verdict.rest) verdict.rest = k_rest_while_held;
      break;
    case Meaning::unavailable:
    case Meaning::throttled:
      verdict = api_verdict(Outcome::unavailable, reply, now, words);
      break;
    case Meaning::unclear:
      verdict = verdict_of_status(reply, now);
      break;
  }
  verdict.provider_id = provider_id_from(line.text_of("_id"));
  return verdict;
}

// The lines of a reply by their `email`, which may be spelled anyhow.
class Lines {
 public:
  explicit Lines(const Json& list) {
    for (const Json& line : list.items)
      lines_.emplace(in_lower_case(line.text_of("email")), &line);
  }
  // The first one for `email`, with its domain as A-labels or as given.
  const Json* of(const std::string& email) const {
    auto it = lines_.find(in_lower_case(wire_address({{}, email}).email));
    if (it == lines_.end()) it = lines_.find(in_lower_case(email));
    return it == lines_.end() ? nullptr : it->second;
  }

 private:
  std::unordered_map<std::string, const Json*> lines_;
};

// A reply that is no list of lines.
Verdict verdict_of_error(const std::optional<Json>& body,
                         const HttpReply& reply, Time now) {
  if (!body || !body->is_object()) return verdict_of_status(reply, now);
  const std::string_view name = body->text_of("name");
  const std::string_view message = body->text_of("message");
  std::string words(name);
  if (!message.empty())
    words += fmt::format("{}{}", words.empty() ? "" : ": ", message);
  switch (meaning_of_error(name)) {
    case Meaning::rejected:
      return api_verdict(Outcome::rejected, reply, now, words);
    case Meaning::throttled:
      return api_verdict(Outcome::throttled, reply, now, words);
    case Meaning::unavailable:
      return api_verdict(Outcome::unavailable, reply, now, words);
    default:
      break;
  }
  Verdict verdict = verdict_of_status(reply, now, words);
  // It calls itself an error, so nothing was taken, whatever the status.
  if (verdict.outcome == Outcome::accepted &&
      body->text_of("status") == "error")
    return api_verdict(Outcome::unavailable, reply, now, words);
  return verdict;
}

class MandrillApi : public HttpApi {
 public:
  explicit MandrillApi(const ApiConfig& api)
      : base_url_(api.base_url("https://mandrillapp.com")),
        key_(api.secret("api_key")) {}

  std::string_view type() const override { return "mandrill"; }
  bool takes_finished() const override { return true; }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  Result<HttpRequest> request(const Attempt& attempt, Time,
                              std::vector<std::string>& reduced) const override;
  std::vector<Verdict> verdicts(const Attempt& attempt, const HttpReply& reply,
                                Time now) const override;
  Result<HttpRequest> check_request(Time) const override {
    return call("users/ping2", Json::object());
  }
  ProviderCheck check_result(const HttpReply& reply) const override;

 private:
  HttpRequest call(std::string_view method, Json arguments) const;

  std::string base_url_;
  Secret key_;
};

std::optional<std::string> MandrillApi::cannot_carry(
    const Attempt& attempt) const {
  const RenderedMessage& message = *attempt.message;
  if (message.subject.size() > k_longest_subject)
    return fmt::format("Mandrill takes a subject of {} bytes, this one has {}",
                       k_longest_subject, message.subject.size());
  for (const Attachment& attachment : message.attachments)
    if (is_inline(message, attachment) &&
        !in_lower_case(attachment.content_type).starts_with("image/"))
      return fmt::format("Mandrill takes only images inline, '{}' is {}",
                         printable(attachment.cid, 100),
                         printable(attachment.content_type, 100));
  return beyond(k_limits, attempt);
}

HttpRequest MandrillApi::call(std::string_view method, Json arguments) const {
  Json body = Json::object();
  body.set("key", json_text(key_.reveal()));
  for (JsonMember& argument : arguments.members)
    body.members.push_back(std::move(argument));
  HttpRequest request;
  request.url = fmt::format("{}/api/1.0/{}.json", base_url_, method);
  request.headers = {{"Content-Type", "application/json"},
                     {"Accept", "application/json"}};
  request.body = to_text(body);
  return request;
}

Result<HttpRequest> MandrillApi::request(
    const Attempt& attempt, Time, std::vector<std::string>& reduced) const {
  if (const auto why = cannot_carry(attempt))
    return fail(Error::Kind::bad_data, *why);
  const bool is_finished = !attempt.message->raw.empty();
  Result<Json> arguments = Json::object();
  if (is_finished) {
    arguments = finished_mail_of(attempt, reduced);
    if (!arguments) return tl::unexpected<Error>(arguments.error());
  } else {
    arguments->set("message", mail_of(attempt, reduced));
  }
  arguments->set("async", Json::boolean(false));
  HttpRequest request =
      call(is_finished ? "messages/send-raw" : "messages/send",
           std::move(*arguments));
  if (auto ok = check_lines(*attempt.message, request); !ok)
    return tl::unexpected<Error>(ok.error());
  return request;
}

std::vector<Verdict> MandrillApi::verdicts(const Attempt& attempt,
                                           const HttpReply& given,
                                           Time now) const {
  const HttpReply reply = without_secret(given, key_);
  const std::optional<Json> body = json_of(reply);
  const bool taken = is_success(reply);
  if (!body || !body->is_array()) {
    // Each recipient's line may say "rejected": what broke off said nothing.
    if (taken && !reply.whole)
      return for_all(attempt, may_be_taken(reply, now,
                                           "the answer broke off before it "
                                           "named the recipients"));
    return for_all(attempt, verdict_of_error(body, reply, now));
  }
  // Whoever has no line shares what the status says of all, unless it says
  // that each has one.
  std::vector<Verdict> verdicts = for_all(
      attempt, taken ? may_be_taken(reply, now,
                                    "the answer does not name this recipient")
                     : verdict_of_status(reply, now));
  const Lines lines(*body);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const Json* line = lines.of(attempt.recipients[i]);
    if (line != nullptr) verdicts[i] = verdict_of_line(*line, reply, now);
  }
  return verdicts;
}

ProviderCheck MandrillApi::check_result(const HttpReply& given) const {
  const HttpReply reply = without_secret(given, key_);
  const std::optional<Json> body = json_of(reply);
  const bool pong = body && (body->text_of("PING") == "PONG!" ||
                             (body->is_string() && body->text == "PONG!"));
  if (pong && reply.status == 200) return {true, "the key is accepted"};
  const Verdict verdict = verdict_of_error(body, reply, Time());
  if (verdict.error.empty()) return unexpected_answer(reply, {});
  return {false, verdict.error};
}

}  // namespace

std::unique_ptr<HttpApi> make_mandrill_api(const ApiConfig& api) {
  return std::make_unique<MandrillApi>(api);
}

}  // namespace pony
