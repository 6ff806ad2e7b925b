// sendmail's flags, with all their traps.
#include "cmd/sendmail_flags.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/require_ok.h"

namespace pony {
namespace {

using List = std::vector<std::string>;
using Words = std::vector<std::string_view>;

Result<SendmailFlags> read(const Words& words) {
  return read_sendmail_flags(words);
}

SendmailFlags flags(const Words& words) {
  auto read_flags = read(words);
  REQUIRE_OK(read_flags);
  return std::move(*read_flags);
}

std::string sender(const Words& words) {
  return flags(words).sender.value_or("(none)");
}

}  // namespace

TEST_SUITE_BEGIN("cmd");

TEST_CASE("the callers that matter are understood without a warning") {
  for (const Words& words : std::vector<Words>{
           {"-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"},
           {"-i", "-FCronDaemon", "-B8BITMIME", "-oem", "root"},
           {"-i", "-B", "8BITMIME", "root"},
           {"-FAnacron", "-odi", "root"},
           {"-t", "-i", "-fann@example.com"},
           {"-oi", "-oem", "-f", "ann@example.com", "root"},
           {"-i", "-f", "ann@example.com", "--", "root"},
           {"-Am",
            "-Ac",
            "-h5",
            "-L",
            "tag",
            "-m",
            "-n",
            "-U",
            "-G",
            "-d0.1",
            "-d",
            "-em",
            "-OPrivacyOptions=x",
            "-o7",
            "-p",
            "ESMTP:host",
            "-bm",
            "-bq",
            "-v",
            "-c",
            "root"}}) {
    const auto read_flags = flags(words);
    CHECK(read_flags.warnings == List{});
    CHECK(read_flags.task == SendmailTask::submit);
    CHECK(read_flags.recipients ==
          (read_flags.recipients_from_header ? List{} : List{"root"}));
  }
  const auto cronie =
      flags({"-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"});
  CHECK(cronie.full_name == "CronDaemon");
  CHECK(cronie.sender == "root");
  CHECK(cronie.recipients_from_header);
  CHECK(cronie.lone_dot_is_text);
}

TEST_CASE("a flag's value is never read as a flag or a recipient") {
  CHECK(sender({"-f", "--help"}) == "--help");
  CHECK(sender({"-f", "-t"}) == "-t");
  CHECK(!flags({"-f", "-t"}).recipients_from_header);
  CHECK(flags({"-F", "-bs"}).full_name == "-bs");
  CHECK(flags({"-F", "-bs"}).task == SendmailTask::submit);
  CHECK(flags({"-C", "/etc/x.cf", "-X", "/tmp/log", "-L", "a"}).recipients ==
        List{});
  CHECK(flags({"-o", "i", "root"}).recipients == List{"root"});
}

TEST_CASE("a sender may be bare, in brackets, or none at all") {
  CHECK(sender({"-f", "ann@example.com"}) == "ann@example.com");
  CHECK(sender({"-fann@example.com"}) == "ann@example.com");
  CHECK(sender({"-r", "<ann@example.com>"}) == "ann@example.com");
  CHECK(sender({"-f", " Ann <ann@example.com> "}) == "ann@example.com");
  CHECK(sender({"-f", ""}) == "");
  CHECK(sender({"-f<>"}) == "");
  CHECK(sender({"root"}) == "(none)");
  CHECK(sender({"-f", "a@example.com", "-f", "b@example.com"}) ==
        "b@example.com");
}

TEST_CASE("flags may be grouped, and stand behind the recipients") {
  const auto grouped = flags({"-ti", "ann@example.com", "-fbob@example.com"});
  CHECK(grouped.recipients_from_header);
  CHECK(grouped.lone_dot_is_text);
  CHECK(grouped.recipients == List{"ann@example.com"});
  CHECK(grouped.sender == "bob@example.com");
  CHECK(sender({"-itf", "ann@example.com"}) == "ann@example.com");
}

TEST_CASE("behind -- everything is a recipient, and lists are taken apart") {
  CHECK(flags({"-i", "--", "-t", "a@example.com, Bob <b@example.com>", "--"})
            .recipients == List{"-t", "a@example.com", "b@example.com", "--"});
  CHECK(flags({"a@example.com,b@example.com", "", ","}).recipients ==
        List{"a@example.com", "b@example.com"});
}

TEST_CASE("a lone dot is text with -i, -oi or IgnoreDots") {
  CHECK(flags({"-i"}).lone_dot_is_text);
  CHECK(flags({"-oi"}).lone_dot_is_text);
  CHECK(flags({"-O", "IgnoreDots=true"}).lone_dot_is_text);
  CHECK(flags({"-OIgnoreDots"}).lone_dot_is_text);
  CHECK(!flags({"-OIgnoreDots=false"}).lone_dot_is_text);
  CHECK(!flags({"-oem", "-odi", "-t"}).lone_dot_is_text);
}

TEST_CASE("unknown flags cost one warning, however many there are") {
  const std::string many(1 << 20, 'z');
  const std::string word = "-" + many;
  const auto read_flags = flags({word, "--probe", "-Z", "root"});
  CHECK(read_flags.warnings ==
        List{"unknown flag '-z' is ignored, and so are 1048577 more"});
  CHECK(read_flags.recipients == List{"root"});
  CHECK(flags({"-zt"}).recipients_from_header);
  CHECK(flags({"--read-envelope-from=x"}).warnings ==
        List{"unknown flag '--read-envelope-from' is ignored"});
  CHECK(flags({"-bx", "root"}).warnings.size() == 1);
}

TEST_CASE("flags that name files warn, and read and write none") {
  CHECK(flags({"-C/etc/x.cf", "-X", "/tmp/log", "root"}).warnings ==
        List{"-C and the file that it names are ignored",
             "-X and the file that it names are ignored"});
}

TEST_CASE("a line break in a sender, a name or a recipient is refused") {
  for (const Words& words :
       std::vector<Words>{{"-f", "a@example.com\nBcc: x@example.com"},
                          {"-fa\r@example.com"},
                          {"-F", "Ann\nX: y"},
                          {"a@example.com\nx@example.com"},
                          {"--", "a\r@example.com"}}) {
    CHECK_FAILS(read(words), bad_data);
  }
}

TEST_CASE("more than 10,000 recipients are refused, in one word or many") {
  std::string list;
  for (int i = 0; i < 100'000; ++i) list += "a@example.com,";
  CHECK_FAILS(read({list}), bad_data);
  CHECK_FAILS(read(Words(10'001, "a@example.com")), bad_data);
}

TEST_CASE("modes are tasks; those that pony has not are refused") {
  CHECK(flags({"-bs"}).task == SendmailTask::smtp_dialogue);
  CHECK(flags({"-b", "p"}).task == SendmailTask::list_queue);
  CHECK(flags({"-bi"}).task == SendmailTask::check_aliases);
  CHECK(flags({"-I"}).task == SendmailTask::check_aliases);
  CHECK(flags({"-bv", "root"}).task == SendmailTask::show_routes);
  CHECK(flags({"--help"}).task == SendmailTask::help);
  CHECK(flags({"--version"}).task == SendmailTask::version);
  for (const std::string_view mode : {"-bd", "-bD", "-bt", "-bh"})
    CHECK_FAILS(read({mode}), usage);
}

TEST_CASE("-q runs the queue, once, or a part of it") {
  for (const std::string_view word : {"-q", "-q30m", "-qf", "-qp1h"}) {
    CHECK(flags({word}).task == SendmailTask::run_queue);
    CHECK(flags({word}).queue_ids.empty());
  }
  const auto some = flags({"-qI01JD", "-qRann@", "-qSroot", "-qI02"});
  CHECK(some.queue_ids == List{"01JD", "02"});
  CHECK(some.queue_recipients == List{"ann@"});
  CHECK(some.queue_senders == List{"root"});
  for (const std::string_view word : {"-q!Iid", "-qI", "-qGgroup", "-qQ"})
    CHECK_FAILS(read({word}), usage);
}

TEST_CASE("what DSN asks for is taken if it is right, else ignored") {
  const auto right =
      flags({"-N", "SUCCESS,delay,success", "-Rhdrs", "-V", "id-20x"});
  CHECK(right.notify == List{"success", "delay"});
  CHECK(right.dsn_return == "headers");
  CHECK(right.envelope_id == "id-20x");
  CHECK(flags({"-Nnever", "-R", "FULL"}).notify == List{"never"});
  CHECK(flags({"-Nnever", "-R", "FULL"}).dsn_return == "full");
  const auto wrong = flags({"-N", "never,delay", "-Rx", "-V", "a b", "-Bx"});
  CHECK(wrong.notify.empty());
  CHECK(wrong.dsn_return.empty());
  CHECK(wrong.envelope_id.empty());
  CHECK(wrong.warnings.size() == 4);
}

TEST_CASE("a flag at the end without its value: usage, unless it is ignored") {
  CHECK_FAILS(read({"root", "-f"}), usage);
  CHECK_FAILS(read({"root", "-F"}), usage);
  CHECK_FAILS(read({"--config"}), usage);
  CHECK(flags({"root", "-L"}).recipients == List{"root"});
}

TEST_CASE("pony's own options are there in both forms") {
  const auto own = flags({"--config", "/c.yaml", "--spool=/s", "root"});
  CHECK(own.config == "/c.yaml");
  CHECK(own.spool == "/s");
  CHECK(own.recipients == List{"root"});
}

TEST_CASE("what is added to a command line cannot choose a configuration") {
  CHECK_FAILS(read({"-t", "-i", "--config", "/tmp/x.yaml"}), usage);
  CHECK_FAILS(read({"-t", "--config=/tmp/x.yaml"}), usage);
  CHECK_FAILS(read({"root", "--spool=/tmp/x"}), usage);
  CHECK_FAILS(read({"-fann@example.com", "-q", "--spool", "/tmp/x"}), usage);
  // Behind "--" all are recipients, and a flag's value is no flag.
  CHECK(flags({"-t", "--", "--config=/x"}).config.empty());
  CHECK(flags({"-f", "--config=/x", "root"}).config.empty());
}

TEST_CASE("the name that a program is called by decides, with any path") {
  CHECK(sendmail_task_of("sendmail") == SendmailTask::submit);
  CHECK(sendmail_task_of("/usr/lib/sendmail") == SendmailTask::submit);
  CHECK(sendmail_task_of("../bin/mailq") == SendmailTask::list_queue);
  CHECK(sendmail_task_of("/usr/bin/newaliases") == SendmailTask::check_aliases);
  CHECK(!sendmail_task_of("/usr/bin/pony"));
  CHECK(!sendmail_task_of("/sendmail/pony"));
  CHECK(!sendmail_task_of(""));
}

TEST_SUITE_END();

}  // namespace pony
