// The header of a mail that somebody else wrote: its fields, byte for byte.
#include "core/mime/mail_header.h"

#include <doctest/doctest.h>

#include <string>

namespace pony {

TEST_SUITE_BEGIN("core");

TEST_CASE("a header's fields are found byte for byte, whatever the line ends") {
  for (const std::string eol : {"\n", "\r\n"}) {
    CAPTURE(eol);
    const std::string mail = "Subject: a" + eol + "\tb" + eol + "X-Odd :  c " +
                             eol + "Empty:" + eol + eol + "Body: no field" +
                             eol;
    const auto header = scan_mail_header(mail);
    REQUIRE(header);
    REQUIRE(header->fields.size() == 3);
    CHECK(header->fields[0].name == "Subject");
    CHECK(header->fields[0].value == " a" + eol + "\tb");
    CHECK(header->fields[0].raw == "Subject: a" + eol + "\tb" + eol);
    CHECK(unfolded(header->fields[0].value) == "a b");
    CHECK(header->fields[1].is("x-odd"));
    CHECK(header->fields[1].line == 3);
    CHECK(unfolded(header->fields[1].value) == "c");
    CHECK(header->fields[2].value.empty());
    CHECK(header->is_separated);
    CHECK(mail.substr(header->body) == "Body: no field" + eol);
    CHECK(line_end_of(mail) == eol);
  }
}

TEST_CASE("a header ends at the first line that is no field") {
  const auto body_after = [](std::string_view mail) {
    const auto header = scan_mail_header(mail);
    REQUIRE(header);
    CHECK(!header->is_separated);
    CHECK(header->body == header->size);
    return std::string(mail.substr(header->body));
  };
  CHECK(body_after("A: b\nno field\nC: d\n") == "no field\nC: d\n");
  CHECK(body_after("just text") == "just text");
  CHECK(body_after(" a fold of nothing\nA: b\n") ==
        " a fold of nothing\nA: b\n");
  CHECK(body_after(": no name\n") == ": no name\n");
  CHECK(body_after("two words: x\n") == "two words: x\n");
  CHECK(body_after("A: b") == "");
  CHECK(body_after("") == "");
  CHECK(body_after("\xC3\x84: b\n") == "\xC3\x84: b\n");
}

TEST_CASE(
    "a header of more than 4 MiB is refused, a body of that size is not") {
  const std::string fields(k_mail_header_limit + 10, 'x');
  const auto refused = scan_mail_header("A: " + fields + "\n\nbody");
  REQUIRE(!refused);
  CHECK(refused.error().kind == Error::Kind::bad_data);

  std::string many;
  while (many.size() <= k_mail_header_limit) many += "A: b\n c\n";
  CHECK(!scan_mail_header(many));

  CHECK(scan_mail_header("A: b\n\n" + fields));
  CHECK(scan_mail_header(fields));
}

TEST_SUITE_END();

}  // namespace pony
