// Starts a command again and again, as a script would but without the shell's
// own cost, and prints what it took as one JSON object.
//
//   spawner COUNT PARALLEL STDIN COMMAND [ARGUMENT...]
//
// STDIN is the file that each process gets as its standard input; standard
// output is thrown away. A latency is from before posix_spawn to after waitpid.
// Static and small on purpose: a child's peak RSS counts from its parent's.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) / 1e6;
}

// Runs the command once; false if it could not be started or failed.
bool run_once(char** command, const posix_spawn_file_actions_t& files) {
  pid_t child = 0;
  const int code =
      posix_spawn(&child, command[0], &files, nullptr, command, environ);
  if (code != 0) {
    std::fprintf(stderr, "spawner: %s: %s\n", command[0], std::strerror(code));
    return false;
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 4 ? std::atoi(argv[1]) : 0;
  const int parallel = argc > 4 ? std::atoi(argv[2]) : 0;
  if (count < 1 || parallel < 1 || parallel > 64) return 64;

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, argv[3], O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY,
                                   0);

  // Each thread owns the latencies of the numbers it drew.
  std::vector<double> latencies(static_cast<std::size_t>(count));
  std::atomic<int> next{0};
  std::atomic<int> failed{0};
  const auto work = [&] {
    for (int i = next++; i < count; i = next++) {
      const Clock::time_point start = Clock::now();
      if (!run_once(argv + 4, files)) ++failed;
      latencies[static_cast<std::size_t>(i)] = ms_since(start);
    }
  };

  const Clock::time_point start = Clock::now();
  std::vector<std::thread> threads;
  for (int i = 1; i < parallel; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  const double wall_ms = ms_since(start);

  std::sort(latencies.begin(), latencies.end());
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  std::printf(
      "{\"seconds\": %.6f, \"p50_ms\": %.4f, \"p99_ms\": %.4f, "
      "\"cpu_seconds\": %.6f, \"peak_rss_kb\": %ld, \"failed\": %d}\n",
      wall_ms / 1000, latencies[latencies.size() / 2],
      latencies[latencies.size() * 99 / 100],
      seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss,
      failed.load());
  return 0;
}
