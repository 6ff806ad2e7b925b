#include "cmd/webhook_input.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "core/fs.h"
#include "core/trimmed.h"

namespace pony {
namespace {

constexpr std::size_t k_most_headers = 200;
constexpr std::size_t k_longest_header = std::size_t{64} << 10;

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < '\x7f' && c != ':';
  });
}

Result<HttpHeader> header_from(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  // Without the value: it may be a password.
  if (colon == std::string_view::npos || !is_token(name))
    return fail(Error::Kind::usage, "--header is no 'Name: value'");
  const std::string_view value = trimmed(text.substr(colon + 1));
  if (value.find_first_of("\r\n") != std::string_view::npos)
    return fail(Error::Kind::usage, "header '" + printable(name, 60) +
                                        "' has a line break in its value");
  return HttpHeader{std::string(name), std::string(value)};
}

// "HTTP_X_MANDRILL_SIGNATURE" → "X-Mandrill-Signature" but for the case,
// which nobody looks at.
std::string header_name(std::string_view variable) {
  std::string name(variable);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

// The length that a web server names; nothing when it names none.
Result<std::optional<std::size_t>> content_length() {
  const char* given = ::getenv("CONTENT_LENGTH");
  if (given == nullptr || *given == '\0') return std::optional<std::size_t>();
  const std::string_view text = given;
  std::size_t length = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(Error::Kind::bad_data, "CONTENT_LENGTH is no number");
  return std::optional(length);
}

tl::unexpected<Error> too_large() {
  return fail(Error::Kind::bad_data, "the body is larger than 10 MiB");
}

// No web server need close its end: so many bytes and no more are read.
Result<std::string> read_bytes(int fd, std::size_t length) {
  std::string body(length, '\0');
  std::size_t have = 0;
  while (have < length) {
    const ssize_t n = ::read(fd, body.data() + have, length - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "cannot read standard input");
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  if (have < length)
    return fail(Error::Kind::bad_data, "the body ends before its length");
  return body;
}

Result<std::string> read_body(Context& context) {
  std::optional<std::size_t> length;
  if (is_cgi()) {
    auto told = content_length();
    if (!told) return tl::unexpected(told.error());
    length = *told;
  }
  if (length && *length > k_webhook_limit) return too_large();
  if (length) return read_bytes(context.io().in(), *length);
  auto body = read_all(context.io().in(), k_webhook_limit, "standard input");
  if (!body && body.error().kind == Error::Kind::bad_data) return too_large();
  return body;
}

}  // namespace

bool is_cgi() {
  return ::getenv("GATEWAY_INTERFACE") != nullptr;
}

std::string cgi_method() {
  const char* method = ::getenv("REQUEST_METHOD");
  return method == nullptr ? "POST" : method;
}

std::vector<HttpHeader> cgi_headers(const char* const* environment) {
  constexpr std::string_view k_prefix = "HTTP_";
  std::vector<HttpHeader> headers;
  for (; *environment != nullptr && headers.size() < k_most_headers;
       ++environment) {
    const std::string_view entry = *environment;
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos || entry.size() > k_longest_header)
      continue;
    std::string_view name = entry.substr(0, equals);
    const bool is_header = name.starts_with(k_prefix);
    if (is_header) name.remove_prefix(k_prefix.size());
    // The two that CGI calls otherwise.
    if (!is_header && name != "CONTENT_TYPE" && name != "CONTENT_LENGTH")
      continue;
    headers.push_back(
        {header_name(name), std::string(entry.substr(equals + 1))});
  }
  return headers;
}

Result<Webhook> read_webhook(const std::vector<std::string>& headers,
                             Context& context) {
  Webhook webhook;
  for (const std::string& text : headers) {
    auto header = header_from(text);
    if (!header) return tl::unexpected(header.error());
    webhook.headers.push_back(std::move(*header));
  }
  if (is_cgi())
    for (HttpHeader& header : cgi_headers(::environ))
      webhook.headers.push_back(std::move(header));
  auto body = read_body(context);
  if (!body) return tl::unexpected(body.error());
  webhook.body = std::move(*body);
  return webhook;
}

}  // namespace pony
