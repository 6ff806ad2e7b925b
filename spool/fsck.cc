#include "spool/fsck.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/words.h"
#include "spool/bury.h"
#include "spool/housekeeping.h"
#include "spool/message_id.h"
#include "spool/recovery.h"

namespace pony {
namespace {

using Mended = Finding::Mended;

// Where messages rest; cur/ is recovery's.
constexpr std::array k_resting = {State::fresh, State::deferred, State::held,
                                  State::sent, State::failed};
constexpr std::array k_fixed_folders = {
    "tmp", "new",  "new/high", "new/bulk", "deferred", "held",
    "cur", "sent", "failed",   "log",      "state",    "state/keys"};

using Id = std::array<char, k_message_id_size>;

// Between a message and its line in the log.
constexpr std::chrono::minutes k_on_its_way{1};

std::uint64_t hash_of(const std::string& natural_key) {
  return XXH3_64bits(natural_key.data(), natural_key.size());
}

// A message's name in a folder.
struct Named {
  Id id{};
  std::uint32_t folder = 0;  // index into Fsck::folder_names_
};

std::string text_of(const Id& id) {
  return {id.data(), id.size()};
}

std::string octal(mode_t mode) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3)
    digits.push_back(static_cast<char>('0' + ((mode >> shift) & 7)));
  return digits;
}

bool starts_with_the_same(std::string_view longer, std::string_view shorter) {
  return longer.substr(0, shorter.size()) == shorter;
}

// The last event that moved the message.
const Event* last_move(const MessageFile& file) {
  for (auto it = file.events.rbegin(); it != file.events.rend(); ++it)
    if (state_after(*it)) return &*it;
  return nullptr;
}

// Is the message where its tail says? What is due may lie in new/ as well:
// there it is put back to when a runner claimed and did not try it.
bool is_in_place(const MessageFile& file, State state,
                 const std::string& folder, Time now) {
  const History& history = file.history;
  if (history.state == State::deferred) {
    const auto next_at = history.next_at;
    if (state == State::fresh) return !next_at || *next_at <= now;
    if (state != State::deferred) return false;
    if (!next_at) return true;
    return folder.starts_with("deferred/" + format_minute(*next_at));
  }
  return history.state == state;
}

// What is wrong with one file.
struct Diagnosis {
  std::string_view problem;  // empty: nothing
  std::string what;
  std::optional<MessageFile> file;  // when it is a message
};

class Fsck {
 public:
  Fsck(Spool& spool, const FsckOptions& options)
      : spool_(spool),
        folders_(spool.folders()),
        options_(options),
        now_(spool.clock().now()) {}

  Result<FsckSummary> run();

 private:
  using Step = Result<> (Fsck::*)();

  Result<> check_folders();
  void check_mode(const std::string& folder);
  Result<> check_dead_runners();
  Result<> list_messages();
  Result<> check_twice();
  Result<> mend_twice(const std::string& id, const std::string& one,
                      const std::string& other);
  Result<> check_files();
  Result<Diagnosis> diagnose(const std::string& at, const std::string& name,
                             const std::string& home, State state) const;
  Result<> mend_file(const std::string& folder, const std::string& name,
                     State state);
  Result<> check_tmp();
  Result<> check_buckets();
  Result<> read_log();
  bool is_missing_in_log(const Event& event) const;
  void look_for_in_log(const MessageFile& file);
  Result<> check_log();

  void tell(std::string_view problem, std::string path, std::string what,
            Mended mended);
  Result<RunnerFolder*> own();

  Spool& spool_;
  Folders& folders_;
  const FsckOptions& options_;
  Time now_;
  FsckSummary summary_;
  std::optional<RunnerFolder> own_;  // made when first needed
  std::vector<std::pair<std::string, State>> folder_names_;
  std::vector<Named> messages_;
  std::unordered_set<std::string> told_;  // files that are twice there
  std::vector<std::uint64_t> logged_;     // hashes of natural keys, sorted
  std::optional<Time> log_begins_;
  std::vector<std::string> not_logged_;  // ids
};

Result<FsckSummary> Fsck::run() {
  // Dead runners first: what they held may be what is missing elsewhere. Two
  // names of one message before misplaced ones: they would be in the way.
  constexpr std::array<Step, 9> k_steps = {
      &Fsck::check_folders, &Fsck::check_dead_runners, &Fsck::list_messages,
      &Fsck::check_twice,   &Fsck::read_log,           &Fsck::check_files,
      &Fsck::check_tmp,     &Fsck::check_buckets,      &Fsck::check_log};
  for (const Step step : k_steps)
    if (auto ok = (this->*step)(); !ok) return tl::unexpected(ok.error());
  return summary_;
}

