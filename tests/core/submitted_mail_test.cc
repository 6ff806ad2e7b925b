// What a mail that a local program hands over goes through.
#include "core/mime/submitted_mail.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/json.h"
#include "tests/support/require_ok.h"

namespace pony {
namespace {

using List = std::vector<std::string>;

constexpr std::string_view k_whole =
    "Date: Sat, 21 Nov 2026 10:00:00 +0000\n"
    "Message-ID: <1@example.com>\n"
    "From: ann@example.com\n";

Submission a_submission() {
  Submission submission;
  submission.origin = "web1.example";
  submission.author = "www-data@web1.example";
  submission.author_name = "Web Server";
  submission.message_id = "<id@web1.example>";
  submission.now = *parse_time("2026-11-21T10:00:00Z");
  return submission;
}

SubmittedMail submitted(std::string_view mail) {
  auto fit = fit_for_sending(mail, a_submission());
  REQUIRE_OK(fit);
  return std::move(*fit);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t longest_line(std::string_view text) {
  std::size_t longest = 0;
  std::size_t length = 0;
  for (const char c : text) {
    length = c == '\n' ? 0 : length + 1;
    longest = std::max(longest, length);
  }
  return longest;
}

// `mail` given in pieces of `size` bytes.
std::string collected(LoneDot dot, std::string_view mail, std::size_t size) {
  MailCollector collector(dot);
  for (std::size_t at = 0; at < mail.size(); at += size)
    if (!collector.feed(mail.substr(at, size))) break;
  auto whole = collector.finish();
  REQUIRE_OK(whole);
  return std::move(*whole);
}

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("a mail that lacks nothing goes out byte for byte") {
  for (std::string mail :
       {std::string(k_whole) + "To: bob@example.org\nX-Odd:  \xE4 \n\n"
                               "Hi\n.\n\nFrom here\rand \0there",
        std::string(k_whole) + "Content-Type: multipart/signed; "
                               "boundary=x\n\n--x\n\n\xE4\n--x--"}) {
    CHECK(submitted(mail).mail == mail);
    CHECK(submitted(mail).from == "ann@example.com");
    std::string crlf;
    for (const char c : mail) crlf += c == '\n' ? "\r\n" : std::string(1, c);
    CHECK(submitted(crlf).mail == crlf);
  }
}

TEST_CASE("Date, Message-ID and From are added where they are missing") {
  const auto mail = submitted("Subject: x\r\n\r\nHi\r\n");
  CHECK(mail.mail ==
        "Subject: x\r\n"
        "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
        "Message-ID: <id@web1.example>\r\n"
        "From: Web Server <www-data@web1.example>\r\n"
        "\r\nHi\r\n");
  CHECK(mail.from == "www-data@web1.example");
  // Fields that say nothing are missing ones.
  const auto empty = submitted("From: \nDate:\nMessage-ID: \n\nHi\n").mail;
  CHECK(std::count(empty.begin(), empty.end(), '\n') == 5);
  CHECK(has(empty, "From: Web Server"));
  CHECK(has(empty, "Date: Sat"));
  CHECK(has(empty, "Message-ID: <id@"));
}

TEST_CASE("the name of an added From cannot end its line") {
  Submission submission = a_submission();
  submission.author_name = "Ann \"x\", \xC3\x84nn";
  const auto fit = fit_for_sending("Subject: x\n\n", submission);
  REQUIRE_OK(fit);
  CHECK(has(fit->mail, "From: =?utf-8?"));
}

TEST_CASE("a text without a header gets one, and stays whole") {
  CHECK(has(submitted("Hello there\nSubject: no\n").mail,
            "\n\nHello there\nSubject: no\n"));
  CHECK(has(submitted("").mail, "From: "));
  CHECK(submitted("").mail.ends_with("\n\n"));
  CHECK(has(submitted("\nbody").mail, "example\n") == false);
  CHECK(submitted("\nbody").mail.ends_with("\n\nbody"));
  CHECK(has(submitted("Subject: x\nno field\n").mail, "\n\nno field\n"));
  CHECK(has(submitted("Subject: x").mail, "Subject: x\nDate: "));
}

TEST_CASE("the line of an mbox before the header is dropped") {
  CHECK(submitted("From ann Sat Nov 21 10:00:00 2026\n" + std::string(k_whole) +
                  "\nHi\n")
            .mail == std::string(k_whole) + "\nHi\n");
  CHECK(submitted("From ann").mail.starts_with("Date: "));
}

TEST_CASE("Bcc, Return-Path and X-Pony-Tags never go out") {
  const auto mail = submitted(std::string(k_whole) +
                              "Bcc: secret@example.com,\n more@example.com\n"
                              "Return-path: <x@example.com>\n"
                              "bcc : again@example.com\n"
                              "X-Pony-Tags: a, b c ,\n d, a\n\nHi\n");
  CHECK(mail.mail == std::string(k_whole) + "\nHi\n");
  CHECK(mail.tags == List{"a", "b c", "d"});
  CHECK_FALSE(
      has(submitted("Resent-Bcc: third@example.com\n\n").mail, "third"));
}

TEST_CASE("a tag that is none is told and left out") {
  const auto mail =
      submitted("X-Pony-Tags: good, \x01, " + std::string(300, 'x') + "\n\n");
  CHECK(mail.tags == List{"good"});
  CHECK(mail.warnings.size() == 2);
  std::string many = "X-Pony-Tags: ";
  for (int i = 0; i < 60; ++i) many += std::to_string(i) + ",";
  CHECK(submitted(many + "\n\n").tags.size() == 50);
}

TEST_CASE("recipients are those of To, Cc and Bcc") {
  CHECK(submitted("To: Ann <ann@example.com>, root\nCC: bob@example.org\n"
                  "Bcc: \"x, y\" <eve@example.net>\nTo: second\n\nTo: body\n")
            .recipients == List{"ann@example.com", "root", "bob@example.org",
                                "eve@example.net", "second"});
}

TEST_CASE("a mail that is sent on says by whom and when") {
  const std::string whole = std::string(k_whole);
  const std::string mail =
      submitted("Resent-To: bob@example.com\n" + whole + "\n").mail;
  CHECK(has(mail, "\nResent-Date: Sat, 21 Nov 2026 10:00:00 +0000\n"));
  CHECK(has(mail, "\nResent-Message-ID: <id@web1.example>\n"));
  CHECK(has(mail, "\nResent-From: Web Server <www-data@web1.example>\n"));

  const std::string given =
      "resent-from: carl@example.com\nResent-Date: Sat, 21 Nov 2026 09:00:00 "
      "+0000\nResent-Message-Id: <r@x>\nResent-To: bob@example.com\n" +
      whole + "\nHello\n";
  CHECK(submitted(given).mail == given);
  CHECK_FALSE(has(submitted(whole + "To: bob@example.com\n\n").mail, "Resent"));
}

TEST_CASE("a field that can be read but may not be sent is mended") {
  const auto mail = submitted(
      "Subject : Hi\nTo \t: root,\n Ann <ann>\nX-A :b :c\n"
      "Content-Length: 7\nErrors-To: root\nDisposition-Notification-To: "
      "ann\nMail-Followup-To: ann\nReturn-Receipt-To: ann\n" +
      std::string(k_whole) + "\nHello\n");
  CHECK(mail.mail ==
        "Subject: Hi\nTo: root@web1.example,\n Ann <ann@web1.example>\n"
        "X-A:b :c\nErrors-To: root@web1.example\n"
        "Disposition-Notification-To: ann@web1.example\n"
        "Mail-Followup-To: ann@web1.example\n"
        "Return-Receipt-To: ann@web1.example\n" +
            std::string(k_whole) + "\nHello\n");
  CHECK(mail.recipients == List{"root", "ann"});
}

TEST_CASE("a lone CR in a field begins no other field, and no body") {
  const auto fit = submitted(std::string(k_whole) +
                             "Subject: a\rReply-To: x@example.com\r\rbody\n"
                             "To: ann@example.com\r\nCc: b@example.com\r"
                             "\r\n\nt\rt\n");
  CHECK(fit.mail == std::string(k_whole) +
                        "Subject: a Reply-To: x@example.com  body\n"
                        "To: ann@example.com\r\nCc: b@example.com \r\n\n"
                        "t\rt\n");
  CHECK(fit.recipients == List{"ann@example.com", "b@example.com"});
}

TEST_CASE("a Resent- block wins, and the newest of several") {
  CHECK(submitted("Resent-To: new@example.com\nResent-Bcc: b@example.com\n"
                  "Resent-To: old@example.com\nTo: first@example.com\n\n")
            .recipients == List{"new@example.com", "b@example.com"});
}

TEST_CASE("more recipients than a message may have are refused") {
  std::string to = "To: ";
  for (int i = 0; i < 10'001; ++i) to += "a@example.com,\n ";
  const auto refused = fit_for_sending(to + "\n\n", a_submission());
  REQUIRE(!refused);
  CHECK(refused.error().kind == Error::Kind::bad_data);
}

TEST_CASE("bare names in the header are completed in their places") {
  const auto mail = submitted(
      "From: \"(Cron Daemon)\" <root>\nTo: root (the boss), Bob\n"
      " <bob>, ann@example.com\nCc: undisclosed:;\nSubject: root\n"
      "Message-ID: <1>\nDate: x\n\n");
  CHECK(mail.mail ==
        "From: \"(Cron Daemon)\" <root@web1.example>\n"
        "To: root@web1.example (the boss), Bob\n"
        " <bob@web1.example>, ann@example.com\nCc: undisclosed:;\n"
        "Subject: root\nMessage-ID: <1>\nDate: x\n\n");
  CHECK(mail.from == "root@web1.example");
  CHECK(mail.recipients == List{"root", "bob", "ann@example.com"});
}

TEST_CASE("an 8-bit body without a type is declared as what it is") {
  const auto utf8 = submitted("Subject: x\n\n\xC3\xA4\n").mail;
  CHECK(has(utf8,
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
            "Content-Transfer-Encoding: 8bit\n\n\xC3\xA4\n"));
  CHECK(has(submitted("\n\xE4\n").mail, "charset=iso-8859-1\n"));
  CHECK(!has(submitted("\nplain\n").mail, "Content-Type"));
  const auto typed =
      submitted("Content-type: text/html; charset=utf-8\n\n\xC3\xA4\n").mail;
  CHECK(!has(typed, "MIME-Version"));
}

TEST_CASE("a text with a line that mail cannot carry is encoded") {
  const std::string line(5000, 'x');
  const auto mail = submitted(std::string(k_whole) + "\nHi \n" + line + "\n");
  CHECK(has(mail.mail, "Content-Transfer-Encoding: quoted-printable\n\n"));
  CHECK(has(mail.mail, "Content-Type: text/plain; charset=us-ascii\n"));
  CHECK(longest_line(mail.mail) <= 78);
  CHECK(!has(mail.mail, "\r"));
  CHECK(mail.warnings.empty());

  std::string noise;
  for (int i = 0; i < 5000; ++i) noise += static_cast<char>(0x80 + i % 120);
  const auto latin = submitted(
                         "Content-Type: text/plain; charset=iso-8859-1\r\n"
                         "Content-Transfer-Encoding: 8bit\r\n\r\n" +
                         noise)
                         .mail;
  CHECK(has(latin, "Content-Transfer-Encoding: base64\r\n\r\n"));
  CHECK(!has(latin, "8bit"));
  CHECK(longest_line(latin) <= 78);
}

TEST_CASE("base64 on one line is wrapped") {
  const auto mail = submitted(
                        "Content-Type: application/pdf\n"
                        "Content-Transfer-Encoding: BASE64\n\n" +
                        std::string(4000, 'Q') + "\n")
                        .mail;
  CHECK(longest_line(mail) <= 76);
  CHECK(std::count(mail.begin(), mail.end(), 'Q') == 4000);
}

TEST_CASE("a line too long for mail in other bodies is told, not touched") {
  const std::string given = std::string(k_whole) +
                            "Content-Type: multipart/mixed; boundary=x\n\n" +
                            std::string(1000, 'x') + "\n";
  const auto mail = submitted(given);
  CHECK(mail.mail == given);
  CHECK(mail.warnings.size() == 1);
  // 998 are carried.
  CHECK(!has(submitted("\n" + std::string(998, 'x') + "\n").mail, "quoted"));
  CHECK(
      !has(submitted("\r\n" + std::string(998, 'x') + "\r\n").mail, "quoted"));
}

TEST_CASE("a header line too long for mail is folded where it can be") {
  std::string to = "To: a@example.com";
  for (int i = 0; i < 200; ++i) to += ",\"x, y\"<b@example.com>";
  const auto mail = submitted(std::string(k_whole) + to + "\n\nHi\n");
  CHECK(longest_line(mail.mail) <= 998);
  CHECK(mail.recipients.size() == 201);
  CHECK(submitted(mail.mail).mail == mail.mail);
  CHECK(submitted(mail.mail).recipients == mail.recipients);
  CHECK(has(mail.mail, ",\n \"x, y\"<b@example.com>,"));

  std::string words = "Subject: s";
  for (int i = 0; i < 500; ++i) words += " word" + std::to_string(i);
  const auto folded = submitted(words + "\n\n").mail;
  CHECK(longest_line(folded) <= 998);
  std::string joined = folded;
  joined.erase(std::remove(joined.begin(), joined.end(), '\n'), joined.end());
  CHECK(has(joined, words));

  CHECK(submitted("Subject: " + std::string(2000, 'x') + "\n\n")
            .warnings.size() == 1);
  CHECK(submitted("Subject: x\n" + std::string(100'000, ' ') + "y\n\n")
            .recipients.empty());
}

TEST_CASE("any bytes are taken without harm") {
  std::string noise;
  unsigned state = 1;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 1103515245U + 12345U;
    noise += "To:,<>()\";@ \n\r\t=?a\x80\0"[(state >> 16U) % 21];
    if (i % 500 == 499) {
      const auto mail = fit_for_sending(noise, a_submission());
      if (!mail) continue;
      CHECK(has(mail->mail, "\n"));
      CHECK(mail->recipients.size() <= k_most_recipients);
      noise = "To: ";
    }
  }
}

TEST_CASE("a lone dot ends a mail, unless it is text") {
  const std::string mail = "Subject: x\n\nHi\n.\nmore\n";
  for (const std::size_t size : {1U, 2U, 3U, 100U}) {
    CHECK(collected(LoneDot::ends_mail, mail, size) == "Subject: x\n\nHi\n");
    CHECK(collected(LoneDot::is_text, mail, size) == mail);
    CHECK(collected(LoneDot::ends_mail, "a\r\n.\r\nb", size) == "a\r\n");
    CHECK(collected(LoneDot::ends_mail, "a\n..\n.b\n", size) == "a\n..\n.b\n");
    CHECK(collected(LoneDot::ends_mail, ".\na\n", size).empty());
    CHECK(collected(LoneDot::ends_mail, "a\n.", size) == "a\n");
  }
}

TEST_CASE("a mail over the limit is refused, and no more of it is wanted") {
  for (const LoneDot dot : {LoneDot::ends_mail, LoneDot::is_text}) {
    MailCollector collector(dot, std::size_t{1} << 20);
    CHECK(collector.feed(std::string(std::size_t{1} << 20, 'x')));
    CHECK(!collector.feed("x"));
    CHECK(!collector.feed("x"));
    const auto refused = collector.finish();
    REQUIRE(!refused);
    CHECK(refused.error().what == "the message is larger than 1 MiB");
  }
}

TEST_SUITE_END();

}  // namespace pony
