#include <unistd.h>

#include "cmd/cli.h"

int main(int argc, char** argv) {
  pony::Io io(STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
  return pony::cli_main(argc, argv, io);
}
