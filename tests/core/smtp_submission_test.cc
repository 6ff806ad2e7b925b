// The dialogue of `sendmail -bs`, as programs hold it, and as they should not.
#include "core/smtp_submission.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace pony {
namespace {

using List = std::vector<std::string>;

// A session whose owner takes all but addresses that begin with "bad", and
// keeps the mails.
struct Session {
  std::vector<DialogueMail> mails;
  DialogueReply answer{250, "2.0.0 Ok: queued as 01J"};
  SmtpSubmission smtp{"web1.example",
                      {[](const std::string& sender) {
                         return sender.starts_with("bad")
                                    ? DialogueReply{553, "5.1.8 no\nway"}
                                    : DialogueReply{250, "2.1.0 Ok"};
                       },
                       [](const std::string& recipient) {
                         return recipient.starts_with("bad")
                                    ? DialogueReply{550, "5.1.1 no"}
                                    : DialogueReply{250, "2.1.5 Ok"};
                       },
                       [this](DialogueMail mail) {
                         mails.push_back(std::move(mail));
                         return answer;
                       }},
                      1000};

  // The codes of the answers to `bytes`, handed over `size` at a time.
  std::string codes(std::string_view bytes, std::size_t size = 1 << 20) {
    std::string answers;
    for (std::size_t at = 0; at < bytes.size(); at += size)
      if (!smtp.feed(bytes.substr(at, size), answers)) break;
    std::string found;
    for (std::size_t at = 0; at < answers.size();
         at = answers.find('\n', at) + 1) {
      if (answers[at + 3] != '-')
        found += (found.empty() ? "" : " ") + answers.substr(at, 3);
    }
    return found;
  }
  std::string text(std::string_view bytes) {
    std::string answers;
    smtp.feed(bytes, answers);
    return answers;
  }
};

constexpr std::string_view k_envelope =
    "EHLO x\r\nMAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\n";

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("a mail goes through, whatever the pieces it comes in") {
  for (const std::size_t size : {1U, 3U, 1000U}) {
    Session session;
    CHECK(session.smtp.greeting() == "220 web1.example ESMTP pony\r\n");
    CHECK(session.codes(std::string(k_envelope) +
                            "rcpt to: <\"a>b\"@example.com>\r\nDATA\r\n"
                            "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\nNOOP\r\n",
                        size) == "250 250 250 250 354 250 221");
    REQUIRE(session.mails.size() == 1);
    const DialogueMail& mail = session.mails.front();
    CHECK(mail.sender == "ann@example.com");
    REQUIRE(mail.recipients.size() == 2);
    CHECK(mail.recipients[1].address == "\"a>b\"@example.com");
    CHECK(mail.data == "Subject: x\r\n\r\n.dot\r\n");
  }
}

TEST_CASE("250 is said only when the owner said so") {
  Session session;
  session.answer = {452, "4.3.1 the disk is full"};
  CHECK(session.codes(std::string(k_envelope) + "DATA\r\nx\r\n.\r\n") ==
        "250 250 250 354 452");
  session.answer = {250, "2.0.0 Ok: queued as 01J"};
  CHECK(session.text(std::string(k_envelope) + "DATA\r\nx\r\n.\r\n")
            .ends_with("\r\n250 2.0.0 Ok: queued as 01J\r\n"));
}

TEST_CASE("each sender and recipient has its own answer, on one line") {
  Session session;
  CHECK(session.text("MAIL FROM:<bad>\r\n") == "553 5.1.8 no\\x0away\r\n");
  CHECK(session.codes("RCPT TO:<x>\r\nDATA\r\n") == "503 503");
  CHECK(session.codes("MAIL FROM:<>\r\nMAIL FROM:<a>\r\nRCPT TO:<bad>\r\n"
                      "DATA\r\nRCPT TO:<root>\r\nRCPT TO:<bad>\r\n"
                      "DATA\r\n\r\n.\r\n") ==
        "250 503 550 554 250 550 354 250");
  REQUIRE(session.mails.size() == 1);
  CHECK(session.mails[0].sender.empty());
  REQUIRE(session.mails[0].recipients.size() == 1);
  CHECK(session.mails[0].recipients[0].address == "root");
}

TEST_CASE("several mails a session, and RSET forgets one") {
  Session session;
  const std::string one = std::string(k_envelope).substr(8);
  CHECK(session.codes("HELO x\r\n" + one + "DATA\r\n1\r\n.\r\n" + one +
                      "RSET\r\nDATA\r\n" + one + "DATA\r\n2\r\n.\r\n") ==
        "250 250 250 354 250 250 250 250 503 250 250 354 250");
  REQUIRE(session.mails.size() == 2);
  CHECK(session.mails[1].data == "2\r\n");
  CHECK(session.mails[1].recipients.size() == 1);
}

TEST_CASE("a bare LF cannot end a mail that was begun with CRLF") {
  Session session;
  CHECK(session.codes(std::string(k_envelope) +
                      "DATA\r\na\n.\nMAIL FROM:<eve@example.com>\n.\r\n\n"
                      "..b\r\n..c\r\n.\r\n") == "250 250 250 354 250");
  REQUIRE(session.mails.size() == 1);
  CHECK(session.mails[0].data ==
        "a\r\n.\r\nMAIL FROM:<eve@example.com>\r\n.\r\n\r\n..b\r\n.c\r\n");
  // Nor does half of one.
  CHECK(session.codes(std::string(k_envelope) + "DATA\r\nx\r\n.\n") ==
        "250 250 250 354");
  CHECK(session.smtp.is_in_mail());
  CHECK(session.codes("\r\n.\r\n") == "250");
}

TEST_CASE("who speaks with LF alone is understood") {
  Session session;
  CHECK(session.codes("EHLO x\nMAIL FROM:ann@example.com\nRCPT TO:<bob>\nDATA\n"
                      "Subject: x\n\n..a\n.\nQUIT\n") ==
        "250 250 250 354 250 221");
  REQUIRE(session.mails.size() == 1);
  CHECK(session.mails[0].sender == "ann@example.com");
  CHECK(session.mails[0].data == "Subject: x\r\n\r\n.a\r\n");
}

TEST_CASE("parameters are taken, and those that would change more refused") {
  Session session;
  CHECK(session.codes("MAIL FROM:<a> SIZE=10 BODY=8BITMIME SMTPUTF8 RET=HDRS "
                      "ENVID=a+2Db AUTH=<>\r\n"
                      "RCPT TO:<x> NOTIFY=SUCCESS,DELAY,SUCCESS "
                      "ORCPT=rfc822;x\r\nRCPT TO:<y> notify=never\r\n"
                      "DATA\r\n.\r\n") == "250 250 250 354 250");
  REQUIRE(session.mails.size() == 1);
  const DialogueMail& mail = session.mails[0];
  CHECK(mail.dsn_return == "headers");
  CHECK(mail.envelope_id == "a-b");
  CHECK(mail.recipients[0].notify == List{"success", "delay"});
  CHECK(mail.recipients[1].notify == List{"never"});
  CHECK(session.codes("MAIL FROM:<a> SIZE=1001\r\nMAIL FROM:<a> SIZE=x\r\n"
                      "MAIL FROM:<a> SIZE=99999999999999999999999\r\n"
                      "MAIL FROM:<a> BY=1;R\r\nMAIL FROM:<a> BODY=BINARYMIME"
                      "\r\nMAIL FROM:<a\r\nMAIL TO:<a>\r\nMAIL\r\n") ==
        "552 501 552 555 555 501 501 501");
  CHECK(session.codes("MAIL FROM:<a> ENVID=+2\r\nRCPT TO:<x> NOTIFY=\r\n"
                      "RCPT TO:<x> NOTIFY=never,delay\r\nRCPT TO:<x> X=1\r\n"
                      "RCPT TO:<>\r\nRCPT\r\nRCPT TO:<@a,@b:x>\r\n") ==
        "250 555 555 555 501 501 250");
}

TEST_CASE("a mail over the limit is read to its end and refused") {
  Session session;
  const std::string line(99, 'x');
  std::string many;
  for (int i = 0; i < 20; ++i) many += line + "\r\n";
  CHECK(session.codes(std::string(k_envelope) + "DATA\r\n" + many + ".\r\n") ==
        "250 250 250 354 552");
  CHECK(session.codes(std::string(k_envelope) + "DATA\r\n" +
                          std::string(100'000, '.') + "\r\n.\r\n",
                      1000) == "250 250 250 354 552");
  CHECK(session.mails.empty());
  CHECK(session.codes(std::string(k_envelope) + "DATA\r\n" +
                      std::string(998, 'x') + "\r\n.\r\n") ==
        "250 250 250 354 250");
}

TEST_CASE("more recipients than a message may have are refused one by one") {
  Session session;
  CHECK(session.codes("MAIL FROM:<a>\r\n") == "250");
  std::string answers;
  for (int i = 0; i < 10'001; ++i) {
    answers.clear();
    session.smtp.feed("RCPT TO:<x>\r\n", answers);
  }
  CHECK(answers.starts_with("452 "));
}

TEST_CASE("what is no command is answered, and the session goes on") {
  Session session;
  CHECK(session.codes("\r\nXYZ\r\nMAIL\x01 FROM:<a>\r\n" +
                      std::string(5000, 'x') +
                      "\r\nSTARTTLS\r\nAUTH PLAIN x"
                      "\r\nVRFY root\r\nHELP\r\nnoop\r\nRSET\r\n") ==
        "500 500 500 500 502 502 252 214 250 250");
  CHECK(session.codes(std::string(1 << 20, 'x') + "\r\nNOOP\r\n", 1000) ==
        "500 250");
  CHECK(session.text("EHLO x\r\n") ==
        "250-web1.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"
        "250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES"
        "\r\n250 HELP\r\n");
}

TEST_CASE("any bytes are answered, without harm") {
  Session session;
  std::string noise;
  unsigned state = 3;
  const List words = {"MAIL FROM:", "RCPT TO:", "<a>",    "<",    ">",
                      "\"",         "\\",       "DATA",   "\r\n", "\n",
                      ".",          "\r",       " ",      "=",    "\x80",
                      "RSET",       "NOTIFY=",  "SIZE=9", "@a:",  "+2"};
  for (int i = 0; i < 50'000; ++i) {
    state = state * 1103515245U + 12345U;
    noise += words[(state >> 16U) % words.size()];
  }
  (void)session.codes(noise, 7);
  for (const DialogueMail& mail : session.mails)
    CHECK(mail.data.size() <= 1000);
}

TEST_SUITE_END();

}  // namespace pony
