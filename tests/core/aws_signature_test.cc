// Signature Version 4, against the vectors of AWS's own test suite and of its
// General Reference.
#include "core/net/aws_signature.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/require_ok.h"

namespace pony {
namespace {

constexpr const char* k_secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

Time vector_time() {
  return *parse_time("2015-08-30T12:36:00Z");
}

AwsCredentials credentials() {
  return {Secret("AKIDEXAMPLE"), Secret(k_secret), Secret()};
}

HttpRequest request(std::string method, std::string path = "/",
                    std::vector<HttpHeader> headers = {},
                    std::string body = {}) {
  return {std::move(method), "https://example.amazonaws.com" + path,
          std::move(headers), std::move(body)};
}

std::vector<HttpHeader> signature_headers(
    const HttpRequest& of, const AwsCredentials& by = credentials(),
    const AwsScope& scope = {"us-east-1", "service"}) {
  auto headers = aws_signature(of, by, scope, vector_time());
  REQUIRE_OK(headers);
  return *headers;
}

std::string authorization(const HttpRequest& of,
                          const AwsCredentials& by = credentials(),
                          const AwsScope& scope = {"us-east-1", "service"}) {
  const auto headers = signature_headers(of, by, scope);
  CHECK(headers.back().name == "Authorization");
  return headers.back().value;
}

// The last 64 characters.
std::string signature(const HttpRequest& of,
                      const AwsCredentials& by = credentials(),
                      const AwsScope& scope = {"us-east-1", "service"}) {
  const std::string value = authorization(of, by, scope);
  REQUIRE(value.size() > 64);
  return value.substr(value.size() - 64);
}

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("a signed request says when, by whom, for whom and what is signed") {
  const auto headers = signature_headers(request("GET"));

  REQUIRE(headers.size() == 2);
  CHECK(headers[0].name == "X-Amz-Date");
  CHECK(headers[0].value == "20150830T123600Z");
  CHECK(headers[1].value ==
        "AWS4-HMAC-SHA256 "
        "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763f"
        "bf31");
}

TEST_CASE("signatures are those of AWS's test suite") {
  SUBCASE("get-vanilla") {
    CHECK(signature(request("GET")) ==
          "5fa00fa31553b73ebf1942676e86291e"
          "8372ff2a2260956d9b8aae1d763fbf31");
  }
  SUBCASE("post-vanilla") {
    CHECK(signature(request("POST")) ==
          "5da7c1a2acd57cee7505fc6676e4e544"
          "621c30862966e37dddb68e92efbe5d6b");
  }
  SUBCASE("post-x-www-form-urlencoded") {
    CHECK(signature(
              request("POST", "/",
                      {{"Content-Type", "application/x-www-form-urlencoded"}},
                      "Param1=value1")) ==
          "ff11897932ad3f4e8b18135d722051e5"
          "ac45fc38421b1da7b9d196a0fe09473a");
  }
  SUBCASE("get-header-value-trim") {
    CHECK(signature(request(
              "GET", "/",
              {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}})) ==
          "acc3ed3afb60bb290fc8d2dd0098b991"
          "1fcaa05412b367055dee359757a9c736");
  }
  SUBCASE("get-header-key-duplicate") {
    CHECK(signature(request("GET", "/",
                            {{"My-Header1", "value2"},
                             {"My-Header1", "value2"},
                             {"my-header1", "value1"}})) ==
          "c9d5ea9f3f72853aea855b47ea873832"
          "890dbdd183b4468f858259531a5138ea");
  }
  SUBCASE("get-vanilla-query-order-key-case") {
    CHECK(signature(request("GET", "/?Param2=value2&Param1=value1")) ==
          "b97d918cfa904a5beff61c982a1b6f45"
          "8b799221646efd99d3219ec94cdf2500");
  }
  SUBCASE("get-utf8") {
    CHECK(signature(request("GET", "/\u1234")) ==
          "8318018e0b0f223aa2bbf98705b62bb7"
          "87dc9c0e678f255a891fd03141be5d85");
  }
}

TEST_CASE("the signature of the General Reference's example comes out") {
  HttpRequest list = request(
      "GET", {},
      {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}});
  list.url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08";
  CHECK(signature(list, credentials(), {"us-east-1", "iam"}) ==
        "5d672d79c15b13162d9279b0855cfba6"
        "789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST_CASE("a session token is sent and signed (post-sts-header-before)") {
  constexpr const char* k_token =
      "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKW"
      "HGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4"
      "IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE"
      "8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yj"
      "c8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
  AwsCredentials by = credentials();
  by.session_token = Secret(k_token);

  const auto headers = signature_headers(request("POST"), by);
  REQUIRE(headers.size() == 3);
  CHECK(headers[1].name == "X-Amz-Security-Token");
  CHECK(headers[1].value == k_token);
  CHECK(signature(request("POST"), by) ==
        "85d96828115b5dc0cfc3bd16ad9e210d"
        "d772bbebba041836c64533a82be05ead");
}

TEST_CASE("a path that is escaped is escaped once more before it is signed") {
  HttpRequest identity = request("GET");
  identity.url =
      "https://email.eu-west-1.amazonaws.com/v2/email/identities/a%40b.c";
  CHECK(signature(identity, credentials(), {"eu-west-1", "ses"}) ==
        "eaa57e7d16c3f0237383b4dcf4f61309"
        "cd32c37596bbe816e89e85d8264a097d");
}

TEST_CASE("the host is signed with its port, unless that is the usual one") {
  const auto at = [](const char* url) {
    HttpRequest get = request("GET");
    get.url = url;
    return signature(get);
  };
  const std::string plain = at("https://example.amazonaws.com/");
  CHECK(at("https://example.amazonaws.com:443/") == plain);
  CHECK(at("http://example.amazonaws.com:80/") == plain);
  CHECK(at("https://example.amazonaws.com") == plain);
  CHECK(at("https://example.amazonaws.com:8443/") != plain);
  CHECK(at("https://example.amazonaws.com:80/") != plain);
}

TEST_CASE("a parameter without a value is signed as an empty one") {
  CHECK(signature(request("GET", "/?b&a=1")) ==
        signature(request("GET", "/?a=1&b=")));
  CHECK(signature(request("GET", "/?&&")) == signature(request("GET")));
}

TEST_CASE("the secret is in no header") {
  for (const HttpHeader& header : signature_headers(request("GET")))
    CHECK(header.value.find(k_secret) == std::string::npos);
}

TEST_SUITE_END();

}  // namespace pony
