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
#include "core/hex_digit.h"

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

// A character as somebody else may spell it, and where the text goes on.
struct Spelled {
  char c = 0;
  std::size_t end = std::string_view::npos;
};

// `count` hexadecimal digits at `at`; -1 when they are none.
int hex_number(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int number = 0;
  for (const char c : text.substr(at, count)) {
    if (hex_value(c) < 0) return -1;
    number = number * 16 + hex_value(c);
  }
  return number;
}

Spelled spelled_in_html(std::string_view text, std::size_t at) {
  struct Entity {
    std::string_view name;
    char c;
  };
  constexpr Entity k_entities[] = {
      {"&amp;", '&'},   {"&lt;", '<'},   {"&gt;", '>'},    {"&quot;", '"'},
      {"&apos;", '\''}, {"&#39;", '\''}, {"&#039;", '\''}, {"&#x27;", '\''},
      {"&#34;", '"'},   {"&#034;", '"'}, {"&#x22;", '"'},  {"&#38;", '&'},
      {"&#43;", '+'},   {"&#x2B;", '+'}, {"&#47;", '/'},   {"&#x2F;", '/'},
      {"&#x2f;", '/'},  {"&#x2b;", '+'}, {"&#61;", '='},   {"&#x3D;", '='},
      {"&#x3d;", '='},  {"&#96;", '`'},  {"&#x60;", '`'},
  };
  for (const Entity& entity : k_entities)
    if (text.substr(at).starts_with(entity.name))
      return {entity.c, at + entity.name.size()};
  return {};
}

// The escaped character at `at`: %2B, \u002b, &quot;. Backslashes before the
// u are all part of it: JSON may have been put into JSON.
Spelled escaped(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  if (text[at] == '&') return spelled_in_html(text, at);
  if (text[at] == '%') {
    const int number = hex_number(text, at + 1, 2);
    if (number >= 0) return {static_cast<char>(number), at + 3};
  }
  if (text[at] != '\\') return {};
  const std::size_t u = text.find_first_not_of('\\', at);
  if (u == text.npos || text[u] != 'u') return {};
  const int number = hex_number(text, u + 1, 4);
  if (number < 0 || number > 0x7f) return {};
  return {static_cast<char>(number), u + 5};
}

// Goes past backslashes, whoever put them there.
std::size_t past_backslashes(std::string_view text, std::size_t at) {
  for (;;) {
    const Spelled one = escaped(text, at);
    if (one.c == '\\') {
      at = one.end;
    } else if (one.c == 0 && at < text.size() && text[at] == '\\') {
      ++at;
    } else {
      return at;
    }
  }
}

// Where the secret that begins at `at` ends, in whatever spelling; npos when
// it does not begin there. Backslashes do not count, in neither of the two:
// how many there are depends on how often the text was quoted.
std::size_t end_of_secret(std::string_view text, std::size_t at,
                          std::string_view secret) {
  if (text.substr(at).starts_with(secret)) return at + secret.size();
  bool compared = false;
  for (const char c : secret) {
    if (c == '\\') continue;
    compared = true;
    const std::size_t next = past_backslashes(text, at);
    const Spelled one = escaped(text, next);
    if (one.end != text.npos && one.c == c) {
      at = one.end;
    } else if (next < text.size() &&
               (text[next] == c || (c == ' ' && text[next] == '+'))) {
      at = next + 1;
    } else {
      return text.npos;
    }
  }
  return compared ? at : text.npos;
}

// The first character that counts.
char secret_start(std::string_view secret) {
  const std::size_t at = secret.find_first_not_of('\\');
  return at == secret.npos ? secret.front() : secret[at];
}

}  // namespace

Secret::~Secret() {
  // The whole capacity: a moved-from string keeps its bytes in place.
  ::explicit_bzero(value_.data(), value_.capacity());
}

void mask_secret(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  const char starts[] = {secret_start(secret), '\\', '%', '&', '+'};
  const std::string_view any_start(starts, sizeof starts);
  std::string clean;
  std::size_t kept = 0;
  for (std::size_t at = text.find_first_of(any_start); at != text.npos;
       at = text.find_first_of(any_start, at)) {
    const std::size_t end = end_of_secret(text, at, secret);
    if (end == text.npos) {
      ++at;
      continue;
    }
    clean.append(text, kept, at - kept).append("***");
    kept = at = end;
  }
  if (kept == 0) return;
  text = clean.append(text, kept);
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
