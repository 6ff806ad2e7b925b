// Tests core/raw_message.cc and core/mime/raw_mail.cc: the bytes of a finished
// message.
#include "core/raw_message.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/mime/body_encoding.h"
#include "core/mime/raw_mail.h"

TEST_SUITE_BEGIN("core");

namespace pony {
namespace {

std::vector<std::string> names_in(std::string_view raw) {
  std::vector<std::string> names;
  std::string_view header = header_of(raw);
  RawField field;
  while (next_field(header, field)) names.emplace_back(field.name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a header ends at the first empty line, whatever ends a line") {
  CHECK(header_of("A: 1\r\nB: 2\r\n\r\nC: 3\r\n") == "A: 1\r\nB: 2\r\n");
  CHECK(header_of("A: 1\n\nC: 3\n") == "A: 1\n");
  CHECK(header_of("A: 1\r\rC: 3\r") == "A: 1\r");
  CHECK(header_of("A: 1\n\rC: 3\n") == "A: 1\n");
  CHECK(header_of("\nbody") == "");
  CHECK(header_of("") == "");
  CHECK(header_of("A: 1") == "A: 1");
}

TEST_CASE("a field is its line and those that continue it") {
  CHECK(names_in("A: 1\n b\n\tc\nB :2\nno field\n: x\nC:") ==
        Names{"A", "B", "", "", "C"});
  std::string_view header = "A: 1\r\n 2\r\nB: 3\r\n";
  RawField field;
  REQUIRE(next_field(header, field));
  CHECK(field.whole == "A: 1\r\n 2\r\n");
  CHECK(unfolded(field.value) == "1 2");
  CHECK(is_called(field, "a"));
  CHECK(header == "B: 3\r\n");
  CHECK_MESSAGE(names_in("From me@x Mon\nA: 1\n\n").at(0).empty(),
                "a line of an mbox is no field");
}

TEST_CASE("what is not for others to see never leaves") {
  CHECK(
      wire_form("To: a\nBcc: eve@x.example,\n\tmallory@x.example\n"
                "Subject: s\nRESENT-BCC : f\nx-pony-tags: t\n\nBcc: body\n") ==
      "To: a\r\nSubject: s\r\n\r\nBcc: body\r\n");
  CHECK_MESSAGE(
      wire_form("To: a\rBcc: eve@x.example\r\rhi") == "To: a\r\n\r\nhi\r\n",
      "what becomes a line on the wire is one here");
  CHECK(wire_form("junk line\nBcc: eve@x.example\n\nhi\n") ==
        "junk line\r\n\r\nhi\r\n");
  CHECK(wire_form("Bcc: eve@x.example") == "");
  CHECK(wire_form("X-Bcc: a\nBccx: b\n\n") == "X-Bcc: a\r\nBccx: b\r\n\r\n");
}

TEST_CASE("nothing else is changed on the wire but line ends") {
  std::string folded =
      "DKIM-Signature: v=1; a=rsa-sha256;\r\n\tb=abc\r\n  def\r\n";
  folded += "Subject:   two  spaces \r\n\r\n.\r\n..x\r\n \xE9\xFF\r\n\r\n";
  CHECK(wire_form(folded) == folded);
  std::string with_lf = folded;
  std::erase(with_lf, '\r');
  CHECK(wire_form(with_lf) == folded);
  CHECK(wire_form("A: 1\n\na\rb\r\r\nc") == "A: 1\r\n\r\na\r\nb\r\n\r\nc\r\n");
  const std::string nul("A: 1\r\n\r\n\0x\r\n", 12);
  CHECK(wire_form(nul) == nul);
}

TEST_CASE("what a server may not take is found in header and body") {
  CHECK_FALSE(needs_of("A: 1\r\n\r\nb\r\n").eight_bit());
  CHECK(needs_of("A: \xE9\r\n\r\nb\r\n").eight_bit_header);
  CHECK_FALSE(needs_of("A: \xE9\r\n\r\nb\r\n").eight_bit_body);
  CHECK(needs_of("A: 1\r\n\r\n\xE9\r\n").eight_bit_body);
  CHECK(needs_of(std::string("A: 1\r\n\r\n\0\r\n", 11)).nul);
  const std::string line(998, 'x');
  CHECK(needs_of("A: 1\r\n\r\n" + line + "\r\n").longest_body_line == 998);
  CHECK(needs_of("A: 1\r\n\r\n" + line + "x").longest_body_line == 999);
  CHECK(needs_of("A: " + line + "\r\n\r\n").longest_header_line == 1001);
}

TEST_CASE("fields are taken out and put in where the header is") {
  std::string raw = "A: 1\nX-SMTPAPI: {\n \"to\"}\nSubject: Hi\n\nA: body\n";
  remove_fields(raw,
                [](const RawField& f) { return is_called(f, "x-smtpapi"); });
  CHECK(raw == "A: 1\nSubject: Hi\n\nA: body\n");
  mark_subject(raw, "[staging] ");
  CHECK(unfolded(raw.substr(13)).starts_with("[staging]  Hi"));
  prepend_field(raw, "X-To", "a@b.example");
  CHECK(raw.starts_with("X-To: a@b.example\r\nA: 1\n"));
  std::string none = "A: 1\n\nb";
  mark_subject(none, "[staging]");
  CHECK(header_text(none, "subject") == "[staging]");
}

TEST_CASE("ten thousand blind fields before a large body cost little") {
  std::string raw;
  for (int i = 0; i < 10'000; ++i) raw += "Bcc: a@b.example\n";
  raw += "\n" + std::string(1'000'000, 'x');
  CHECK(wire_form(raw) == "\r\n" + std::string(1'000'000, 'x') + "\r\n");
}

TEST_CASE("a subject is found without decoding all of a message") {
  std::string base64;
  append_base64_run(base64,
                    "To: a\nSUBJECT: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n you\n\n" +
                        std::string(200'000, 'x'));
  CHECK(raw_subject(base64) == "Grüße you");
  CHECK(raw_subject("") == "");
  CHECK(raw_subject("AAAA") == "");
}

}  // namespace pony

TEST_SUITE_END();
