// The least that making many messages durable can cost: files are written in
// groups, a group is synced by one syncfs, then each file gets its name and
// the folder is synced. No reading, no checking, no ids.
//
//   group_commit FOLDER COUNT GROUP SIZE_BYTES
//                       FOLDER/tmp and FOLDER/new have to be there
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

bool write_file(int folder, const char* name, const std::string& content) {
  const int file = openat(folder, name, O_CREAT | O_EXCL | O_WRONLY, 0600);
  if (file < 0) return false;
  const ssize_t written = write(file, content.data(), content.size());
  return written == static_cast<ssize_t>(content.size()) && close(file) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 || chdir(argv[1]) != 0) return 64;
  const int count = std::atoi(argv[2]);
  const int group = std::max(1, std::atoi(argv[3]));
  const std::string content(std::strtoul(argv[4], nullptr, 10), 'x');
  const int temporary = open("tmp", O_RDONLY | O_DIRECTORY);
  const int final_folder = open("new", O_RDONLY | O_DIRECTORY);
  if (temporary < 0 || final_folder < 0) return 66;

  char name[32];
  for (int first = 0; first < count; first += group) {
    const int end = std::min(count, first + group);
    for (int i = first; i < end; ++i) {
      std::snprintf(name, sizeof name, "%d", i);
      if (!write_file(temporary, name, content)) return 74;
    }
    if (syncfs(temporary) != 0) return 74;
    for (int i = first; i < end; ++i) {
      std::snprintf(name, sizeof name, "%d", i);
      if (renameat(temporary, name, final_folder, name) != 0) return 74;
    }
    if (fsync(final_folder) != 0) return 74;
  }
  return 0;
}