void Fsck::tell(std::string_view problem, std::string path, std::string what,
                Mended mended) {
  if (mended != Mended::not_needed) ++summary_.problems;
  if (mended == Mended::yes) ++summary_.mended;
  options_.on_finding({problem, std::move(path), std::move(what), mended});
}

Result<RunnerFolder*> Fsck::own() {
  if (!own_) {
    auto made = RunnerFolder::create(folders_);
    if (!made) return tl::unexpected(made.error());
    own_.emplace(std::move(*made));
  }
  return &*own_;
}

Result<> Fsck::check_folders() {
  for (const std::string name : k_fixed_folders) {
    struct stat info {};
    if (::fstatat(folders_.root(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) ==
        0) {
      check_mode(name);
      continue;
    }
    if (errno != ENOENT)
      return fail_errno(errno, "cannot look at '" + name + "'");
    if (!options_.dry_run)
      if (auto made = folders_.folder(name); !made)
        return tl::unexpected(made.error());
    tell("folder", name, "the folder is missing",
         options_.dry_run ? Mended::no : Mended::yes);
  }
  for (const State state :
       {State::deferred, State::claimed, State::sent, State::failed}) {
    auto folders = folders_.folders_of(state);
    if (!folders && folders.error().kind == Error::Kind::not_found) continue;
    if (!folders) return tl::unexpected(folders.error());
    for (const auto& folder : *folders) check_mode(folder);
  }
  return {};
}

void Fsck::check_mode(const std::string& name) {
  const auto folder = open_folder(folders_.root(), name);
  struct stat info {};
  // Gone, or no folder: not what is looked for here.
  if (!folder || ::fstat(folder->get(), &info) != 0) return;
  const mode_t wanted = folders_.folder_mode();
  // A set-group-id bit that was inherited does no harm.
  const mode_t compared = 0777 | (wanted & S_ISGID);
  if ((info.st_mode & compared) == wanted) return;
  const bool mended = !options_.dry_run && ::fchmod(folder->get(), wanted) == 0;
  tell("folder", name,
       "its mode is " + octal(info.st_mode & 07777) + " instead of " +
           octal(wanted),
       mended ? Mended::yes : Mended::no);
}

Result<> Fsck::check_dead_runners() {
  const auto held = recover(spool_, options_.policy, {}, true);
  if (!held) return tl::unexpected(held.error());
  std::unordered_set<std::string> left(held->warnings.begin(),
                                       held->warnings.end());
  if (!options_.dry_run) {
    // Also when nothing is held: a dead runner's empty folder goes.
    if (auto done = recover(spool_, options_.policy, {}); !done)
      return tl::unexpected(done.error());
    const auto after = recover(spool_, options_.policy, {}, true);
    if (!after) return tl::unexpected(after.error());
    left = {after->warnings.begin(), after->warnings.end()};
  }
  for (const auto& warning : held->warnings)
    tell("dead_runner", "cur", warning,
         left.contains(warning) ? Mended::no : Mended::yes);
  return {};
}

Result<> Fsck::list_messages() {
  for (const State state : k_resting) {
    auto folders = folders_.folders_of(state);
    if (!folders) return tl::unexpected(folders.error());
    for (const auto& folder : *folders) {
      auto listed = folders_.for_each_file(
          folder, [&](const std::string& where, const char* name) {
            if (folder_names_.empty() || folder_names_.back().first != where)
              folder_names_.emplace_back(where, state);
            const auto id = id_of_file_name(name);
            if (id.empty()) return true;
            Named named;
            std::copy(id.begin(), id.end(), named.id.begin());
            named.folder = static_cast<std::uint32_t>(folder_names_.size() - 1);
            messages_.push_back(named);
            return true;
          });
      if (!listed) return listed;
    }
  }
  std::sort(messages_.begin(), messages_.end(),
            [](const Named& a, const Named& b) {
              return std::tie(a.id, a.folder) < std::tie(b.id, b.folder);
            });
  return {};
}

Result<> Fsck::check_twice() {
  for (std::size_t i = 1; i < messages_.size(); ++i) {
    const Named& one = messages_[i - 1];
    const Named& other = messages_[i];
    if (one.id != other.id) continue;
    auto ok = mend_twice(text_of(one.id), folder_names_[one.folder].first,
                         folder_names_[other.folder].first);
    if (!ok) return ok;
  }
  return {};
}

// Two names of one message. Its file only grows, so of two that begin alike
// the longer one is the further along; the shorter one says nothing more.
Result<> Fsck::mend_twice(const std::string& id, const std::string& one,
                          const std::string& other) {
  const std::string name = message_file_name(id);
  const auto read = [&](const std::string& folder) {
    return read_regular(folders_.root(), folder + "/" + name,
                        k_message_file_limit, folders_.trusted_owner());
  };
  const auto first = read(one);
  const auto second = read(other);
  const auto first_again = read(one);
  // It moved while we looked, or one is no regular file: that is said later.
  if (!first || !second || !first_again) return {};

  const bool first_is_longer = first->size() >= second->size();
  const std::string& longer = first_is_longer ? *first : *second;
  const std::string& shorter = first_is_longer ? *second : *first;
  std::string keep = first_is_longer ? one : other;
  std::string drop = first_is_longer ? other : one;
  if (!starts_with_the_same(longer, shorter)) {
    tell("twice", other + "/" + name,
         "the message is also in " + one +
             "/, with another history: look at both, and remove one",
         Mended::no);
    return {};
  }
  if (longer.size() == shorter.size()) {
    // The same twice: the one in its place stays.
    const auto file = parse_message_file(longer, id);
    const auto top = state_from(drop.substr(0, drop.find('/')));
    if (file && top && is_in_place(*file, *top, drop, now_))
      std::swap(keep, drop);
  }
  const auto say = [&](Mended mended) {
    told_.insert(drop + "/" + name);
    tell("twice", drop + "/" + name,
         "the message is also in " + keep + "/, with all that is here", mended);
  };
  if (options_.dry_run) {
    say(Mended::no);
    return {};
  }
  auto runner = own();
  if (!runner) return tl::unexpected(runner.error());
  auto claimed = (*runner)->claim(drop, name, name);
  if (!claimed && claimed.error().kind == Error::Kind::not_found) return {};
  if (!claimed) return claimed;
  const auto dropped = read((*runner)->path());
  const auto kept = read(keep);
  if (!dropped || !kept || !starts_with_the_same(*kept, *dropped)) {
    say(Mended::no);
    return folders_.move((*runner)->path(), name, drop, name);
  }
  if (::unlinkat(folders_.root(), ((*runner)->path() + "/" + name).c_str(),
                 0) != 0)
    return fail_errno(errno, "cannot remove '" + drop + "/" + name + "'");
  say(Mended::yes);
  return folders_.sync(drop);
}

Result<> Fsck::check_files() {
  // By folder, and mended after its listing: what is moved while it is listed
  // might be seen twice.
  for (const auto& [folder, state] : folder_names_) {
    std::vector<std::string> wrong;
    std::optional<Error> broken;
    auto fd = open_folder(folders_.root(), folder);
    if (!fd && fd.error().kind == Error::Kind::not_found) continue;
    if (!fd) return tl::unexpected(fd.error());
    auto listed = for_each_name(fd->get(), [&](const char* name) {
      auto found = diagnose(folder, name, folder, state);
      if (!found) {
        // Gone by now: a runner was faster.
        if (found.error().kind == Error::Kind::not_found) return true;
        broken = found.error();
        return false;
      }
      if (!found->problem.empty() && !told_.contains(folder + "/" + name))
        wrong.emplace_back(name);
      if (found->file) look_for_in_log(*found->file);
      return true;
    });
    if (!listed) return listed;
    if (broken) return tl::unexpected(*broken);
    for (const auto& name : wrong)
      if (auto ok = mend_file(folder, name, state); !ok) return ok;
  }
  return {};
}

// What is wrong with the file `name`, which lies in `at` and came from `home`,
// a folder for messages in `state`.
Result<Diagnosis> Fsck::diagnose(const std::string& at, const std::string& name,
                                 const std::string& home, State state) const {
  Diagnosis diagnosis;
  const std::string id(id_of_file_name(name));
  if (id.empty()) {
    // Sub-folders for size and lanes are folders of their own.
    const bool is_folder = name.size() == 1 || name == "high" || name == "bulk";
    const bool is_dropped = name.ends_with(k_dropped_suffix);
    const bool is_known =
        is_folder || (state == State::fresh && is_dropped) ||
        (state == State::failed && (is_dropped || name.ends_with(".error")));
    if (!is_known) {
      diagnosis.problem = "unknown_file";
      diagnosis.what = "no message is called so; pony leaves it alone";
    }
    return diagnosis;
  }
  const auto text =
      read_regular(folders_.root(), at + "/" + name, k_message_file_limit,
                   folders_.trusted_owner());
  if (!text && text.error().kind != Error::Kind::bad_data)
    return tl::unexpected(text.error());
  Result<MessageFile> file = fail(Error::Kind::bad_data, "");
  if (text) {
    file = parse_message_file(*text, id);
  } else {
    file = tl::unexpected(text.error());
  }
  if (!file) {
    if (state == State::failed) return diagnosis;  // it rests there already
    diagnosis.problem = "no_message";
    diagnosis.what = "it is no valid message: " + file.error().what;
    return diagnosis;
  }
  if (!is_in_place(*file, state, home, now_)) {
    const Event* last = last_move(*file);
    diagnosis.problem = "misplaced";
    diagnosis.what = last == nullptr
                         ? "nothing happened to it yet: it belongs in new/"
                         : "its last event is '" + last->event +
                               "': it belongs in " +
                               std::string(to_text(*state_after(*last))) + "/";
  } else if (text->back() != '\n') {
    diagnosis.problem = "torn_line";
    diagnosis.what = "its last line was cut short";
  }
  diagnosis.file = std::move(*file);
  return diagnosis;
}

Result<> Fsck::mend_file(const std::string& folder, const std::string& name,
                         State state) {
  const std::string path = folder + "/" + printable(name, 100);
  if (options_.dry_run || id_of_file_name(name).empty()) {
    auto found = diagnose(folder, name, folder, state);
    if (found && !found->problem.empty())
      tell(found->problem, path, found->what, Mended::no);
    return {};
  }
  auto runner = own();
  if (!runner) return tl::unexpected(runner.error());
  const std::string claimed_in = (*runner)->path();
  auto claimed = (*runner)->claim(folder, name, name);
  if (!claimed && claimed.error().kind == Error::Kind::not_found) return {};
  if (!claimed) return claimed;
  auto found = diagnose(claimed_in, name, folder, state);
  if (!found) return tl::unexpected(found.error());
  const std::string id(id_of_file_name(name));
  if (found->problem == "no_message") {
    if (auto ok = bury(spool_, claimed_in, name, id, found->what); !ok)
      return ok;
    tell(found->problem, path, found->what + "; moved to failed/", Mended::yes);
    return {};
  }

  std::string target = folder;
  if (found->problem == "misplaced") {
    const Event* last = last_move(*found->file);
    const Priority priority = found->file->message.priority;
    auto place = last == nullptr
                     ? folders_.place(State::fresh, id, priority, now_)
                     : place_after(folders_, *last, priority);
    if (!place) return tl::unexpected(place.error());
    target = std::move(*place);
  }
  // No events: it ends the last line if that is open, and syncs.
  auto fd = open_folder(folders_.root(), claimed_in);
  if (!fd) return tl::unexpected(fd.error());
  if (auto ended = append_events(fd->get(), name, {}); !ended) return ended;
  auto moved = folders_.move(claimed_in, name, target, name);
  if (!moved && moved.error().kind == Error::Kind::busy && target != folder) {
    tell(found->problem, path, found->what + ", where there is one already",
         Mended::no);
    return folders_.move(claimed_in, name, folder, name);
  }
  if (!moved) return moved;
  if (auto synced = folders_.sync(target); !synced) return synced;
  if (!found->problem.empty())
    tell(found->problem, path, found->what, Mended::yes);
  return {};
}

Result<> Fsck::check_tmp() {
  return sweep_tmp(folders_, now_,
                   options_.dry_run ? Sweep::only_tell : Sweep::remove,
                   [&](const std::string& path, bool removed) {
                     tell("leftover", printable(path, 200),
                          "it is older than 36 h, and its writer is gone",
                          removed ? Mended::yes : Mended::no);
                   });
}

Result<> Fsck::check_buckets() {
  auto buckets = folders_.sub_folders("deferred");
  if (!buckets) return tl::unexpected(buckets.error());
  for (const auto& bucket : *buckets) {
    const std::string path = "deferred/" + printable(bucket, 100);
    if (!parse_minute(bucket)) {
      tell("unknown_file", path, "no bucket is called so; pony leaves it alone",
           Mended::no);
      continue;
    }
    bool empty = true;
    for (const auto priority :
         {Priority::high, Priority::bulk, Priority::normal}) {
      auto listed = folders_.for_each_file(
          lane("deferred/" + bucket, priority),
          [&](const std::string&, const char*) { return empty = false; });
      if (!listed) return listed;
    }
    if (!empty) continue;
    // One that was emptied a moment ago goes with the next look of a runner.
    const auto minute = parse_minute(bucket);
    if (minute && *minute + std::chrono::hours(1) > now_) continue;
    // rmdir refuses what is not empty; who is about to move something in
    // makes the folder anew (Folders::move).
    bool removed = false;
    if (!options_.dry_run) {
      for (const char* below : {"/high", "/bulk", ""}) {
        const std::string folder = "deferred/" + bucket + below;
        if (auto fd = open_folder(folders_.root(), folder))
          (void)for_each_name(fd->get(), [&](const char* shard) {
            ::unlinkat(fd->get(), shard, AT_REMOVEDIR);
            return true;
          });
        removed =
            ::unlinkat(folders_.root(), folder.c_str(), AT_REMOVEDIR) == 0;
        if (removed) folders_.forget(folder);
      }
    }
    tell("empty_bucket", path, "the bucket is empty",
         removed ? Mended::yes : Mended::no);
  }
  return {};
}

// What the log knows, before the files are looked at: a runner writes an event
// there before it moves the message.
Result<> Fsck::read_log() {
  // By its name: an event from outside may be of any time.
  auto files = spool_.log().files({}, {});
  if (!files) return tl::unexpected(files.error());
  if (!files->empty())
    if (const auto day = parse_day(files->front().day)) log_begins_ = *day;
  std::size_t unreadable = 0;
  auto read = spool_.log().read({}, {}, [&](std::string_view line) {
    const auto event = parse_event(line);
    if (!event) {
      ++unreadable;
      return true;
    }
    logged_.push_back(hash_of(event->natural_key()));
    return true;
  });
  if (!read) return read;
  std::sort(logged_.begin(), logged_.end());
  if (unreadable > 0)
    tell("log", "log", std::to_string(unreadable) + " lines are no events",
         Mended::not_needed);
  return {};
}

// What is older than the log was in one that has been purged; what is young
// may be on its way there. The log may spell addresses otherwise.
bool Fsck::is_missing_in_log(const Event& event) const {
  if (!log_begins_ || event.ts < *log_begins_ ||
      event.ts + k_on_its_way >= now_)
    return false;
  const auto keys = spool_.log().mask().keys_of(event);
  return std::none_of(keys.begin(), keys.end(), [this](const auto& key) {
    return std::binary_search(logged_.begin(), logged_.end(), hash_of(key));
  });
}

void Fsck::look_for_in_log(const MessageFile& file) {
  if (std::any_of(file.events.begin(), file.events.end(),
                  [&](const Event& event) { return is_missing_in_log(event); }))
    not_logged_.push_back(file.id);
}

// A crash between a message and its line in the log, or a disk that was full:
// the message's file says what happened, so the log can have it again. The
// line goes to the log of its day, where reports look for it.
Result<> Fsck::check_log() {
  if (not_logged_.empty()) return {};
  std::size_t lines = 0;
  for (const auto& id : not_logged_) {
    const auto located = spool_.load(id);
    if (!located) continue;  // purged by now, or claimed: its runner's affair
    for (const Event& event : located->file.events) {
      if (!is_missing_in_log(event)) continue;
      ++lines;
      if (options_.dry_run) continue;
      std::string line;
      append_line(line, event);
      if (auto ok = spool_.log().append(line, event.ts); !ok) return ok;
    }
  }
  if (lines == 0) return {};
  if (!options_.dry_run)
    if (auto synced = spool_.log().sync(); !synced) return synced;
  tell("not_logged", "log",
       counted(lines, "event") +
           " of the messages' files were not in the event log",
       options_.dry_run ? Mended::no : Mended::yes);
  return {};
}

}  // namespace

Result<FsckSummary> fsck(Spool& spool, const FsckOptions& options) {
  return Fsck(spool, options).run();
}

}  // namespace pony
