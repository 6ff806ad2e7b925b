#include "spool/health_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/json.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pony {
namespace {

constexpr const char* k_folder = "state/providers";
// More than the largest: rates and latencies are bounded, the error is cut.
constexpr std::size_t k_largest = std::size_t{64} << 10;
constexpr std::size_t k_longest_name = 200;
// The second line: {"sum":"<16 hex digits>"} LF.
constexpr std::string_view k_sum_head = "{\"sum\":\"";
constexpr std::string_view k_sum_tail = "\"}\n";
constexpr std::size_t k_sum_digits = 16;
constexpr std::size_t k_sum_line =
    k_sum_head.size() + k_sum_digits + k_sum_tail.size();
constexpr std::chrono::microseconds k_longest_pause{5'000};
// How often a file may be removed under our hands within one update.
constexpr int k_rounds = 3;
// How often a file is read that somebody may be writing.
constexpr int k_looks = 5;

Result<> check_name(std::string_view name) {
  const auto is_name_byte = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  if (!name.empty() && name.size() <= k_longest_name &&
      std::all_of(name.begin(), name.end(), is_name_byte))
    return {};
  return fail(Error::Kind::bad_data,
              "'" + printable(name, 80) + "' cannot name a provider");
}

std::string sum_of(std::string_view text) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  const XXH64_hash_t sum = XXH3_64bits(text.data(), text.size());
  std::string hex;
  for (int shift = 60; shift >= 0; shift -= 4)
    hex.push_back(k_digits[(sum >> shift) & 15]);
  return hex;
}

std::string text_of(const ProviderHealth& health) {
  std::string text = to_json_text(health);
  const std::string sum = sum_of(text);
  text.push_back('\n');
  return text.append(k_sum_head).append(sum).append(k_sum_tail);
}

// What a file's content means; nothing when it is not whole.
std::optional<ProviderHealth> whole_health_in(std::string_view content) {
  if (content.size() <= k_sum_line) return {};
  const std::string_view line =
      content.substr(0, content.size() - k_sum_line - 1);
  const std::string_view end = content.substr(line.size());
  const bool is_whole =
      end.front() == '\n' && end.substr(1, k_sum_head.size()) == k_sum_head &&
      end.substr(1 + k_sum_head.size(), k_sum_digits) == sum_of(line) &&
      end.ends_with(k_sum_tail);
  if (!is_whole) return {};
  return health_from(line);
}

// The same; what is not whole is a fresh value.
ProviderHealth health_in(std::string_view content) {
  return whole_health_in(content).value_or(ProviderHealth());
}

// Holds a flock(2) as long as it lives; the descriptor stays its owner's.
class Lock {
 public:
  // `kind`: LOCK_EX or LOCK_SH. temporary when it cannot be had for `patience`.
  static Result<Lock> take(int fd, int kind, Milliseconds patience,
                           std::string_view what) {
    std::chrono::microseconds waited{0};
    std::chrono::microseconds pause{50};
    for (;;) {
      if (::flock(fd, kind | LOCK_NB) == 0) return Lock(fd);
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK)
        return fail_errno(errno, "cannot lock '" + std::string(what) + "'");
      if (waited >= patience)
        return fail(Error::Kind::temporary,
                    "another process has locked '" + std::string(what) + "'");
      const timespec time{0, pause.count() * 1000};
      ::nanosleep(&time, nullptr);
      waited += pause;
      pause = std::min(pause * 2, k_longest_pause);
    }
  }
  Lock(Lock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Lock& operator=(Lock&&) = delete;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (fd_ >= 0) ::flock(fd_, LOCK_UN);
  }

 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

std::string path_of(const std::string& name) {
  return std::string(k_folder) + "/" + name;
}

// The file as it is; the caller has a lock. Empty when it is larger than any
// of ours.
Result<std::string> content_of(int fd, std::size_t size,
                               const std::string& name) {
  std::string content;
  if (size > k_largest) return content;
  content.resize(size);
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(fd, content.data() + have, size - have,
                              static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "cannot read '" + path_of(name) + "'");
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  content.resize(have);
  return content;
}

// Is something there that cannot be ours, or nothing?
bool is_to_be_made(const Error& error) {
  return error.kind == Error::Kind::not_found ||
         error.kind == Error::Kind::bad_data ||
         error.kind == Error::Kind::no_permission;
}

std::string file_name(const std::string& provider) {
  return provider + ".json";
}

}  // namespace

// The caller holds the folder's lock; what is there is none of ours.
Result<Fd> HealthFiles::make(int folder, const std::string& name) {
  if (::unlinkat(folder, name.c_str(), 0) != 0 && errno != ENOENT &&
      ::unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0)
    return fail_errno(errno, "cannot replace '" + path_of(name) + "'");
  const std::string temporary = name + "." + std::to_string(::getpid());
  auto tmp = folders_.folder("tmp");
  if (!tmp) return tl::unexpected(tmp.error());
  // A leftover: who else would use the name waits for the lock.
  ::unlinkat(*tmp, temporary.c_str(), 0);
  auto fd = folders_.create_in_tmp(temporary);
  if (!fd) return fd;
  if (::renameat2(*tmp, temporary.c_str(), folder, name.c_str(),
                  RENAME_NOREPLACE) == 0)
    return fd;
  auto error = fail_errno(errno, "cannot make '" + path_of(name) + "'");
  ::unlinkat(*tmp, temporary.c_str(), 0);
  return error;
}

