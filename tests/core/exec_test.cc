// Delivery by a program of the user's own; a few lines of shell play it.
#include "core/provider/exec.h"

#include <signal.h>

#include "core/json.h"
#include "core/provider/registry.h"
#include "tests/support/an_attempt.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("provider");

namespace pony {
namespace {

struct Program {
  TempFolder folder;
  Reactor reactor;
  SystemClock clock;
  std::unique_ptr<Provider> provider;

  // `script` finds its folder in $D.
  explicit Program(const std::string& script,
                   Milliseconds timeout = std::chrono::seconds(60)) {
    const std::string program = folder / "program";
    std::ofstream(program) << "#!/bin/sh\nD=" << folder.path().string() << "\n"
                           << script << "\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    start_with({program, "--fast"}, timeout);
  }
  explicit Program(std::vector<std::string> command) {
    start_with(std::move(command), std::chrono::seconds(60));
  }

  std::vector<Verdict> verdicts(Attempt attempt = an_attempt()) {
    return deliver(*provider, reactor, std::move(attempt)).verdicts;
  }
  Verdict verdict(Attempt attempt = an_attempt()) {
    return verdicts(std::move(attempt)).at(0);
  }
  ProviderCheck check() {
    std::optional<ProviderCheck> answer;
    provider->check([&](ProviderCheck result) {
      REQUIRE_FALSE(answer.has_value());
      answer = std::move(result);
    });
    while (!answer) reactor.turn(std::chrono::seconds(10));
    return *answer;
  }

 private:
  void start_with(std::vector<std::string> command, Milliseconds timeout) {
    ProviderConfig config;
    config.name = "script";
    config.type = "exec";
    config.command = std::move(command);
    config.timeout = timeout;
    auto made = make_provider(config, reactor, clock);
    REQUIRE_OK(made);
    provider = std::move(*made);
  }
};

// One that reads everything and prints this answer.
std::vector<Verdict> answered(const std::string& answer,
                              const std::string& rest = "") {
  Program program("cat > /dev/null\ncat <<'END'\n" + answer + "\nEND\n" + rest);
  return program.verdicts();
}

// More than a pipe holds.
Attempt a_large_attempt() {
  auto message = a_rendered_message();
  message.text.assign(1'000'000, 'x');
  return an_attempt(message);
}

}  // namespace

TEST_CASE("the program gets one JSON object with all that there is") {
  RenderedMessage message = a_rendered_message();
  message.cc = {{"", "carl@c.example"}};
  message.reply_to = Address{"Help", "help@a.example"};
  message.html = "<p>Hi</p>";
  message.headers = {{"X-Campaign", "spring"}};
  message.attachments = {{"a.pdf", "application/pdf", "aGk=", ""}};
  message.tags = {"signup"};
  message.metadata = {{"user_id", "42"}};
  message.template_id = "welcome";
  message.lang = "es";
  Attempt attempt = an_attempt(message);
  attempt.recipients.push_back("carl@c.example");
  attempt.number = 3;
  Program program(
      "echo \"$@\" > $D/args; cat > $D/in; echo '{\"outcome\":\"accepted\"}'");
  CHECK(program.verdict(attempt).outcome == Outcome::accepted);
  CHECK(content_of(program.folder / "args") == "--fast send\n");
  CHECK(content_of(program.folder / "in") ==
        "{\"id\":\"01JD7Z3N8QW2E4R6T8Y0A1B2C3\",\"attempt\":3,"
        "\"idempotency_key\":\"01JD7Z3N8QW2E4R6T8Y0A1B2C3\","
        "\"recipients\":[\"ann@b.example\",\"bob@b.example\","
        "\"carl@c.example\"],\"message\":{"
        "\"from\":{\"name\":\"Team\",\"email\":\"team@a.example\"},"
        "\"to\":[{\"name\":\"Ann\",\"email\":\"ann@b.example\"},"
        "{\"email\":\"bob@b.example\"}],\"cc\":[{\"email\":\"carl@c.example\"}]"
        ",\"reply_to\":{\"name\":\"Help\",\"email\":\"help@a.example\"},"
        "\"template\":\"welcome\",\"lang\":\"es\",\"subject\":\"Hello\","
        "\"text\":\"Hi Ann\\n.\\nBye\\n\",\"html\":\"<p>Hi</p>\","
        "\"headers\":{\"X-Campaign\":\"spring\"},"
        "\"attachments\":[{\"filename\":\"a.pdf\",\"content_type\":"
        "\"application/pdf\",\"content\":\"aGk=\"}],\"tags\":[\"signup\"],"
        "\"metadata\":{\"user_id\":\"42\"}}}\n");
}

TEST_CASE(
    "the key is the message's own; a part of its recipients has another") {
  RenderedMessage message = a_rendered_message();
  message.idempotency_key = "order-1234";
  Program program(
      "sed 's/.*\"idempotency_key\":\"\\([^\"]*\\)\".*/\\1/' > $D/key; "
      "echo '{\"outcome\":\"accepted\"}'");
  auto key_for = [&](const Attempt& attempt) {
    program.verdict(attempt);
    return content_of(program.folder / "key");
  };
  CHECK(key_for(an_attempt(message)) == "order-1234\n");
  Attempt part = an_attempt(message);
  part.recipients.pop_back();
  const std::string key = key_for(part);
  CHECK(key.starts_with("order-1234-"));
  CHECK(key_for(part) == key);
}

TEST_CASE("preview shows what the program would get") {
  Program program("exit 1");
  std::vector<std::string> reduced;
  auto text = program.provider->preview(an_attempt(), reduced);
  REQUIRE_OK(text);
  CHECK(parse_json(*text)->text_of("id") == "01JD7Z3N8QW2E4R6T8Y0A1B2C3");
  CHECK(text->find("\n  \"recipients\": [") != std::string::npos);
}

TEST_CASE("a valid answer decides, whatever the exit code") {
  for (const char* after : {"", "exit 1", "exit 65", "exit 75", "kill -9 $$"}) {
    CAPTURE(after);
    auto all = answered(R"({"outcome":"accepted","provider_id":"x-1"})", after);
    REQUIRE(all.size() == 2);
    CHECK(all[0].outcome == Outcome::accepted);
    CHECK(all[0].provider_id == "x-1");
    CHECK(all[0].error.empty());
    CHECK(all[1].outcome == Outcome::accepted);
  }
  for (const char* outcome :
       {"rejected", "unavailable", "throttled", "unknown"}) {
    CAPTURE(outcome);
    const auto verdict = answered(std::string(R"({"outcome":")") + outcome +
                                  R"(","error":"no \u001bluck"})")[0];
    CHECK(to_text(verdict.outcome) == outcome);
    CHECK(verdict.error == "no \\x1bluck");
  }
}

