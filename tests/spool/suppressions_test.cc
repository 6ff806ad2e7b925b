// Tests spool/suppressions.cc.
#include "spool/suppressions.h"

#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/require_ok.h"
#include "tests/support/temp_spool.h"

TEST_SUITE_BEGIN("spool");

namespace pony {
namespace {

struct List {
  TempSpool spool;
  Suppressions list{spool->folders()};

  Suppression bounced(const std::string& address) {
    return {address, SuppressedFor::bounced,       spool.clock.now(),
            "main",  "01M80AF8HPGVAFR7E7ZWHMSPC0", ""};
  }
  std::size_t add(const std::vector<std::string>& addresses) {
    std::vector<Suppression> entries;
    for (const auto& address : addresses) entries.push_back(bounced(address));
    auto added = list.add(entries);
    REQUIRE_OK(added);
    return *added;
  }
  std::string path() const {
    return spool.path() + "/state/suppressions.jsonl";
  }
};

bool has(Suppressions& list, const std::string& address) {
  REQUIRE_OK(list.refresh());
  auto found = list.find(address);
  REQUIRE_OK(found);
  return found->has_value();
}

std::vector<std::string> addresses_in(Suppressions& list) {
  std::vector<std::string> addresses;
  REQUIRE_OK(list.for_each([&](const Suppression& entry) {
    addresses.push_back(entry.address);
    return true;
  }));
  return addresses;
}

TEST_CASE("a spool without suppressions has none, and no file of them") {
  List a;
  CHECK_FALSE(has(a.list, "ann@example.com"));
  CHECK(a.list.empty());
  CHECK(addresses_in(a.list).empty());
  CHECK_FALSE(std::filesystem::exists(a.path()));
}

TEST_CASE("an entry comes back as it was added") {
  List a;
  Suppression entry = a.bounced("ann@example.com");
  entry.reason = SuppressedFor::complained;
  entry.note = "rang us up\n\"twice\"";
  REQUIRE_OK(a.list.add(std::vector{entry}));
  Suppressions other(a.spool->folders());
  REQUIRE_OK(other.refresh());
  const auto found = other.find("ann@example.com");
  REQUIRE_OK(found);
  REQUIRE(found->has_value());
  CHECK(**found == entry);
}

TEST_CASE("an address is found in every spelling, and only that one") {
  List a;
  a.add({"Ann@Example.COM", "bob@b\u00fccher.example"});
  CHECK(has(a.list, "ANN@example.com"));
  CHECK(has(a.list, "bob@xn--bcher-kva.example"));
  CHECK(has(a.list, "BOB@b\u00fccher.example"));
  CHECK_FALSE(has(a.list, "ann@example.org"));
  CHECK_FALSE(has(a.list, "an@example.com"));
  CHECK(
      addresses_in(a.list) ==
      std::vector<std::string>{"ann@example.com", "bob@xn--bcher-kva.example"});
}

TEST_CASE("an address that is there is not added again") {
  List a;
  CHECK(a.add({"a@example.com", "b@example.com", "A@example.com"}) == 2);
  const std::string before = text_in(a.path());
  Suppression again = a.bounced("a@EXAMPLE.com");
  again.reason = SuppressedFor::unsubscribed;
  CHECK(a.list.add(std::vector{again}).value() == 0);
  CHECK(text_in(a.path()) == before);
  CHECK(a.add({"a@example.com", "c@example.com"}) == 1);
  CHECK(text_in(a.path()).starts_with(before));
}

TEST_CASE("what is removed is gone, and the others stay") {
  List a;
  a.add({"a@example.com", "b@example.com", "c@example.com"});
  const std::vector<std::string> gone = {"B@example.com", "x@example.com"};
  const auto removed = a.list.remove(gone);
  REQUIRE_OK(removed);
  REQUIRE(removed->size() == 1);
  CHECK(removed->front() == a.bounced("b@example.com"));
  CHECK_FALSE(has(a.list, "b@example.com"));
  CHECK(has(a.list, "a@example.com"));
  CHECK(addresses_in(a.list) ==
        std::vector<std::string>{"a@example.com", "c@example.com"});
  CHECK(a.list.remove(gone).value().empty());
  CHECK(text_in(a.path()).find("b@example") == std::string::npos);
}

TEST_CASE("what others add, remove or throw away is seen at the next look") {
  List a;
  Suppressions reader(a.spool->folders());
  CHECK_FALSE(has(reader, "a@example.com"));
  a.add({"a@example.com"});
  CHECK(has(reader, "a@example.com"));
  a.add({"b@example.com"});
  CHECK(has(reader, "b@example.com"));
  CHECK(reader.size() == 2);
  const std::vector<std::string> gone = {"a@example.com"};
  REQUIRE_OK(a.list.remove(gone));
  CHECK_FALSE(has(reader, "a@example.com"));
  CHECK(has(reader, "b@example.com"));
  std::filesystem::remove(a.path());
  CHECK_FALSE(has(reader, "b@example.com"));
  CHECK(reader.empty());
  a.add({"c@example.com"});
  CHECK(has(reader, "c@example.com"));
}

TEST_CASE("a list that somebody cut short or wrote anew is read anew") {
  List a;
  a.add({"a@example.com", "b@example.com"});
  CHECK(has(a.list, "b@example.com"));
  const std::string text = text_in(a.path());
  write_text(a.path(), text.substr(0, text.find('\n') + 1));
  CHECK(has(a.list, "a@example.com"));
  CHECK_FALSE(has(a.list, "b@example.com"));
}

TEST_CASE("a torn last line counts for nothing, and is ended") {
  List a;
  a.add({"a@example.com", "b@example.com"});
  const std::string whole = text_in(a.path());
  const std::size_t first = whole.find('\n') + 1;
  for (std::size_t cut = first; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    write_text(a.path(), whole.substr(0, cut));
    Suppressions list(a.spool->folders());
    CHECK_FALSE(has(list, "b@example.com"));
    CHECK(has(list, "a@example.com"));
    CHECK(list.add(std::vector{a.bounced("c@example.com")}).value() == 1);
    CHECK(has(list, "c@example.com"));
    // Ended, a line that lacked no more than its end is one.
    CHECK(has(list, "b@example.com") == (cut == whole.size() - 1));
  }
}

TEST_CASE("lines that are no entries are passed over") {
  List a;
  a.add({"a@example.com"});
  std::string text = text_in(a.path());
  text += "\n{}\n[]\nnonsense\n{\"address\":\"\",\"since\":1}\n";
  text += "{\"address\":\"t@example.com\",\"reas}\n";
  text += std::string(1 << 20, 'x') + "\n";
  text +=
      "{\"since\":\"2026-11-20T00:00:00Z\",\"later\":[1],"
      "\"address\":\"Later@Example.com\",\"reason\":\"moved\"}\n";
  text += std::string(1 << 20, '{');
  write_text(a.path(), text);
  CHECK(has(a.list, "a@example.com"));
  CHECK_FALSE(has(a.list, "t@example.com"));
  CHECK(has(a.list, "later@example.com"));
  // A reason that we do not know is one all the same.
  CHECK(a.list.find("later@example.com").value()->reason ==
        SuppressedFor::manual);
  CHECK(addresses_in(a.list) ==
        std::vector<std::string>{"a@example.com", "later@example.com"});
  CHECK(a.add({"t@example.com"}) == 1);
  const std::vector<std::string> gone = {"a@example.com"};
  REQUIRE_OK(a.list.remove(gone));
  CHECK(addresses_in(a.list) ==
        std::vector<std::string>{"later@example.com", "t@example.com"});
  CHECK(text_in(a.path()).find("\"later\":[1]") != std::string::npos);
}

TEST_CASE("many who add at once lose nothing and add nothing twice") {
  List a;
  constexpr int k_threads = 4;
  constexpr int k_each = 25;
  std::vector<std::unique_ptr<Spool>> spools;
  for (int i = 0; i < k_threads; ++i)
    spools.push_back(Spool::open({a.spool.path(), {}}, a.spool.clock).value());
  std::vector<std::thread> threads;
  std::vector<std::size_t> added(k_threads);
  for (std::size_t i = 0; i < k_threads; ++i)
    threads.emplace_back([&, i] {
      Suppressions list(spools[i]->folders());
      for (int k = 0; k < k_each; ++k)
        added[i] += list.add(std::vector{a.bounced("a" + std::to_string(k) +
                                                   "@example.com")})
                        .value_or(0);
    });
  for (auto& thread : threads) thread.join();
  std::size_t sum = 0;
  for (const auto one : added) sum += one;
  CHECK(sum == k_each);
  CHECK(addresses_in(a.list).size() == k_each);
}

TEST_CASE("a full disk adds nothing, and the list stays whole") {
  List a;
  a.add({"a@example.com"});
  const std::string before = text_in(a.path());
  struct rlimit old {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small { before.size() + 20, old.rlim_max };
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto added = a.list.add(std::vector{a.bounced("b@example.com")});
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
  ::signal(SIGXFSZ, handler);
  CHECK_FAILS(added, disk);
  CHECK(text_in(a.path()) == before);
  CHECK(a.add({"b@example.com"}) == 1);
}

TEST_CASE("a list that is a symbolic link is refused") {
  List a;
  write_text(a.spool / "elsewhere", "");
  std::filesystem::create_symlink(a.spool / "elsewhere", a.path());
  CHECK_FAILS(a.list.refresh(), bad_data);
  CHECK_FAILS(a.list.add(std::vector{a.bounced("b@example.com")}), bad_data);
}

TEST_CASE("a suppression is told in words") {
  Suppression entry{"a@example.com",
                    SuppressedFor::bounced,
                    parse_time("2026-11-20T10:00:00Z").value(),
                    "main",
                    "",
                    ""};
  CHECK(to_text(entry) == "bounced on 2026-11-20 (main)");
  entry.provider.clear();
  entry.reason = SuppressedFor::manual;
  CHECK(to_text(entry) == "suppressed by hand on 2026-11-20");
  for (const auto reason : {SuppressedFor::bounced, SuppressedFor::complained,
                            SuppressedFor::unsubscribed, SuppressedFor::manual})
    CHECK(suppressed_for_from(to_text(reason)) == reason);
  CHECK_FALSE(suppressed_for_from("because"));
}

}  // namespace

TEST_SUITE_END();

}  // namespace pony
