#include "cmd/io.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace pony {
namespace {

constexpr std::size_t k_buffer = std::size_t{64} << 10;

}  // namespace

Io::Io(int in, int out, int err)
    : in_(in),
      out_(out),
      err_(err),
      in_is_terminal_(::isatty(in) == 1),
      out_is_terminal_(::isatty(out) == 1),
      err_is_terminal_(::isatty(err) == 1) {}

int Io::out_width() const {
  if (!out_is_terminal_) return 0;
  winsize size{};
  if (::ioctl(out_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void Io::out(std::string_view text) {
  buffer_.append(text);
  if (buffer_.size() >= k_buffer) (void)flush();
}

Result<> Io::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && !broken_pipe_) {
    const ssize_t n = ::write(out_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE) {
      broken_pipe_ = true;
      break;
    }
    if (n < 0) {
      const int error = errno;
      buffer_.clear();
      return fail(
          Error::Kind::disk,
          fail_errno(error, "cannot write to standard output").value().what);
    }
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  buffer_.clear();
  return {};
}

void Io::err(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(err_, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace pony
