// Hooks that are a few lines of shell; the reactor is ours to turn.
#include "cmd/hooks.h"

#include <algorithm>

#include "tests/support/an_attempt.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("cmd");

namespace pony {
namespace {

using Words = std::vector<std::string>;
constexpr Milliseconds k_long = std::chrono::seconds(60);

struct Told {
  TempFolder folder;
  Reactor reactor;
  HooksConfig config;
  Words warnings;

  std::unique_ptr<Hooks> hooks(HookLimits limits = {}) {
    return std::make_unique<Hooks>(
        config, reactor,
        [this](const std::string& text) { warnings.push_back(text); }, limits);
  }
  // argv of a script that finds our folder in $D.
  Words script(const std::string& text) const {
    return {"/bin/sh", "-c", "D=" + folder.path().string() + "; " + text};
  }
  // Adds the line that it gets to a file of its own kind.
  Words recorder(const std::string& file) const {
    return script("cat >> $D/" + file);
  }
  std::string content(const std::string& file) const {
    return content_of(folder / file);
  }
};

Event an_event(const std::string& kind, const std::string& id = "01A") {
  Event event;
  event.event = kind;
  event.id = id;
  event.reason = "because\nof this";
  return event;
}

std::string line_of(const Event& event) {
  std::string line;
  append_line(line, event);
  return line;
}

}  // namespace

TEST_CASE("each event goes to its hook as one JSON line") {
  Told told;
  told.config.on_sent = told.recorder("sent");
  told.config.on_failed = told.recorder("failed");
  told.config.on_breaker = told.recorder("breaker");
  HookLimits one_at_a_time;
  one_at_a_time.at_once = 1;
  auto hooks = told.hooks(one_at_a_time);
  for (const char* kind : {"sent", "failed", "expired", "deferred", "held",
                           "cancelled", "attempted", "queued"})
    hooks->settled(an_event(kind));
  Json event = Json::object();
  event.set("event", Json::string("breaker"));
  event.set("provider", Json::string("main\n"));
  hooks->breaker(event);
  hooks->finish(k_long);
  CHECK(told.content("sent") == line_of(an_event("sent")));
  CHECK(told.content("failed") ==
        line_of(an_event("failed")) + line_of(an_event("expired")));
  CHECK(told.content("breaker") ==
        "{\"event\":\"breaker\",\"provider\":\"main\\n\"}\n");
  CHECK(told.warnings.empty());
}

TEST_CASE("without hooks nothing is started and nothing said") {
  Told told;
  auto hooks = told.hooks();
  hooks->settled(an_event("sent"));
  hooks->settled(an_event("failed"));
  hooks->breaker(Json::object());
  hooks->finish(k_long);
  CHECK(told.warnings.empty());
}

TEST_CASE("a hook that fails is told at once, then counted") {
  Told told;
  told.config.on_sent =
      told.script("cat > /dev/null; echo 'no luck' >&2; exit 3");
  told.config.on_failed = {"/no/such/hook"};
  auto hooks = told.hooks();
  hooks->settled(an_event("failed"));
  REQUIRE(told.warnings == Words{"hook on_failed: cannot start '/no/such/hook'"
                                 ": No such file or directory"});
  hooks->settled(an_event("failed"));
  for (int i = 0; i < 18; ++i) hooks->settled(an_event("sent"));
  hooks->finish(k_long);
  CHECK(told.warnings ==
        Words{"hook on_failed: cannot start '/no/such/hook': No such file or "
              "directory",
              "hook on_sent: '/bin/sh': exited with 3: no luck",
              "hook on_sent failed 17 more times",
              "hook on_failed failed 1 more time"});
}

TEST_CASE("a hook that hangs is killed when its time is over") {
  Told told;
  told.config.on_sent = told.script("exec sleep 600");
  HookLimits limits;
  limits.time = Milliseconds(200);
  auto hooks = told.hooks(limits);
  hooks->settled(an_event("sent"));
  hooks->finish(k_long);
  CHECK(told.warnings ==
        Words{"hook on_sent: '/bin/sh': no exit within 200ms"});
}

TEST_CASE("few run at once, the rest waits for its turn") {
  Told told;
  // Each says how many are there with it.
  told.config.on_sent = told.script(
      "mkdir $D/run.$$; ls -d $D/run.* | wc -l >> $D/counts; cat >> $D/lines; "
      "rmdir $D/run.$$");
  HookLimits limits;
  limits.at_once = 2;
  auto hooks = told.hooks(limits);
  for (int i = 10; i < 30; ++i)
    hooks->settled(an_event("sent", std::to_string(i)));
  hooks->finish(k_long);
  const std::string counts = told.content("counts");
  CHECK(counts.size() == 40);
  CHECK(counts.find_first_not_of("12\n") == counts.npos);
  const std::string lines = told.content("lines");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 20);
  CHECK(told.warnings.empty());
}

TEST_CASE("the line has an end; what is beyond is counted and told") {
  Told told;
  told.config.on_sent = told.recorder("sent");
  HookLimits limits;
  limits.at_once = 1;
  SUBCASE("in events") {
    limits.waiting = 3;
  }
  SUBCASE("in bytes") {
    limits.bytes = 3 * line_of(an_event("sent")).size();
  }
  auto hooks = told.hooks(limits);
  for (int i = 0; i < 10; ++i) hooks->settled(an_event("sent"));
  hooks->finish(k_long);
  const std::string lines = told.content("sent");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 4);
  CHECK(told.warnings ==
        Words{"events come faster than hooks end; hooks are not told of all of "
              "them",
              "hooks were not told of 6 events"});
}

TEST_CASE("finish kills what does not end, and says whom it did not tell") {
  Told told;
  told.config.on_failed = told.script("exec sleep 600");
  HookLimits limits;
  limits.at_once = 1;
  auto hooks = told.hooks(limits);
  SUBCASE("when its time is over") {
    for (int i = 0; i < 3; ++i) hooks->settled(an_event("failed"));
    hooks->finish(Milliseconds(10));
  }
  SUBCASE("when it is told to stop") {
    for (int i = 0; i < 3; ++i) hooks->settled(an_event("failed"));
    hooks->finish(k_long, [] { return true; });
  }
  CHECK(told.warnings ==
        Words{"hook on_failed: '/bin/sh': killed, the run ended",
              "hooks were not told of 2 events"});
}

TEST_CASE("what a hook prints goes nowhere, and what it leaves keeps nobody") {
  Told told;
  told.config.on_sent =
      told.script("cat > /dev/null; yes | head -c 1000000; exec sleep 1 &");
  auto hooks = told.hooks();
  hooks->settled(an_event("sent"));
  hooks->finish(k_long);
  CHECK(told.warnings.empty());
}

}  // namespace pony

TEST_SUITE_END();
