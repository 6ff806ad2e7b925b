// Events survive the way to a line and back; outcomes keep their order.
#include "core/event.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "tests/support/require_ok.h"

namespace pony {
namespace {

std::string line_of(const Event& event) {
  std::string line;
  append_line(line, event);
  return line;
}

Event an_event() {
  Event event;
  event.ts = Time{Milliseconds(1'795'255'200'123)};
  event.event = "attempted";
  event.id = "01JD0000000000000000000000";
  event.by = "web1:42";
  event.attempt = 2;
  event.provider = "main";
  event.outcome = Outcome::throttled;
  event.error = "rate\nlimit";
  event.latency_ms = 0;
  event.queue_ms = 456;
  event.provider_id = "abc";
  event.status = 429;
  event.recipients = {{"a@b.example", Outcome::accepted, ""},
                      {"c@d.example", Outcome::rejected, "no such user"}};
  event.reduced = {"tags"};
  event.next_at = Time{Milliseconds(1'795'255'260'000)};
  event.reason = "busy";
  event.template_id = "welcome";
  event.lang = "es";
  event.pool = "default";
  event.tags = {"signup", "eu"};
  event.domain = "b.example";
  return event;
}

TEST_SUITE_BEGIN("core");

TEST_CASE("an event is one line, its members in the contract's order") {
  CHECK(line_of(an_event()) ==
        R"({"ts":"2026-11-21T10:00:00.123Z","event":"attempted",)"
        R"("id":"01JD0000000000000000000000","by":"web1:42","attempt":2,)"
        R"("provider":"main","outcome":"throttled","latency_ms":0,)"
        R"("queue_ms":456,"provider_id":"abc","status":429,)"
        R"("error":"rate\nlimit","recipients":[)"
        R"({"email":"a@b.example","outcome":"accepted"},)"
        R"({"email":"c@d.example","outcome":"rejected",)"
        R"("error":"no such user"}],"reduced":["tags"],)"
        R"("next_at":"2026-11-21T10:01:00.000Z","reason":"busy",)"
        R"("template":"welcome","lang":"es","pool":"default",)"
        R"("tags":["signup","eu"],"domain":"b.example"})"
        "\n");
}

TEST_CASE("what is empty is not written") {
  Event event;
  event.event = "queued";
  event.id = "x";
  CHECK(line_of(event) ==
        "{\"ts\":\"1970-01-01T00:00:00.000Z\",\"event\":\"queued\","
        "\"id\":\"x\"}\n");
}

TEST_CASE("an event is read back as it was written") {
  const std::string line = line_of(an_event());
  const auto event = parse_event(line);
  REQUIRE_OK(event);
  CHECK(line_of(*event) == line);
  CHECK(event->latency_ms == 0);
  CHECK(event->recipients.at(1).error == "no such user");
}

TEST_CASE("members of a later version are passed over") {
  const auto event = parse_event(
      R"({"ts":"2026-11-21T10:00:00Z","event":"purred","id":"x","new":[1]})");
  REQUIRE_OK(event);
  CHECK(event->event == "purred");
  CHECK_FALSE(event->latency_ms);
  CHECK_FALSE(event->outcome);
}

TEST_CASE("what is no event is refused") {
  for (const std::string_view line :
       {"", "[]", "{}", "1", R"({"ts":"2026-11-21T10:00:00Z"})",
        R"({"ts":"2026-11-21T10:00:00Z","event":"sent"})",
        R"({"ts":"yesterday","event":"sent","id":"x"})",
        R"({"event":"sent","id":"x"})",
        R"({"ts":"2026-11-21T10:00:00Z","event":"sent","id":"x","next_at":1})",
        R"({"ts":"2026-11-21T10:00:00Z","event":"sent","id":"x")"}) {
    CAPTURE(line);
    CHECK_FAILS(parse_event(line), bad_data);
  }
}

TEST_CASE("an outcome that cannot be read is never taken for none") {
  const std::string start =
      R"({"ts":"2026-11-21T10:00:00Z","event":"attempted",)"
      R"("id":"x",)";
  CHECK_FAILS(parse_event(start + R"("outcome":"acceptd"})"), bad_data);
  CHECK_FAILS(
      parse_event(start + R"("recipients":[{"email":"a@b","outcome":"ok"}]})"),
      bad_data);
  CHECK_FAILS(parse_event(start + R"("recipients":["a@b"]})"), bad_data);
}

TEST_CASE("an attempt told twice has one key, a second hold has its own") {
  Event told = an_event();
  Event again = an_event();
  again.ts += Milliseconds(500);
  again.by = "web2:7";
  CHECK(told.natural_key() == again.natural_key());
  again.attempt = 3;
  CHECK(told.natural_key() != again.natural_key());

  Event held;
  held.event = "held";
  held.id = "x";
  Event held_again = held;
  CHECK(held.natural_key() == held_again.natural_key());
  held_again.ts += Milliseconds(500);
  CHECK(held.natural_key() != held_again.natural_key());
}

TEST_CASE("providers and recipients tell events apart") {
  Event one = an_event();
  Event other = an_event();
  other.provider = "second";
  CHECK(one.natural_key() != other.natural_key());

  Event bounced;
  bounced.event = "bounced";
  bounced.id = "x";
  bounced.recipients = {{"a@b", Outcome::rejected, ""}};
  Event bounced_too = bounced;
  bounced_too.recipients[0].email = "c@d";
  CHECK(bounced.natural_key() != bounced_too.natural_key());
}

TEST_CASE("an event about one recipient says so, and is not another's") {
  Event event;
  event.event = "suppressed";
  event.id = "x";
  event.recipient = "a@example.com";
  std::string line;
  append_line(line, event);
  CHECK(line.find(R"("recipient":"a@example.com")") != std::string::npos);
  const auto read = parse_event(line);
  REQUIRE_OK(read);
  CHECK(read->recipient == "a@example.com");

  Event other = event;
  other.recipient = "b@example.com";
  CHECK(event.natural_key() != other.natural_key());
  // Also where there is an attempt, whose number otherwise says it all.
  event.attempt = other.attempt = 2;
  CHECK(event.natural_key() != other.natural_key());
}

TEST_CASE("every outcome has a name that names it") {
  for (const Outcome outcome :
       {Outcome::accepted, Outcome::rejected, Outcome::unavailable,
        Outcome::throttled, Outcome::unknown}) {
    CHECK(outcome_from(to_text(outcome)) == outcome);
  }
  CHECK(to_text(Outcome::throttled) == "throttled");
  CHECK_FALSE(outcome_from("Accepted"));
  CHECK_FALSE(outcome_from(""));
}

TEST_CASE("the better outcome is the one nearer to being delivered") {
  const std::vector<Outcome> best_first = {
      Outcome::accepted, Outcome::unknown, Outcome::throttled,
      Outcome::unavailable, Outcome::rejected};
  for (std::size_t i = 0; i < best_first.size(); ++i) {
    for (std::size_t j = i; j < best_first.size(); ++j) {
      CHECK(better(best_first[i], best_first[j]) == best_first[i]);
      CHECK(better(best_first[j], best_first[i]) == best_first[i]);
    }
  }
}

TEST_CASE("an errno becomes the kind of error that it is") {
  using Kind = Error::Kind;
  const auto kind = [](int number) {
    return fail_errno(number, "cannot open 'x'").value().kind;
  };
  CHECK(kind(EACCES) == Kind::no_permission);
  CHECK(kind(EPERM) == Kind::no_permission);
  CHECK(kind(EROFS) == Kind::no_permission);
  CHECK(kind(ENOENT) == Kind::not_found);
  CHECK(kind(EMFILE) == Kind::temporary);
  CHECK(kind(ENFILE) == Kind::temporary);
  CHECK(kind(ENOMEM) == Kind::temporary);
  CHECK(kind(EAGAIN) == Kind::temporary);
  CHECK(kind(EIO) == Kind::disk);
  CHECK(kind(ENOSPC) == Kind::disk);
  CHECK(fail_errno(ENOENT, "cannot open 'x'").value().what ==
        "cannot open 'x': No such file or directory");
}

TEST_SUITE_END();

}  // namespace
}  // namespace pony
