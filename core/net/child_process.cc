// A child process, watched through its pipes and a pidfd.
//
// Order matters: output is read once more after the exit, but only what was in
// the pipe by then (FIONREAD), so that a grandchild that goes on printing
// cannot keep us. The process is reaped after the last kill(), so that its
// number is still its own when a signal is sent.
#include "core/net/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "core/fs.h"
#include "core/json.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

// How much of one child's bytes are moved before others have their turn.
constexpr std::size_t k_bytes_a_turn = 256 * 1024;

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

  // Descriptor `number` of the program: `fd`, or /dev/null without one.
  void give(int number, const Fd& fd) {
    if (fd) {
      ::posix_spawn_file_actions_adddup2(&files, fd.get(), number);
    } else {
      ::posix_spawn_file_actions_addopen(&files, number, "/dev/null", O_WRONLY,
                                         0);
    }
  }
};

// Starts `arguments` with those descriptors, no others, usual signals and a
// process group of its own.
Result<pid_t> spawn(const std::vector<std::string>& arguments, const Fd& in,
                    const Fd& out, const Fd& err) {
  SpawnSettings settings;
  settings.give(STDIN_FILENO, in);
  settings.give(STDOUT_FILENO, out);
  settings.give(STDERR_FILENO, err);
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
  const int error = ::posix_spawnp(&child, argv[0], &settings.files,
                                   &settings.attributes, argv.data(), environ);
  if (error != 0) {
    return fail_errno(error, "cannot start '" + arguments[0] + "'");
  }
  return child;
}

}  // namespace

// One of the two streams that the program prints to.
struct ChildProcess::Output {
  Fd fd;
  std::string text;
  std::size_t limit = 0;
  bool cut = false;

  void keep(const char* bytes, std::size_t count) {
    const std::size_t kept = std::min(count, limit - text.size());
    text.append(bytes, kept);
    cut = cut || kept < count;
  }
  // Reads at most `most` bytes. False when there will be no more.
  bool read(std::size_t most);
  // Reads what is in the pipe at this moment.
  void read_rest();
};

