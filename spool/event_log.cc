// Appending to the day's file, and reading all that there are; see event_log.h.
#include "spool/event_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <tuple>
#include <unordered_set>

#include "core/json.h"
#include "core/line_reader.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pony {
namespace {

constexpr std::string_view k_prefix = "events-";
constexpr std::string_view k_suffix = ".jsonl";

std::string name_of(const std::string& day) {
  return std::string(k_prefix).append(day).append(k_suffix);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What logrotate(8) puts behind a name: ".1", "-20261122", "-20261122-1795".
bool is_rotation(std::string_view text) {
  while (!text.empty()) {
    if (text[0] != '.' && text[0] != '-') return false;
    text.remove_prefix(1);
    const auto* end = std::find_if_not(text.begin(), text.end(), is_digit);
    if (end == text.begin()) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  }
  return true;
}

// "events-2026-11-21.jsonl.2.gz"; nothing when it is no file of the log.
std::optional<LogFile> log_file_of(std::string_view name) {
  constexpr std::size_t k_day_size = std::string_view("2026-11-21").size();
  LogFile file{std::string(name), {}, compression_of(name)};
  if (!name.starts_with(k_prefix)) return std::nullopt;
  name.remove_prefix(k_prefix.size());
  file.day = name.substr(0, k_day_size);
  if (!parse_day(file.day)) return std::nullopt;
  name.remove_prefix(k_day_size);
  if (!name.starts_with(k_suffix)) return std::nullopt;
  name.remove_prefix(k_suffix.size());
  if (file.form != Compression::none)
    name.remove_suffix(name.size() - name.rfind('.'));
  if (!is_rotation(name)) return std::nullopt;
  return file;
}

// The order in which they were written, as far as names tell: by day, and of
// one day ".10" before ".2", "-20261122" before "-20261123", and what has no
// number last.
bool is_older(const LogFile& a, const LogFile& b) {
  const auto order = [](const LogFile& file) {
    const std::string_view rest =
        std::string_view(file.name).substr(name_of(file.day).size());
    const std::string_view number =
        rest.substr(0, rest.find_last_not_of("zstg.") + 1);
    // ".1" is newer than ".2": more digits, and greater ones, are older.
    const int kind = number.empty() ? 2 : number[0] == '-' ? 0 : 1;
    return std::tuple(std::string_view(file.day), kind, number);
  };
  const auto [day_a, kind_a, number_a] = order(a);
  const auto [day_b, kind_b, number_b] = order(b);
  if (day_a != day_b) return day_a < day_b;
  if (kind_a != kind_b) return kind_a < kind_b;
  if (number_a == number_b) return a.name < b.name;
  if (kind_a == 0) return number_a < number_b;
  if (number_a.size() != number_b.size())
    return number_a.size() > number_b.size();
  return number_a > number_b;
}

bool is_folder_at(int folder, const char* name) {
  struct stat info {};
  return ::fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(info.st_mode);
}

// A file is known again by its first line, which has a time and an id, when it
// was renamed, copied or compressed meanwhile: its inode would not tell. What
// is behind the id may have been overwritten (spool/forget.h).
// Nothing when there is no whole line yet.
Result<std::optional<std::uint64_t>> beginning_of(ByteSource& source) {
  constexpr std::size_t k_enough = 4096;
  std::string text(k_enough, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    auto n = source.read(text.data() + have, text.size() - have);
    if (!n) return tl::unexpected(n.error());
    if (*n == 0) break;
    have += *n;
  }
  text.resize(have);
  const std::size_t end = text.find('\n');
  if (end == std::string::npos && have < k_enough)
    return std::optional<std::uint64_t>();
  std::size_t known = std::min(end, have);
  constexpr std::string_view k_id = "\"id\":\"";
  constexpr std::size_t k_id_size = 26;
  if (const auto id = text.find(k_id); id < known)
    known = std::min(known, id + k_id.size() + k_id_size);
  return std::optional<std::uint64_t>(XXH3_64bits(text.data(), known));
}

}  // namespace

// Opens the day's file, unless it is open and still has its name: one that was
// renamed or removed (logrotate, gzip) is not written to any more.
Result<> EventLog::open_for(const std::string& day) {
  auto log = folders_.folder("log");
  if (!log) return tl::unexpected(log.error());
  const std::string name = name_of(day);
  if (file_ && day == day_) {
    struct stat ours {};
    struct stat named {};
    if (::fstat(file_.get(), &ours) == 0 &&
        ::fstatat(*log, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
      return {};
  }
  // O_RDWR: the last byte has to be seen.
  Fd fd(::openat(
      *log, name.c_str(),
      O_CREAT | O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
      folders_.file_mode()));
  if (!fd) return fail_errno(errno, "cannot open 'log/" + name + "'");
  file_ = std::move(fd);
  day_ = day;
  return end_last_line(file_.get(), name);
}

Result<> EventLog::append(std::string_view lines, Time now) {
  if (lines.empty()) return {};
  auto masked = mask_.masked(lines);
  if (!masked) return tl::unexpected(masked.error());
  lines = *masked;
  const std::string day = format_day(now);
  if (auto opened = open_for(day); !opened) return opened;
  // One write: a short one (disk full) leaves a torn line, which the rest
  // would only mix with others' lines. It is ended, and said.
  const ssize_t n = ::write(file_.get(), lines.data(), lines.size());
  if (n == static_cast<ssize_t>(lines.size())) return {};
  const int error = n < 0 ? errno : ENOSPC;
  file_ = Fd();
  return fail_errno(error, "cannot write the event log of " + day);
}

Result<> EventLog::sync() {
  if (!file_) return {};
  return sync_data(file_.get(), "the event log");
}

Result<std::vector<LogFile>> EventLog::files(std::optional<Time> since,
                                             std::optional<Time> until) {
  auto log = folders_.existing("log");
  if (!log) return tl::unexpected(log.error());
  // An event is written a moment after its time: a day's file may begin with
  // events of the day before.
  const std::string first = since ? format_day(*since) : std::string();
  const std::string last =
      until ? format_day(*until + std::chrono::hours(24)) : std::string();
  std::vector<LogFile> files;
  auto listed = for_each_name(*log, [&](const char* name) {
    auto file = log_file_of(name);
    if (file && file->day >= first && (last.empty() || file->day <= last) &&
        !is_folder_at(*log, name))
      files.push_back(std::move(*file));
    return true;
  });
  if (!listed) return tl::unexpected(listed.error());
  std::sort(files.begin(), files.end(), is_older);
  return files;
}

Result<Fd> EventLog::open(const LogFile& file, struct stat* info) {
  auto log = folders_.existing("log");
  if (!log) return tl::unexpected(log.error());
  return open_regular(*log, file.name, O_RDONLY, SIZE_MAX,
                      folders_.trusted_owner(), info);
}

void EventLog::Position::see_day(const std::string& day) {
  if (day <= last_day_) return;
  day_before_ = std::move(last_day_);
  last_day_ = day;
}

std::optional<Time> EventLog::Position::first_day() const {
  std::string first = day_before_.empty() ? last_day_ : day_before_;
  for (const auto& [begins, place] : places_)
    if (first.empty() || place.day < first) first = place.day;
  const auto day = parse_day(first);
  return day ? std::optional<Time>(*day) : std::nullopt;
}

void EventLog::Position::forget_days_gone() {
  std::erase_if(places_,
                [&](const auto& one) { return one.second.day < day_before_; });
}

bool EventLog::Position::is_ahead_of(Time now) const {
  return last_day_ > format_day(now + std::chrono::hours(24));
}

std::string EventLog::Position::to_json() const {
  std::string files = "[";
  for (const auto& [begins, place] : places_) {
    if (files.size() > 1) files += ',';
    JsonWriter file(files);
    file.field("day", place.day)
        .field("begins", fmt::format("{:016x}", begins))
        .field("offset", static_cast<std::int64_t>(place.offset));
    file.end();
  }
  std::string text;
  JsonWriter json(text);
  json.field("day_before", day_before_).field("last_day", last_day_);
  json.raw("files", files + "]");
  json.end();
  return text;
}

std::optional<EventLog::Position> EventLog::Position::from_json(
    std::string_view text) {
  const auto json = parse_json(text);
  if (!json || !json->is_object()) return std::nullopt;
  const Json* files = json->find("files");
  Position position;
  position.day_before_ = json->text_of("day_before");
  position.last_day_ = json->text_of("last_day");
  if (files == nullptr || !parse_day(position.last_day_) ||
      (!position.day_before_.empty() && !parse_day(position.day_before_)))
    return std::nullopt;
  for (const Json& file : files->items) {
    const std::string_view begins = file.text_of("begins");
    std::uint64_t number = 0;
    const auto read = std::from_chars(
        begins.data(), begins.data() + begins.size(), number, 16);
    const Place place{std::string(file.text_of("day")),
                      static_cast<off_t>(file.number_of("offset", -1))};
    if (read.ec != std::errc() || read.ptr != begins.data() + begins.size() ||
        !parse_day(place.day) || place.offset < 0)
      return std::nullopt;
    position.places_[number] = place;
  }
  return position;
}

Result<> EventLog::go_on_at(Position& position, const std::string& day,
                            off_t offset) {
  position.see_day(day);
  auto fd = open({name_of(day), day, Compression::none});
  if (!fd && fd.error().kind == Error::Kind::not_found) return {};
  if (!fd) return tl::unexpected(fd.error());
  auto source = open_source(fd->get(), Compression::none, 0);
  if (!source) return tl::unexpected(source.error());
  auto beginning = beginning_of(**source);
  if (!beginning) return tl::unexpected(beginning.error());
  if (*beginning) position.places_[**beginning] = {day, offset};
  return {};
}

Result<> EventLog::read(std::optional<Time> since, std::optional<Time> until,
                        const std::function<bool(std::string_view line)>& each,
                        std::vector<std::string>* cut_off) {
  Position from_the_start;
  return read_on(from_the_start, since, until, each, cut_off);
}

Result<> EventLog::read_on(
    Position& position, std::optional<Time> since, std::optional<Time> until,
    const std::function<bool(std::string_view line)>& each,
    std::vector<std::string>* cut_off) {
  auto files = this->files(since, until);
  if (!files) return tl::unexpected(files.error());
  // Processes that were slow at midnight may still write to the day before the
  // last that was read.
  const std::string oldest = position.day_before_;
  for (const LogFile& file : *files) {
    if (file.day < oldest) continue;
    position.see_day(file.day);
    auto whole = read_file(position, file, each, cut_off);
    if (!whole) return tl::unexpected(whole.error());
    if (!*whole) return {};
  }
  return {};
}

Result<bool> EventLog::read_file(
    Position& position, const LogFile& file,
    const std::function<bool(std::string_view)>& each,
    std::vector<std::string>* cut_off) {
  struct stat info {};
  auto fd = open(file, &info);
  if (!fd && fd.error().kind == Error::Kind::not_found) return true;  // purged
  if (!fd) return tl::unexpected(fd.error());
  const auto known = position.read_whole_.find(file.name);
  if (known != position.read_whole_.end() &&
      known->second.device == info.st_dev &&
      known->second.inode == info.st_ino && known->second.size == info.st_size)
    return true;
  const auto tell_cut_off = [&](const ByteSource& source) {
    if (source.is_cut_off() && cut_off != nullptr)
      cut_off->push_back(file.name);
  };
  auto source = open_source(fd->get(), file.form, 0);
  if (!source) return tl::unexpected(source.error());
  auto beginning = beginning_of(**source);
  if (!beginning) return tl::unexpected(beginning.error());
  if (!*beginning) {
    tell_cut_off(**source);
    return true;
  }

  Position::Place& place = position.places_[**beginning];
  place.day = file.day;
  off_t& offset = place.offset;
  source = open_source(fd->get(), file.form, offset);
  if (!source) return tl::unexpected(source.error());
  LineReader lines(**source, offset);
  std::string_view line;
  for (;;) {
    auto more = lines.next(line);
    if (!more) return wrap(more.error(), "cannot read 'log/" + file.name + "'");
    offset = lines.offset();
    if (!*more) break;
    if (!each(line)) return false;
  }
  tell_cut_off(**source);
  if (file.form != Compression::none)
    position.read_whole_[file.name] = {info.st_dev, info.st_ino, info.st_size};
  return true;
}

Result<std::vector<std::string>> EventLog::keys_of(
    const std::vector<std::string>& ids, Time since) {
  std::vector<std::string> keys;
  const std::unordered_set<std::string_view> wanted(ids.begin(), ids.end());
  auto done = read(since, {}, [&](std::string_view line) {
    constexpr std::string_view k_member = "\"id\":\"";
    const auto at = line.find(k_member);
    if (at == std::string_view::npos) return true;
    if (!wanted.contains(line.substr(at + k_member.size(), 26))) return true;
    if (auto event = parse_event(line)) keys.push_back(event->natural_key());
    return true;
  });
  if (!done) return tl::unexpected(done.error());
  return keys;
}

}  // namespace pony
