#include "core/list_unsubscribe.h"

#include <algorithm>

#include "core/json.h"

namespace pony {
namespace {

constexpr std::size_t k_longest = 900;

// What no URI has (RFC 3986, appendix A), or what would end its '<…>'.
bool is_uri_character(char c) {
  return c > ' ' && c < '\x7f' &&
         std::string_view("<>\"\\^`{|}").find(c) == std::string_view::npos;
}

bool is_web(std::string_view uri) {
  return uri.starts_with("https://");
}

}  // namespace

Result<> check_unsubscribe_uri(std::string_view uri) {
  constexpr std::string_view k_mail = "mailto:";
  const bool known = (is_web(uri) && uri.size() > 8) ||
                     (uri.starts_with(k_mail) && uri.size() > k_mail.size());
  const std::string shown = "'" + printable(uri, 80) + "'";
  if (!known)
    return fail(Error::Kind::bad_data,
                shown + " is neither an https:// nor a mailto: address",
                "write https://widgets.example/unsubscribe?u=42");
  if (uri.size() > k_longest)
    return fail(Error::Kind::bad_data, shown + " is longer than 900 bytes");
  if (!std::all_of(uri.begin(), uri.end(), is_uri_character))
    return fail(Error::Kind::bad_data,
                shown + " has a character that no address has",
                "write it percent-encoded: a space is %20");
  return {};
}

std::vector<Header> list_unsubscribe_headers(
    const std::vector<std::string>& uris) {
  if (uris.empty()) return {};
  std::string value;
  for (const auto& uri : uris)
    value += (value.empty() ? "<" : ", <") + uri + ">";
  std::vector<Header> headers = {{"List-Unsubscribe", std::move(value)}};
  if (std::any_of(uris.begin(), uris.end(), is_web))
    headers.push_back({"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"});
  return headers;
}

}  // namespace pony