bool ChildProcess::Output::read(std::size_t most) {
  std::array<char, 16384> bytes{};
  while (most > 0) {
    const ssize_t count =
        ::read(fd.get(), bytes.data(), std::min(most, bytes.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return true;
    if (count <= 0) return false;
    keep(bytes.data(), static_cast<std::size_t>(count));
    most -= static_cast<std::size_t>(count);
  }
  return true;
}

void ChildProcess::Output::read_rest() {
  int waiting = 0;
  if (!fd || ::ioctl(fd.get(), FIONREAD, &waiting) != 0) return;
  (void)read(static_cast<std::size_t>(std::max(waiting, 0)));
}

struct ChildProcess::State {
  explicit State(Reactor& its_reactor) : reactor(its_reactor) {}
  ~State() {
    if (pid <= 0) return;
    if (kill()) (void)reap();
    release();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Reactor& reactor;
  pid_t pid = -1;
  Fd pidfd;
  Fd in_fd;
  std::string in;
  std::size_t written = 0;
  bool more_may_come = false;
  bool in_watched = false;
  std::size_t in_left_unread = 0;
  std::size_t stuck = 0;  // in a pipe that nobody reads any more
  Output out;
  Output err;
  Milliseconds time_limit{0};
  std::string killed_why;
  Steady::time_point started = Steady::now();
  Reactor::TimerId deadline = 0;
  Done done;

  Result<> launch(ChildCommand command);
  void watch();
  void watch_input();
  void write_some();
  std::size_t unread() const;
  void read_some(Output& output);
  void close(Fd& fd);
  bool kill() const;
  int reap();
  void abandon();
  void release();
  ChildResult result_of(int status);
  void ended();
};

Result<> ChildProcess::State::launch(ChildCommand command) {
  auto to_child = make_pipe();
  if (!to_child) return tl::unexpected<Error>(to_child.error());
  Fd ends[2];
  Output* outputs[2] = {&out, &err};
  out.limit = command.out_limit;
  err.limit = command.err_limit;
  for (int i = 0; i < 2; ++i) {
    if (outputs[i]->limit == 0) continue;
    auto from_child = make_pipe();
    if (!from_child) return tl::unexpected<Error>(from_child.error());
    outputs[i]->fd = std::move(from_child->read);
    ends[i] = std::move(from_child->write);
    set_nonblocking(outputs[i]->fd);
  }
  in_fd = std::move(to_child->write);
  set_nonblocking(in_fd);
  in = std::move(command.in);
  more_may_come = command.input == ChildCommand::Input::stays_open;
  // Before there is a child: one that ends at once has had what fits.
  write_some();
  auto spawned = spawn(command.argv, to_child->read, ends[0], ends[1]);
  if (!spawned) return tl::unexpected<Error>(spawned.error());
  pid = *spawned;
  pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // Without it the child is killed by our destructor.
  if (!pidfd)
    return fail_errno(errno, "cannot watch '" + command.argv[0] + "'");
  time_limit = command.time_limit;
  return {};
}

void ChildProcess::State::watch() {
  reactor.watch(pidfd.get(), EPOLLIN, [this](std::uint32_t) { ended(); });
  for (Output* output : {&out, &err}) {
    if (!output->fd) continue;
    reactor.watch(output->fd.get(), EPOLLIN,
                  [this, output](std::uint32_t) { read_some(*output); });
  }
  watch_input();
  if (time_limit == Milliseconds(0)) return;
  deadline = reactor.after(time_limit, [this] {
    deadline = 0;
    killed_why = fmt::format("no exit within {}", format_duration(time_limit));
    if (!kill()) abandon();
  });
}

// A pipe with room is always ready: it is watched while there is something to
// put into it.
void ChildProcess::State::watch_input() {
  if (!in_fd || in_watched || written == in.size()) return;
  in_watched = true;
  reactor.watch(in_fd.get(), EPOLLOUT, [this](std::uint32_t) { write_some(); });
}

// Hands over as much as the pipe takes; closes it after the last byte, and
// when the program does not want to read on.
void ChildProcess::State::write_some() {
  const std::size_t end = std::min(in.size(), written + k_bytes_a_turn);
  while (written < end) {
    const ssize_t count =
        ::write(in_fd.get(), in.data() + written, end - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) {
      stuck = unread() - (in.size() - written);
      return close(in_fd);
    }
    written += static_cast<std::size_t>(count);
  }
  if (written < in.size()) return;
  if (!more_may_come) return close(in_fd);
  in.clear();
  written = 0;
  if (std::exchange(in_watched, false)) reactor.unwatch(in_fd.get());
}

std::size_t ChildProcess::State::unread() const {
  int in_pipe = 0;
  if (in_fd) (void)::ioctl(in_fd.get(), FIONREAD, &in_pipe);
  return in.size() - written + stuck +
         static_cast<std::size_t>(std::max(in_pipe, 0));
}

void ChildProcess::State::read_some(Output& output) {
  if (!output.read(k_bytes_a_turn)) close(output.fd);
}

void ChildProcess::State::close(Fd& fd) {
  if (!fd) return;
  reactor.unwatch(fd.get());
  fd = Fd();
  if (&fd == &in_fd) in_watched = false;
}

// False when we may not: it runs as somebody else (sudo).
bool ChildProcess::State::kill() const {
  // Its group first, for what it started; the child may have left it.
  ::kill(-pid, SIGKILL);
  return ::kill(pid, SIGKILL) == 0 || errno != EPERM;
}

// Nobody waits for a child that cannot be killed: it ends when it likes.
void ChildProcess::State::abandon() {
  killed_why += ", and it could not be killed";
  pid = -1;
  release();
  auto tell = std::move(done);
  tell(result_of(-1));
}

// The child's wait status; it has exited or is about to. -1 if somebody else
// took it.
int ChildProcess::State::reap() {
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = ::waitpid(pid, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  const bool ours = reaped == pid;
  pid = -1;
  return ours ? status : -1;
}

void ChildProcess::State::release() {
  reactor.cancel(std::exchange(deadline, 0));
  for (Fd* fd : {&pidfd, &in_fd, &out.fd, &err.fd}) close(*fd);
}

ChildResult ChildProcess::State::result_of(int status) {
  ChildResult result;
  if (status != -1 && WIFEXITED(status)) {
    result.exit_code = WEXITSTATUS(status);
  } else if (!killed_why.empty()) {
    result.ending = killed_why;
  } else if (status != -1 && WIFSIGNALED(status)) {
    result.ending = fmt::format("ended by signal {}", WTERMSIG(status));
  } else {
    result.ending = "exit code lost";
  }
  result.in_written_whole = written == in.size();
  result.in_unread = in_left_unread;
  result.out = std::move(out.text);
  result.err = std::move(err.text);
  result.out_was_cut = out.cut;
  result.latency =
      std::chrono::duration_cast<Milliseconds>(Steady::now() - started);
  return result;
}

void ChildProcess::State::ended() {
  const int status = reap();
  out.read_rest();
  err.read_rest();
  in_left_unread = unread();
  release();
  // The last thing: it may be our end.
  auto tell = std::move(done);
  tell(result_of(status));
}

ChildProcess::ChildProcess(std::unique_ptr<State> state)
    : state_(std::move(state)) {}

ChildProcess::~ChildProcess() = default;

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(Reactor& reactor,
                                                          ChildCommand command,
                                                          Done done) {
  auto state = std::make_unique<State>(reactor);
  if (auto launched = state->launch(std::move(command)); !launched) {
    return tl::unexpected<Error>(launched.error());
  }
  state->done = std::move(done);
  state->watch();
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(state)));
}

void ChildProcess::write(std::string_view more) {
  State& state = *state_;
  // What was written is forgotten before it adds up.
  state.in.erase(0, std::exchange(state.written, 0));
  state.in.append(more);
  if (!state.in_fd) return;  // it does not read any more
  if (!state.in_watched) state.write_some();
  state.watch_input();
}

void ChildProcess::end_input() {
  state_->more_may_come = false;
  if (state_->written == state_->in.size()) state_->close(state_->in_fd);
}

std::size_t ChildProcess::unread() const {
  return state_->unread();
}

void ChildProcess::kill_now(std::string_view why) {
  if (state_->pid <= 0) return;
  state_->killed_why = why;
  if (!state_->kill()) return state_->abandon();
  state_->ended();
}

Result<> ChildProcesses::start(ChildCommand command, ChildProcess::Done done) {
  const auto place = running_.insert(running_.end(), nullptr);
  auto process = ChildProcess::start(
      reactor_, std::move(command),
      [this, place, done = std::move(done)](ChildResult result) {
        const auto ended = std::move(*place);
        running_.erase(place);
        done(std::move(result));
      });
  if (!process) {
    running_.erase(place);
    return tl::unexpected<Error>(process.error());
  }
  *place = std::move(*process);
  return {};
}

void ChildProcesses::kill_all(std::string_view why) {
  while (!running_.empty()) running_.front()->kill_now(why);
}

std::string first_line(std::string_view printed, std::size_t limit) {
  return printable(printed.substr(0, printed.find('\n')), limit);
}

std::string ending_in_words(const ChildResult& result) {
  if (!result.exit_code) return result.ending;
  return fmt::format("exited with {}", *result.exit_code);
}

}  // namespace pony
