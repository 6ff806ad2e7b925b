// Postmark's email API.
//
// Promises: decides on its ErrorCode, whose numbers look like HTTP statuses
// and are not (413 is an account that may not send); tells the recipients it
// will not write to from the others. `pony_id` in the metadata leads from its
// webhooks back to the message: it has no idempotency key.
#include "core/provider/postmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/lower_case.h"
#include "core/provider/attachment_name.h"
#include "core/provider/attempt.h"
#include "core/provider/http_message.h"
#include "core/provider/http_reply.h"

namespace pony {
namespace {

constexpr ApiLimits k_limits = {
    .name = "Postmark", .recipients = 50, .bytes = 10'000'000};
constexpr std::size_t k_longest_body = 5'000'000;
constexpr std::size_t k_longest_tag = 1000;  // characters

// Reported by users, not documented: kept to, as more would be refused.
constexpr std::size_t k_most_metadata = 10;
constexpr std::size_t k_longest_key = 20;    // characters
constexpr std::size_t k_longest_value = 80;  // characters

// What can be run, by its documentation of the email API.
constexpr std::string_view k_refused_files =
    "vbs exe bin bat chm com cpl crt hlp hta inf ins isp jse lnk mdb pcd pif "
    "reg scr sct shs vbe vba wsf wsh wsl msc msi msp mst";

enum ErrorCode : std::int64_t {
  k_maintenance = 100,
  k_invalid_request = 300,
  k_no_signature = 400,
  k_signature_not_confirmed = 401,
  k_invalid_json = 402,
  k_incompatible_json = 403,
  k_out_of_credits = 405,
  k_inactive_recipient = 406,
  k_json_required = 409,
  k_refused_file = 411,
  k_pending_approval = 412,
  k_may_not_send = 413,
};

std::string mailboxes(const std::vector<Address>& addresses) {
  std::string list;
  for (const Address& address : addresses) {
    if (!list.empty()) list += ", ";
    list += mailbox(address);
  }
  return list;
}

std::string header_json(const Header& header) {
  std::string json;
  JsonWriter writer(json);
  writer.field("Name", header.name).field("Value", header.value).end();
  return json;
}

std::string attachment_json(const Attachment& attachment) {
  std::string json;
  JsonWriter writer(json);
  writer.field("Name", attachment.filename)
      .field("Content", attachment.content)
      .field("ContentType", attachment.content_type);
  if (!attachment.cid.empty())
    writer.field("ContentID", "cid:" + attachment.cid);
  writer.end();
  return json;
}

// Its keys are the same whatever their case.
std::string metadata_json(const RenderedMessage& message,
                          std::vector<std::string>& reduced) {
  std::vector<Header> kept = {{std::string(k_id_name), message.id}};
  std::vector<std::string> names = {std::string(k_id_name)};
  for (const Header& entry : message.metadata) {
    std::string name = in_lower_case(entry.name);
    std::string why;
    if (std::find(names.begin(), names.end(), name) != names.end())
      why = k_name_is_taken;
    else if (first_characters(name, k_longest_key).size() < name.size())
      why = "a name " + over(k_longest_key, "characters");
    else if (first_characters(entry.value, k_longest_value).size() <
             entry.value.size())
      why = over(k_longest_value, "characters");
    else if (kept.size() == k_most_metadata)
      why = over_in_all(k_most_metadata, "entries");
    if (!why.empty()) {
      reduced.push_back(left_out("metadata", entry.name, why));
      continue;
    }
    names.push_back(std::move(name));
    kept.push_back(entry);
  }
  return json_object(kept);
}

// As its errors spell them.
std::vector<std::string> lower_recipients(const Attempt& attempt) {
  std::vector<std::string> recipients = wire_recipients(attempt);
  for (std::string& email : recipients) email = in_lower_case(email);
  return recipients;
}

// What the reply says, on one line.
std::string words_of(const Json& body) {
  std::string words(body.text_of("Message"));
  std::replace(words.begin(), words.end(), '\n', ' ');
  std::replace(words.begin(), words.end(), '\r', ' ');
  return words;
}

// Which recipients `words` name as those it does not write to: "Found
// inactive addresses: a@b.example, c@d.example." and more after that.
std::vector<bool> inactive_among(const Attempt& attempt,
                                 std::string_view words) {
  constexpr std::string_view k_before = "inactive addresses:";
  const std::vector<std::string> recipients = lower_recipients(attempt);
  std::vector<bool> inactive(recipients.size(), false);
  const std::string text = in_lower_case(words);
  std::size_t at = text.find(k_before);
  if (at == std::string::npos) return inactive;
  at += k_before.size();
  while (at < text.size()) {
    std::size_t end = std::min(text.find_first_of(", ", at), text.size());
    std::string_view word = std::string_view(text).substr(at, end - at);
    if (word.ends_with('.')) word.remove_suffix(1);
    for (std::size_t i = 0; i < recipients.size() && !word.empty(); ++i)
      if (recipients[i] == word) inactive[i] = true;
    at = end + 1;
  }
  return inactive;
}

// Which recipients the words of an invalid request complain of: "Invalid 'To'
// address: 'a@b.example'." None when they are about anything else.
std::vector<bool> invalid_among(const Attempt& attempt,
                                std::string_view words) {
  const std::vector<std::string> recipients = lower_recipients(attempt);
  std::vector<bool> invalid(recipients.size(), false);
  const std::string text = in_lower_case(words);
  for (const std::string_view start : {"invalid '", "error parsing '"})
    for (const std::string_view field : {"to'", "cc'", "bcc'"})
      if (text.starts_with(fmt::format("{}{}", start, field)))
        for (std::size_t i = 0; i < recipients.size(); ++i)
          if (text.find("'" + recipients[i] + "'") != std::string::npos)
            invalid[i] = true;
  return invalid;
}

bool any(const std::vector<bool>& flags) {
  return std::find(flags.begin(), flags.end(), true) != flags.end();
}

// 406: nobody got it. Who is not named is to be sent to again, without those
// who are.
std::vector<Verdict> inactive(const Attempt& attempt, const HttpReply& reply,
                              Time now, std::string_view words) {
  const Verdict refused = api_verdict(Outcome::rejected, reply, now, words);
  if (attempt.recipients.size() == 1) return {refused};
  return refused_among(attempt, refused, inactive_among(attempt, words));
}

// 300: with recipients named, as with 406; else the message itself is invalid.
std::vector<Verdict> invalid(const Attempt& attempt, const HttpReply& reply,
                             Time now, std::string_view words) {
  const Verdict refused = api_verdict(Outcome::rejected, reply, now, words);
  const std::vector<bool> named = invalid_among(attempt, words);
  if (!any(named)) return for_all(attempt, refused);
  return refused_among(attempt, refused, named);
}

// A 200, which may still leave out inactive recipients.
std::vector<Verdict> accepted(const Attempt& attempt, const HttpReply& reply,
                              Time now, std::string_view words,
                              std::string_view id) {
  std::vector<Verdict> verdicts = for_all(attempt, taken_as(reply, now, id));
  const std::vector<bool> left_out = inactive_among(attempt, words);
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    if (left_out[i])
      verdicts[i] = api_verdict(Outcome::rejected, reply, now, words);
  return verdicts;
}

class PostmarkApi : public HttpApi {
 public:
  explicit PostmarkApi(const ApiConfig& api)
      : url_(api.base_url("https://api.postmarkapp.com")),
        stream_(api.config.setting("message_stream")),
        token_(api.secret("api_key")) {}

