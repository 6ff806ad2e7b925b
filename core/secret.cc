// Secrets, fetched at the last moment by who delivers: from the configuration,
// a file, systemd's credentials or a program's output.
//
// Promises: no error holds a value, not even a part of it. Doesn't know what
// the secret is for.
// Known limit: std::string may leave copies behind when it grows; we size it
// before reading, but what a caller does with reveal() is the caller's affair.
#include "core/secret.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "core/fs.h"

namespace pony {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t k_max_size = 64 * 1024;
// How long to sleep between two looks at a program that has closed its stdout
// but not ended; it is about to.
constexpr int k_exit_poll_ms = 2;

auto refuse(const SecretSource& source, std::string_view why,
            std::string hint = {}) {
  return fail(Error::Kind::config,
              fmt::format("{}: secret '{}': {}", source.place, source.key, why),
              std::move(hint));
}

void drop_line_break(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_';
}

bool has_control_byte(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

// The value, if it is fit to be sent to a provider.
Result<Secret> checked(const SecretSource& source, std::string value) {
  Secret secret(std::move(value));
  if (secret.empty()) return refuse(source, "is empty");
  if (has_control_byte(secret.reveal())) {
    return refuse(source, "holds a line break or another control character",
                  "it must be one line");
  }
  return secret;
}

// Opens `path`, or else the credential of the same name. -1 with errno.
Fd open_secret_file(std::string& path) {
  // O_NONBLOCK: a FIFO must not make us wait; it is refused later.
  constexpr int k_flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  Fd fd(::open(path.c_str(), k_flags));
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (fd || folder == nullptr || (errno != ENOENT && errno != EACCES))
    return fd;
  const int cause = errno;
  const std::string credential =
      fmt::format("{}/{}", folder, path.substr(path.rfind('/') + 1));
  fd = Fd(::open(credential.c_str(), k_flags));
  if (fd) path = credential;
  if (!fd) errno = cause;
  return fd;
}

Result<Secret> read_file(const SecretSource& source) {
  std::string path = source.file;
  const Fd fd = open_secret_file(path);
  if (!fd) {
    return refuse(source,
                  fmt::format("cannot open '{}': {}", path, ::strerror(errno)));
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return refuse(source, fmt::format("'{}' is no regular file", path));
  if (path.starts_with("/etc/") && (info.st_mode & S_IROTH) != 0) {
    return refuse(source, fmt::format("everyone can read '{}'", path),
                  fmt::format("chmod o-r '{}'", path));
  }
  auto text = read_all(fd.get(), k_max_size, path);
  if (!text) return refuse(source, text.error().what);
  drop_line_break(*text);
  return checked(source, std::move(*text));
}

// A program that was started in a process group of its own, so that it and
// its children can be killed together.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }

  // Its wait status if it ended before `deadline`.
  std::optional<int> wait_until(SteadyClock::time_point deadline) {
    int status = 0;
    for (;;) {
      const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) break;
      if (ended < 0 && errno != EINTR) return std::nullopt;
      if (SteadyClock::now() >= deadline) return std::nullopt;
      ::poll(nullptr, 0, k_exit_poll_ms);
    }
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
};

// Starts `argv` with /dev/null as its stdin and `out` as its stdout; stderr
// stays ours, for the program's complaints. Returns an errno, or 0.
int spawn(const std::vector<std::string>& argv, int out, pid_t& pid) {
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                   O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawnattr_init(&attributes);
  // A runner blocks and ignores signals; the program must not inherit that.
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  const int cause = ::posix_spawnp(&pid, words.front(), &actions, &attributes,
                                   words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return cause;
}

enum class Capture { complete, too_long, too_late, broken };

// Reads `fd` to its end. `out` has room for everything beforehand, so that no
// copy of it is left behind.
Capture capture(int fd, std::string& out, SteadyClock::time_point deadline) {
  std::size_t size = 0;
  out.resize(k_max_size + 1);
  for (;;) {
    const auto left =
        std::chrono::duration_cast<Milliseconds>(deadline - SteadyClock::now());
    if (left.count() <= 0) return Capture::too_late;
    pollfd wanted{fd, POLLIN, 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return Capture::broken;
    if (ready <= 0) continue;
    const ssize_t n = ::read(fd, out.data() + size, out.size() - size);
    if (n < 0 && errno != EINTR) return Capture::broken;
    if (n == 0) break;
    if (n > 0) size += static_cast<std::size_t>(n);
    if (size > k_max_size) return Capture::too_long;
  }
  out.resize(size);
  return Capture::complete;
}

std::string ending(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

Result<Secret> run_command(const SecretSource& source, Milliseconds limit) {
  const std::string& program = source.command.front();
  const auto deadline = SteadyClock::now() + limit;
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return refuse(source, fmt::format("no pipe: {}", ::strerror(errno)));
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  pid_t pid = 0;
  if (const int cause = spawn(source.command, writer.get(), pid); cause != 0) {
    return refuse(
        source, fmt::format("cannot run '{}': {}", program, ::strerror(cause)));
  }
  writer = Fd();
  Child child(pid);

  std::string text;
  const Capture captured = capture(reader.get(), text, deadline);
  // Wipes what was read, whatever becomes of it.
  const Secret output(std::move(text));
  const auto too_late = [&] {
    return refuse(source, fmt::format("'{}' was not done after {}", program,
                                      format_duration(limit)));
  };
  if (captured == Capture::too_late) return too_late();
  if (captured == Capture::too_long) {
    return refuse(source,
                  fmt::format("'{}' printed more than 64 KiB", program));
  }
  if (captured == Capture::broken) {
    return refuse(source, fmt::format("cannot read what '{}' prints: {}",
                                      program, ::strerror(errno)));
  }
  const auto status = child.wait_until(deadline);
  if (!status) return too_late();
  if (*status != 0)
    return refuse(source, fmt::format("'{}' {}", program, ending(*status)));
  std::string value = output.reveal();
  drop_line_break(value);
  return checked(source, std::move(value));
}

}  // namespace

Secret::~Secret() {
  // The whole capacity: a moved-from string keeps its bytes in place.
  ::explicit_bzero(value_.data(), value_.capacity());
}

void mask_secret(std::string& text, std::string_view secret) {
  constexpr std::string_view mask = "***";
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != text.npos;
       at = text.find(secret, at + mask.size())) {
    text.replace(at, secret.size(), mask);
  }
}

Result<std::string> expand_environment(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("$${")) {
      out += "${";
      i += 3;
      continue;
    }
    if (!rest.starts_with("${")) {
      out += text[i++];
      continue;
    }
    std::size_t end = 2;
    while (end < rest.size() && is_name_byte(rest[end])) ++end;
    if (end == 2 || end == rest.size() || rest[end] != '}') {
      return fail(Error::Kind::config, "'${' without a name and '}' after it",
                  "for a plain '${' write '$${'");
    }
    const std::string name(rest.substr(2, end - 2));
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      return fail(Error::Kind::config,
                  fmt::format("the environment has no '{}'", name));
    }
    out += value;
    i += end + 1;
  }
  return out;
}

Result<Secret> resolve(const SecretSource& source, Milliseconds command_limit) {
  if (!source.command.empty()) return run_command(source, command_limit);
  if (!source.file.empty()) return read_file(source);
  auto value = expand_environment(source.value);
  if (!value) {
    return refuse(source, value.error().what, value.error().hint);
  }
  return checked(source, std::move(*value));
}

}  // namespace pony
