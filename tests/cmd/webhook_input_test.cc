// The headers that a web server hands over in the environment.
#include "cmd/webhook_input.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("cmd");

namespace pony {

TEST_CASE("the headers of a CGI request are found, and nothing else is one") {
  const char* const environment[] = {"PATH=/bin",
                                     "HTTP_SVIX_ID=msg_1",
                                     "HTTP_X_MANDRILL_SIGNATURE=a=b",
                                     "CONTENT_TYPE=application/json",
                                     "HTTPS=on",
                                     "HTTP_",
                                     "no equals",
                                     nullptr};
  Webhook webhook;
  webhook.headers = cgi_headers(environment);
  CHECK(webhook.headers.size() == 3);
  CHECK(webhook.header("svix-id") == "msg_1");
  CHECK(webhook.header("X-Mandrill-Signature") == "a=b");
  CHECK(webhook.header("Content-Type") == "application/json");
  CHECK(webhook.header("PATH").empty());
}

TEST_CASE("a header that is very long, and the hundredth more, are left out") {
  const std::string large = "HTTP_A=" + std::string(100'000, 'x');
  std::vector<const char*> environment = {large.c_str()};
  for (int i = 0; i < 1000; ++i) environment.push_back("HTTP_B=x");
  environment.push_back(nullptr);
  const auto headers = cgi_headers(environment.data());
  CHECK(headers.size() == 200);
  CHECK(headers.front().name == "B");
}

TEST_SUITE_END();

}  // namespace pony
