// The SMTP transaction, without a network: what the server says goes in, what
// we say and the verdicts come out.
#include "core/provider/smtp_session.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("provider");

namespace pony {
namespace {

SmtpFeatures pipelining() {
  SmtpFeatures features;
  features.pipelining = true;
  return features;
}

SmtpMail a_mail(std::vector<std::string> recipients = {"ann@b.example"}) {
  SmtpMail mail;
  mail.sender = "team@a.example";
  mail.recipients = std::move(recipients);
  mail.data = smtp_data("Subject: hi\r\n\r\nhello\r\n");
  return mail;
}

const std::string k_body = "Subject: hi\r\n\r\nhello\r\n.\r\n";

// Takes all that is to be written, as a socket with room would.
std::string flush(SmtpSession& session) {
  std::string out(session.output());
  if (!out.empty()) session.sent(out.size());
  return out;
}

std::vector<Outcome> outcomes(const SmtpSession& session) {
  std::vector<Outcome> out;
  for (const Verdict& verdict : session.verdicts()) {
    out.push_back(verdict.outcome);
  }
  return out;
}

// A pipelined session whose mail to `recipients` waits for DATA's reply and,
// after `replies`, for what comes next.
SmtpSession begun(std::vector<std::string> recipients, const char* replies) {
  SmtpSession session(pipelining());
  session.begin(a_mail(std::move(recipients)));
  flush(session);
  session.receive(replies);
  return session;
}

SmtpSession before_the_dot_reply() {
  auto session = begun({"ann@b.example"}, "250 ok\r\n250 ok\r\n354 go\r\n");
  flush(session);
  return session;
}

}  // namespace

TEST_CASE("with PIPELINING a transaction is two flights") {
  SmtpSession session(pipelining());
  session.begin(a_mail({"ann@b.example", "bob@b.example"}));
  CHECK(flush(session) ==
        "MAIL FROM:<team@a.example>\r\nRCPT TO:<ann@b.example>\r\n"
        "RCPT TO:<bob@b.example>\r\nDATA\r\n");

  session.receive("250 2.1.0 ok\r\n250 2.1.5 ok\r\n250 2.1.5 ok\r\n354 go\r\n");
  CHECK(flush(session) == k_body);
  CHECK_FALSE(session.done());

  session.receive("250 2.0.0 Ok: queued as 4XyZ12\r\n");
  CHECK(session.done());
  CHECK_FALSE(session.must_close());
  CHECK(outcomes(session) == std::vector{Outcome::accepted, Outcome::accepted});
  CHECK(session.verdicts()[0].status == 250);
  CHECK(session.verdicts()[0].provider_id == "4XyZ12");
  CHECK(session.verdicts()[0].error.empty());
}

TEST_CASE("8-bit mail and wishes about notifications are said in parameters") {
  SmtpFeatures features = pipelining();
  for (const char* line : {"8BITMIME", "DSN"}) note_feature(features, line);
  CHECK(features.dsn);
  SmtpSession session(features);
  SmtpMail mail = a_mail({"ann@b.example", "bob@b.example"});
  mail.sender.clear();
  mail.eight_bit = true;
  const Dsn dsn{{"success", "delay"}, "headers", "QQ+1=x"};
  mail.mail_parameters = dsn_of_mail(dsn);
  for (const std::string& one : mail.recipients)
    mail.rcpt_parameters.push_back(dsn_of_rcpt(dsn, one));
  session.begin(std::move(mail));
  CHECK(flush(session) ==
        "MAIL FROM:<> BODY=8BITMIME RET=HDRS ENVID=QQ+2B1+3Dx\r\n"
        "RCPT TO:<ann@b.example> NOTIFY=SUCCESS,DELAY "
        "ORCPT=rfc822;ann@b.example\r\n"
        "RCPT TO:<bob@b.example> NOTIFY=SUCCESS,DELAY "
        "ORCPT=rfc822;bob@b.example\r\nDATA\r\n");
}

TEST_CASE("a wish about notifications cannot end a command") {
  CHECK(dsn_of_rcpt({{"never"}, "", ""}, "a+b=c@d.example") ==
        " NOTIFY=NEVER ORCPT=rfc822;a+2Bb+3Dc@d.example");
  CHECK(dsn_of_rcpt({{}, "", ""}, "\u00fc@d.example").empty());
  CHECK(dsn_of_mail({{}, "full", "a\r\nRCPT TO:<x>"}) ==
        " RET=FULL ENVID=a+0D+0ARCPT+20TO:<x>");
  CHECK(dsn_of_mail({}).empty());
}

TEST_CASE("without PIPELINING each command waits for the last one's reply") {
  SmtpSession session{SmtpFeatures{}};
  session.begin(a_mail({"ann@b.example", "bob@b.example"}));
  CHECK(flush(session) == "MAIL FROM:<team@a.example>\r\n");
  session.receive("250 ok\r\n");
  CHECK(flush(session) == "RCPT TO:<ann@b.example>\r\n");
  session.receive("550 5.1.1 no such user\r\n");
  CHECK(flush(session) == "RCPT TO:<bob@b.example>\r\n");
  session.receive("250 ok\r\n");
  CHECK(flush(session) == "DATA\r\n");
  session.receive("354 go\r\n");
  CHECK(flush(session) == k_body);
  session.receive("250 ok\r\n");
  CHECK(outcomes(session) == std::vector{Outcome::rejected, Outcome::accepted});
}

TEST_CASE("without PIPELINING a refused MAIL ends the transaction there") {
  SmtpSession session{SmtpFeatures{}};
  session.begin(a_mail());
  flush(session);
  session.receive("553 5.1.8 sender refused\r\n");
  CHECK(session.done());
  CHECK(flush(session).empty());
  CHECK(outcomes(session) == std::vector{Outcome::unavailable});
  CHECK_FALSE(session.verdicts()[0].counts_against_provider);
}

TEST_CASE("a session carries many transactions, replies in any pieces") {
  SmtpSession session(pipelining());
  for (int i = 0; i < 3; ++i) {
    session.begin(a_mail());
    flush(session);
    for (char c : std::string("250 ok\r\n250-two\r\n250 lines\r\n354 go\r\n")) {
      session.receive(std::string_view(&c, 1));
    }
    CHECK(flush(session) == k_body);
    session.receive("250 o");
    CHECK_FALSE(session.done());
    session.receive("k\r\n");
    CHECK(outcomes(session) == std::vector{Outcome::accepted});
    CHECK_FALSE(session.must_close());
  }
}

TEST_CASE("SIZE and SMTPUTF8 are said only where they were offered") {
  SmtpFeatures features;
  for (const char* line : {"mail.example at your service", "PIPELINING",
                           "size 1000", "8bitmime", "SMTPUTF8"}) {
    note_feature(features, line);
  }
  CHECK(features.pipelining);
  CHECK(features.size_limit == 1000);
  SmtpSession session(features);
  auto mail = a_mail({"ün@b.example"});
  mail.utf8 = true;
  session.begin(std::move(mail));
  auto out = flush(session);
  CHECK(out.substr(0, out.find('\n')) ==
        "MAIL FROM:<team@a.example> SIZE=22 BODY=8BITMIME SMTPUTF8\r");
}

TEST_CASE("each recipient gets the verdict of its own RCPT") {
  auto session =
      begun({"a@b.example", "b@b.example", "c@b.example", "d@b.example"},
            "250 ok\r\n250 ok\r\n550 5.1.1 unknown\r\n450 4.2.1 full\r\n"
            "450 4.7.1 slow down\r\n354 go\r\n");
  CHECK(flush(session) == k_body);
  session.receive("250 ok\r\n");
  CHECK(outcomes(session) == std::vector{Outcome::accepted, Outcome::rejected,
                                         Outcome::unavailable,
                                         Outcome::throttled});
  CHECK(session.verdicts()[1].error == "550 5.1.1 unknown");
  CHECK(session.verdicts()[1].status == 550);
  CHECK_FALSE(session.verdicts()[2].counts_against_provider);
}

TEST_CASE("with every recipient refused no body leaves") {
  auto session = begun({"a@b.example"}, "250 ok\r\n550 no\r\n554 none\r\n");
  CHECK(session.done());
  CHECK(flush(session).empty());
  CHECK(outcomes(session) == std::vector{Outcome::rejected});

  SUBCASE("and the next transaction begins with RSET") {
    session.begin(a_mail());
    auto out = flush(session);
    CHECK(out.substr(0, 11) == "RSET\r\nMAIL ");
    session.receive("250 reset\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    CHECK(flush(session) == k_body);
  }
}

TEST_CASE("a 354 to refused recipients is answered with a lone dot") {
  auto session = begun({"a@b.example", "b@b.example"},
                       "250 ok\r\n550 no\r\n551 no\r\n354 go\r\n");
  CHECK(flush(session) == ".\r\n");
  CHECK_FALSE(session.done());
  session.receive("250 thanks for nothing\r\n");
  CHECK(session.done());
  CHECK_FALSE(session.must_close());
  CHECK(outcomes(session) == std::vector{Outcome::rejected, Outcome::rejected});
}

TEST_CASE("a refused MAIL is the verdict of all, whatever follows it") {
  auto session = begun({"a@b.example"},
                       "552 5.3.4 too big\r\n503 no MAIL\r\n503 no RCPT\r\n");
  CHECK(session.done());
  CHECK(outcomes(session) == std::vector{Outcome::unavailable});
  CHECK(session.verdicts()[0].status == 552);
  CHECK_FALSE(session.verdicts()[0].counts_against_provider);
}

TEST_CASE("an answer that speaks of the session is never a rejection") {
  for (const char* reply :
       {"530 5.7.0 Authentication required", "535 5.7.8 bad credentials",
        "538 encrypt first", "503 5.5.1 bad sequence", "500 what?",
        "521 no mail here"}) {
    CAPTURE(reply);
    SmtpReply parsed;
    SmtpReplyReader reader;
    reader.add(std::string(reply) + "\r\n");
    REQUIRE(reader.next(parsed) == SmtpReplyReader::Next::reply);
    for (auto stage : {SmtpStage::open, SmtpStage::mail, SmtpStage::rcpt,
                       SmtpStage::data, SmtpStage::dot}) {
      CHECK(smtp_verdict(stage, parsed).outcome == Outcome::unavailable);
    }
  }
}

TEST_CASE("the reply to the dot decides: 5yz, 4yz, throttling") {
  auto verdict = [](const char* reply) {
    auto session = before_the_dot_reply();
    session.receive(std::string(reply) + "\r\n");
    CHECK(session.done());
    return session.verdicts()[0].outcome;
  };
  CHECK(verdict("250 ok") == Outcome::accepted);
  CHECK(verdict("554 5.7.1 spam") == Outcome::rejected);
  CHECK(verdict("554 5.4.6 too many hops") == Outcome::rejected);
  CHECK(verdict("451 4.3.0 try later") == Outcome::unavailable);
  CHECK(verdict("452 4.7.0 slow down") == Outcome::throttled);
  CHECK(verdict("550 Too Many messages today") == Outcome::throttled);
  CHECK(verdict("421 4.3.2 closing") == Outcome::throttled);
  CHECK(verdict("354 go on") == Outcome::unknown);
  CHECK(verdict("complete nonsense") == Outcome::unknown);
}

TEST_CASE("lost after the dot is unknown, lost before it took nothing") {
  auto session = begun({"ann@b.example"}, "250 ok\r\n250 ok\r\n354 go\r\n");
  const auto size = session.output().size();

  SUBCASE("one byte short of the dot's end") {
    session.sent(size - 1);
    CHECK_FALSE(session.dot_may_have_left());
    session.lost("connection closed");
    CHECK(outcomes(session) == std::vector{Outcome::unavailable});
    CHECK(session.verdicts()[0].error ==
          "connection closed before the message was sent, nothing was taken");
  }
  SUBCASE("all of it") {
    session.sent(size);
    CHECK(session.dot_may_have_left());
    session.lost("no reply within 60s");
    CHECK(outcomes(session) == std::vector{Outcome::unknown});
    CHECK(session.verdicts()[0].error ==
          "no reply within 60s after the message was sent, it may have been "
          "taken");
  }
  CHECK(session.done());
  CHECK(session.must_close());
  CHECK_FALSE(session.was_untouched());
}

TEST_CASE("recipients refused before the connection was lost stay refused") {
  auto session = begun({"a@b.example", "b@b.example"},
                       "250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n");
  flush(session);
  session.lost("connection closed");
  CHECK(outcomes(session) == std::vector{Outcome::rejected, Outcome::unknown});
}

TEST_CASE("a session that went stale while idle leaves the mail untouched") {
  SmtpSession session(pipelining());
  session.begin(a_mail());
  flush(session);
  SUBCASE("closed") {
    session.lost("connection closed");
  }
  SUBCASE("with a 421") {
    session.receive("421 4.4.2 idle too long\r\n");
  }
  CHECK(session.done());
  CHECK(session.must_close());
  CHECK(session.was_untouched());
  CHECK(session.verdicts().size() == 1);
}

TEST_CASE("a 421 in the middle ends the session and throttles the rest") {
  auto session = begun({"a@b.example", "b@b.example", "c@b.example"},
                       "250 ok\r\n250 ok\r\n550 no\r\n421 4.3.2 bye\r\n");
  CHECK(session.done());
  CHECK(session.must_close());
  CHECK_FALSE(session.was_untouched());
  CHECK(outcomes(session) ==
        std::vector{Outcome::throttled, Outcome::rejected, Outcome::throttled});
}

TEST_CASE("what the server says unasked closes an idle session") {
  SmtpSession session(pipelining());
  session.receive("421 idle too long\r\n");
  CHECK(session.must_close());
  CHECK(session.done());
}

TEST_CASE("a verdict is not believed before the body has left") {
  auto session =
      begun({"a@b.example"}, "250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n");
  CHECK(session.must_close());
  CHECK(outcomes(session) == std::vector{Outcome::unavailable});
}

TEST_CASE("a refusal in the middle of the body ends it, and the session") {
  auto session = begun({"a@b.example"}, "250 ok\r\n250 ok\r\n354 go\r\n");
  session.sent(3);
  session.receive("552 5.3.4 too big\r\n");
  CHECK(session.done());
  CHECK(session.must_close());
  CHECK(session.output().empty());
  CHECK(outcomes(session) == std::vector{Outcome::rejected});
}

TEST_CASE("what is no SMTP is never taken for an answer") {
  for (const char* reply :
       {"HTTP/1.1 200 OK\r\n", "25\r\n", "250x ok\r\n", "999 hm\r\n", "\r\n",
        "250-one\r\n251 two\r\n", "150 ok\r\n"}) {
    CAPTURE(reply);
    auto session = begun({"a@b.example"}, reply);
    CHECK(session.must_close());
    CHECK(outcomes(session) == std::vector{Outcome::unavailable});
  }
  auto more = begun({"a@b.example"}, "250 ok\r\n250 ok\r\n250 ok\r\n");
  CHECK(outcomes(more) == std::vector{Outcome::unavailable});
}

TEST_CASE("a reply without end is cut off at 64 KiB") {
  SmtpSession session(pipelining());
  session.begin(a_mail());
  flush(session);
  const std::string line = "250-" + std::string(1000, 'x') + "\r\n";
  int lines = 0;
  while (!session.must_close()) {
    session.receive(line);
    REQUIRE(++lines < 100);
  }
  CHECK(outcomes(session) == std::vector{Outcome::unavailable});
}

TEST_CASE("the server's words are made printable and cut") {
  auto session = before_the_dot_reply();
  session.receive("554 " + std::string(5000, 'x') + "\x1b[2J\r\n");
  CHECK(session.verdicts()[0].error.size() <= 1024);
  auto other = before_the_dot_reply();
  other.receive("554 \x1b[2J\r\n");
  CHECK(other.verdicts()[0].error.find('\x1b') == std::string::npos);
}

TEST_CASE("leading dots are doubled, the first line's too") {
  auto data = smtp_data(".a\r\n..b\r\nc.\r\n.\r\n");
  CHECK(data.bytes == "..a\r\n...b\r\nc.\r\n..\r\n.\r\n");
  CHECK(data.size == 16);
}

TEST_CASE("no bare CR or LF leaves, so no line can smuggle a dot") {
  CHECK(smtp_data("a\n.\nb\r.\rc\r\n.\n").bytes ==
        "a\r\n..\r\nb\r\n..\r\nc\r\n..\r\n.\r\n");
  CHECK(smtp_data("a\r\r\n.\r\n").bytes == "a\r\n\r\n..\r\n.\r\n");
  CHECK(smtp_data("a\n\r.\n").bytes == "a\r\n\r\n..\r\n.\r\n");
  CHECK(smtp_data("\n").bytes == "\r\n.\r\n");
  CHECK(smtp_data("\na\r\n").bytes == "\r\na\r\n.\r\n");
  CHECK(smtp_data("a\rb\r\n").bytes == "a\r\nb\r\n.\r\n");
  CHECK(smtp_data("a\r\n\r\nb\r\n").bytes == "a\r\n\r\nb\r\n.\r\n");
  CHECK(smtp_data("no end").bytes == "no end\r\n.\r\n");
  CHECK(smtp_data("cr\r").bytes == "cr\r\n.\r\n");
  CHECK(smtp_data("").bytes == ".\r\n");
}

}  // namespace pony

TEST_SUITE_END();
