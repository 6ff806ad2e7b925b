// HTTP as values: a request to be sent, a reply that came. No I/O; what turns
// one into the other is net/http_client.h.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pony {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method = "POST";
  std::string url;  // whole: scheme, host, path and query, escaped
  // Without Host, Content-Length, User-Agent, Expect: the client's affair.
  std::vector<HttpHeader> headers;
  std::string body;  // of a POST; may hold any bytes
};

struct HttpReply {
  int status = 0;
  std::vector<HttpHeader> headers;
  // What came of it: the connection may have broken, the time been up or the
  // limit of 256 KiB reached before its end. The headers above are whole.
  std::string body;  // at most 256 KiB of it
  // False: the connection broke, the time was up or the limit was reached
  // before the body's end. The status line and the headers are whole.
  bool whole = true;

  // The first header of this name, whatever its case; empty when there is
  // none.
  std::string_view header(std::string_view name) const;
};

}  // namespace pony
