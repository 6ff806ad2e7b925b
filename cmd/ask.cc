#include "cmd/ask.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "core/lower_case.h"

namespace pony {
namespace {

// What was typed, up to the end of the line; 256 bytes are an answer.
std::string typed_line(int fd) {
  std::string line;
  char c = 0;
  while (line.size() < 256) {
    const ssize_t n = ::read(fd, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || c == '\n') break;
    line.push_back(c);
  }
  return line;
}

}  // namespace

Result<Answer> ask(Context& context, const std::string& question, bool yes) {
  if (yes) return Answer::yes;
  if (!context.io().in_is_terminal() || !context.io().err_is_terminal())
    return fail(Error::Kind::usage, "there is nobody to ask",
                "give --yes, or see what would happen with --dry-run");
  context.io().err(question + " [y/N] ");
  const std::string line = in_lower_case(typed_line(context.io().in()));
  return line == "y" || line == "yes" ? Answer::yes : Answer::no;
}

}  // namespace pony
