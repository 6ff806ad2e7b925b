// See aws_signature.h. Three texts are made, each hashed into the next: the
// canonical request, the string to sign, the signature.
#include "core/net/aws_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/lower_case.h"
#include "core/net/crypto.h"

namespace pony {
namespace {

constexpr std::string_view k_algorithm = "AWS4-HMAC-SHA256";

struct Url {
  std::string host;  // with its port, unless that is the scheme's own
  std::string path;
  std::string query;
};

Url take_apart(std::string_view url) {
  Url out;
  const std::size_t scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end);
  if (scheme_end != std::string_view::npos) url.remove_prefix(scheme_end + 3);
  const std::size_t host_end = std::min(url.find_first_of("/?"), url.size());
  std::string_view host = url.substr(0, host_end);
  const std::string_view usual_port = scheme == "http" ? ":80" : ":443";
  if (host.ends_with(usual_port)) host.remove_suffix(usual_port.size());
  out.host = host;
  url.remove_prefix(host_end);
  const std::size_t path_end = std::min(url.find('?'), url.size());
  out.path = path_end == 0 ? "/" : url.substr(0, path_end);
  if (path_end < url.size()) out.query = url.substr(path_end + 1);
  return out;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

// Percent-encodes all but RFC 3986's unreserved characters and '/'. A path
// that is escaped already gets its '%' escaped, which is what is asked for.
std::string encoded_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (is_unreserved(c) || c == '/')
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// The parameters in the order of their names, then values; "a" is "a=".
std::string sorted_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view one = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (one.empty()) continue;
    const std::size_t equals = std::min(one.find('='), one.size());
    parameters.emplace_back(one.substr(0, equals),
                            one.substr(std::min(equals + 1, one.size())));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string out;
  for (const auto& [name, value] : parameters)
    out += (out.empty() ? "" : "&") + name + '=' + value;
  return out;
}

// Without the spaces at its ends, and with one for each run of them.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool is_space = c == ' ' || c == '\t';
    if (is_space && (out.empty() || out.back() == ' ')) continue;
    out += is_space ? ' ' : c;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

struct Canonical {
  std::string headers;  // "name:value\n" each
  std::string names;    // "host;x-amz-date"
};

Canonical canonical_headers(const std::vector<HttpHeader>& headers) {
  std::vector<HttpHeader> sorted;
  for (const HttpHeader& header : headers)
    sorted.push_back({in_lower_case(header.name), trimmed(header.value)});
  // Stable: values of one name stay in their order.
  std::stable_sort(
      sorted.begin(), sorted.end(),
      [](const HttpHeader& a, const HttpHeader& b) { return a.name < b.name; });
  Canonical out;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && sorted[i].name == sorted[i - 1].name) {
      out.headers.back() = ',';
      out.headers += sorted[i].value + '\n';
      continue;
    }
    out.headers += sorted[i].name + ':' + sorted[i].value + '\n';
    out.names += (out.names.empty() ? "" : ";") + sorted[i].name;
  }
  return out;
}

// "20150830T123600Z"
std::string basic_time(Time time) {
  std::string out = format_time(time);  // 2015-08-30T12:36:00.000Z
  out.resize(out.find('.'));
  std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
  return out + 'Z';
}

// The secret is used up step by step, so that what signs is good for one day,
// region and service only.
Result<std::string> sign(const Secret& secret,
                         const std::vector<std::string_view>& steps) {
  Secret key("AWS4" + secret.reveal());
  for (const std::string_view step : steps) {
    auto next = hmac_sha256(key.reveal(), step);
    if (!next) return next;
    key = Secret(std::move(*next));
  }
  return to_hex(key.reveal());
}

}  // namespace

Result<std::vector<HttpHeader>> aws_signature(const HttpRequest& request,
                                              const AwsCredentials& credentials,
                                              const AwsScope& scope, Time now) {
  const Url url = take_apart(request.url);
  const std::string time = basic_time(now);
  const std::string day = time.substr(0, 8);

  std::vector<HttpHeader> added = {{"X-Amz-Date", time}};
  if (!credentials.session_token.empty())
    added.push_back(
        {"X-Amz-Security-Token", credentials.session_token.reveal()});
  std::vector<HttpHeader> signed_headers = request.headers;
  signed_headers.push_back({"Host", url.host});
  signed_headers.insert(signed_headers.end(), added.begin(), added.end());
  const Canonical canonical = canonical_headers(signed_headers);

  const auto body_hash = sha256(request.body);
  if (!body_hash) return tl::unexpected<Error>(body_hash.error());
  const auto request_hash = sha256(
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method,
                  encoded_path(url.path), sorted_query(url.query),
                  canonical.headers, canonical.names, to_hex(*body_hash)));
  if (!request_hash) return tl::unexpected<Error>(request_hash.error());

  const std::string credential_scope =
      fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", k_algorithm, time, credential_scope,
                  to_hex(*request_hash));
  const auto signature =
      sign(credentials.secret_access_key,
           {day, scope.region, scope.service, "aws4_request", to_sign});
  if (!signature) return tl::unexpected<Error>(signature.error());

  added.push_back({"Authorization",
                   fmt::format("{} Credential={}/{}, SignedHeaders={}, "
                               "Signature={}",
                               k_algorithm, credentials.access_key_id.reveal(),
                               credential_scope, canonical.names, *signature)});
  return added;
}

}  // namespace pony
