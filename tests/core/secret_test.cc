#include "core/secret.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/require_ok.h"

using pony::expand_environment;
using pony::resolve;
using pony::SecretSource;

namespace {

constexpr const char* k_canary = "canary-4711";

// A folder that is removed again.
class TempFolder {
 public:
  TempFolder() {
    char name[] = "/tmp/pony-secret-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

SecretSource from_value(std::string value) {
  SecretSource source;
  source.key = "password";
  source.place = "pony.yaml:14";
  source.value = std::move(value);
  return source;
}

SecretSource from_file(std::string path) {
  SecretSource source = from_value("");
  source.file = std::move(path);
  return source;
}

SecretSource from_command(std::vector<std::string> argv) {
  SecretSource source = from_value("");
  source.command = std::move(argv);
  return source;
}

SecretSource from_shell(const std::string& script) {
  return from_command({"/bin/sh", "-c", script});
}

// What is wrong with `source`, with everything that a user could see.
std::string refusal(const SecretSource& source) {
  const auto secret = resolve(source);
  CHECK_FAILS(secret, config);
  const std::string all = secret.error().what + "\n" + secret.error().hint;
  CHECK(all.find(k_canary) == std::string::npos);
  return secret.error().what;
}

}  // namespace

TEST_SUITE_BEGIN("secret");

TEST_CASE("a value is taken as it stands") {
  const auto secret = resolve(from_value("p$ss $word"));

  REQUIRE_OK(secret);
  CHECK(secret->reveal() == "p$ss $word");
}

TEST_CASE("a variable is looked up when the secret is needed") {
  ::setenv("PONY_TEST_KEY", k_canary, 1);
  const auto secret = resolve(from_value("key-${PONY_TEST_KEY}!"));
  ::unsetenv("PONY_TEST_KEY");

  REQUIRE_OK(secret);
  CHECK(secret->reveal() == std::string("key-") + k_canary + "!");
  CHECK(refusal(from_value("${PONY_TEST_KEY}")) ==
        "pony.yaml:14: secret 'password': the environment has no "
        "'PONY_TEST_KEY'");
}

TEST_CASE("a file's last line break is dropped, and only that") {
  const TempFolder folder;

  for (const char* text : {" s3cret ", " s3cret \n", " s3cret \r\n"}) {
    const auto secret = resolve(from_file(folder.write("key", text)));
    REQUIRE_OK(secret);
    CHECK(secret->reveal() == " s3cret ");
  }
  CHECK(refusal(from_file(folder.write("two", "canary-4711\nx\n"))) ==
        "pony.yaml:14: secret 'password': holds a line break or another "
        "control character");
}

TEST_CASE("a secret that is empty, missing, huge or no file is refused") {
  const TempFolder folder;

  CHECK(refusal(from_value("")) == "pony.yaml:14: secret 'password': is empty");
  CHECK(refusal(from_file(folder.write("empty", "\n"))) ==
        "pony.yaml:14: secret 'password': is empty");
  CHECK(refusal(from_file(folder.path() + "/none"))
            .ends_with("/none': No such file or directory"));
  CHECK(refusal(from_file(folder.path())).ends_with("is no regular file"));
  CHECK(refusal(from_file(folder.write("huge", std::string(70000, 'x'))))
            .find("larger than") != std::string::npos);
  REQUIRE(::mkfifo((folder.path() + "/fifo").c_str(), 0600) == 0);
  CHECK(refusal(from_file(folder.path() + "/fifo"))
            .ends_with("is no regular file"));
}

TEST_CASE(
    "a file that is not there is looked for among systemd's credentials") {
  const TempFolder credentials;
  credentials.write("mailgun.key", k_canary);
  ::setenv("CREDENTIALS_DIRECTORY", credentials.path().c_str(), 1);
  const auto secret = resolve(from_file("/nonexistent/mailgun.key"));
  const auto other = resolve(from_file("/nonexistent/other.key"));
  ::unsetenv("CREDENTIALS_DIRECTORY");

  REQUIRE_OK(secret);
  CHECK(secret->reveal() == k_canary);
  CHECK_FAILS(other, config);
  CHECK(other.error().what.find("'/nonexistent/other.key'") !=
        std::string::npos);
}

TEST_CASE("a file below /etc that everyone can read is refused") {
  // Every Debian has this one, and everyone can read it.
  CHECK(refusal(from_file("/etc/passwd")) ==
        "pony.yaml:14: secret 'password': everyone can read '/etc/passwd'");
}

TEST_CASE("a command's output is the secret, its stdin is empty") {
  const auto secret = resolve(from_shell("cat; printf 's3cret\\n'"));

  REQUIRE_OK(secret);
  CHECK(secret->reveal() == "s3cret");
}

TEST_CASE("a command gets its words as they are, without a shell") {
  const auto secret = resolve(from_command({"printf", "%s", "$HOME;`id`"}));

  REQUIRE_OK(secret);
  CHECK(secret->reveal() == "$HOME;`id`");
}

TEST_CASE("a command that fails is told without what it printed") {
  CHECK(refusal(from_shell("echo canary-4711; exit 3")) ==
        "pony.yaml:14: secret 'password': '/bin/sh' ended with exit code 3");
  CHECK(refusal(from_shell("echo canary-4711; kill -9 $$")) ==
        "pony.yaml:14: secret 'password': '/bin/sh' was killed by signal 9");
  CHECK(refusal(from_command({"/nonexistent/tool"})) ==
        "pony.yaml:14: secret 'password': cannot run '/nonexistent/tool': No "
        "such file or directory");
  CHECK(refusal(from_shell("head -c 70000 /dev/zero"))
            .ends_with("printed more than 64 KiB"));
}

TEST_CASE("a command that hangs is killed with its children") {
  const TempFolder folder;
  const std::string pid_file = folder.path() + "/pid";
  const auto secret = resolve(
      from_shell("echo canary-4711; sleep 600 & echo $! > " + pid_file +
                 ".tmp; mv " + pid_file + ".tmp " + pid_file + "; wait"),
      std::chrono::milliseconds(300));

  CHECK_FAILS(secret, config);
  CHECK(secret.error().what ==
        "pony.yaml:14: secret 'password': '/bin/sh' was not done after 300ms");
  std::ifstream in(pid_file);
  pid_t child = 0;
  REQUIRE((in >> child));
  // Gone already, or about to be: a kill takes the kernel a moment.
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  if (pidfd >= 0) {
    pollfd ended{pidfd, POLLIN, 0};
    CHECK(::poll(&ended, 1, 10'000) == 1);
    ::close(pidfd);
  }
}

TEST_CASE("a command that closes its stdout and stays is killed too") {
  const auto secret = resolve(from_shell("exec >&-; sleep 600"),
                              std::chrono::milliseconds(100));

  CHECK_FAILS(secret, config);
}

TEST_CASE("variables are filled in, $${ stands for itself") {
  ::setenv("PONY_TEST_A", "a", 1);
  ::setenv("PONY_TEST_B", "${PONY_TEST_A}", 1);
  const auto plain = expand_environment("${PONY_TEST_A}$$x$${PONY_TEST_A}$");
  const auto once = expand_environment("${PONY_TEST_B}");
  ::unsetenv("PONY_TEST_A");
  ::unsetenv("PONY_TEST_B");

  REQUIRE_OK(plain);
  CHECK(*plain == "a$$x${PONY_TEST_A}$");
  REQUIRE_OK(once);
  CHECK(*once == "${PONY_TEST_A}");  // a value is not looked into again
}

TEST_CASE("a ${ that is no variable is refused") {
  for (const char* text : {"${", "${}", "${A", "${A B}", "x${A-b}"})
    CHECK_FAILS(expand_environment(text), config);
}

TEST_SUITE_END();
