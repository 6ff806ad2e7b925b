#include "core/provider/http_message.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <ctime>

namespace pony {
namespace {

constexpr std::size_t k_longest_error = 1000;
constexpr std::chrono::seconds k_shortest_rest{1};
constexpr std::chrono::seconds k_longest_rest{24 * 3600};
// More than this is a moment, not a number of seconds to wait.
constexpr std::int64_t k_first_unix_time = 1'000'000'000;

bool has_utf8_local_part(const Address& address) {
  return !is_ascii(local_part(address.email));
}

std::optional<std::int64_t> seconds_from(std::string_view text) {
  if (text.empty() || text.size() > 12) return {};
  std::int64_t value = 0;
  for (const char c : text.substr(0, text.find('.'))) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  return value;
}

// "Sun, 06 Nov 1994 08:49:37 GMT": the one form that RFC 9110, 5.6.7 lets
// senders use.
std::optional<Time> http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end =
      ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return {};
  return Time(std::chrono::seconds(::timegm(&parts)));
}

std::chrono::seconds clamp_rest(std::chrono::seconds rest) {
  return std::clamp(rest, k_shortest_rest, k_longest_rest);
}

bool is_text(const HttpReply& reply) {
  const auto type = reply.header("content-type");
  return type.find("html") == type.npos && reply.body.find('<') != 0;
}

std::string first_words(const HttpReply& reply) {
  if (reply.body.empty() || !is_text(reply)) return {};
  return reply.body.substr(0, 200);
}

bool needs_quotes(std::string_view name) {
  return name.find_first_of("()<>[]:;@\\,.\"") != name.npos;
}

}  // namespace

Address wire_address(const Address& address) {
  auto wire = wire_email(address.email);
  return {address.name, wire ? *wire : address.email};
}

Addressees addressees_of(const Attempt& attempt) {
  Addressees out;
  const RenderedMessage& message = *attempt.message;
  // recipients() names each address once; here each keeps its first role.
  std::vector<std::string_view> left(attempt.recipients.begin(),
                                     attempt.recipients.end());
  const auto take = [&](const std::vector<Address>& from,
                        std::vector<Address>& into) {
    for (const Address& address : from) {
      const auto it = std::find(left.begin(), left.end(), address.email);
      if (it == left.end()) continue;
      left.erase(it);
      into.push_back(wire_address(address));
    }
  };
  take(message.to, out.to);
  take(message.cc, out.cc);
  take(message.bcc, out.bcc);
  if (!out.to.empty()) return out;
  if (!out.cc.empty()) {
    out.to.swap(out.cc);
  } else if (out.bcc.size() == 1) {
    out.to.swap(out.bcc);
  }
  return out;
}

