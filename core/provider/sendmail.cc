// Delivery by a sendmail program: one child an attempt, watched by the loop
// through its stdin, its stderr and a pidfd.
//
// Promises: a child that is too slow is killed with all that it started; none
// is left behind. The envelope reaches it as arguments after "--", so nothing
// in it can be taken for an option.
// Doesn't know: what the program does with the mail after it said 0.
#include "core/provider/sendmail.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/fs.h"
#include "core/json.h"
#include "core/provider/envelope.h"
#include "core/provider/local_mail.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t k_longest_error = 1000;

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail_errno(errno, "cannot make a pipe");
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// Only our end: the program gets pipes of the kind that it expects.
void set_nonblocking(const Fd& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

// What posix_spawn is told, freed at the end.
struct SpawnSettings {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};

  SpawnSettings() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

// Starts `arguments` with those descriptors, no others, usual signals and a
// process group of its own.
Result<pid_t> spawn(const std::vector<std::string>& arguments, const Fd& in,
                    const Fd& err) {
  SpawnSettings settings;
  ::posix_spawn_file_actions_adddup2(&settings.files, in.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_addopen(&settings.files, STDOUT_FILENO,
                                     "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&settings.files, err.get(), STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&settings.files,
                                             STDERR_FILENO + 1);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&settings.attributes, &none);
  ::posix_spawnattr_setsigdefault(&settings.attributes, &all);
  ::posix_spawnattr_setpgroup(&settings.attributes, 0);
  ::posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETSIGMASK |
                                                       POSIX_SPAWN_SETSIGDEF |
                                                       POSIX_SPAWN_SETPGROUP);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, argv[0], &settings.files,
                                  &settings.attributes, argv.data(), environ);
  if (error != 0) {
    return fail_errno(error, "cannot start '" + arguments[0] + "'");
  }
  return child;
}

// What a sysexits.h number says of the message.
Outcome outcome_of_exit(int code) {
  switch (code) {
    case EX_OK:
      return Outcome::accepted;
    case EX_DATAERR:
    case EX_NOUSER:
    case EX_NOHOST:
      return Outcome::rejected;
    default:
      return Outcome::unavailable;
  }
}

class SendmailProvider : public Provider {
 public:
  SendmailProvider(const ProviderConfig& config, Reactor& reactor)
      : name_(config.name),
        command_(config.command),
        timeout_(config.timeout),
        limit_(std::max(1, config.connections)),
        reactor_(reactor) {
    if (command_.empty()) command_ = {"/usr/sbin/sendmail"};
  }
  ~SendmailProvider() override {
    while (!children_.empty()) {
      kill_child(*children_.back());
      (void)reap(*children_.back());
      release(*children_.back());
    }
  }

  std::string_view name() const override { return name_; }
  std::string_view type() const override { return "sendmail"; }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  int room() const override {
    return limit_ - static_cast<int>(children_.size());
  }
  void start(Attempt attempt, Done done) override;
  void check(std::function<void(ProviderCheck)> checked) override;
  void shut_down() override;
  Result<std::string> preview(const Attempt& attempt,
                              std::vector<std::string>& reduced) const override;

 private:
  struct Child {
    pid_t pid = -1;
    Fd pidfd;
    Fd in;
    Fd err;
    std::string mail;
    std::size_t written = 0;
    std::string words;  // the first of its stderr
    std::string killed_why;
    std::size_t recipients = 0;
    Done done;
    Steady::time_point started = Steady::now();
    Reactor::TimerId deadline = 0;
  };

  Result<std::unique_ptr<Child>> launch(const Attempt& attempt) const;
  void watch(Child& child);
  void write_mail(Child& child);
  void read_words(Child& child);
  void kill_child(Child& child) const;
  static int reap(Child& child);
  void on_exit(Child& child);
  Verdict verdict_of(const Child& child, int status) const;
  std::unique_ptr<Child> release(Child& child);
  static void answer(Child& child, const Verdict& verdict);

