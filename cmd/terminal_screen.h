// A terminal taken over for a view that is redrawn: the other screen, no
// echo, keys at once; and given back as it was, however the view ends: by
// returning, by an exception, by SIGINT, SIGTERM or SIGHUP. (SIGKILL leaves
// it; reset(1) helps.)
#pragma once

#include <signal.h>
#include <termios.h>

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/fs.h"

namespace pony {

class TerminalScreen {
 public:
  // Takes it over. `in` is -1, or a terminal that keys come from.
  TerminalScreen(int in, int out);
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  struct Size {
    int columns = 80;
    int rows = 24;
  };
  Size size() const;

  // Draws the lines from the top; what was there is gone. False when the
  // terminal is.
  bool draw(const std::vector<std::string>& lines);

  // What ended a wait.
  enum class Woken {
    by_time,
    by_resize,  // or after a stop (^Z): to be drawn anew
    by_quit,    // q, ^C, SIGTERM, SIGHUP, or the terminal is gone
    by_key,     // any other
  };
  Woken wait(Milliseconds at_most);

 private:
  void enter();
  void leave();
  bool write(std::string_view text) const;
  Woken take_signal();
  Woken take_key();

  int in_;
  int out_;
  Fd signals_;
  sigset_t old_mask_{};
  termios old_settings_{};
  bool has_settings_ = false;
};

}  // namespace pony