  std::string_view type() const override { return "postmark"; }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  Result<HttpRequest> request(const Attempt& attempt, Time now,
                              std::vector<std::string>& reduced) const override;
  std::vector<Verdict> verdicts(const Attempt& attempt, const HttpReply& reply,
                                Time now) const override;
  Result<HttpRequest> check_request(Time now) const override;
  ProviderCheck check_result(const HttpReply& reply) const override;

 private:
  HttpHeader authorization() const {
    return {"X-Postmark-Server-Token", token_.reveal()};
  }

  std::string url_;
  std::string stream_;
  Secret token_;
};

std::optional<std::string> PostmarkApi::cannot_carry(
    const Attempt& attempt) const {
  const RenderedMessage& message = *attempt.message;
  if (auto why = beyond(k_limits, attempt)) return why;
  for (const std::string* body : {&message.text, &message.html})
    if (body->size() > k_longest_body)
      return fmt::format("Postmark takes {} bytes of text or HTML, this has {}",
                         k_longest_body, body->size());
  if (const auto* file = with_extension(message, k_refused_files))
    return fmt::format("Postmark takes no such file ('{}')",
                       printable(file->filename, 100));
  return lacks(k_limits.name, message);
}

Result<HttpRequest> PostmarkApi::request(
    const Attempt& attempt, Time, std::vector<std::string>& reduced) const {
  if (auto why = cannot_carry(attempt))
    return fail(Error::Kind::bad_data, *why);
  const RenderedMessage& message = *attempt.message;
  const Addressees addressees = addressees_of(attempt);

  HttpRequest request;
  request.url = url_ + "/email";
  request.headers = {authorization(),
                     {"Content-Type", "application/json"},
                     {"Accept", "application/json"}};
  JsonWriter body(request.body);
  body.field("From", mailbox(wire_address(message.from)));
  body.field("To", mailboxes(addressees.to));
  if (!addressees.cc.empty()) body.field("Cc", mailboxes(addressees.cc));
  if (!addressees.bcc.empty()) body.field("Bcc", mailboxes(addressees.bcc));
  if (message.reply_to)
    body.field("ReplyTo", mailbox(wire_address(*message.reply_to)));
  body.field("Subject", message.subject);
  if (!message.text.empty()) body.field("TextBody", message.text);
  if (!message.html.empty()) body.field("HtmlBody", message.html);
  if (!message.tags.empty())
    body.field("Tag", first_characters(message.tags.front(), k_longest_tag));
  if (message.tags.size() > 1)
    reduced.push_back(some_tags(1, message.tags.size()));
  body.raw("Metadata", metadata_json(message, reduced));
  if (!message.headers.empty())
    body.raw("Headers", json_array(message.headers, header_json));
  if (!message.attachments.empty())
    body.raw("Attachments", json_array(message.attachments, attachment_json));
  if (!stream_.empty()) body.field("MessageStream", stream_);
  body.end();

  if (auto checked = check_lines(message, request); !checked)
    return tl::unexpected(checked.error());
  return request;
}

std::vector<Verdict> PostmarkApi::verdicts(const Attempt& attempt,
                                           const HttpReply& said,
                                           Time now) const {
  const HttpReply reply = without_secret(said, token_);
  const Json body = json_of(reply).value_or(Json());
  const std::string words = words_of(body);
  const auto whole = [&](const Verdict& verdict) {
    return for_all(attempt, verdict);
  };
  switch (body.number_of("ErrorCode")) {
    case k_inactive_recipient:
      return inactive(attempt, reply, now, words);
    case k_invalid_request:
      return invalid(attempt, reply, now, words);
    case k_invalid_json:
    case k_incompatible_json:
    case k_json_required:
    case k_refused_file:
      return whole(api_verdict(Outcome::rejected, reply, now, words));
    case k_out_of_credits:
      return whole(used_up(reply, now, words));
    case k_maintenance:
    case k_no_signature:
    case k_signature_not_confirmed:
    case k_pending_approval:
    case k_may_not_send:
      return whole(api_verdict(Outcome::unavailable, reply, now, words));
    default:
      break;
  }
  if (is_success(reply))
    return accepted(attempt, reply, now, words, body.text_of("MessageID"));
  return whole(verdict_of_status(reply, now, words));
}

Result<HttpRequest> PostmarkApi::check_request(Time) const {
  return json_question(url_ + "/server", authorization());
}

ProviderCheck PostmarkApi::check_result(const HttpReply& said) const {
  const HttpReply reply = without_secret(said, token_);
  const Json body = json_of(reply).value_or(Json());
  const std::string words = words_of(body);
  if (reply.status == 401)
    return {false,
            "the token is not valid; it must be a server's, not the "
            "account's"};
  if (reply.status != 200 || body.find("ID") == nullptr)
    return unexpected_answer(reply, words);
  const std::string whose = fmt::format("the token belongs to server '{}'",
                                        printable(body.text_of("Name"), 100));
  if (body.text_of("DeliveryType") == "Sandbox")
    return {true, whose + ", a sandbox: it takes mail and delivers none"};
  return {true, whose};
}

}  // namespace

std::unique_ptr<HttpApi> make_postmark_api(const ApiConfig& api) {
  return std::make_unique<PostmarkApi>(api);
}

}  // namespace pony
