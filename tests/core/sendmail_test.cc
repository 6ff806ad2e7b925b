// Delivery by a sendmail program; a few lines of shell play its part.
#include "core/provider/sendmail.h"

#include "tests/support/an_attempt.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("provider");

namespace pony {
namespace {

struct Mta {
  TempFolder folder;
  Reactor reactor;
  SystemClock clock;
  std::unique_ptr<Provider> provider;

  // `script` finds its folder in $D.
  explicit Mta(const std::string& script,
               Milliseconds timeout = std::chrono::seconds(60)) {
    const std::string program = folder / "mta";
    std::ofstream(program) << "#!/bin/sh\nD=" << folder.path().string() << "\n"
                           << script << "\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    start_with({program, "-oX"}, timeout);
  }
  explicit Mta(std::vector<std::string> command) {
    start_with(std::move(command), std::chrono::seconds(60));
  }

  Verdict verdict() { return deliver(*provider, reactor).verdicts.at(0); }

 private:
  void start_with(std::vector<std::string> command, Milliseconds timeout) {
    ProviderConfig config;
    config.name = "local";
    config.type = "sendmail";
    config.command = std::move(command);
    config.timeout = timeout;
    auto made = make_sendmail_provider(config, reactor, clock);
    REQUIRE_OK(made);
    provider = std::move(*made);
  }
};

}  // namespace

TEST_CASE("the program gets the mail with LF and the envelope as arguments") {
  Mta mta("printf '%s\\n' \"$@\" > $D/args; cat > $D/mail");
  auto result = deliver(*mta.provider, mta.reactor);
  REQUIRE(result.verdicts.size() == 2);
  CHECK(result.verdicts[0].outcome == Outcome::accepted);
  CHECK(result.verdicts[1].outcome == Outcome::accepted);
  CHECK(content_of(mta.folder / "args") ==
        "-oX\n-i\n-f\nteam@a.example\n--\nann@b.example\nbob@b.example\n");
  auto mail = content_of(mta.folder / "mail");
  std::vector<std::string> reduced;
  CHECK(mail == mta.provider->preview(an_attempt(), reduced).value());
  CHECK(mail.find('\r') == std::string::npos);
  CHECK(mail.find("\n\nHi Ann\n.\nBye\n") != std::string::npos);
}

TEST_CASE("a mail larger than a pipe goes through") {
  Mta mta("cat > $D/mail");
  auto message = a_rendered_message();
  for (int i = 0; i < 20000; ++i) message.text += "a line of some length\n";
  auto attempt = an_attempt(message);
  CHECK(deliver(*mta.provider, mta.reactor, attempt).verdicts.at(0).outcome ==
        Outcome::accepted);
  std::vector<std::string> reduced;
  CHECK(content_of(mta.folder / "mail") ==
        mta.provider->preview(attempt, reduced).value());
}

TEST_CASE("the exit code is the answer, its first words on stderr the error") {
  auto with_code = [](int code) {
    Mta mta("cat > /dev/null; echo 'no such user' >&2; echo more >&2; exit " +
            std::to_string(code));
    return mta.verdict();
  };
  for (int code : {65, 67, 68}) {
    CAPTURE(code);
    CHECK(with_code(code).outcome == Outcome::rejected);
  }
  for (int code : {1, 64, 69, 70, 71, 73, 74, 75, 77, 78, 127}) {
    CAPTURE(code);
    CHECK(with_code(code).outcome == Outcome::unavailable);
  }
  auto error = with_code(67).error;
  CHECK(error.substr(error.find("' exited")) ==
        "' exited with 67: no such user");
}

TEST_CASE("a program that cannot be started is unavailable") {
  Mta mta(std::vector<std::string>{"/no/such/sendmail"});
  auto verdict = mta.verdict();
  CHECK(verdict.outcome == Outcome::unavailable);
  CHECK(verdict.error ==
        "cannot start '/no/such/sendmail': No such file or directory");
}

TEST_CASE("a program that dies with the whole mail leaves it unknown") {
  Mta mta("cat > /dev/null; kill -9 $$");
  auto verdict = mta.verdict();
  CHECK(verdict.outcome == Outcome::unknown);
  CHECK(verdict.error.find("ended by signal 9") != std::string::npos);
}

TEST_CASE("a program that hangs is killed after its timeout") {
  auto message = a_rendered_message();

  SUBCASE("with the whole mail: unknown") {
    Mta mta("cat > /dev/null; exec sleep 600", Milliseconds(300));
    auto verdict = mta.verdict();
    CHECK(verdict.outcome == Outcome::unknown);
    CHECK(verdict.error.find("no exit within 300ms") != std::string::npos);
  }
  SUBCASE("with less than the mail: nothing was taken") {
    Mta mta("exec sleep 600", Milliseconds(300));
    message.text.assign(1000000, 'x');
    CHECK(deliver(*mta.provider, mta.reactor, an_attempt(message))
              .verdicts.at(0)
              .outcome == Outcome::unavailable);
  }
}

TEST_CASE("success before the mail was read is not believed") {
  Mta mta("exit 0");
  auto message = a_rendered_message();
  message.text.assign(1000000, 'x');
  CHECK(deliver(*mta.provider, mta.reactor, an_attempt(message))
            .verdicts.at(0)
            .outcome == Outcome::unknown);
}

TEST_CASE("shut_down ends the children and answers for each") {
  Mta mta("cat > /dev/null; exec sleep 600");
  int answered = 0;
  for (int i = 0; i < 3; ++i) {
    mta.provider->start(an_attempt(), [&](const AttemptResult& result) {
      CHECK(result.verdicts.at(0).outcome != Outcome::accepted);
      ++answered;
    });
  }
  CHECK(mta.provider->room() == 17);
  mta.provider->shut_down();
  CHECK(answered == 3);
  CHECK(mta.provider->room() == 20);
}

}  // namespace pony

TEST_SUITE_END();