std::string mailbox(const Address& address) {
  if (address.name.empty()) return address.email;
  if (!needs_quotes(address.name))
    return fmt::format("{} <{}>", address.name, address.email);
  std::string quoted;
  for (const char c : address.name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("\"{}\" <{}>", quoted, address.email);
}

std::size_t carried_bytes(const RenderedMessage& message) {
  std::size_t bytes =
      message.subject.size() + message.text.size() + message.html.size() + 1000;
  for (const Header& header : message.headers)
    bytes += header.name.size() + header.value.size() + 4;
  for (const Attachment& attachment : message.attachments)
    // base64 with its line breaks, and a part header.
    bytes +=
        attachment.content.size() / 76 * 78 + attachment.filename.size() + 300;
  return bytes;
}

std::optional<std::string> beyond(const ApiLimits& limits,
                                  const Attempt& attempt) {
  const RenderedMessage& message = *attempt.message;
  const auto no_utf8 = [&](const Address& address) {
    return fmt::format("{} takes no address such as '{}'", limits.name,
                       printable(address.email, 100));
  };
  if (has_utf8_local_part(message.from)) return no_utf8(message.from);
  if (message.reply_to && has_utf8_local_part(*message.reply_to))
    return no_utf8(*message.reply_to);
  const Addressees addressees = addressees_of(attempt);
  for (const auto* list : {&addressees.to, &addressees.cc, &addressees.bcc})
    for (const Address& address : *list)
      if (has_utf8_local_part(address)) return no_utf8(address);

  if (attempt.recipients.size() > limits.recipients)
    return fmt::format("{} takes {} recipients, these are {}", limits.name,
                       limits.recipients, attempt.recipients.size());
  if (addressees.to.empty() && !limits.bcc_alone)
    return fmt::format("{} takes no message with nobody in 'to'", limits.name);
  if (const std::size_t bytes = carried_bytes(message); bytes > limits.bytes)
    return fmt::format("{} takes {} bytes, the message has about {}",
                       limits.name, limits.bytes, bytes);
  if (!limits.inline_images)
    for (const Attachment& attachment : message.attachments)
      if (!attachment.cid.empty())
        return fmt::format("{} takes no inline images ('{}')", limits.name,
                           printable(attachment.cid, 100));
  return std::nullopt;
}

std::string idempotency_key_of(const Attempt& attempt) {
  const RenderedMessage& message = *attempt.message;
  const std::size_t all =
      message.to.size() + message.cc.size() + message.bcc.size();
  if (attempt.recipients.size() == all) return message.id;
  // A part of them is another request: who has it already is left out.
  std::string joined;
  for (const std::string& email : attempt.recipients) joined += email + '\n';
  return fmt::format("{}-{:016x}", message.id,
                     XXH3_64bits(joined.data(), joined.size()));
}

std::optional<Json> json_of(const HttpReply& reply) {
  if (reply.body.empty()) return {};
  auto json = parse_json(reply.body);
  if (!json) return {};
  return std::move(*json);
}

std::optional<std::chrono::seconds> asked_rest(const HttpReply& reply, Time now,
                                               std::string_view reset) {
  const std::string_view after = reply.header("retry-after");
  if (const auto seconds = seconds_from(after))
    return clamp_rest(std::chrono::seconds(*seconds));
  if (const auto date = http_date(after))
    return clamp_rest(std::chrono::ceil<std::chrono::seconds>(*date - now));
  if (reset.empty()) return {};
  const auto value = seconds_from(reply.header(reset));
  if (!value) return {};
  if (*value < k_first_unix_time)
    return clamp_rest(std::chrono::seconds(*value));
  return clamp_rest(std::chrono::ceil<std::chrono::seconds>(
      Time(std::chrono::seconds(*value)) - now));
}

Verdict api_verdict(Outcome outcome, const HttpReply& reply, Time now,
                    std::string_view words) {
  Verdict verdict;
  verdict.outcome = outcome;
  verdict.status = reply.status;
  if (outcome != Outcome::accepted)
    verdict.error =
        printable(words.empty() ? std::to_string(reply.status)
                                : fmt::format("{}: {}", reply.status, words),
                  k_longest_error);
  verdict.rest = asked_rest(reply, now);
  return verdict;
}

Verdict verdict_of_status(const HttpReply& reply, Time now) {
  const std::string words = first_words(reply);
  const int status = reply.status;
  if (status >= 200 && status < 300)
    return api_verdict(Outcome::accepted, reply, now, {});
  if (status == 429)
    return api_verdict(Outcome::throttled, reply, now,
                       words.empty() ? "too many requests" : words);
  // A gateway gave up waiting: the origin may have worked.
  if (status == 504)
    return api_verdict(Outcome::unknown, reply, now,
                       words.empty() ? "gateway timeout" : words);
  // Never followed: a POST with credentials goes where the configuration
  // says and nowhere else.
  if (status >= 300 && status < 400)
    return api_verdict(Outcome::unavailable, reply, now,
                       "a redirect, which is not followed");
  Verdict verdict = api_verdict(Outcome::unavailable, reply, now, words);
  verdict.counts_against_provider = status != 413;
  return verdict;
}

std::vector<Verdict> for_all(const Attempt& attempt, const Verdict& verdict) {
  return std::vector<Verdict>(attempt.recipients.size(), verdict);
}

}  // namespace pony
