// Writes random mails (random_message.h) for a stranger to read.
//
//   make_mails FIRST COUNT
//
// For each a line "N M", the N bytes of the mail and the M bytes of JSON that
// say what must be found in it. Exit code 1 if one cannot be composed.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "core/mime/builder.h"
#include "tests/support/random_message.h"

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const auto first = static_cast<unsigned>(std::atoi(argv[1]));
  const auto count = static_cast<unsigned>(std::atoi(argv[2]));
  for (auto number = first; number < first + count; ++number) {
    const auto message = pony::random_message(number);
    const auto mail = pony::compose_mime(message, pony::options_for(message));
    if (!mail) {
      fmt::print(stderr, "mail {}: {}\n", number, mail.error().what);
      return 1;
    }
    const auto expected = to_text(pony::expected_content(message));
    fmt::print("{} {}\n{}{}", mail->size(), expected.size(), *mail, expected);
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
