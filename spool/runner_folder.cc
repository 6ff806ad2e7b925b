#include "spool/runner_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "core/host_name.h"

namespace pony {
namespace {

// Beyond this the journal is rewritten with what is still in flight.
constexpr std::uint64_t k_journal_limit = std::uint64_t{4} << 20;
// Room kept for the journal, so that on a full disk what was accepted by a
// provider can still be written down.
constexpr off_t k_journal_reserve = off_t{256} << 10;
// A journal of a short run just grows; a longer one is zeroed ahead in steps.
constexpr std::uint64_t k_zero_from = std::uint64_t{32} << 10;
constexpr std::size_t k_zero_step = std::size_t{1} << 20;
// From this many files on one syncfs is cheaper than an fdatasync each
// (HACKING.md, The spool's rate).
constexpr std::size_t k_syncfs_from = 24;
// How many files are filed between two looks at what else is to be done.
constexpr std::size_t k_filing_slice = 8;

// The host's part of a folder's name.
std::string host_part() {
  std::string name;
  for (const char c : host_name()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '-';
    name.push_back(plain ? c : '-');
  }
  return name.substr(0, 64);
}

std::string random_letters() {
  unsigned char bytes[8] = {};
  (void)!::getrandom(bytes, sizeof bytes, 0);
  std::string letters;
  for (const auto byte : bytes)
    letters.push_back(static_cast<char>('a' + byte % 26));
  return letters;
}

std::string journal_name(int number) {
  std::string digits = std::to_string(number);
  return "journal." +
         std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}

}  // namespace

Result<std::string> place_after(Folders& folders, const Event& event,
                                Priority priority) {
  const auto state = state_after(event);
  if (!state)
    return fail(Error::Kind::bad_data,
                "a '" + event.event + "' event moves no message");
  const Time when =
      *state == State::deferred ? event.next_at.value_or(event.ts) : event.ts;
  return folders.place(*state, event.id, priority, when);
}

Result<> append_events(int folder, const std::string& name,
                       const std::vector<Event>& events) {
  Fd fd(::openat(folder, name.c_str(),
                 O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "cannot open '" + name + "'");
  if (auto ended = end_last_line(fd.get(), name); !ended) return ended;
  std::string lines;
  for (const auto& event : events) append_line(lines, event);
  if (auto written = write_all(fd.get(), lines, name); !written) return written;
  return sync_data(fd.get(), name);
}

Result<RunnerFolder> RunnerFolder::create(Folders& folders) {
  RunnerFolder runner(folders);
  const std::string name =
      host_part() + "." + std::to_string(::getpid()) + "." + random_letters();
  auto cur = folders.folder("cur");
  if (!cur) return tl::unexpected(cur.error());
  auto made = folders.folder("tmp/" + name);
  if (!made) return tl::unexpected(made.error());
  folders.forget("tmp/" + name);
  auto folder = open_folder(folders.root(), "tmp/" + name);
  if (!folder) return tl::unexpected(folder.error());
  runner.folder_ = std::move(*folder);

  runner.lock_ =
      Fd(::openat(runner.folder_.get(), ".lock",
                  O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, folders.file_mode()));
  if (!runner.lock_) return fail_errno(errno, "cannot make a runner's lock");
  if (::flock(runner.lock_.get(), LOCK_EX | LOCK_NB) != 0)
    return fail_errno(errno, "cannot lock a runner's folder");
  runner.journal_ = Fd(::openat(runner.folder_.get(), journal_name(0).c_str(),
                                O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
                                folders.file_mode()));
  if (!runner.journal_) return fail_errno(errno, "cannot make a journal");
  if (::fallocate(runner.journal_.get(), FALLOC_FL_KEEP_SIZE, 0,
                  k_journal_reserve) != 0 &&
      (errno == ENOSPC || errno == EDQUOT))
    return fail_errno(errno, "cannot keep room for a journal");
  if (auto ok = sync_all(runner.folder_.get(), name); !ok)
    return tl::unexpected(ok.error());

  if (auto moved = folders.move("tmp", name, "cur", name); !moved)
    return tl::unexpected(moved.error());
  runner.path_ = "cur/" + name;
  if (auto ok = folders.sync("cur"); !ok) return tl::unexpected(ok.error());
  return runner;
}

RunnerFolder::~RunnerFolder() {
  if (!folder_ || path_.empty()) return;
  // Only what is ours and empty goes: a message left here keeps the folder,
  // and without a journal it would be sent again, so the journal goes only
  // when nothing else is left.
  bool messages = false;
  std::vector<std::string> names;
  (void)for_each_name(folder_.get(), [&](const char* name) {
    const std::string_view view = name;
    if (view != ".lock") names.emplace_back(view);
    messages = messages || !(view == ".lock" || view.starts_with("journal."));
    return true;
  });
  if (messages) return;
  for (const auto& name : names) ::unlinkat(folder_.get(), name.c_str(), 0);
  ::unlinkat(folder_.get(), ".lock", 0);
  ::unlinkat(folders_->root(), path_.c_str(), AT_REMOVEDIR);
  folders_->forget(path_);
}

Result<> RunnerFolder::claim(const std::string& folder, const std::string& name,
                             const std::string& new_name) {
  return folders_->move(folder, name, path_, new_name);
}

Result<ClaimedFile> RunnerFolder::read(const std::string& id) {
  const std::string name = message_file_name(id);
  struct stat info {};
  auto fd =
      open_regular(folder_.get(), name, O_RDWR | O_APPEND, k_message_file_limit,
                   folders_->trusted_owner(), &info);
  if (!fd) return tl::unexpected(fd.error());
  auto content = read_all(fd->get(), k_message_file_limit, name,
                          static_cast<std::size_t>(info.st_size));
  if (!content) return tl::unexpected(content.error());
  auto message = parse_message_file(*content, id);
  if (!message) return tl::unexpected(message.error());
  if (!content->ends_with('\n'))
    if (auto ended = write_all(fd->get(), "\n", name); !ended)
      return tl::unexpected(ended.error());
  return ClaimedFile{std::move(*message), std::move(*fd)};
}

Result<> RunnerFolder::put_back(const std::string& id, Priority priority) {
  auto place = folders_->place(State::fresh, id, priority, {});
  if (!place) return tl::unexpected(place.error());
  const std::string name = message_file_name(id);
  return folders_->move(path_, name, *place, name);
}

void RunnerFolder::note(const Event& event) {
  append_line(noted_, event);
}

Result<> RunnerFolder::commit() {
  if (noted_.empty()) return {};
  if (auto ok = make_room_in_journal(noted_.size()); !ok) return ok;
  if (auto ok =
          write_all_at(journal_.get(), noted_, journal_size_, "the journal");
      !ok)
    return ok;
  journal_size_ += noted_.size();
  noted_.clear();
  return sync_data(journal_.get(), "the journal");
}

// Zeros ahead of what is to be written. Nothing depends on them: a full disk
// is found out by the write that matters.
Result<> RunnerFolder::make_room_in_journal(std::size_t size) {
  const std::uint64_t end = journal_size_ + size;
  if (end < k_zero_from || end <= journal_zeroed_) return {};
  static const std::string zeros(k_zero_step, '\0');
  const std::uint64_t from = std::max(journal_size_, journal_zeroed_);
  if (!write_all_at(journal_.get(), zeros, from, "the journal")) return {};
  journal_zeroed_ = from + zeros.size();
  return {};
}

Result<> RunnerFolder::append_to_files(std::vector<Settled>& settled,
                                       const Meanwhile& meanwhile) {
  std::string lines;
  std::size_t count = 0;
  for (auto& one : settled) {
    if (meanwhile.turn && ++count % k_filing_slice == 0)
      if (auto turned = meanwhile.turn(); !turned) return turned;
    const std::string name = message_file_name(one.id);
    if (!one.file) {
      one.file =
          Fd(::openat(folder_.get(), name.c_str(),
                      O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
      if (!one.file) return fail_errno(errno, "cannot open '" + name + "'");
      if (auto ended = end_last_line(one.file.get(), name); !ended)
        return ended;
    }
    lines.clear();
    for (const auto& event : one.events) append_line(lines, event);
    if (auto written = write_all(one.file.get(), lines, name); !written)
      return written;
  }
  return {};
}

// The events in the files and in the log: with many files one syncfs is for
// all of them and the log.
Result<> RunnerFolder::sync_files(const std::vector<Settled>& settled,
                                  EventLog& log) {
  if (settled.size() >= k_syncfs_from) {
    if (::syncfs(folders_->root()) != 0)
      return fail_errno(errno, "cannot sync the spool");
    return {};
  }
  if (auto synced = log.sync(); !synced) return synced;
  for (const auto& one : settled)
    if (auto synced = sync_data(one.file.get(), "a message"); !synced)
      return synced;
  return {};
}

Result<> RunnerFolder::move_files(const std::vector<Settled>& settled,
                                  const Meanwhile& meanwhile) {
  std::set<std::string> targets;
  std::size_t count = 0;
  for (const auto& one : settled) {
    if (meanwhile.turn && ++count % k_filing_slice == 0)
      if (auto turned = meanwhile.turn(); !turned) return turned;
    auto place = place_after(*folders_, one.events.back(), one.priority);
    if (!place) return tl::unexpected(place.error());
    const std::string name = message_file_name(one.id);
    auto moved = folders_->move(path_, name, *place, name);
    if (!moved) return moved;
    targets.insert(std::move(*place));
  }
  for (const auto& target : targets)
    if (auto synced = folders_->sync(target); !synced) return synced;
  return {};
}

Result<> RunnerFolder::file(std::vector<Settled>& settled, EventLog& log,
                            Time now, const Meanwhile& meanwhile) {
  if (!settled.empty()) {
    std::string lines;
    for (const auto& one : settled)
      for (const auto& event : one.events) append_line(lines, event);
    // The log too before anything moves: a message that has left this folder
    // has its events there whatever happens, and a recovery looks before it
    // writes them again.
    if (auto logged = log.append(lines, now); !logged) return logged;
    if (auto appended = append_to_files(settled, meanwhile); !appended)
      return appended;
    if (auto synced = sync_files(settled, log); !synced) return synced;
    if (auto moved = move_files(settled, meanwhile); !moved) return moved;
  }
  if (journal_size_ <= k_journal_limit) return {};
  return rewrite_journal(meanwhile.unfiled ? meanwhile.unfiled()
                                           : std::vector<Event>{});
}

Result<> RunnerFolder::rewrite_journal(const std::vector<Event>& unfiled) {
  const int number = journal_number_ + 1;
  Fd fresh(::openat(folder_.get(), journal_name(number).c_str(),
                    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
                    folders_->file_mode()));
  if (!fresh) return fail_errno(errno, "cannot make a journal");
  (void)::fallocate(fresh.get(), FALLOC_FL_KEEP_SIZE, 0, k_journal_reserve);
  std::string lines;
  for (const auto& event : unfiled) append_line(lines, event);
  if (auto written = write_all_at(fresh.get(), lines, 0, "the journal");
      !written)
    return written;
  if (auto synced = sync_data(fresh.get(), "the journal"); !synced)
    return synced;
  if (auto synced = sync_all(folder_.get(), path_); !synced) return synced;
  ::unlinkat(folder_.get(), journal_name(journal_number_).c_str(), 0);
  journal_ = std::move(fresh);
  journal_number_ = number;
  journal_size_ = lines.size();
  journal_zeroed_ = 0;
  return {};
}

}  // namespace pony