  std::string name_;
  std::vector<std::string> command_;
  Milliseconds timeout_;
  int limit_;
  Reactor& reactor_;
  std::vector<std::unique_ptr<Child>> children_;
};

std::optional<std::string> SendmailProvider::cannot_carry(
    const Attempt& attempt) const {
  auto envelope = envelope_of(attempt);
  if (!envelope) return envelope.error().what;
  return std::nullopt;
}

Result<std::string> SendmailProvider::preview(const Attempt& attempt,
                                              std::vector<std::string>&) const {
  return local_mail(*attempt.message);
}

void SendmailProvider::start(Attempt attempt, Done done) {
  auto child = launch(attempt);
  if (child) {
    (*child)->done = std::move(done);
    children_.push_back(std::move(*child));
    return watch(*children_.back());
  }
  Verdict verdict;
  verdict.error = printable(child.error().what, k_longest_error);
  if (child.error().kind == Error::Kind::bad_data) {
    verdict.outcome = Outcome::rejected;
    verdict.counts_against_provider = false;
  }
  Child none;
  none.recipients = attempt.recipients.size();
  none.done = std::move(done);
  answer(none, verdict);
}

Result<std::unique_ptr<SendmailProvider::Child>> SendmailProvider::launch(
    const Attempt& attempt) const {
  auto envelope = envelope_of(attempt);
  if (!envelope) return tl::unexpected<Error>(envelope.error());
  auto mail = local_mail(*attempt.message);
  if (!mail) return tl::unexpected<Error>(mail.error());
  auto in = make_pipe();
  if (!in) return tl::unexpected<Error>(in.error());
  auto err = make_pipe();
  if (!err) return tl::unexpected<Error>(err.error());

  std::vector<std::string> arguments = command_;
  arguments.insert(arguments.end(), {"-i", "-f", envelope->sender, "--"});
  arguments.insert(arguments.end(), envelope->recipients.begin(),
                   envelope->recipients.end());
  auto pid = spawn(arguments, in->read, err->write);
  if (!pid) return tl::unexpected<Error>(pid.error());

  auto child = std::make_unique<Child>();
  child->pid = *pid;
  child->pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  if (!child->pidfd) {
    auto failure = fail_errno(errno, "cannot watch '" + command_[0] + "'");
    kill_child(*child);
    (void)reap(*child);
    return failure;
  }
  child->in = std::move(in->write);
  child->err = std::move(err->read);
  set_nonblocking(child->in);
  set_nonblocking(child->err);
  child->mail = std::move(*mail);
  child->recipients = attempt.recipients.size();
  return child;
}

void SendmailProvider::watch(Child& child) {
  reactor_.watch(child.pidfd.get(), EPOLLIN,
                 [this, &child](std::uint32_t) { on_exit(child); });
  reactor_.watch(child.err.get(), EPOLLIN | EPOLLET,
                 [this, &child](std::uint32_t) { read_words(child); });
  reactor_.watch(child.in.get(), EPOLLOUT | EPOLLET,
                 [this, &child](std::uint32_t) { write_mail(child); });
  child.deadline = reactor_.after(timeout_, [this, &child] {
    child.deadline = 0;
    child.killed_why =
        fmt::format("no exit within {}", format_duration(timeout_));
    kill_child(child);
  });
}

// Hands over as much of the mail as the pipe takes; closes it after the last
// byte, and when the program does not want to read on.
void SendmailProvider::write_mail(Child& child) {
  while (child.written < child.mail.size()) {
    const ssize_t count =
        ::write(child.in.get(), child.mail.data() + child.written,
                child.mail.size() - child.written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) break;
    child.written += static_cast<std::size_t>(count);
  }
  reactor_.unwatch(child.in.get());
  child.in = Fd();
}

