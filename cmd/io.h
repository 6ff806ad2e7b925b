// The streams that a command may use: data on out, talk on err.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

class Io {
 public:
  // Descriptors stay their owner's.
  Io(int in, int out, int err);

  int in() const { return in_; }
  int out_descriptor() const { return out_; }
  bool in_is_terminal() const { return in_is_terminal_; }
  bool out_is_terminal() const { return out_is_terminal_; }
  bool err_is_terminal() const { return err_is_terminal_; }
  // Columns of the terminal on out; 0 when it is none.
  int out_width() const;

  // Data, buffered until flush(); a reader sees whole lines.
  void out(std::string_view text);
  // Writes what is buffered. disk when it cannot be written: the caller must
  // not say that all went well. A reader who has gone (EPIPE) is no error for
  // a listing; `broken_pipe()` tells.
  Result<> flush();
  bool broken_pipe() const { return broken_pipe_; }
  // Talk, at once. Errors are nobody's affair.
  void err(std::string_view text);

 private:
  int in_;
  int out_;
  int err_;
  bool in_is_terminal_;
  bool out_is_terminal_;
  bool err_is_terminal_;
  bool broken_pipe_ = false;
  std::string buffer_;
};

}  // namespace pony
