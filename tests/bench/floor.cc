// The least a durable hand-off can cost: one message from standard input into
// one file, with the same promise as `pony enqueue` (it outlives a power cut
// once this has exited with 0) and nothing else. Linked statically.
//
//   floor FOLDER        FOLDER/tmp and FOLDER/new have to be there
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

int main(int argc, char** argv) {
  if (argc != 2 || chdir(argv[1]) != 0) return 64;

  static char message[1 << 20];
  std::size_t size = 0;
  ssize_t got = 0;
  while (size < sizeof message &&
         (got = read(STDIN_FILENO, message + size, sizeof message - size)) > 0)
    size += static_cast<std::size_t>(got);
  if (got != 0) return 65;

  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  char temporary[64];
  char final_name[64];
  std::snprintf(temporary, sizeof temporary, "tmp/%ld.%09ld.%d",
                static_cast<long>(now.tv_sec), now.tv_nsec, getpid());
  std::snprintf(final_name, sizeof final_name, "new/%s", temporary + 4);

  const int file = open(temporary, O_CREAT | O_EXCL | O_WRONLY, 0600);
  if (file < 0) return 74;
  if (write(file, message, size) != static_cast<ssize_t>(size)) return 74;
  if (fsync(file) != 0 || close(file) != 0) return 74;
  if (std::rename(temporary, final_name) != 0) return 74;
  const int folder = open("new", O_RDONLY | O_DIRECTORY);
  return folder >= 0 && fsync(folder) == 0 ? 0 : 74;
}
