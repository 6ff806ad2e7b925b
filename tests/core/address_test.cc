// Addresses: what is read, what is refused, how domains go to the wire.
#include "core/address.h"

#include <doctest/doctest.h>

#include "tests/support/require_ok.h"

namespace pony {
namespace {

using namespace std::string_view_literals;

TEST_SUITE_BEGIN("core");

TEST_CASE("an address is read with or without a name") {
  struct Case {
    std::string_view text;
    Address address;
  };
  for (const auto& [text, address] : std::vector<Case>{
           {"a@b.example", {"", "a@b.example"}},
           {"<a@b.example>", {"", "a@b.example"}},
           {"  a@b.example ", {"", "a@b.example"}},
           {"Ann <a@b.example>", {"Ann", "a@b.example"}},
           {"Ann B. Ångström<a@b.example>", {"Ann B. Ångström", "a@b.example"}},
           {"\"Quoted, name\" <a@b.example>", {"Quoted, name", "a@b.example"}},
           {R"("A \"B\" \\ <c@d>" <a@b.example>)",
            {R"(A "B" \ <c@d>)", "a@b.example"}},
           {"\"\" <a@b.example>", {"", "a@b.example"}},
           {"[Shop] Ann's <a@b.example>", {"[Shop] Ann's", "a@b.example"}},
           {"a+b/c='d'{e}@b.example", {"", "a+b/c='d'{e}@b.example"}},
           {"first.last.x@b.example", {"", "first.last.x@b.example"}},
           {"root@localhost", {"", "root@localhost"}},
           {"jörg@bücher.example", {"", "jörg@bücher.example"}},
           {"a@xn--bcher-kva.example", {"", "a@xn--bcher-kva.example"}}}) {
    CAPTURE(text);
    const auto read = parse_address(text);
    REQUIRE_OK(read);
    CHECK(*read == address);
  }
}

TEST_CASE("what could be read in two ways is refused") {
  for (const std::string_view text : {"",
                                      " ",
                                      "<>",
                                      "Ann <>",
                                      "Ann",
                                      "@",
                                      "a@",
                                      "@b.example",
                                      "a b@c.example",
                                      "a@b@c.example",
                                      "a@b.example, c@d.example",
                                      "a@b.example c@d.example",
                                      "Ann <a@b.example>, Bob <c@d.example>",
                                      "Smith, Ann <a@b.example>",
                                      "team: a@b.example;",
                                      "Team: Ann <a@b.example>",
                                      "a@b.example;",
                                      "a@b.example (Ann)",
                                      "Ann (x) <a@b.example>",
                                      "a(x)@b.example",
                                      "<@relay.example:a@b.example>",
                                      "@relay.example:a@b.example",
                                      "Ann <a@b.example",
                                      "Ann a@b.example>",
                                      "a@b.example <c@d.example>",
                                      "\"Ann <a@b.example>",
                                      "\"Ann\" B <a@b.example>",
                                      "Ann\" <a@b.example>",
                                      R"("Ann\" <a@b.example>)",
                                      "\"quoted local\"@b.example",
                                      "\"a\"@b.example",
                                      "<<a@b.example>>",
                                      "Ann <a@b.example> x",
                                      ".a@b.example",
                                      "a.@b.example",
                                      "a..b@c.example",
                                      "a\\@b.example"}) {
    CAPTURE(text);
    CHECK_FAILS(parse_address(text), bad_data);
  }
}

TEST_CASE("no control character gets in, wherever it stands") {
  for (const std::string_view control :
       {"\r"sv, "\n"sv, "\r\n"sv, "\0"sv, "\t"sv, "\x1b"sv, "\x7f"sv,
        "\u0085"sv, "\u2028"sv, "\u2029"sv}) {
    const std::string c(control);
    CHECK_FAILS(parse_address("An" + c + "n <a@b.example>"), bad_data);
    CHECK_FAILS(parse_address("\"An" + c + "n\" <a@b.example>"), bad_data);
    CHECK_FAILS(parse_address("a" + c + "@b.example"), bad_data);
    CHECK_FAILS(parse_address("a@b" + c + ".example"), bad_data);
    CHECK_FAILS(parse_address("a@b.example" + c), bad_data);
    CHECK_FAILS(parse_address(c + "a@b.example"), bad_data);
    CHECK_FAILS(check_email("a@b.example" + c), bad_data);
  }
  CHECK_FAILS(parse_address("a@b>\r\nRCPT TO:<c@d"), bad_data);
  CHECK(parse_address("a@b\n").error().what ==
        "'a@b\\x0a' is no address: it holds a line break or control character");
}

TEST_CASE("what is not UTF-8 is no address") {
  CHECK_FAILS(parse_address("\xff <a@b.example>"), bad_data);
  CHECK_FAILS(parse_address("\xc0\xafx@b.example"), bad_data);
  CHECK_FAILS(check_email("\xffx@b.example"), bad_data);
}

TEST_CASE("a domain is a host name") {
  for (const std::string_view domain :
       {"[192.0.2.1]", "[IPv6:::1]", "192.0.2.1", "1", "-a.example",
        "a-.example", "a..example", ".example", "example.", "a_b.example",
        "a b.example", "ex%61mple", "a/b", "a:25", "a\"b", "例え..example"}) {
    CAPTURE(domain);
    CHECK_FAILS(check_email("a@" + std::string(domain)), bad_data);
  }
  CHECK(check_email("a@3com.example"));
  CHECK(check_email("a@1.2.3.example"));
}

TEST_CASE("full-width forms do not smuggle in what is refused in ASCII") {
  for (const std::string_view domain :
       {"b\uFF20c.example", "b\uFF1C.example", "b\uFF0C.example",
        "b\uFF1A.example", "192.0.2.\uFF11"}) {
    CAPTURE(domain);
    CHECK_FAILS(check_email("a@" + std::string(domain)), bad_data);
  }
}

TEST_CASE("lengths are those of the standards") {
  const std::string label(63, 'x');
  CHECK(check_email(std::string(64, 'a') + "@b.example"));
  CHECK_FAILS(check_email(std::string(65, 'a') + "@b.example"), bad_data);
  CHECK(check_email("a@" + label + ".example"));
  CHECK_FAILS(check_email("a@x" + label + ".example"), bad_data);
  const std::string long_domain = label + "." + label + "." + label + ".";
  CHECK(check_email("a@" + long_domain + std::string(60, 'y')));
  CHECK_FAILS(check_email("a@" + long_domain + std::string(61, 'y')), bad_data);
  CHECK_FAILS(check_email("a@" + std::string(1'000'000, 'x')), bad_data);
}

TEST_CASE("an error says what is wrong") {
  CHECK(check_email("ann").error().what ==
        "'ann' is no address: it has no '@'");
  CHECK(check_email("ann@").error().what ==
        "'ann@' is no address: nothing is after the '@'");
  CHECK(check_email("ann@b_c").error().what ==
        "'ann@b_c' is no address: 'b_c' is no domain name");
  CHECK(check_email("a@[192.0.2.1]").error().what ==
        "'a@[192.0.2.1]' is no address: the domain is an address literal");
  CHECK(parse_address("Smith, Ann <a@b.example>").error().hint ==
        "put the name in double quotes, or give an object with 'name' and "
        "'email'");
}

TEST_CASE("an address as text is read as the same address") {
  for (const Address& address :
       std::vector<Address>{{"", "a@b.example"},
                            {"Ann", "a@b.example"},
                            {"Smith, \"Ann\" \\ (x)", "a@b.example"},
                            {" spaces ", "a@b.example"},
                            {"Group: c@d;", "a@b.example"},
                            {"c@d", "a@b.example"},
                            {"Ånn", "jörg@bücher.example"}}) {
    CAPTURE(to_text(address));
    const auto read = parse_address(to_text(address));
    REQUIRE_OK(read);
    CHECK(*read == address);
  }
  CHECK(to_text(Address{"Ann", "a@b.example"}) == "Ann <a@b.example>");
  CHECK(to_text(Address{"A, B", "a@b.example"}) == "\"A, B\" <a@b.example>");
}

TEST_CASE("an address has its two sides of the @") {
  CHECK(local_part("a@b.example") == "a");
  CHECK(domain_of("a@b.example") == "b.example");
  CHECK(domain_of("a").empty());
}

TEST_CASE("a domain goes to the wire as A-labels in lower case") {
  CHECK(*wire_email("Ann@EXAMPLE.Com") == "Ann@example.com");
  CHECK(*wire_email("a@bücher.example") == "a@xn--bcher-kva.example");
  CHECK(*wire_email("a@BÜCHER.example") == "a@xn--bcher-kva.example");
  CHECK(*wire_email("a@bu\u0308cher.example") == "a@xn--bcher-kva.example");
  CHECK(*wire_email("a@straße.example") == "a@xn--strae-oqa.example");
  CHECK(*wire_email("jörg@example.com") == "jörg@example.com");
  // A homograph (Cyrillic а) is another domain, and seen as one.
  CHECK(*wire_email("a@p\u0430ypal.example") == "a@xn--pypal-4ve.example");
  CHECK_FAILS(wire_email("a@b_c.example"), bad_data);
  CHECK_FAILS(wire_email("a"), bad_data);
}

TEST_CASE("two spellings of an address are compared as one") {
  CHECK(comparable_email("Ann@Example.COM") == "ann@example.com");
  CHECK(comparable_email("ann@B\u00fccher.example") ==
        comparable_email("ANN@xn--bcher-kva.example"));
  CHECK(comparable_email("ann@example.com") !=
        comparable_email("ann@example.org"));
  CHECK(comparable_email("No Address") == "no address");
  CHECK(comparable_email("\u00fc") == "\u00fc");
}

TEST_SUITE_END();

}  // namespace
}  // namespace pony
