#include "cmd/terminal_screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace pony {
namespace {

// The other screen, without a cursor and without a line breaking at its end.
constexpr std::string_view k_enter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view k_leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

}  // namespace

TerminalScreen::TerminalScreen(int in, int out) : in_(in), out_(out) {
  sigset_t ours;
  ::sigemptyset(&ours);
  for (const int one : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH})
    ::sigaddset(&ours, one);
  ::sigprocmask(SIG_BLOCK, &ours, &old_mask_);
  signals_ = Fd(::signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC));
  has_settings_ = in_ >= 0 && ::tcgetattr(in_, &old_settings_) == 0;
  enter();
}

TerminalScreen::~TerminalScreen() {
  leave();
  ::sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
}

void TerminalScreen::enter() {
  if (has_settings_) {
    termios raw = old_settings_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    (void)::tcsetattr(in_, TCSADRAIN, &raw);
  }
  (void)write(k_enter);
}

void TerminalScreen::leave() {
  (void)write(k_leave);
  // What was typed meanwhile was for us, not for the shell.
  if (has_settings_) (void)::tcsetattr(in_, TCSAFLUSH, &old_settings_);
}

bool TerminalScreen::write(std::string_view text) const {
  return write_all(out_, text, "the terminal").has_value();
}

TerminalScreen::Size TerminalScreen::size() const {
  winsize window{};
  Size size;
  if (::ioctl(out_, TIOCGWINSZ, &window) != 0) return size;
  if (window.ws_col > 0) size.columns = window.ws_col;
  if (window.ws_row > 0) size.rows = window.ws_row;
  return size;
}

bool TerminalScreen::draw(const std::vector<std::string>& lines) {
  // Over what is there, then the rest away: no flicker.
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) text += "\r\n";
    text += lines[i] + "\x1b[K";
  }
  return write(text + "\x1b[J");
}

TerminalScreen::Woken TerminalScreen::wait(Milliseconds at_most) {
  pollfd watched[2] = {{signals_.get(), POLLIN, 0}, {in_, POLLIN, 0}};
  const int ready =
      ::poll(watched, in_ >= 0 ? 2 : 1,
             static_cast<int>(std::max<std::int64_t>(at_most.count(), 0)));
  if (ready <= 0) return Woken::by_time;
  if (watched[0].revents != 0) return take_signal();
  return take_key();
}

TerminalScreen::Woken TerminalScreen::take_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) !=
      static_cast<ssize_t>(sizeof info))
    return Woken::by_time;
  if (info.ssi_signo == SIGWINCH) return Woken::by_resize;
  if (info.ssi_signo != SIGTSTP) return Woken::by_quit;
  leave();
  ::raise(SIGSTOP);
  enter();
  return Woken::by_resize;
}

TerminalScreen::Woken TerminalScreen::take_key() {
  char key = 0;
  const ssize_t n = ::read(in_, &key, 1);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return Woken::by_time;
  // With VMIN 0 nothing to read is an end, too: but poll() said there is.
  if (n <= 0) return Woken::by_quit;
  return key == 'q' || key == 'Q' || key == 3 ? Woken::by_quit : Woken::by_key;
}

}  // namespace pony
