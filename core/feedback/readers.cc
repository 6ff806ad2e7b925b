#include "core/feedback/readers.h"

#include <algorithm>
#include <array>

#include "core/address.h"
#include "core/base64.h"
#include "core/lower_case.h"
#include "core/net/crypto.h"
#include "core/rendered_message.h"
#include "core/trimmed.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_id = 300;
constexpr std::size_t k_longest_address = 320;
constexpr std::size_t k_longest_url = 300;
// Kinds that are counted by name: a body decides how many there are.
constexpr std::size_t k_most_kinds = 16;
constexpr std::size_t k_longest_kind = 60;
// The year 9999 ends there.
constexpr std::int64_t k_end_of_time = 253'402'300'800;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "5.1.1" at the start of `text`, as three numbers.
std::optional<std::array<int, 3>> enhanced_code(std::string_view text) {
  std::array<int, 3> parts{};
  for (std::size_t part = 0; part < parts.size(); ++part) {
    if (part > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    std::size_t digits = 0;
    while (digits < 3 && digits < text.size() && is_digit(text[digits]))
      parts[part] = parts[part] * 10 + (text[digits++] - '0');
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
  }
  if (!text.empty() && (is_digit(text.front()) || text.front() == '.'))
    return std::nullopt;
  if (parts[0] != 4 && parts[0] != 5) return std::nullopt;
  return parts;
}

Bounce bounce_of(const std::array<int, 3>& code, Bounce otherwise) {
  if (code[0] == 4) return Bounce::soft;
  const int subject = code[1];
  const int detail = code[2];
  // No such mailbox, domain or address; a disabled mailbox.
  if (subject == 1 && (detail <= 3 || detail == 6 || detail == 10))
    return Bounce::hard;
  if (subject == 2 && detail == 1) return Bounce::hard;
  if (subject == 2 && detail == 2) return Bounce::soft;  // a full one
  if (subject == 7) return Bounce::blocked;
  return otherwise;
}

}  // namespace

tl::unexpected<Error> lacks_setting(std::string_view key,
                                    std::string_view why) {
  return fail(Error::Kind::config,
              "'webhook." + std::string(key) + "' is not set",
              std::string(why));
}

tl::unexpected<Error> not_signed(std::string_view header) {
  return fail(Error::Kind::no_permission,
              "the request is not signed: it has no '" + std::string(header) +
                  "' header",
              "hand the headers over with --header, or run it as CGI");
}

tl::unexpected<Error> wrong_signature(std::string hint) {
  return fail(Error::Kind::no_permission,
              "the request's signature is not the provider's", std::move(hint));
}

tl::unexpected<Error> no_body_of(std::string_view provider, std::string why) {
  return fail(Error::Kind::bad_data, "this is no webhook of " +
                                         std::string(provider) +
                                         "'s: " + std::move(why));
}

Result<> check_password(const Webhook& webhook,
                        const WebhookSettings& settings) {
  if (settings.username.empty())
    return lacks_setting("username",
                         "its requests are not signed: put a name and a "
                         "password into the webhook's URL, and both here");
  if (settings.password.empty())
    return lacks_setting("password", "give it with 'password_file'");
  constexpr std::string_view k_basic = "basic ";
  const std::string_view given = webhook.header("Authorization");
  if (given.empty()) return not_signed("Authorization");
  if (in_lower_case(given.substr(0, k_basic.size())) != k_basic)
    return fail(Error::Kind::no_permission,
                "the request's 'Authorization' is not of the kind 'Basic'");
  const Secret expected(settings.username + ":" + settings.password.reveal());
  const Secret told(decode_base64(trimmed(given.substr(k_basic.size()))));
  // The digests: of the secret not even its length can be measured.
  const auto ours = sha256(expected.reveal());
  if (!ours) return tl::unexpected<Error>(ours.error());
  const auto theirs = sha256(told.reveal());
  if (!theirs) return tl::unexpected<Error>(theirs.error());
  const auto same = same_in_constant_time(*ours, *theirs);
  if (!same) return tl::unexpected<Error>(same.error());
  if (!*same)
    return fail(Error::Kind::no_permission,
                "the request's name and password are not the configured ones");
  return {};
}

Result<Json> json_body(std::string_view body, std::string_view provider) {
  auto json = parse_json(body);
  if (!json) return no_body_of(provider, json.error().what);
  return json;
}

const Json& member(const Json& json, std::string_view key) {
  static const Json none;
  const Json* found = json.is_object() ? json.find(key) : nullptr;
  return found == nullptr ? none : *found;
}

