// Delivery into a Maildir.
#include "core/provider/maildir.h"

#include <sys/stat.h>

#include "core/provider/registry.h"
#include "tests/support/an_attempt.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("provider");

namespace pony {
namespace {

struct Outbox {
  TempFolder folder;
  Reactor reactor;
  SystemClock clock;
  std::unique_ptr<Provider> provider;

  explicit Outbox(const std::string& path = "deep/outbox") {
    ProviderConfig config;
    config.name = "outbox";
    config.type = "maildir";
    config.settings["path"] = folder / path;
    auto made = make_provider(config, reactor, clock);
    REQUIRE_OK(made);
    provider = std::move(*made);
  }
};

}  // namespace

TEST_CASE("a message ends in new/ of a Maildir that is made when missing") {
  Outbox outbox;
  auto result = deliver(*outbox.provider, outbox.reactor);

  REQUIRE(result.verdicts.size() == 2);
  CHECK(result.verdicts[0].outcome == Outcome::accepted);
  CHECK(result.verdicts[1].outcome == Outcome::accepted);
  auto files = files_in(outbox.folder / "deep/outbox/new");
  REQUIRE(files.size() == 1);
  CHECK(files[0].filename() == result.verdicts[0].provider_id);
  auto mail = content_of(files[0]);
  CHECK(mail.substr(0, 30) == "Return-Path: <team@a.example>\n");
  CHECK(mail.find('\r') == std::string::npos);
  CHECK(mail.find("\n\nHi Ann\n.\nBye\n") != std::string::npos);
  CHECK(files_in(outbox.folder / "deep/outbox/tmp").empty());
  CHECK(files_in(outbox.folder / "deep/outbox/cur").empty());
}

TEST_CASE("a Maildir and the mail in it are its owner's alone") {
  Outbox outbox;
  deliver(*outbox.provider, outbox.reactor);
  struct stat info {};
  for (const char* name : {"deep/outbox", "deep/outbox/new"}) {
    REQUIRE(::stat((outbox.folder / name).c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
  }
  auto file = files_in(outbox.folder / "deep/outbox/new").at(0);
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
}

TEST_CASE("the preview is the very file that is delivered") {
  Outbox outbox;
  std::vector<std::string> reduced;
  auto preview = outbox.provider->preview(an_attempt(), reduced);
  REQUIRE_OK(preview);
  deliver(*outbox.provider, outbox.reactor);
  CHECK(content_of(files_in(outbox.folder / "deep/outbox/new").at(0)) ==
        *preview);
}

TEST_CASE("attempts of one turn are settled together, each with its file") {
  Outbox outbox;
  int answered = 0;
  for (int i = 0; i < 5; ++i) {
    outbox.provider->start(an_attempt(), [&](const AttemptResult& result) {
      CHECK(result.verdicts.at(0).outcome == Outcome::accepted);
      ++answered;
    });
  }
  CHECK(answered == 0);
  CHECK(outbox.provider->room() == 15);
  while (answered < 5) outbox.reactor.turn(std::chrono::seconds(10));
  CHECK(outbox.provider->room() == 20);
  CHECK(files_in(outbox.folder / "deep/outbox/new").size() == 5);
}

TEST_CASE("a Maildir that cannot be made is unavailable, and tried again") {
  Outbox outbox("outbox");
  std::ofstream(outbox.folder / "outbox") << "a file\n";
  auto result = deliver(*outbox.provider, outbox.reactor);
  CHECK(result.verdicts.at(0).outcome == Outcome::unavailable);
  CHECK(result.verdicts.at(0).error.find("outbox") != std::string::npos);

  std::filesystem::remove(outbox.folder / "outbox");
  CHECK(deliver(*outbox.provider, outbox.reactor).verdicts.at(0).outcome ==
        Outcome::accepted);
}

TEST_CASE("a symbolic link in the Maildir is not followed") {
  Outbox outbox("outbox");
  std::filesystem::create_directories(outbox.folder / "outbox");
  std::filesystem::create_directories(outbox.folder / "elsewhere");
  std::filesystem::create_directory_symlink(outbox.folder / "elsewhere",
                                            outbox.folder / "outbox/new");
  CHECK(deliver(*outbox.provider, outbox.reactor).verdicts.at(0).outcome ==
        Outcome::unavailable);
  CHECK(files_in(outbox.folder / "elsewhere").empty());
}

TEST_CASE("what is given up at shut_down leaves no file") {
  Outbox outbox;
  std::optional<Outcome> outcome;
  outbox.provider->start(an_attempt(), [&](const AttemptResult& result) {
    outcome = result.verdicts.at(0).outcome;
  });
  outbox.provider->shut_down();
  CHECK(outcome == Outcome::unavailable);
  CHECK(files_in(outbox.folder / "deep/outbox/tmp").empty());
  CHECK(files_in(outbox.folder / "deep/outbox/new").empty());
}

TEST_CASE("an address that would break an envelope is refused at the edge") {
  Outbox outbox;
  auto attempt = an_attempt();
  attempt.recipients = {"a@b.example>\r\nRCPT TO:<x@y.example"};
  CHECK(outbox.provider->cannot_carry(attempt).has_value());
  CHECK(deliver(*outbox.provider, outbox.reactor, attempt)
            .verdicts.at(0)
            .outcome == Outcome::rejected);
}

TEST_CASE("an unknown provider type is an error that names the nearest") {
  Reactor reactor;
  SystemClock clock;
  ProviderConfig config;
  config.name = "x";
  config.type = "maildri";
  config.place = "pony.yaml:3";
  auto made = make_provider(config, reactor, clock);
  CHECK_FAILS(made, config);
  CHECK(made.error().what ==
        "pony.yaml:3: provider 'x' has the unknown type 'maildri'");
  CHECK(made.error().hint == "did you mean 'maildir'?");
}

}  // namespace pony

TEST_SUITE_END();
