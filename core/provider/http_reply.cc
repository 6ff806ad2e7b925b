#include "core/provider/http_reply.h"

#include <fmt/format.h>

#include <ctime>

#include "core/provider/attempt.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_error = 1000;
constexpr std::size_t k_longest_before_advice = 200;
constexpr std::size_t k_longest_id = 250;
constexpr std::chrono::seconds k_rest_when_used_up{3600};
// More than this is a moment, not a number of seconds to wait.
constexpr std::int64_t k_first_unix_time = 1'000'000'000;

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

bool is_text(const HttpReply& reply) {
  const auto type = reply.header("content-type");
  return type.find("html") == type.npos && reply.body.find('<') != 0;
}

std::string first_words(const HttpReply& reply) {
  if (reply.body.empty() || !is_text(reply)) return {};
  return reply.body.substr(0, 200);
}

}  // namespace

bool is_success(const HttpReply& reply) {
  return reply.status >= 200 && reply.status < 300;
}

HttpReply without_secret(const HttpReply& reply, const Secret& secret) {
  HttpReply clean = reply;
  mask_secret(clean.body, secret.reveal());
  return clean;
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
    return clamped_rest(std::chrono::seconds(*seconds));
  if (const auto date = http_date(after))
    return clamped_rest(std::chrono::ceil<std::chrono::seconds>(*date - now));
  if (reset.empty()) return {};
  const auto value = seconds_from(reply.header(reset));
  if (!value) return {};
  if (*value < k_first_unix_time)
    return clamped_rest(std::chrono::seconds(*value));
  return clamped_rest(std::chrono::ceil<std::chrono::seconds>(
      Time(std::chrono::seconds(*value)) - now));
}

std::string provider_id_from(std::string_view text) {
  return printable(text, k_longest_id);
}

Verdict taken_as(const HttpReply& reply, Time now, std::string_view id) {
  Verdict verdict = verdict_of_status(reply, now);
  verdict.provider_id = provider_id_from(id);
  return verdict;
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

Verdict verdict_of_status(const HttpReply& reply, Time now,
                          std::string_view words) {
  Verdict verdict = verdict_of_status(reply, now);
  if (words.empty() || verdict.outcome == Outcome::accepted) return verdict;
  verdict.error = api_verdict(verdict.outcome, reply, now, words).error;
  return verdict;
}

Verdict used_up(const HttpReply& reply, Time now, std::string_view words) {
  Verdict verdict = api_verdict(Outcome::unavailable, reply, now, words);
  if (!verdict.rest) verdict.rest = k_rest_when_used_up;
  return verdict;
}

Verdict may_be_taken(const HttpReply& reply, Time now, std::string_view words) {
  Verdict verdict = api_verdict(Outcome::unknown, reply, now, words);
  verdict.counts_against_provider = false;
  return verdict;
}

std::vector<Verdict> refused_among(const Attempt& attempt,
                                   const Verdict& refused,
                                   const std::vector<bool>& is_refused) {
  Verdict other = refused;
  other.outcome = Outcome::unavailable;
  other.counts_against_provider = false;
  other.error =
      printable("not sent, as other recipients were refused: " + refused.error,
                k_longest_error);
  std::vector<Verdict> verdicts = for_all(attempt, other);
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    if (is_refused[i]) verdicts[i] = refused;
  return verdicts;
}

std::string with_advice(std::string_view theirs, std::string_view advice) {
  return fmt::format("{} ({})", printable(theirs, k_longest_before_advice),
                     advice);
}

ProviderCheck unexpected_answer(const HttpReply& reply,
                                std::string_view words) {
  return {false,
          printable(words.empty()
                        ? fmt::format("unexpected answer {}", reply.status)
                        : fmt::format("unexpected answer {}: {}", reply.status,
                                      words),
                    k_longest_error)};
}

}  // namespace pony
