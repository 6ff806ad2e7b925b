// Tests core/mime/mail_parser.cc and carried_form.cc: what was made to be
// carried is read again. Without GMime on this machine they only see that it
// is said so.
#include "core/mime/mail_parser.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base64.h"
#include "core/json.h"
#include "core/mime/carried_form.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("core");

namespace pony {
namespace {

using Words = std::vector<std::string>;
using Parsed = std::shared_ptr<const RenderedMessage>;

RenderedMessage raw_mail(std::string raw, const Words& to = {"ann@b.example"}) {
  RenderedMessage message;
  message.id = "01JD7Z3N8QW2E4R6T8Y0A1B2C3";
  message.from = {"", "bounces@a.example"};
  for (const std::string& email : to) message.to.push_back({"", email});
  message.tags = {"cron"};
  message.raw = std::move(raw);
  message.parsed = std::make_shared<ParsedRaw>();
  return message;
}

Parsed parsed(const RenderedMessage& message) {
  auto mail = parsed_mail(message);
  REQUIRE_OK(mail);
  return *mail;
}

// No mail of this house's own making could have been less clean.
void check_clean(const RenderedMessage& mail) {
  CHECK(is_utf8(mail.subject));
  CHECK_FALSE(has_control(mail.subject));
  CHECK(is_utf8(mail.text));
  CHECK(is_utf8(mail.html));
  for (const auto* list : {&mail.to, &mail.cc, &mail.bcc})
    for (const Address& address : *list) {
      CHECK_FALSE(has_control(address.name));
      CHECK(is_utf8(address.name));
      CHECK(check_email(address.email).has_value());
    }
  CHECK_FALSE(has_control(mail.from.name));
  for (const Header& header : mail.headers) {
    CHECK(is_free_header_name(header.name));
    CHECK_FALSE(has_control(header.value));
    CHECK(is_utf8(header.value));
  }
  for (const Attachment& file : mail.attachments) {
    CHECK_FALSE(file.filename.empty());
    CHECK(file.filename.size() <= 255);
    CHECK(file.filename.find_first_of("/\\\"") == std::string::npos);
    CHECK_FALSE(has_control(file.filename));
    CHECK(is_utf8(file.filename));
    CHECK_FALSE(has_control(file.content_type));
  }
}

const std::string k_full =
    "Return-Path: <x@y.example>\r\n"
    "DKIM-Signature: v=1; b=abc\r\n"
    "From: =?utf-8?B?SsO8cmdlbg==?= <juergen@a.example>\r\n"
    "To: Ann <ANN@B.example>, friends: Bob <bob@b.example>, "
    "x@other.example;\r\n"
    "Cc: \"Smith, Cy\" <cy@b.example>\r\n"
    "Reply-To: help@a.example\r\n"
    "Subject: =?utf-8?B?w4E=?=\r\n =?utf-8?B?w4E=?= done\r\n"
    "In-Reply-To: <1@a.example>\r\n"
    "X-Note: =?iso-8859-1?Q?gr=FCn?=\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=m\r\n\r\n"
    "--m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n"
    "--r\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
    "--a\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\nyou\r\n"
    "--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    "<p>Grüße <img src=\"cid:logo@x\">\r\n--a--\r\n"
    "--r\r\nContent-Type: image/png\r\nContent-ID: <logo@x>\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n--r--\r\n"
    "--m\r\nContent-Type: application/pdf\r\nContent-ID: <nobody@x>\r\n"
    "Content-Disposition: attachment;\r\n filename*0*=utf-8''%C3%9Cber;\r\n"
    " filename*1=sicht.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "JVBERi0=\r\n"
    "--m\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: "
    "attachment;\r\n filename=\"=?utf-8?B?w4E=?= =?utf-8?B?w4EudHh0?=\"\r\n\r\n"
    "notes\r\n"
    "--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nhi\r\n"
    "--m--\r\n";

}  // namespace

TEST_CASE("a finished message is read in all its parts") {
  if (!can_parse_mail()) return;
  const RenderedMessage given = raw_mail(
      k_full,
      {"ann@b.example", "bob@b.example", "cy@b.example", "eve@b.example"});
  const Parsed mail = parsed(given);
  check_clean(*mail);
  CHECK(mail->from == Address{"Jürgen", "juergen@a.example"});
  CHECK(mail->to == std::vector<Address>{{"Ann", "ann@b.example"},
                                         {"Bob", "bob@b.example"}});
  CHECK(mail->cc == std::vector<Address>{{"Smith, Cy", "cy@b.example"}});
  CHECK(mail->bcc == std::vector<Address>{{"", "eve@b.example"}});
  CHECK(mail->reply_to == Address{"", "help@a.example"});
  CHECK(mail->subject == "ÁÁ done");
  CHECK(mail->text == "Grüße\nyou");
  CHECK(mail->html == "<p>Grüße <img src=\"cid:logo@x\">");
  REQUIRE(mail->headers.size() == 2);
  CHECK(mail->headers[0].name == "In-Reply-To");
  CHECK(mail->headers[0].value == "<1@a.example>");
  CHECK(mail->headers[1].value == "grün");
  REQUIRE(mail->attachments.size() == 4);
  CHECK(mail->attachments[0].cid == "logo@x");
  CHECK(mail->attachments[0].content == "iVBORw==");
  CHECK(mail->attachments[1].filename == "Übersicht.pdf");
  CHECK(mail->attachments[1].content_type == "application/pdf");
  CHECK(mail->attachments[1].content == "JVBERi0=");
  CHECK_MESSAGE(mail->attachments[1].cid.empty(), "nothing refers to it");
  CHECK(mail->attachments[2].filename == "ÁÁ.txt");
  CHECK(mail->attachments[2].content_type == "text/plain; charset=utf-8");
  CHECK(mail->attachments[3].content_type == "message/rfc822");
  CHECK(decode_base64(mail->attachments[3].content).find("Subject: inner") !=
        std::string::npos);
  CHECK(mail->id == given.id);
  CHECK(mail->tags == given.tags);
  CHECK(mail->raw.empty());
  CHECK(given.parsed->reduced ==
        Words{"1 of those whom its header names, who are no recipients"});
}

TEST_CASE("a message is read once, however many ask") {
  if (!can_parse_mail()) return;
  const RenderedMessage given = raw_mail(k_full);
  const RenderedMessage copy = given;
  CHECK(parsed(given) == parsed(copy));
  const RenderedMessage bad = raw_mail("To: x\n\nhi\n");
  RenderedMessage nobody = bad;
  nobody.from = {};
  CHECK_FALSE(parsed_mail(nobody).has_value());
  CHECK_MESSAGE(parsed_mail(bad).error().what == "it names no sender",
                "an answer that was no is kept, too");
}

TEST_CASE("without a From the envelope's sender is the sender") {
  if (!can_parse_mail()) return;
  const Parsed mail = parsed(raw_mail("Subject: s\n\nhi\n"));
  CHECK(mail->from.email == "bounces@a.example");
  CHECK(mail->text == "hi\n");
  CHECK(mail->bcc.size() == 1);
}

TEST_CASE("what parts cannot say is said, or the message is refused") {
  if (!can_parse_mail()) return;
  const std::string head = "From: a@b.example\nMIME-Version: 1.0\n";
  const RenderedMessage encrypted =
      raw_mail(head +
               "Content-Type: multipart/encrypted; boundary=b; "
               "protocol=\"application/pgp-encrypted\"\n\n--b\nContent-Type: "
               "application/pgp-encrypted\n\nVersion: 1\n--b\n\nx\n--b--\n");
  CHECK_FAILS(parsed_mail(encrypted), bad_data);
  const RenderedMessage is_signed =
      raw_mail(head +
               "Content-Type: multipart/signed; boundary=b; micalg=pgp-sha1; "
               "protocol=\"application/pgp-signature\"\n\n--b\n\nhello\n--b\n"
               "Content-Type: application/pgp-signature\n\nsig\n--b--\n");
  const Parsed mail = parsed(is_signed);
  CHECK(mail->text == "hello");
  CHECK(mail->attachments.size() == 1);
  CHECK(is_signed.parsed->reduced ==
        Words{"its signature (the message goes in parts)"});
}

TEST_CASE("any bytes are read in parts or refused with a reason") {
  if (!can_parse_mail()) return;
  const std::string from = "From: a@b.example\n";
  const std::string mixed =
      from + "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n";
  std::string many_parts = mixed;
  for (int i = 0; i < 100'000; ++i) many_parts += "--b\n\nx\n";
  std::string many_files = mixed;
  for (int i = 0; i < 101; ++i) many_files += "--b\nContent-Type: a/b\n\nx\n";
  std::string deep = from + "MIME-Version: 1.0\n";
  for (int i = 0; i < 5'000; ++i) {
    const std::string b = std::to_string(i);
    deep +=
        "Content-Type: multipart/mixed; boundary=b" + b + "\n\n--b" + b + "\n";
  }
  std::string messages = from;
  for (int i = 0; i < 5'000; ++i)
    messages += "Content-Type: message/rfc822\n\n";
  std::string groups = "To: ";
  for (int i = 0; i < 100'000; ++i) groups += "a:";
  std::string quotes = "From: " + std::string(100'000, '"') + "\n\n";
  std::string comments = "From: " + std::string(100'000, '(') + "\n\n";
  std::string all;
  for (int i = 0; i < 256 * 1024; ++i)
    all.push_back(
        static_cast<char>((static_cast<unsigned>(i) * 2654435761U) >> 13));
  for (const std::string& raw : std::vector<std::string>{
           from + "\n--b\nContent-Type: a/b" + std::string(5'000'000, ';'),
           " ",
           "\n",
           std::string(100, '\0'),
           all,
           from + all,
           from + "\n" + all,
           many_parts,
           many_files,
           deep,
           messages,
           from + groups + "\n\nhi",
           quotes,
           comments,
           from + "Content-Type: ; boundary=\n\n--\n--\n",
           from + "Content-Type: " + std::string(50'000, ';') + "\n\nx",
           from + "Content-Transfer-Encoding: base64\n\n!!!=\xFF===",
           from + "Subject: " + std::string(10'000'000, 'x') + "\n\nx",
           from + "Content-Type: text/plain; charset=\"" +
               std::string(5'000, 'x') + "\"\n\nx",
           from + "Content-Type: text/html\nContent-Disposition: attachment; "
                  "filename=\"../../etc/passwd\r\n x\"\n\nx"}) {
    CAPTURE(raw.substr(0, 80));
    const RenderedMessage given = raw_mail(raw);
    if (const auto mail = parsed_mail(given)) {
      check_clean(**mail);
      CHECK((*mail)->attachments.size() <= 100);
    } else {
      CHECK_FALSE(mail.error().what.empty());
      CHECK_FALSE(has_control(mail.error().what));
    }
    (void)carried_form(given, Takes::seven_bit);
  }
}

TEST_CASE("a message goes as it is where that can be carried") {
  RenderedMessage message = raw_mail("Subject: s\n\nh\xE9\n");
  CHECK(*carried_form(message, Takes::eight_bit) ==
        "Subject: s\r\n\r\nh\xE9\r\n");
  message = raw_mail("Subject: s\n\nhé\n");
  CHECK(*carried_form(message, Takes::utf8) == "Subject: s\r\n\r\nhé\r\n");
  message = raw_mail("Subject: s\n\nhe\n");
  CHECK(*carried_form(message, Takes::seven_bit) == "Subject: s\r\n\r\nhe\r\n");
}

TEST_CASE("where 8-bit mail is not carried its parts are encoded otherwise") {
  if (!can_parse_mail()) return;
  const RenderedMessage message = raw_mail(
      "From: a@b.example\r\nX-Kept:  as   it is\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=iso-8859-1\r\n"
      "Content-Transfer-Encoding: 8bit\r\n\r\nGr\xFC\xDF"
      "e\r\n" +
      std::string(2'000, 'x') + "\r\n");
  const auto mail = carried_form(message, Takes::seven_bit);
  REQUIRE_OK(mail);
  CHECK(is_ascii(*mail));
  CHECK(mail->find("X-Kept:  as   it is\r\n") != std::string::npos);
  const Parsed again = parsed(raw_mail(*mail));
  CHECK(again->text == "Grüße\n" + std::string(2'000, 'x') + "\n");
  CHECK_FALSE(again->text.empty());

  const RenderedMessage long_lines =
      raw_mail("From: a@b.example\n\n" + std::string(2'000, 'y') + "\n");
  const auto cut = carried_form(long_lines, Takes::eight_bit);
  REQUIRE_OK(cut);
  CHECK(cut->find("MIME-Version: 1.0\r\n") != std::string::npos);
  CHECK(parsed(raw_mail(*cut))->text == std::string(2'000, 'y') + "\n");
}

TEST_CASE("what cannot be encoded otherwise is refused, a signature kept") {
  if (!can_parse_mail()) return;
  const RenderedMessage is_signed = raw_mail(
      "From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/signed; "
      "boundary=b; micalg=pgp-sha1; protocol=\"application/pgp-signature\"\n\n"
      "--b\n\nh\xE9llo\n--b\nContent-Type: application/pgp-signature\n\nsig\n"
      "--b--\n");
  CHECK_FAILS(carried_form(is_signed, Takes::seven_bit), refused);
  CHECK_FAILS(carried_form(raw_mail("Subject: \xE9\n\nx\n"), Takes::seven_bit),
              refused);
  CHECK_FAILS(
      carried_form(raw_mail("Subject: " + std::string(1'000, 'x') + "\n\nx\n"),
                   Takes::eight_bit),
      bad_data);
  CHECK_FAILS(
      carried_form(raw_mail(std::string("A: \0\n\nx\n", 8)), Takes::eight_bit),
      bad_data);
}

}  // namespace pony

TEST_SUITE_END();