std::string text_at(const Json& json, std::string_view key, std::size_t limit) {
  return printable(trimmed(member(json, key).text), limit);
}

std::string address_in(std::string_view text) {
  if (text.size() > k_longest_address) return {};
  auto address = parse_address(text);
  return address ? std::move(address->email) : std::string();
}

std::string address_at(const Json& json, std::string_view key) {
  const Json& value = member(json, key);
  return value.is_string() ? address_in(value.text) : std::string();
}

std::string id_at(const Json& json, std::string_view key) {
  const std::string& id = member(json, key).text;
  const bool fits = id.size() <= k_longest_id &&
                    std::all_of(id.begin(), id.end(),
                                [](char c) { return c > ' ' && c < '\x7f'; });
  return fits ? id : std::string();
}

std::string without_brackets(std::string id) {
  if (id.size() >= 2 && id.front() == '<' && id.back() == '>')
    id = id.substr(1, id.size() - 2);
  return id;
}

std::string our_id_in(const Json& metadata) {
  return id_at(metadata, k_id_name);
}

std::optional<Time> epoch_time(std::string_view text) {
  std::int64_t seconds = 0;
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at])) {
    seconds = seconds * 10 + (text[at++] - '0');
    if (seconds >= k_end_of_time) return std::nullopt;
  }
  if (at == 0) return std::nullopt;
  std::int64_t ms = 0;
  if (at < text.size()) {
    if (text[at++] != '.') return std::nullopt;
    for (std::int64_t unit = 100; at < text.size(); ++at, unit /= 10) {
      if (!is_digit(text[at])) return std::nullopt;
      ms += (text[at] - '0') * unit;
    }
  }
  return Time(std::chrono::seconds(seconds)) + Milliseconds(ms);
}

std::optional<Time> moment_at(const Json& json, std::string_view key) {
  constexpr std::size_t k_longest = 40;
  std::string text = member(json, key).text;
  if (text.empty() || text.size() > k_longest) return std::nullopt;
  if (auto time = epoch_time(text)) return time;
  // "2026-11-21 10:00:00.123456+00", as PostgreSQL writes it.
  if (text.size() > 10 && text[10] == ' ') text[10] = 'T';
  if (text.size() > 3 && (text[text.size() - 3] == '+')) text += ":00";
  const auto time = parse_time(text);
  return time ? std::optional(*time) : std::nullopt;
}

std::string told_url(std::string_view url) {
  const std::string lower = in_lower_case(url.substr(0, 8));
  const std::size_t scheme = lower.starts_with("https://")  ? 8
                             : lower.starts_with("http://") ? 7
                                                            : 0;
  if (scheme == 0) return {};
  url = url.substr(0, url.find_first_of("?#"));
  const std::string_view rest = url.substr(scheme);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const std::size_t at = authority.rfind('@');
  const std::string_view shown =
      at == std::string_view::npos ? rest : rest.substr(at + 1);
  return printable(lower.substr(0, scheme).append(shown), k_longest_url);
}

Bounce bounce_by_words(std::string_view words, Bounce otherwise) {
  // It stands near the beginning; what is quoted further behind may be of
  // another server.
  constexpr std::size_t k_looked_at = 120;
  words = words.substr(0, k_looked_at);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && (is_digit(words[i - 1]) || words[i - 1] == '.')) continue;
    if (const auto code = enhanced_code(words.substr(i)))
      return bounce_of(*code, otherwise);
  }
  return otherwise;
}

int smtp_status(std::string_view words) {
  const std::size_t kind = words.find(';');
  if (kind != std::string_view::npos && kind < 10)
    words.remove_prefix(kind + 1);
  words = trimmed(words);
  if (words.size() < 3 || !is_digit(words[0]) || !is_digit(words[1]) ||
      !is_digit(words[2]) || (words.size() > 3 && is_digit(words[3])))
    return 0;
  const int status =
      (words[0] - '0') * 100 + (words[1] - '0') * 10 + (words[2] - '0');
  return status >= 200 && status < 600 ? status : 0;
}

void ignore(Feedback& feedback, std::string_view kind) {
  std::string name = printable(kind, k_longest_kind);
  if (name.empty()) name = "unnamed";
  if (feedback.ignored.size() >= k_most_kinds &&
      !feedback.ignored.contains(name))
    name = "other";
  ++feedback.ignored[name];
}

}  // namespace pony
