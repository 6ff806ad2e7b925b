// Tests spool/address_mask.cc, and the event log that goes through it.
#include "spool/address_mask.h"

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

using Words = std::vector<std::string>;

Event an_event(Spool& spool) {
  Event event = spool.event("attempted", "01M80AF8HPGVAFR7E7ZWHMSPC0", {});
  event.attempt = 1;
  event.provider = "main";
  event.provider_id = "20130503@mg.example";
  event.outcome = Outcome::rejected;
  event.error = "550 <ann@example.com>: no such user, says mx@example.com.";
  event.recipients = {
      {"ann@example.com", Outcome::rejected, "no ann@example.com"}};
  event.recipient = "ann@example.com";
  event.reason = "to: ann@example.com \u2192 bob@example.org";
  event.tags = {"team@widgets"};
  return event;
}

std::string line_of(const Event& event) {
  std::string line;
  append_line(line, event);
  return line;
}

Event masked(AddressMask& mask, const Event& event) {
  const std::string line = line_of(event);
  auto out = mask.masked(line);
  REQUIRE_OK(out);
  auto read = parse_event(*out);
  REQUIRE_OK(read);
  return *read;
}

TEST_CASE("in full the log has what the files have") {
  TempSpool spool;
  AddressMask mask(spool->folders(), LogAddresses::full);
  const std::string line = line_of(an_event(*spool));
  CHECK(mask.masked(line).value().data() == line.data());
}

TEST_CASE("masked, an address keeps its first character and its domain") {
  TempSpool spool;
  AddressMask mask(spool->folders(), LogAddresses::masked);
  const Event event = masked(mask, an_event(*spool));
  CHECK(event.recipient == "a***@example.com");
  CHECK(event.recipients[0].email == "a***@example.com");
  CHECK(event.recipients[0].error == "no a***@example.com");
  CHECK(event.error ==
        "550 <a***@example.com>: no such user, says m***@example.com.");
  CHECK(event.reason == "to: a***@example.com \u2192 b***@example.org");
  CHECK_MESSAGE(event.provider_id == "20130503@mg.example", "no address");
  CHECK(event.tags == Words{"team@widgets"});
  CHECK(masked_email("\u00fcber@example.com") == "\u00fc***@example.com");
}

TEST_CASE("hashed, every spelling of an address is one, and no other's") {
  TempSpool spool;
  AddressMask mask(spool->folders(), LogAddresses::hash);
  Event event = an_event(*spool);
  const std::string ann = masked(mask, event).recipient;
  CHECK(ann.size() == std::string("h:0123456789abcdef@example.com").size());
  CHECK(ann.starts_with("h:"));
  CHECK(ann.ends_with("@example.com"));
  event.recipient = "ANN@Example.com";
  CHECK(masked(mask, event).recipient == ann);
  event.recipient = "anna@example.com";
  CHECK(masked(mask, event).recipient != ann);
  // Another process of the same spool says the same.
  AddressMask other(spool->folders(), LogAddresses::hash);
  event.recipient = "ann@example.com";
  CHECK(masked(other, event).recipient == ann);
  // Another spool does not.
  TempSpool elsewhere;
  AddressMask stranger(elsewhere->folders(), LogAddresses::hash);
  CHECK(masked(stranger, event).recipient != ann);
}

TEST_CASE("the key is made once, for its owner alone") {
  TempSpool spool;
  AddressMask mask(spool->folders(), LogAddresses::hash);
  CHECK_FALSE(mask.existing_key().value().has_value());
  const auto key = mask.key();
  REQUIRE_OK(key);
  struct stat info {};
  REQUIRE(::stat((spool / "state/address.key").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  AddressMask other(spool->folders(), LogAddresses::hash);
  CHECK(other.key().value() == *key);
  CHECK(std::filesystem::is_empty(spool / "tmp"));
}

TEST_CASE("without a key nothing is written in full instead") {
  TempSpool spool;
  write_text(spool / "state/address.key", "nonsense\n");
  auto opened =
      Spool::open({spool.path(), {}, std::chrono::hours(1), LogAddresses::hash},
                  spool.clock);
  REQUIRE_OK(opened);
  const std::string line = line_of(an_event(*spool));
  CHECK_FAILS((*opened)->log().append(line, spool.clock.now()), bad_data);
  CHECK(spool.logged("ann@") == 0);
  // Lines without an address need none.
  REQUIRE_OK(
      (*opened)->log().append("{\"event\":\"opened\"}\n", spool.clock.now()));
}

TEST_CASE("lines without an address pass as they are, between others") {
  TempSpool spool;
  AddressMask mask(spool->folders(), LogAddresses::masked);
  const std::string plain =
      "{\"ts\":\"2026-11-21T10:00:00Z\",\"event\":\"sent\",\"id\":\"x\","
      "\"later\":{\"a\":1}}\n";
  CHECK(mask.masked(plain).value().data() == plain.data());
  const std::string lines = plain + line_of(an_event(*spool)) + plain;
  const std::string out(mask.masked(lines).value());
  CHECK(out.starts_with(plain));
  CHECK(out.ends_with("\n" + plain));
  CHECK(out.find("ann@") == std::string::npos);
  // What is no event is masked all the same.
  CHECK(mask.masked("no event, ann@example.com\n").value() ==
        "no event, a***@example.com\n");
  CHECK(mask.masked("@").value() == "@");
}

TEST_CASE("addresses are found in any text") {
  const auto found = [](std::string_view text) {
    Words words;
    for (const auto email : emails_in(text)) words.emplace_back(email);
    return words;
  };
  CHECK(found("<a@b.example>, 'c@d.example': e@f.example.") ==
        Words{"a@b.example", "c@d.example", "e@f.example"});
  CHECK(found("a.b+c=d@x-y.example-") == Words{"a.b+c=d@x-y.example"});
  CHECK(found("j\u00f6rg@b\u00fccher.example") ==
        Words{"j\u00f6rg@b\u00fccher.example"});
  CHECK(found("a@b@c.example") == Words{"a@b"});
  for (const std::string_view none :
       {"", "@", "a@", "@b", "a @b", "a@ b", "''@b", "a@.-", "a@@b"})
    CHECK_MESSAGE(found(none).empty(), none);
}

TEST_CASE("an event is known whatever the log was told to say of it") {
  TempSpool spool;
  Event event = an_event(*spool);
  event.attempt = 0;
  for (const auto how :
       {LogAddresses::full, LogAddresses::masked, LogAddresses::hash}) {
    AddressMask mask(spool->folders(), how);
    const std::string logged = masked(mask, event).natural_key();
    AddressMask later(spool->folders(), LogAddresses::masked);
    const auto keys = later.keys_of(event);
    CHECK(std::count(keys.begin(), keys.end(), logged) == 1);
  }
}

}  // namespace

TEST_SUITE_END();

}  // namespace pony
