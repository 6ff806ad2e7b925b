// Resend's emails API.
//
// Promises: the same request for every try of an attempt, under the same
// idempotency key, so that a second one sends no second mail for a day. Our
// tags become its tags "tag", "tag2", …; metadata, whose names are its tags'
// names, is left out where Resend has no letters for it, as the only other
// place is a header that recipients see. `pony_id` is a tag too.
// Resend drops a mail without a word when a file's extension contradicts its
// type: such a file gets the usual extension behind its name.
#include "core/provider/resend.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/mime/builder.h"
#include "core/mime/header_encoding.h"
#include "core/provider/attachment_name.h"
#include "core/provider/attempt.h"
#include "core/provider/http_message.h"
#include "core/provider/http_reply.h"

namespace pony {
namespace {

// 50 is documented for `to` alone; for all of them it is the safe reading.
constexpr ApiLimits k_limits = {
    .name = "Resend", .recipients = 50, .bytes = 40'000'000};
constexpr std::size_t k_longest_tag = 256;
// Documented nowhere; what is behind Resend takes no more.
constexpr std::size_t k_most_tags = 50;

// By its page on attachment types that it does not send.
constexpr std::string_view k_refused_files =
    "adp app asp bas bat cer chm cmd com cpl crt csh der exe fxp gadget hlp "
    "hta inf ins isp its js jse ksh lib lnk mad maf mag mam maq mar mas mat "
    "mau mav maw mda mdb mde mdt mdw mdz msc msh msh1 msh2 mshxml msh1xml "
    "msh2xml msi msp mst ops pcd pif plg prf prg reg scf scr sct shb shs sys "
    "ps1 ps1xml ps2 ps2xml psc1 psc2 tmp url vb vbe vbs vps vsmacros vss vst "
    "vsw vxd ws wsc wsf wsh xnk";

bool has_specials(std::string_view name) {
  return name.find_first_of(k_specials) != std::string_view::npos;
}

// `text` as encoded-words (RFC 2047) on one line.
std::string encoded_phrase(std::string_view text) {
  std::string folded;
  HeaderLine line(folded, "");
  line.encoded(text, EncodedIn::phrase);
  line.end();
  std::string phrase;
  for (const char c : std::string_view(folded).substr(1))
    if (c != '\r' && c != '\n') phrase += c;
  return phrase.substr(std::min(phrase.find('='), phrase.size()));
}

// Resend refuses a quoted name; as an encoded-word it takes every one.
std::string recipient(const Address& address) {
  if (address.name.empty() || !has_specials(address.name))
    return mailbox(address);
  return fmt::format("{} <{}>", encoded_phrase(address.name), address.email);
}

// In `from` it refuses encoded-words as well: the name goes without what
// would have to be quoted.
std::string sender(const Address& address, std::vector<std::string>& reduced) {
  if (!has_specials(address.name)) return mailbox(address);
  Address plain = address;
  plain.name.clear();
  for (const char c : address.name)
    if (k_specials.find(c) == std::string_view::npos) plain.name += c;
  if (plain.name.find_first_not_of(' ') == std::string::npos)
    plain.name.clear();
  reduced.push_back(carried_as("the sender's name", address.name, plain.name));
  return mailbox(plain);
}

std::string recipients_json(const std::vector<Address>& addresses) {
  return json_array(addresses, [](const Address& address) {
    return json_string(recipient(address));
  });
}

// What a tag's name and value may be.
bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= k_longest_tag &&
         std::all_of(text.begin(), text.end(), is_tag_character);
}

std::string plain_form(std::string_view tag) {
  return tag_form(tag).substr(0, k_longest_tag);
}

// All that becomes Resend's tags, each name once.
class Tags {
 public:
  explicit Tags(const std::string& id) {
    tags_.push_back({std::string(k_id_name), id});
  }

  void add_tags(const std::vector<std::string>& tags,
                std::vector<std::string>& reduced) {
    std::size_t number = 0;
    for (const std::string& tag : tags) {
      const std::string value = plain_form(tag);
      if (tags_.size() == k_most_tags || value.empty()) continue;
      ++number;
      tags_.push_back(
          {number == 1 ? "tag" : fmt::format("tag{}", number), value});
      if (value != tag) reduced.push_back(carried_as("tag", tag, value));
    }
    if (number < tags.size()) reduced.push_back(some_tags(number, tags.size()));
  }