TEST_CASE("accepted is not believed of a program that has not read it all") {
  Program program("exec <&-; echo '{\"outcome\":\"accepted\"}'");
  CHECK(program.verdict(a_large_attempt()).outcome == Outcome::unknown);
  Program refuses("exec <&-; echo '{\"outcome\":\"rejected\"}'");
  CHECK(refuses.verdict(a_large_attempt()).outcome == Outcome::rejected);
}

TEST_CASE("the provider rests for as long as the answer asks") {
  auto rest = [](const std::string& value) {
    return answered(R"({"outcome":"throttled","retry_after":)" + value + "}")[0]
        .rest;
  };
  CHECK(rest("90") == std::chrono::seconds(90));
  CHECK(rest("999999999") == std::chrono::hours(24));
  for (const char* none : {"0", "-5", "1e99", "\"soon\"", "null", "[1]"}) {
    CAPTURE(none);
    CHECK_FALSE(rest(none).has_value());
  }
}

TEST_CASE("recipients may have an outcome each") {
  SUBCASE("who is not listed gets the outcome of all") {
    auto all = answered(
        R"({"outcome":"accepted","provider_id":"x","recipients":[)"
        R"({"email":"bob@B.example","outcome":"rejected","error":"who?"}]})");
    CHECK(all[0].outcome == Outcome::accepted);
    CHECK(all[0].provider_id == "x");
    CHECK(all[1].outcome == Outcome::rejected);
    CHECK(all[1].error == "who?");
  }
  SUBCASE("or is unknown without one") {
    auto all = answered(
        R"({"recipients":[{"email":"bob@b.example","outcome":"accepted",)"
        R"("provider_id":"b-1"}]})");
    CHECK(all[0].outcome == Outcome::unknown);
    CHECK(all[1].outcome == Outcome::accepted);
    CHECK(all[1].provider_id == "b-1");
  }
  SUBCASE("others are passed over") {
    auto all = answered(R"({"outcome":"accepted","recipients":[)"
                        R"({"email":"eve@e.example","outcome":"rejected"}]})");
    REQUIRE(all.size() == 2);
    CHECK(all[0].outcome == Outcome::accepted);
    CHECK(all[1].outcome == Outcome::accepted);
  }
  SUBCASE("an outcome that there is not, or two, is unknown") {
    auto all = answered(R"({"outcome":"accepted","recipients":[)"
                        R"({"email":"ann@b.example","outcome":"bounced"},)"
                        R"({"email":"bob@b.example","outcome":"rejected"},)"
                        R"({"email":"bob@b.example","outcome":"accepted"}]})");
    CHECK(all[0].outcome == Outcome::unknown);
    CHECK(all[1].outcome == Outcome::unknown);
  }
  SUBCASE("an entry that cannot be read may be anybody's") {
    for (const char* entry :
         {"7", "null", "\"ann@b.example\"", R"({"outcome":"rejected"})",
          R"({"email":["ann@b.example"],"outcome":"rejected"})"}) {
      CAPTURE(entry);
      auto all = answered(std::string(R"({"outcome":"accepted","recipients":[)"
                                      R"({"email":"bob@b.example",)"
                                      R"("outcome":"accepted"},)") +
                          entry + "]}");
      CHECK(all[0].outcome == Outcome::unknown);
      CHECK(all[1].outcome == Outcome::accepted);
    }
  }
}

