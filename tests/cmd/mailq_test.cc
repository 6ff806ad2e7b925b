// The shape of mailq that scripts and monitoring grep.
#include "cmd/mailq.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <string>

namespace pony {
namespace {

const Time k_now = parse_time("2026-11-21T21:05:00Z").value();

Listed a_listed() {
  Listed listed;
  listed.state = State::fresh;
  listed.id = "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC";
  listed.arrived = k_now - std::chrono::minutes(4);
  listed.size_bytes = 2314;
  listed.sender = Address{"Shop", "shop@example.com"};
  listed.file = MessageFile{};
  listed.file->message.to = {{"", "ann@example.org"}, {"", "bob@example.org"}};
  return listed;
}

std::string entry(const Listed& listed) {
  ::setenv("TZ", "UTC0", 1);
  ::tzset();
  return mailq_entry(listed, k_now);
}

}  // namespace

TEST_SUITE_BEGIN("cmd");

TEST_CASE("mailq's columns stand below its header") {
  CHECK(mailq_header() ==
        "-Queue ID-                  --Size-- ----Arrival Time---- "
        "-Sender/Recipient-------\n");
  CHECK(entry(a_listed()) ==
        "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC      2314 Sat Nov 21 21:01:00  "
        "shop@example.com\n"
        "                                                          "
        "ann@example.org\n"
        "                                                          "
        "bob@example.org\n");
}

TEST_CASE("a mark behind the id tells what is being sent, held, uncertain") {
  Listed listed = a_listed();
  const auto id = [&] { return entry(listed).substr(0, 28); };
  listed.state = State::claimed;
  CHECK(id() == "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC* ");
  listed.state = State::held;
  CHECK(id() == "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC! ");
  listed.state = State::deferred;
  listed.file->history.unknown_at = "main";
  CHECK(id() == "01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC? ");
}

TEST_CASE("why a message waits, and until when, stands in brackets") {
  Listed listed = a_listed();
  listed.state = State::deferred;
  listed.file->history.last_provider = "sendgrid";
  listed.file->history.last_error = "503\nservice unavailable";
  listed.file->history.next_at = k_now + std::chrono::minutes(9);
  CHECK(entry(listed).find("\n(sendgrid: 503\\x0aservice unavailable; next try "
                           "21:14)\n") != std::string::npos);
  listed.file->history.next_at = k_now + std::chrono::hours(30);
  CHECK(entry(listed).find("; next try Nov 23 03:05)\n") != std::string::npos);
}

TEST_CASE("no sender is the null sender, no id and no message are shown") {
  Listed listed = a_listed();
  listed.sender.reset();
  CHECK(entry(listed).find("  MAILER-DAEMON\n") != std::string::npos);
  listed.id.clear();
  listed.file.reset();
  listed.problem = "no valid message";
  CHECK(entry(listed) ==
        "DROPPED                         2314 Sat Nov 21 21:01:00  "
        "MAILER-DAEMON\n(no valid message)\n");
}

TEST_SUITE_END();

}  // namespace pony