void SendmailProvider::read_words(Child& child) {
  std::array<char, 4096> bytes{};
  for (;;) {
    const ssize_t count = ::read(child.err.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    const auto room = k_longest_error - child.words.size();
    child.words.append(bytes.data(),
                       std::min(room, static_cast<std::size_t>(count)));
  }
}

void SendmailProvider::kill_child(Child& child) const {
  // Its group first, for what it started; the child may have left it.
  ::kill(-child.pid, SIGKILL);
  ::kill(child.pid, SIGKILL);
}

// The child's wait status; it has exited or is about to. -1 if somebody else
// took it.
int SendmailProvider::reap(Child& child) {
  int status = 0;
  pid_t pid = 0;
  do {
    pid = ::waitpid(child.pid, &status, 0);
  } while (pid < 0 && errno == EINTR);
  return pid == child.pid ? status : -1;
}

void SendmailProvider::on_exit(Child& child) {
  const int status = reap(child);
  read_words(child);
  const Verdict verdict = verdict_of(child, status);
  auto ended = release(child);
  answer(*ended, verdict);
}

Verdict SendmailProvider::verdict_of(const Child& child, int status) const {
  Verdict verdict;
  const bool whole = child.written == child.mail.size();
  const std::string words =
      printable(child.words.substr(0, child.words.find('\n')), k_longest_error);
  if (status != -1 && WIFEXITED(status)) {
    const int code = WEXITSTATUS(status);
    verdict.outcome = outcome_of_exit(code);
    if (verdict.outcome != Outcome::accepted) {
      verdict.error = fmt::format("'{}' exited with {}{}{}", command_[0], code,
                                  words.empty() ? "" : ": ", words);
    } else if (!whole) {
      verdict.outcome = Outcome::unknown;
      verdict.error = fmt::format(
          "'{}' exited with 0 before it had read the message", command_[0]);
    }
    return verdict;
  }
  // Without an exit code the only thing known is how much it got.
  std::string why = child.killed_why;
  if (why.empty()) {
    why = status != -1 && WIFSIGNALED(status)
              ? fmt::format("ended by signal {}", WTERMSIG(status))
              : "exit code lost";
  }
  verdict.outcome = whole ? Outcome::unknown : Outcome::unavailable;
  verdict.error = fmt::format("'{}': {}", command_[0], why);
  return verdict;
}

// Takes `child` out of the loop and of our hands.
std::unique_ptr<SendmailProvider::Child> SendmailProvider::release(
    Child& child) {
  for (const Fd* fd : {&child.pidfd, &child.err, &child.in}) {
    if (*fd) reactor_.unwatch(fd->get());
  }
  reactor_.cancel(child.deadline);
  auto found =
      std::find_if(children_.begin(), children_.end(),
                   [&child](const auto& one) { return one.get() == &child; });
  auto released = std::move(*found);
  children_.erase(found);
  return released;
}

void SendmailProvider::answer(Child& child, const Verdict& verdict) {
  AttemptResult result;
  result.verdicts.assign(child.recipients, verdict);
  result.latency =
      std::chrono::duration_cast<Milliseconds>(Steady::now() - child.started);
  child.done(std::move(result));
}

// There is no way to ask a sendmail program more than whether it is there.
void SendmailProvider::check(std::function<void(ProviderCheck)> checked) {
  const std::string& program = command_.front();
  if (::access(program.c_str(), X_OK) != 0)
    return checked(
        {false, "cannot run '" + program + "': " + std::strerror(errno)});
  checked({true, "'" + program + "' can be run"});
}

void SendmailProvider::shut_down() {
  for (const auto& child : children_) {
    child->killed_why = "given up";
    kill_child(*child);
  }
  while (!children_.empty()) on_exit(*children_.back());
}

}  // namespace

Result<std::unique_ptr<Provider>> make_sendmail_provider(
    const ProviderConfig& config, Reactor& reactor, const Clock&) {
  return std::make_unique<SendmailProvider>(config, reactor);
}

}  // namespace pony
