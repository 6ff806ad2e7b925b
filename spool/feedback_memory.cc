#include "spool/feedback_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <vector>

namespace pony {
namespace {

constexpr const char* k_folder = "state/feedback";
constexpr std::size_t k_digits_of_time = 13;
constexpr std::size_t k_state = k_digits_of_time + 1;
constexpr std::size_t k_digits = 32;
constexpr std::size_t k_key = k_state + 2;
constexpr std::size_t k_body = k_key + k_digits + 1;
constexpr std::size_t k_record = k_body + k_digits + 1;
constexpr std::size_t k_most_records = 8192;
// Larger than we leave it; a strange hand has been there.
constexpr std::size_t k_file_limit = 4 * k_most_records * k_record;
constexpr char k_begun = 'b';
constexpr char k_taken = 't';

std::int64_t time_of(std::string_view record) {
  std::int64_t ms = 0;
  std::from_chars(record.data(), record.data() + k_digits_of_time, ms);
  return ms;
}

std::string record_of(Time now, std::string_view key, std::string_view body) {
  const std::int64_t ms =
      std::max<std::int64_t>(0, now.time_since_epoch().count());
  std::string digits = std::to_string(ms);
  digits.insert(0, k_digits_of_time - std::min(digits.size(), k_digits_of_time),
                '0');
  digits.resize(k_digits_of_time);
  return digits.append(" ")
      .append(1, k_begun)
      .append(" ")
      .append(key)
      .append(" ")
      .append(body)
      .append("\n");
}

// The file, made if it is missing: whole, with its owner, and never twice.
Result<Fd> open_file(Folders& folders, const std::string& name) {
  auto folder = folders.folder(k_folder);
  if (!folder) return tl::unexpected(folder.error());
  const auto open = [&] {
    return open_regular(*folder, name, O_RDWR, k_file_limit,
                        folders.trusted_owner(), nullptr);
  };
  auto file = open();
  if (file || file.error().kind != Error::Kind::not_found) return file;
  const std::string temporary =
      name + "." + std::to_string(::getpid()) + ".feedback";
  auto fresh = folders.create_in_tmp(temporary);
  if (!fresh) return fresh;
  auto moved = folders.move("tmp", temporary, k_folder, name);
  if (!moved) ::unlinkat(folders.root(), ("tmp/" + temporary).c_str(), 0);
  if (!moved && moved.error().kind != Error::Kind::busy)
    return tl::unexpected(moved.error());
  folder = folders.folder(k_folder);
  if (!folder) return tl::unexpected(folder.error());
  return open();
}

}  // namespace

Result<FeedbackMemory> FeedbackMemory::open(Folders& folders,
                                            const std::string& provider,
                                            std::string key, std::string body,
                                            Milliseconds window) {
  FeedbackMemory memory(std::move(key), std::move(body), window);
  if (memory.key_.size() != k_digits || memory.body_.size() != k_digits)
    return fail(Error::Kind::usage, "a body is known by 32 digits");
  const std::string name = provider + "." + memory.key_.front();
  auto file = open_file(folders, name);
  if (!file) return tl::unexpected(file.error());
  memory.file_ = std::move(*file);
  const std::string what = "'" + std::string(k_folder) + "/" + name + "'";
  if (auto locked = lock_whole(memory.file_.get(), what); !locked)
    return tl::unexpected(locked.error());
  if (auto looked = memory.look(); !looked)
    return tl::unexpected(looked.error());
  return memory;
}

Result<> FeedbackMemory::look() {
  auto records = read_all(file_.get(), k_file_limit, k_folder);
  if (!records) return tl::unexpected(records.error());
  records_ = std::move(*records);
  // What a crash cut short was never acted on.
  records_.resize(records_.size() - records_.size() % k_record);
  const std::string_view all = records_;
  for (std::size_t at = all.find(key_); at != std::string_view::npos;
       at = all.find(key_, at + 1)) {
    if (at % k_record != k_key) continue;
    at_ = at - k_key;
    const std::string_view record = all.substr(at_, k_record);
    if (record.substr(k_body, k_digits) != body_)
      seen_ = Seen::other;
    else
      seen_ = record[k_state] == k_taken ? Seen::taken : Seen::begun;
    return {};
  }
  return {};
}

// A file that is full keeps the younger half of what could still be sent.
Result<> FeedbackMemory::make_room(Time now) {
  if (records_.size() < k_most_records * k_record) return {};
  std::vector<std::string_view> kept;
  const std::int64_t oldest = (now - window_).time_since_epoch().count();
  for (std::size_t at = 0; at < records_.size(); at += k_record) {
    const auto record = std::string_view(records_).substr(at, k_record);
    if (time_of(record) >= oldest) kept.push_back(record);
  }
  std::sort(kept.begin(), kept.end());
  std::string fresh;
  const std::size_t left = std::min(kept.size(), k_most_records / 2);
  for (std::size_t i = kept.size() - left; i < kept.size(); ++i)
    fresh.append(kept[i]);
  // In its place: another name would be another lock. Records keep their
  // size, so a crash in between leaves a mixture of whole ones.
  if (auto ok = write_all_at(file_.get(), fresh, 0, k_folder); !ok) return ok;
  records_ = std::move(fresh);
  return {};
}

Result<> FeedbackMemory::begin(Time now) {
  if (seen_ != Seen::never) return {};
  if (auto room = make_room(now); !room) return room;
  at_ = records_.size();
  const std::string record = record_of(now, key_, body_);
  if (auto ok = write_all_at(file_.get(), record, at_, k_folder); !ok)
    return ok;
  records_ += record;
  if (::ftruncate(file_.get(), static_cast<off_t>(records_.size())) != 0)
    return fail_errno(errno, "cannot write '" + std::string(k_folder) + "'");
  return sync_data(file_.get(), k_folder);
}

Result<> FeedbackMemory::taken() {
  if (at_ == std::string::npos) return {};
  return write_all_at(file_.get(), std::string_view(&k_taken, 1), at_ + k_state,
                      k_folder);
}

}  // namespace pony