TEST_CASE("without an answer the exit code decides") {
  auto with_code = [](int code) {
    Program program(
        "cat > /dev/null; echo 'bad luck' >&2; echo more >&2; exit " +
        std::to_string(code));
    return program.verdict();
  };
  for (int code : {75, 126, 127}) {
    CAPTURE(code);
    CHECK(with_code(code).outcome == Outcome::unavailable);
  }
  for (int code : {65, 69}) {
    CAPTURE(code);
    CHECK(with_code(code).outcome == Outcome::rejected);
  }
  for (int code : {0, 1, 2, 64, 70, 78, 255}) {
    CAPTURE(code);
    CHECK(with_code(code).outcome == Outcome::unknown);
  }
  const std::string error = with_code(75).error;
  CHECK(error.substr(error.find("' exited")) == "' exited with 75: bad luck");
  const std::string silent = with_code(0).error;
  CHECK(silent.substr(silent.find("' exited")) ==
        "' exited with 0 without an answer: bad luck");
}

TEST_CASE("a program that cannot have had the whole message was unavailable") {
  Program program("exec <&-; exit 1");
  CHECK(program.verdict(a_large_attempt()).outcome == Outcome::unavailable);
}

TEST_CASE("a program that cannot be started is unavailable") {
  Program program(std::vector<std::string>{"/no/such/program"});
  auto verdict = program.verdict();
  CHECK(verdict.outcome == Outcome::unavailable);
  CHECK(verdict.error ==
        "cannot start '/no/such/program': No such file or directory");
}

TEST_CASE("what is no answer is nonsense, and never accepted or rejected") {
  for (const char* nonsense :
       {"OK", "accepted", "[]", "7", "{}", "null", "{\"outcome\":7}",
        "{\"outcome\":\"ACCEPTED\"}", "{\"outcome\":[\"accepted\"]}",
        "{\"outcome\":null,\"recipients\":[]}", "{\"outcome\":\"accepted\"",
        "{\"outcome\":\"accepted\"} {\"outcome\":\"accepted\"}",
        "{\"outcome\":\"rejected\",\"outcome\":\"accepted\"}",
        "{\"outcome\":\"accepted\",\"recipients\":\"all\"}",
        "{\"outcome\":\"accepted\",\"error\":\"\xff\"}"}) {
    CAPTURE(nonsense);
    const auto verdict = answered(nonsense)[0];
    CHECK(verdict.outcome == Outcome::unknown);
    CHECK(verdict.error.ends_with(
        "' exited with 0 without an answer that can be understood"));
    CHECK(answered(nonsense, "exit 75")[0].outcome == Outcome::unavailable);
  }
}