  void add_metadata(const std::vector<Header>& metadata,
                    std::vector<std::string>& reduced) {
    for (const Header& entry : metadata) {
      std::string why;
      if (!is_plain(entry.name) || !is_plain(entry.value))
        why = fmt::format("not 1 to {} of A-Z a-z 0-9 _ -", k_longest_tag);
      else if (has(entry.name))
        why = k_name_is_taken;
      else if (tags_.size() == k_most_tags)
        why = over_in_all(k_most_tags, "tags");
      if (why.empty())
        tags_.push_back(entry);
      else
        reduced.push_back(left_out("metadata", entry.name, why));
    }
  }

  std::string json() const {
    return json_array(tags_, [](const Header& tag) {
      std::string json;
      JsonWriter writer(json);
      writer.field("name", tag.name).field("value", tag.value).end();
      return json;
    });
  }

 private:
  bool has(std::string_view name) const {
    return std::any_of(tags_.begin(), tags_.end(),
                       [&](const Header& tag) { return tag.name == name; });
  }

  std::vector<Header> tags_;
};

std::string attachment_json(const Attachment& attachment,
                            std::vector<std::string>& reduced) {
  const std::string filename = typed_filename(attachment);
  say_renamed(attachment, filename, reduced);
  std::string json;
  JsonWriter writer(json);
  writer.field("filename", filename).field("content", attachment.content);
  // Nobody said what it is: the file name says more.
  if (attachment.content_type != "application/octet-stream")
    writer.field("content_type", attachment.content_type);
  if (!attachment.cid.empty()) writer.field("content_id", attachment.cid);
  writer.end();
  return json;
}

std::string headers_json(const RenderedMessage& message,
                         std::vector<std::string>& reduced) {
  std::vector<Header> headers = {{"Message-ID", message_id_header(message)}};
  for (Header& header : headers_once(message, {"message-id"}, reduced))
    headers.push_back(std::move(header));
  return json_object(headers);
}

bool is_one(std::string_view name,
            std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class ResendApi : public HttpApi {
 public:
  explicit ResendApi(const ApiConfig& api)
      : url_(api.base_url("https://api.resend.com")),
        key_(api.secret("api_key")) {}

  std::string_view type() const override { return "resend"; }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  Result<HttpRequest> request(const Attempt& attempt, Time now,
                              std::vector<std::string>& reduced) const override;
  std::vector<Verdict> verdicts(const Attempt& attempt, const HttpReply& reply,
                                Time now) const override;
  Result<HttpRequest> check_request(Time now) const override;
  ProviderCheck check_result(const HttpReply& reply) const override;
  std::chrono::seconds remembers_key_for() const override {
    return std::chrono::hours(24);
  }

 private:
  HttpHeader authorization() const {
    return {"Authorization", "Bearer " + key_.reveal()};
  }
  static Verdict refusal(const HttpReply& reply, Time now);

  std::string url_;
  Secret key_;
};

std::optional<std::string> ResendApi::cannot_carry(
    const Attempt& attempt) const {
  const RenderedMessage& message = *attempt.message;
  if (auto why = beyond(k_limits, attempt)) return why;
  if (const auto* file = with_extension(message, k_refused_files))
    return fmt::format("Resend takes no such file ('{}')",
                       printable(file->filename, 100));
  return lacks(k_limits.name, message);
}

Result<HttpRequest> ResendApi::request(
    const Attempt& attempt, Time, std::vector<std::string>& reduced) const {
  if (auto why = cannot_carry(attempt))
    return fail(Error::Kind::bad_data, *why);
  const RenderedMessage& message = *attempt.message;
  const Addressees addressees = addressees_of(attempt);

  HttpRequest request;
  request.url = url_ + "/emails";
  request.headers = {authorization(),
                     {"Content-Type", "application/json"},
                     {"Accept", "application/json"},
                     {"Idempotency-Key", idempotency_key_of(attempt)}};
  JsonWriter body(request.body);
  body.field("from", sender(wire_address(message.from), reduced));
  body.raw("to", recipients_json(addressees.to));
  if (!addressees.cc.empty()) body.raw("cc", recipients_json(addressees.cc));
  if (!addressees.bcc.empty()) body.raw("bcc", recipients_json(addressees.bcc));
  if (message.reply_to)
    body.field("reply_to", recipient(wire_address(*message.reply_to)));
  body.field("subject", message.subject);
  if (!message.text.empty()) body.field("text", message.text);
  if (!message.html.empty()) body.field("html", message.html);
  body.raw("headers", headers_json(message, reduced));
  if (!message.attachments.empty())
    body.raw("attachments",
             json_array(message.attachments, [&](const Attachment& one) {
               return attachment_json(one, reduced);
             }));
  Tags tags(message.id);
  tags.add_tags(message.tags, reduced);
  tags.add_metadata(message.metadata, reduced);
  body.raw("tags", tags.json());
  body.end();

  if (auto checked = check_lines(message, request); !checked)
    return tl::unexpected(checked.error());
  return request;
}

Verdict ResendApi::refusal(const HttpReply& reply, Time now) {
  const Json body = json_of(reply).value_or(Json());
  const std::string_view name = body.text_of("name");
  const std::string_view words = body.text_of("message", name);
  if (is_one(name,
             {"invalid_idempotent_request", "concurrent_idempotent_requests"}))
    return may_be_taken(reply, now, words);
  // They come as a 429, but no pause of seconds helps.
  if (is_one(name, {"daily_quota_exceeded", "monthly_quota_exceeded"}))
    return used_up(reply, now, words);
  if (name == "rate_limit_exceeded" || reply.status == 429) {
    Verdict verdict = api_verdict(Outcome::throttled, reply, now,
                                  words.empty() ? "too many requests" : words);
    verdict.rest = asked_rest(reply, now, "ratelimit-reset");
    return verdict;
  }
  // With 403 it means a domain that is not verified here.
  const bool is_about_message =
      is_one(name, {"validation_error", "missing_required_field",
                    "missing_required_fields", "invalid_attachment"}) &&
      (reply.status == 400 || reply.status == 422);
  if (is_about_message)
    return api_verdict(Outcome::rejected, reply, now, words);
  return verdict_of_status(reply, now, words);
}

std::vector<Verdict> ResendApi::verdicts(const Attempt& attempt,
                                         const HttpReply& said,
                                         Time now) const {
  if (!is_success(said))
    return for_all(attempt, refusal(without_secret(said, key_), now));
  const Json body = json_of(said).value_or(Json());
  return for_all(attempt, taken_as(said, now, body.text_of("id")));
}

Result<HttpRequest> ResendApi::check_request(Time) const {
  return json_question(url_ + "/domains", authorization());
}

ProviderCheck ResendApi::check_result(const HttpReply& said) const {
  const HttpReply reply = without_secret(said, key_);
  const Json body = json_of(reply).value_or(Json());
  const std::string_view name = body.text_of("name");
  const std::string_view words = body.text_of("message", name);
  if (name == "restricted_api_key")
    return {true, "the key may send, and nothing else"};
  if (reply.status == 401 || reply.status == 403)
    return {false, printable(fmt::format("the key is not valid: {}", words))};
  const Json* domains = body.find("data");
  if (reply.status != 200 || domains == nullptr || !domains->is_array())
    return unexpected_answer(reply, words);
  for (const Json& domain : domains->items)
    if (domain.text_of("status") == "verified")
      return {true, fmt::format("the key is valid; domain '{}' is verified",
                                printable(domain.text_of("name"), 100))};
  // There may be more of them on another page.
  if (body.text_of("has_more") == "true") return {true, "the key is valid"};
  return {false,
          "the key is valid, but no domain is verified: Resend would send to "
          "the account's owner only"};
}

}  // namespace

std::unique_ptr<HttpApi> make_resend_api(const ApiConfig& api) {
  return std::make_unique<ResendApi>(api);
}

}  // namespace pony
