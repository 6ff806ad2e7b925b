// What the HTTP providers share (core/provider/http_provider.h), as far as it
// needs no server; tests/conformance_test.sh does the rest.
#include "core/provider/http_provider.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/mime/mail_parser.h"
#include "tests/support/a_finished_message.h"
#include "tests/support/an_attempt.h"

namespace pony {
namespace {

// An API on a machine that lacks what its requests need.
class LacksALibrary : public HttpApi {
 public:
  std::string_view type() const override { return "lacks"; }
  std::optional<std::string> cannot_carry(const Attempt&) const override {
    return {};
  }
  Result<HttpRequest> request(const Attempt&, Time,
                              std::vector<std::string>&) const override {
    return fail(Error::Kind::config, "cannot open 'libx.so'", "install libx");
  }
  std::vector<Verdict> verdicts(const Attempt& attempt, const HttpReply&,
                                Time) const override {
    return std::vector<Verdict>(attempt.recipients.size());
  }
  Result<HttpRequest> check_request(Time) const override {
    return fail(Error::Kind::config, "cannot open 'libx.so'", "install libx");
  }
  ProviderCheck check_result(const HttpReply&) const override {
    FAIL("nothing was sent, so nothing was answered");
    return {};
  }
};

struct AProvider {
  AProvider() {
    ProviderConfig config;
    config.name = "main";
    auto made = make_http_provider(
        config,
        [](const ApiConfig&) -> std::unique_ptr<HttpApi> {
          return std::make_unique<LacksALibrary>();
        },
        reactor, clock);
    REQUIRE(made.has_value());
    provider = std::move(*made);
  }

  SystemClock clock;
  Reactor reactor;
  std::unique_ptr<Provider> provider;
};

TEST_CASE("http: a check that cannot be asked says why, and asks nothing") {
  AProvider a;
  std::vector<ProviderCheck> checks;
  a.provider->check([&](ProviderCheck check) { checks.push_back(check); });
  REQUIRE(checks.size() == 1);
  CHECK_FALSE(checks[0].works);
  CHECK(checks[0].words == "cannot open 'libx.so' (install libx)");
}

TEST_CASE("http: what this machine lacks is no fault of the message's") {
  AProvider a;
  std::vector<AttemptResult> results;
  a.provider->start(an_attempt(), [&](AttemptResult result) {
    results.push_back(std::move(result));
  });
  REQUIRE(results.size() == 1);
  REQUIRE_FALSE(results[0].verdicts.empty());
  for (const Verdict& verdict : results[0].verdicts) {
    CHECK(verdict.outcome == Outcome::unavailable);
    CHECK_FALSE(verdict.counts_against_provider);
  }
}

// Remembers what it was asked to carry.
class TakesParts : public LacksALibrary {
 public:
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override {
    asked.push_back(attempt.message);
    return {};
  }
  static inline std::vector<std::shared_ptr<const RenderedMessage>> asked;
};

TEST_CASE("http: an API that takes no finished messages gets one in parts") {
  if (!can_parse_mail()) return;
  TakesParts::asked.clear();
  ProviderConfig config;
  config.name = "main";
  SystemClock clock;
  Reactor reactor;
  auto provider = make_http_provider(
      config,
      [](const ApiConfig&) -> std::unique_ptr<HttpApi> {
        return std::make_unique<TakesParts>();
      },
      reactor, clock);
  REQUIRE(provider.has_value());
  const Attempt attempt = an_attempt(a_finished_message());
  CHECK_FALSE((*provider)->cannot_carry(attempt).has_value());
  CHECK_FALSE((*provider)->cannot_carry(attempt).has_value());
  REQUIRE(TakesParts::asked.size() == 2);
  CHECK_MESSAGE(TakesParts::asked[0] == TakesParts::asked[1], "read once");
  const RenderedMessage& mail = *TakesParts::asked[0];
  CHECK(mail.from == Address{"Team", "team@a.example"});
  CHECK(mail.to == std::vector<Address>{{"Ann", "ann@b.example"}});
  CHECK(mail.subject == "Hi");
  CHECK(mail.text == "Hi Ann\n");

  RenderedMessage nobody = a_finished_message();
  nobody.from = {};
  nobody.raw = "To: ann@b.example\n\nhi\n";
  const auto why = (*provider)->cannot_carry(an_attempt(nobody));
  REQUIRE(why.has_value());
  CHECK(*why ==
        "the finished message cannot be read in parts: it names no sender");
}

}  // namespace
}  // namespace pony
