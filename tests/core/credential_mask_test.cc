// Masking: what was sent is found again in whatever spelling it comes back.
#include "core/provider/credential_mask.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "core/json.h"
#include "core/mime/body_encoding.h"
#include "core/secret.h"

TEST_SUITE_BEGIN("provider");

namespace pony {
namespace {

// A quote, a backslash, and what URLs and HTML write differently.
constexpr std::string_view k_odd = R"(k3y"a\b%2B+/=&<x> 'z)";

std::string masked(std::string text, std::string_view secret = k_odd) {
  mask_secret(text, secret);
  return text;
}

std::string credential_masked(std::string text, std::string_view secret) {
  mask_credential(text, secret);
  return text;
}

}  // namespace

TEST_CASE("a secret is masked in each spelling of JSON, HTML and URLs") {
  for (const std::string_view spelling : {
           R"(k3y"a\b%2B+/=&<x> 'z)",
           R"(k3y\"a\\b%2B+/=&<x> 'z)",
           R"(k3y\"a\\b%2B+\/=&<x> 'z)",
           R"(k3y\\\"a\\\\b%2B+\\/=&<x> 'z)",
           R"(k3y\u0022a\u005cb%2B\u002B\/=\u0026\u003Cx\u003e \u0027z)",
           R"(\u006b3y\\u0022a\\b%2B+/=&<x> 'z)",
           R"(k3y%22a%5Cb%252B%2B%2F%3D%26%3Cx%3E%20%27z)",
           R"(k3y%22a%5cb%252B%2b%2f%3d%26%3cx%3e+%27z)",
           R"(k3y&quot;a\b%2B+/=&amp;&lt;x&gt; &#39;z)",
           R"(k3y&quot;a\b%2B+/=&amp;&lt;x&gt; &#x27;z)",
       }) {
    CAPTURE(spelling);
    CHECK(masked("<" + std::string(spelling) + "> is wrong") ==
          "<***> is wrong");
    CHECK(masked(std::string(spelling) + std::string(spelling)) == "******");
  }
}

TEST_CASE("what is not the secret stays as it is") {
  for (const std::string_view text :
       {"", "k3y", R"(k3y"a\b%2B+/=&<x> ')", R"(K3y"a\b%2B+/=&<x> 'z)", "%",
        "%4", "\\", "\\u", "\\u00", "\\u006", "&", "&quot", "\\\\\\", "+ + +",
        "%6b3", "k3y%22a%5"}) {
    CAPTURE(text);
    CHECK(masked(std::string(text)) == text);
  }
  CHECK(masked("anything \\ at all", "") == "anything \\ at all");
  CHECK(masked("a\\b", "\\") == "a***b");
}

TEST_CASE("JSON stays JSON when a string of it is masked") {
  for (const std::string_view secret :
       {std::string_view("\"quote first"), std::string_view("last\""),
        std::string_view("\\back\\slash\\"), std::string_view("plain"),
        std::string_view("\\"), std::string_view("n"), k_odd}) {
    CAPTURE(secret);
    std::string text = R"({"1":"a\\)";
    std::string quoted;
    append_json_string(quoted, secret);
    text += quoted.substr(1, quoted.size() - 2) + R"(\\b","2":")" +
            quoted.substr(1) + "}";
    CHECK_MESSAGE(parse_json(masked(text, secret)).has_value(),
                  masked(text, secret));
  }
}

TEST_CASE("a secret is masked in base64, wherever it was put before") {
  const std::string secret = "s3cr3t+key/0123456789";
  for (const std::string_view before : {"", "a", "bc", "api:", "user:"}) {
    std::string encoded;
    append_base64_run(encoded, std::string(before) + secret + ":after");
    CAPTURE(encoded);
    const std::string text = credential_masked(encoded, secret);
    CHECK(text.find("***") != text.npos);
    // At each end a character may hold bits of a neighbour.
    CHECK(encoded.size() - text.size() >= secret.size() * 4 / 3 - 1 - 3);
  }
  CHECK(credential_masked("a s3cr3t+key/0123456789 b", secret) == "a *** b");
  CHECK(credential_masked("text", "") == "text");
}

}  // namespace pony
