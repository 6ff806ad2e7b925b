#include "cmd/editor.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "core/fs.h"
#include "core/json.h"

namespace pony {
namespace {

namespace bfs = boost::filesystem;

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::string temporary_folder() {
  const auto folder = variable("TMPDIR");
  return folder ? *folder : "/tmp";
}

// While the editor has the terminal, Ctrl-C is for it.
class IgnoredSignals {
 public:
  IgnoredSignals() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGINT, &ignore, &interrupt_);
    ::sigaction(SIGQUIT, &ignore, &quit_);
  }
  ~IgnoredSignals() {
    ::sigaction(SIGINT, &interrupt_, nullptr);
    ::sigaction(SIGQUIT, &quit_, nullptr);
  }
  IgnoredSignals(const IgnoredSignals&) = delete;
  IgnoredSignals& operator=(const IgnoredSignals&) = delete;

 private:
  struct sigaction interrupt_ {};
  struct sigaction quit_ {};
};

// The signals that pony ignores are the editor's again.
void set_attributes(posix_spawnattr_t& attributes) {
  sigset_t defaults;
  ::sigemptyset(&defaults);
  for (const int signal : {SIGINT, SIGQUIT, SIGPIPE, SIGXFSZ})
    ::sigaddset(&defaults, signal);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
}

Result<int> run_shell(const std::string& editor,
                      const std::vector<std::string>& files) {
  // "code --wait" is a program and an argument: the shell knows which.
  std::string script = editor + " \"$@\"";
  std::string shell = "sh";
  std::string option = "-c";
  std::string name = "pony";
  std::vector<char*> argv = {shell.data(), option.data(), script.data(),
                             name.data()};
  std::vector<std::string> arguments = files;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  const IgnoredSignals ignored;
  posix_spawnattr_t attributes;
  set_attributes(attributes);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, "/bin/sh", nullptr, &attributes,
                                  argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0)
    return fail_errno(error, "cannot start '" + printable(editor, 100) + "'");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return fail_errno(errno, "cannot wait for the editor");
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return 128 + WTERMSIG(status);
}

}  // namespace

Result<EditingSession> EditingSession::begin(
    const std::vector<EditedText>& texts) {
  std::string folder = temporary_folder() + "/pony-edit.XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    auto error = fail_errno(errno, "cannot make '" + folder + "'");
    error.value().kind = Error::Kind::cannot_create;
    return error;
  }
  EditingSession session(folder);
  for (const auto& [name, text] : texts) {
    const std::string path = folder + "/" + name;
    const Fd fd(::open(path.c_str(),
                       O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
                       0600));
    auto done = fd ? write_all(fd.get(), text, path)
                   : Result<>(fail_errno(errno, "cannot make '" + path + "'"));
    if (!done) {
      session.discard();
      return tl::unexpected(done.error());
    }
    session.names_.push_back(name);
  }
  return session;
}

Result<> EditingSession::run(Terminal terminal) {
  auto editor = variable("VISUAL");
  if (!editor) editor = variable("EDITOR");
  if (!editor && terminal == Terminal::no)
    return fail(Error::Kind::usage, "there is no terminal to edit at",
                "set EDITOR to a program that changes the file it is given");
  std::vector<std::string> files;
  for (const auto& name : names_) files.push_back(folder_ + "/" + name);
  auto code = run_shell(editor.value_or("vi"), files);
  if (!code) return tl::unexpected(code.error());
  if (*code == 0) return {};
  return fail(Error::Kind::temporary, "the editor ended with exit code " +
                                          std::to_string(*code) +
                                          ": nothing is changed");
}

Result<std::vector<EditedText>> EditingSession::read(std::size_t limit) const {
  std::vector<EditedText> texts;
  for (const auto& name : names_) {
    auto text = read_regular(AT_FDCWD, folder_ + "/" + name, limit);
    if (!text) return tl::unexpected(text.error());
    texts.push_back({name, std::move(*text)});
  }
  return texts;
}

void EditingSession::discard() const {
  boost::system::error_code ignored;
  bfs::remove_all(folder_, ignored);
}

}  // namespace pony
