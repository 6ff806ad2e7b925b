#include "spool/idempotency.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "spool/message_file.h"
#include "spool/message_id.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pony {
namespace {

constexpr std::size_t k_record_limit = std::size_t{64} << 10;

// As the sentence has it when a lock cannot be had.
constexpr std::string_view k_locked = "the idempotency keys";

std::string hash(std::string_view text) {
  const XXH128_hash_t value = XXH3_128bits(text.data(), text.size());
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string hex;
  for (const auto half : {value.high64, value.low64})
    for (int shift = 60; shift >= 0; shift -= 4)
      hex.push_back(k_digits[(half >> shift) & 15]);
  return hex;
}

std::string folder_of(char digit) {
  return std::string("state/keys/") + digit;
}

}  // namespace

std::string content_digest(const Message& message) {
  return hash(to_text(to_json(message)));
}

char IdempotencyKeys::lock_order(std::string_view key) {
  return hash(key).front();
}

Result<> IdempotencyKeys::lock(std::string_view key) {
  const char digit = lock_order(key);
  if (locks_.contains(digit)) return {};
  if (auto made = folders_.folder(folder_of(digit)); !made)
    return tl::unexpected(made.error());
  // A descriptor of its own: the lock goes when it is closed.
  auto fd = open_folder(folders_.root(), folder_of(digit));
  if (!fd) return tl::unexpected(fd.error());
  if (auto locked = lock_whole(fd->get(), k_locked); !locked) return locked;
  locks_.emplace(digit, std::move(*fd));
  return {};
}

Result<std::string> IdempotencyKeys::find(std::string_view key,
                                          const std::string& digest, Time now) {
  const std::string name = hash(key);
  auto text = read_regular(locks_.at(name.front()).get(), name, k_record_limit,
                           folders_.trusted_owner());
  if (!text) {
    if (text.error().kind == Error::Kind::not_found) return std::string();
    return tl::unexpected(text.error());
  }
  // A record that does not parse is a crash's leftover: void.
  auto record = parse_json(*text);
  if (!record || record->text_of("key") != key) return std::string();
  auto at = parse_time(record->text_of("at"));
  const std::string id(record->text_of("id"));
  if (!at || !is_message_id(id) || now - *at >= window_) return std::string();
  auto found = folders_.find(id, message_file_name(id));
  if (!found) return std::string();
  if (record->text_of("content") != digest)
    return fail(Error::Kind::bad_data,
                "idempotency_key '" + printable(key) +
                    "' was used for another message ('" + id + "')",
                "use a new key for new content");
  return id;
}

Result<> IdempotencyKeys::record(std::string_view key, std::string_view id,
                                 const std::string& digest, Time now) {
  const std::string name = hash(key);
  std::string text;
  JsonWriter(text)
      .field("key", key)
      .field("id", id)
      .field("content", digest)
      .field("at", format_time(now))
      .end();
  text.push_back('\n');
  const std::string temporary = std::string(id) + ".key";
  auto fd = folders_.create_in_tmp(temporary);
  if (!fd) return tl::unexpected(fd.error());
  auto written = write_all(fd->get(), text, temporary);
  if (written) written = sync_data(fd->get(), temporary);
  if (written && ::renameat(folders_.root(), ("tmp/" + temporary).c_str(),
                            locks_.at(name.front()).get(), name.c_str()) != 0)
    written = fail_errno(errno, "cannot record an idempotency key");
  if (!written) ::unlinkat(folders_.root(), ("tmp/" + temporary).c_str(), 0);
  return written;
}

Result<> IdempotencyKeys::sync() {
  for (const auto& [digit, fd] : locks_)
    if (auto ok = sync_all(fd.get(), folder_of(digit)); !ok) return ok;
  return {};
}

Result<std::size_t> IdempotencyKeys::remove_if(
    DryRun dry_run,
    const std::function<bool(std::string_view key, std::string_view id)>&
        which) {
  auto digits = folders_.sub_folders("state/keys");
  if (!digits) return tl::unexpected(digits.error());
  std::size_t count = 0;
  for (const auto& digit : *digits) {
    if (digit.size() != 1) continue;
    auto fd = open_folder(folders_.root(), folder_of(digit.front()));
    if (!fd) return tl::unexpected(fd.error());
    if (auto locked = lock_whole(fd->get(), k_locked); !locked)
      return tl::unexpected(locked.error());
    std::vector<std::string> picked;
    auto listed = for_each_name(fd->get(), [&](const char* name) {
      auto text = read_regular(fd->get(), name, k_record_limit,
                               folders_.trusted_owner());
      if (!text) return true;
      const auto record = parse_json(*text);
      if (record && which(record->text_of("key"), record->text_of("id")))
        picked.emplace_back(name);
      return true;
    });
    if (!listed) return tl::unexpected(listed.error());
    count += picked.size();
    if (picked.empty() || dry_run == DryRun::yes) continue;
    for (const auto& name : picked)
      if (::unlinkat(fd->get(), name.c_str(), 0) != 0 && errno != ENOENT)
        return fail_errno(errno, "cannot remove an idempotency key");
    if (auto ok = sync_all(fd->get(), folder_of(digit.front())); !ok)
      return tl::unexpected(ok.error());
  }
  return count;
}

Result<> IdempotencyKeys::sweep(Time now) {
  auto digits = folders_.sub_folders("state/keys");
  if (!digits) return tl::unexpected(digits.error());
  for (const auto& digit : *digits) {
    if (digit.size() != 1) continue;
    auto fd = open_folder(folders_.root(), folder_of(digit.front()));
    if (!fd) continue;
    // Busy: an enqueuer is at work; another sweep will come.
    if (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::vector<std::string> names;
    (void)for_each_name(fd->get(), [&](const char* name) {
      names.emplace_back(name);
      return true;
    });
    for (const auto& name : names) {
      struct stat info {};
      if (::fstatat(fd->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      const Time changed{std::chrono::seconds(info.st_mtime)};
      if (now - changed > window_ + std::chrono::hours(1))
        ::unlinkat(fd->get(), name.c_str(), 0);
    }
  }
  return {};
}

}  // namespace pony
