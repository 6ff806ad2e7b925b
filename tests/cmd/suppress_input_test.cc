// Tests cmd/suppress_input.cc.
#include "cmd/suppress_input.h"

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("cmd");

namespace pony {
namespace {

using namespace std::string_view_literals;

const Time k_now = parse_time("2026-11-22T10:00:00Z").value();

struct Read {
  std::vector<Suppression> entries;
  std::vector<std::size_t> bad;  // their lines
};

// Everything in `text`, fed in pieces of `size` bytes.
Read all_in(std::string_view text, std::size_t size = 1 << 20) {
  SuppressionInput input(SuppressedFor::manual, k_now);
  Read read;
  const auto take = [&] {
    while (auto record = input.next()) {
      if (record->entry)
        read.entries.push_back(std::move(*record->entry));
      else
        read.bad.push_back(record->line);
    }
  };
  while (!text.empty()) {
    input.feed(text.substr(0, size));
    text.remove_prefix(std::min(size, text.size()));
    take();
  }
  input.finish();
  take();
  return read;
}

std::vector<std::string> addresses_of(const Read& read) {
  std::vector<std::string> addresses;
  for (const auto& entry : read.entries) addresses.push_back(entry.address);
  return addresses;
}

using Words = std::vector<std::string>;
using Lines = std::vector<std::size_t>;

TEST_CASE("an address a line, with comments, names and bad ones between") {
  const auto read = all_in(
      "# from the old system\r\n"
      "ann@example.com\r\n\r\n"
      "nonsense\n"
      "Bob <bob@example.com>\n"
      "a@b@c\n"
      "cid@example.com");
  CHECK(addresses_of(read) ==
        Words{"ann@example.com", "bob@example.com", "cid@example.com"});
  CHECK(read.bad == Lines{4, 6});
  CHECK(read.entries[0].reason == SuppressedFor::manual);
  CHECK(read.entries[0].since == k_now);
}

TEST_CASE("SendGrid's bounces are read by their header") {
  const auto read = all_in(
      "status,reason,email,created\n"
      "5.1.1,\"550 5.1.1 no such user, said \"\"mx\"\"\",ann@example.com,"
      "1449953655\n"
      "4.2.2,,bob@example.com,1449953655\n");
  REQUIRE(read.entries.size() == 2);
  CHECK(read.bad.empty());
  CHECK(read.entries[0].address == "ann@example.com");
  CHECK(read.entries[0].reason == SuppressedFor::bounced);
  CHECK(format_time(read.entries[0].since) == "2015-12-12T20:54:15.000Z");
  CHECK(read.entries[0].note == "550 5.1.1 no such user, said \"mx\"");
  CHECK(read.entries[1].reason == SuppressedFor::manual);
}

TEST_CASE("Mailgun's and Postmark's lists are read by their headers") {
  const auto mailgun = all_in(
      "address,code,error,created_at\n"
      "ann@example.com,550,550 no mailbox,\"Fri, 21 Oct 2011 11:02:55 GMT\"\n"
      "bob@example.com,550,,not a date\n");
  REQUIRE(mailgun.entries.size() == 1);
  CHECK(mailgun.entries[0].reason == SuppressedFor::bounced);
  CHECK(format_time(mailgun.entries[0].since) == "2011-10-21T11:02:55.000Z");
  CHECK(mailgun.bad == Lines{3});

  const auto postmark = all_in(
      "\xEF\xBB\xBF\"EmailAddress\";\"SuppressionReason\";\"Origin\";"
      "\"CreatedAt\"\r\n"
      "ann@example.com;HardBounce;Recipient;2024-12-10T08:58:33-05:00\r\n"
      "bob@example.com;SpamComplaint;Recipient;2024-12-10 08:58:33\r\n"
      "cid@example.com;ManualSuppression;Customer;2024-12-10\r\n");
  REQUIRE(postmark.entries.size() == 3);
  CHECK(postmark.entries[0].reason == SuppressedFor::bounced);
  CHECK(postmark.entries[0].note.empty());
  CHECK(postmark.entries[1].reason == SuppressedFor::complained);
  CHECK(format_time(postmark.entries[1].since) == "2024-12-10T08:58:33.000Z");
  CHECK(postmark.entries[2].reason == SuppressedFor::manual);
}

TEST_CASE("our own list comes back as it was") {
  Suppression entry{"ann@example.com",
                    SuppressedFor::complained,
                    k_now,
                    "main",
                    "01M80AF8HPGVAFR7E7ZWHMSPC0",
                    "rang us up"};
  std::string text;
  append_line(text, entry);
  text += "{\"address\":\"nobody\",\"since\":\"2026-11-22T10:00:00Z\"}\n{]\n";
  const auto read = all_in(text);
  REQUIRE(read.entries.size() == 1);
  CHECK(read.entries[0] == entry);
  CHECK(read.bad == Lines{2, 3});
}

TEST_CASE(
    "a line break in quotes is no end of a record, and lines are counted") {
  const auto read = all_in(
      "email,reason\n"
      "ann@example.com,\"550 no\nsuch\nuser\"\n"
      "bad\n"
      "bob@example.com,5\" nail\n");
  CHECK(addresses_of(read) == Words{"ann@example.com", "bob@example.com"});
  CHECK(read.bad == Lines{5});
}

TEST_CASE("a quote that is never closed costs one line") {
  const auto read = all_in(
      "email,reason\nann@example.com,\"550\nbob@example.com,x\n"
      "cid@example.com,x");
  CHECK(addresses_of(read) == Words{"bob@example.com", "cid@example.com"});
  CHECK(read.bad == Lines{2});
}

TEST_CASE("a record that is too long costs itself, and little memory") {
  const std::string long_one(3 << 20, 'x');
  for (const std::string head : {"", "email\n"}) {
    CAPTURE(head);
    const auto read = all_in(head + "ann@example.com\n" + long_one +
                                 "\nbob@example.com\n\"" + long_one,
                             1000);
    CHECK(addresses_of(read) == Words{"ann@example.com", "bob@example.com"});
    CHECK(read.bad.size() == 2);
  }
}

TEST_CASE("how the input is cut into pieces changes nothing") {
  const std::string text =
      "email;reason;created\n"
      "\"ann@example.com\";\"a \"\"b\"\"\n c\";2026-11-22\n"
      "nonsense;;\n"
      "bob@example.com;\"unclosed\ncid@example.com;;\n";
  const auto whole = all_in(text);
  REQUIRE(whole.entries.size() == 2);
  for (std::size_t size = 1; size < text.size(); ++size) {
    const auto cut = all_in(text, size);
    CHECK(cut.entries == whole.entries);
    CHECK(cut.bad == whole.bad);
  }
}

TEST_CASE("any bytes at all are records, bad ones, or nothing") {
  std::mt19937 random(7);
  constexpr std::string_view k_bytes = "a@.\",;\n\r\t{}#:e \xC3\xBC\x00"sv;
  for (int round = 0; round < 2000; ++round) {
    std::string text = round % 3 == 0 ? "email,reason\n" : "";
    for (int i = 0; i < 60; ++i)
      text.push_back(k_bytes[random() % k_bytes.size()]);
    (void)all_in(text, 1 + random() % 10);
  }
}

TEST_CASE("moments are read as providers write them") {
  for (const auto& [text, moment] :
       std::vector<std::pair<std::string, std::string>>{
           {"1449953655", "2015-12-12T20:54:15.000Z"},
           {"1449953655123", "2015-12-12T20:54:15.123Z"},
           {"2015-12-12T20:54:15Z", "2015-12-12T20:54:15.000Z"},
           {"2015-12-12 20:54:15 UTC", "2015-12-12T20:54:15.000Z"},
           {"2015-12-12T20:54:15", "2015-12-12T20:54:15.000Z"},
           {"2015-12-12", "2015-12-12T00:00:00.000Z"},
           {"Sat, 5 Dec 2015 20:54:15 +0000", "2015-12-05T20:54:15.000Z"}}) {
    CAPTURE(text);
    const auto time = parse_exported_time(text);
    REQUIRE_OK(time);
    CHECK(format_time(*time) == moment);
  }
  for (const std::string_view text :
       {"", "soon", "-1", "99999999999999999", "2015-13-01", "Sat, x", "Sat, ",
        "Sat, 5 Dez 2015 20:54:15", "Sat, 5 Dec 2015", ", 5 Dec 2015 25:00:00"})
    CHECK_FAILS(parse_exported_time(text), bad_data);
}

TEST_CASE("reasons are understood as providers write them") {
  using enum SuppressedFor;
  for (const auto& [text, reason] :
       std::vector<std::pair<std::string, SuppressedFor>>{
           {"HardBounce", bounced},
           {"hard_bounce", bounced},
           {"550 5.1.1 unknown", bounced},
           {"Bounced Address", bounced},
           {"SpamComplaint", complained},
           {"abuse", complained},
           {"Unsubscribed", unsubscribed},
           {"group_unsubscribe", unsubscribed},
           {"manual", manual}}) {
    CAPTURE(text);
    CHECK(exported_reason(text) == reason);
  }
  CHECK_FALSE(exported_reason(""));
  CHECK_FALSE(exported_reason("who knows"));
}

}  // namespace

TEST_SUITE_END();

}  // namespace pony