TEST_CASE("a huge or deep answer is not read, and harmless") {
  Program huge(
      "cat > /dev/null; printf '{\"outcome\":\"accepted\",\"error\":\"'; "
      "head -c 3000000 /dev/zero | tr '\\0' x; echo '\"}'");
  auto verdict = huge.verdict();
  CHECK(verdict.outcome == Outcome::unknown);
  CHECK(verdict.error.find("far too long") != std::string::npos);

  // What is kept of it would be a valid answer.
  Program long_tail(
      "cat > /dev/null; echo '{\"outcome\":\"accepted\"}'; "
      "head -c 3000000 /dev/zero | tr '\\0' ' '; echo '{}'");
  CHECK(long_tail.verdict().outcome == Outcome::unknown);

  Program deep(
      "cat > /dev/null; printf '{\"outcome\":\"accepted\",\"x\":'; "
      "head -c 50000 /dev/zero | tr '\\0' '['");
  CHECK(deep.verdict().outcome == Outcome::unknown);
}

TEST_CASE("its words are cut and printable") {
  Program program(
      "cat > /dev/null; head -c 100000 /dev/zero | tr '\\0' '\\001' >&2; "
      "exit 65");
  auto verdict = program.verdict();
  CHECK(verdict.outcome == Outcome::rejected);
  CHECK(verdict.error.size() <= 1024);
  CHECK_FALSE(has_control(verdict.error));

  const auto odd = answered(R"({"outcome":"accepted","provider_id":"a\nb"})");
  CHECK_FALSE(has_control(odd[0].provider_id));
}

TEST_CASE("a refusal without a reason has the words of stderr, or says so") {
  CHECK(answered(R"({"outcome":"rejected"})", "echo 'not him' >&2")[0].error ==
        "not him");
  CHECK(answered(R"({"outcome":"rejected"})")[0].error.ends_with(
      "' said rejected, and not why"));
}

TEST_CASE("a program that is too slow is killed with all that it started") {
  SUBCASE("with the whole message: unknown") {
    Program program("cat > /dev/null; sleep 600 & echo $! > $D/pid; wait",
                    Milliseconds(300));
    auto verdict = program.verdict();
    CHECK(verdict.outcome == Outcome::unknown);
    CHECK(verdict.error.ends_with("': no exit within 300ms"));
    const int sleeper = std::stoi(content_of(program.folder / "pid"));
    const std::string stat = "/proc/" + std::to_string(sleeper) + "/stat";
    for (std::string text = content_of(stat);
         !text.empty() && text.find(") Z ") == std::string::npos;)
      text = content_of(stat);
  }
  SUBCASE("with less than the message: nothing was taken") {
    Program program("exec sleep 600", Milliseconds(300));
    CHECK(program.verdict(a_large_attempt()).outcome == Outcome::unavailable);
  }
  SUBCASE("what it said before counts") {
    Program program(
        "cat > /dev/null; echo '{\"outcome\":\"accepted\"}'; exec sleep 600",
        Milliseconds(300));
    CHECK(program.verdict().outcome == Outcome::accepted);
  }
}

TEST_CASE("a grandchild that holds stdout does not keep the answer back") {
  Program program(
      "cat > /dev/null; echo '{\"outcome\":\"accepted\"}'; "
      "sleep 600 & echo $! > $D/pid");
  CHECK(program.verdict().outcome == Outcome::accepted);
  ::kill(std::stoi(content_of(program.folder / "pid")), SIGKILL);
}

TEST_CASE("check runs the program, and its first words are the answer") {
  auto works =
      Program("[ $2 = check ] && echo 'key is valid'; echo more").check();
  CHECK(works.works);
  CHECK(works.words == "key is valid");
  auto silent = Program("exit 0").check();
  CHECK(silent.works);
  CHECK(silent.words.ends_with("' says that it works"));
  auto fails = Program("echo talk; echo 'no key' >&2; exit 1").check();
  CHECK_FALSE(fails.works);
  CHECK(fails.words.ends_with("' exited with 1: no key"));
  CHECK_FALSE(Program(std::vector<std::string>{"/no/such"}).check().works);
}

TEST_CASE("shut_down ends the programs and answers for each") {
  Program program("cat > /dev/null; exec sleep 600");
  int answered_for = 0;
  for (int i = 0; i < 3; ++i) {
    program.provider->start(an_attempt(), [&](const AttemptResult& result) {
      CHECK(result.verdicts.at(0).outcome == Outcome::unknown);
      ++answered_for;
    });
  }
  program.provider->check([&](const ProviderCheck& check) {
    CHECK_FALSE(check.works);
    ++answered_for;
  });
  CHECK(program.provider->room() == 16);
  program.provider->shut_down();
  CHECK(answered_for == 4);
  CHECK(program.provider->room() == 20);
}

}  // namespace pony

TEST_SUITE_END();