Result<Fd> HealthFiles::open_or_make(const std::string& name) {
  const auto open_in = [&](int folder) {
    return open_regular(folder, name, O_RDWR, k_largest,
                        folders_.trusted_owner(), nullptr);
  };
  auto folder = folders_.folder(k_folder);
  if (!folder) return tl::unexpected(folder.error());
  auto fd = open_in(*folder);
  if (fd || !is_to_be_made(fd.error())) return fd;
  // The folder itself may have been removed or moved away since we opened it.
  folders_.forget(k_folder);
  folders_.forget("state");
  if (folder = folders_.folder(k_folder); !folder)
    return tl::unexpected(folder.error());
  // Two who make it take turns, so that they agree on one.
  auto lock = Lock::take(*folder, LOCK_EX, patience_, k_folder);
  if (!lock) return tl::unexpected(lock.error());
  fd = open_in(*folder);
  if (fd || !is_to_be_made(fd.error())) return fd;
  return make(*folder, name);
}

Result<HealthFiles::Entry*> HealthFiles::entry_of(const std::string& provider) {
  const auto found = open_.find(provider);
  if (found != open_.end()) return &found->second;
  auto fd = open_or_make(file_name(provider));
  if (!fd) return tl::unexpected(fd.error());
  return &open_.emplace(provider, Entry{std::move(*fd), {}, {}}).first->second;
}

// One update of an open file; nothing when it was removed meanwhile.
Result<std::optional<ProviderHealth>> HealthFiles::update_open(
    Entry& entry, const std::string& name,
    const std::function<void(ProviderHealth&)>& change) const {
  const int fd = entry.fd.get();
  auto lock = Lock::take(fd, LOCK_EX, patience_, path_of(name));
  if (!lock) return tl::unexpected(lock.error());
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return fail_errno(errno, "cannot look at '" + path_of(name) + "'");
  if (info.st_nlink == 0) return std::optional<ProviderHealth>();
  const auto size = static_cast<std::size_t>(info.st_size);
  auto content = content_of(fd, size, name);
  if (!content) return tl::unexpected(content.error());
  ProviderHealth health =
      *content == entry.text ? entry.health : health_in(*content);
  change(health);
  std::string text = text_of(health);
  if (text != *content) {
    entry.text.clear();
    entry.health = ProviderHealth();
    if (auto ok = write_all_at(fd, text, 0, path_of(name)); !ok)
      return tl::unexpected(ok.error());
    if (size > text.size() &&
        ::ftruncate(fd, static_cast<off_t>(text.size())) != 0)
      return fail_errno(errno, "cannot write '" + path_of(name) + "'");
  }
  entry.text = std::move(text);
  entry.health = health;
  return std::optional<ProviderHealth>(std::move(health));
}

Result<ProviderHealth> HealthFiles::update(
    const std::string& provider,
    const std::function<void(ProviderHealth&)>& change) {
  if (auto ok = check_name(provider); !ok) return tl::unexpected(ok.error());
  for (int round = 0; round < k_rounds; ++round) {
    auto entry = entry_of(provider);
    if (!entry) return tl::unexpected(entry.error());
    auto updated = update_open(**entry, file_name(provider), change);
    if (!updated) return tl::unexpected(updated.error());
    if (*updated) return std::move(**updated);
    open_.erase(provider);
  }
  return fail(Error::Kind::temporary,
              "'" + path_of(file_name(provider)) + "' is removed all the time");
}

Result<ProviderHealth> HealthFiles::read(const std::string& provider) {
  if (auto ok = check_name(provider); !ok) return tl::unexpected(ok.error());
  const std::string name = file_name(provider);
  struct stat info {};
  auto fd = open_regular(folders_.root(), path_of(name), O_RDONLY, k_largest,
                         folders_.trusted_owner(), &info);
  if (!fd) {
    if (fd.error().kind == Error::Kind::not_found ||
        fd.error().kind == Error::Kind::bad_data)
      return ProviderHealth();
    return tl::unexpected(fd.error());
  }
  // Without the lock, whose holder may have been stopped: a paused provider
  // must be seen to be paused all the same. That nobody wrote in between the
  // sum tells.
  for (int look = 0; look < k_looks; ++look) {
    if (::fstat(fd->get(), &info) != 0)
      return fail_errno(errno, "cannot look at '" + path_of(name) + "'");
    auto content =
        content_of(fd->get(), static_cast<std::size_t>(info.st_size), name);
    if (!content) return tl::unexpected(content.error());
    if (auto health = whole_health_in(*content)) return std::move(*health);
    const timespec pause{0, 100'000};
    ::nanosleep(&pause, nullptr);
  }
  return ProviderHealth();
}

}  // namespace pony
