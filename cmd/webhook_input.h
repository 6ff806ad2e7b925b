// A webhook's request as it comes to a command: the body on standard input,
// the headers from options or, of a web server, from the environment
// (RFC 3875, CGI).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmd/context.h"
#include "core/feedback/feedback.h"
#include "core/result.h"

namespace pony {

// Did a web server start us?
bool is_cgi();
// The request's method as that server tells it; "POST" without one.
std::string cgi_method();

// Reads the request. `headers` are "Name: value" each; in CGI the server's
// are added. Errors: usage (a header is none), bad_data (over 10 MiB), disk.
Result<Webhook> read_webhook(const std::vector<std::string>& headers,
                             Context& context);

// The headers in `environment` ("HTTP_X_NAME=value", up to a null): those of
// CGI, X-Name with its value each. Split off so that it can be tested.
std::vector<HttpHeader> cgi_headers(const char* const* environment);

}  // namespace pony
