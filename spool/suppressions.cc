#include "spool/suppressions.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <unordered_set>
#include <utility>

#include "core/address.h"
#include "core/json.h"
#include "core/lower_case.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pony {
namespace {

constexpr const char* k_name = "suppressions.jsonl";
constexpr std::string_view k_what = "state/suppressions.jsonl";
constexpr std::size_t k_read_size = std::size_t{256} << 10;
// Longer ones are nobody's: an address has 254 bytes, a note is cut.
constexpr std::size_t k_longest_line = std::size_t{16} << 10;
constexpr std::size_t k_longest_note = 1000;
constexpr std::string_view k_head = "{\"address\":\"";

constexpr std::array<std::pair<SuppressedFor, std::string_view>, 4> k_reasons =
    {{{SuppressedFor::bounced, "bounced"},
      {SuppressedFor::complained, "complained"},
      {SuppressedFor::unsubscribed, "unsubscribed"},
      {SuppressedFor::manual, "manual"}}};

std::uint64_t hash_of(std::string_view address) {
  return XXH3_64bits(address.data(), address.size());
}

// The address of a line of the file as it is compared, or empty when the line
// is no entry. Our own lines need no JSON parser: a million are read in a
// tenth of a second.
std::string address_in(std::string_view line) {
  if (line.size() > k_longest_line) return {};
  if (line.starts_with(k_head) && line.ends_with('}')) {
    const auto rest = line.substr(k_head.size());
    const auto address = rest.substr(0, rest.find('"'));
    if (is_ascii(address) && address.find('\\') == std::string_view::npos)
      return in_lower_case(address);
  }
  auto entry = parse_suppression(line);
  return entry ? std::move(entry->address) : std::string();
}

// Calls `each` with every whole line from `offset` on and where it begins;
// moves `offset` behind the last. Of a line that is too long the beginning is
// given.
Result<> read_lines(
    int fd, std::uint64_t& offset,
    const std::function<bool(std::string_view line, std::uint64_t at)>& each) {
  std::string buffer;
  std::uint64_t read_to = offset;
  bool too_long = false;
  for (;;) {
    const std::size_t have = buffer.size();
    buffer.resize(have + k_read_size);
    const ssize_t n = ::pread(fd, buffer.data() + have, k_read_size,
                              static_cast<off_t>(read_to));
    if (n < 0 && errno != EINTR)
      return fail_errno(errno, "cannot read '" + std::string(k_what) + "'");
    const auto got = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    buffer.resize(have + got);
    if (n == 0) return {};
    read_to += got;
    std::string_view rest = buffer;
    for (auto end = rest.find('\n', have); end != std::string_view::npos;
         end = rest.find('\n')) {
      const std::uint64_t at = offset;
      offset = read_to - rest.size() + end + 1;
      const auto line = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      if (std::exchange(too_long, false)) continue;
      if (!each(line, at)) return {};
    }
    buffer.erase(0, buffer.size() - rest.size());
    if (buffer.size() <= k_longest_line) continue;
    // Nobody's line: what is left of it is passed over.
    too_long = true;
    buffer.clear();
  }
}

tl::unexpected<Error> no_entry(const std::string& why) {
  return fail(Error::Kind::bad_data, "not a suppression: " + why);
}

// Locks the list for writers: the lock is the folder's, and goes with the
// descriptor.
Result<Fd> lock_state(Folders& folders) {
  if (auto made = folders.folder("state"); !made)
    return tl::unexpected(made.error());
  auto fd = open_folder(folders.root(), "state");
  if (!fd) return fd;
  auto locked = lock_whole(fd->get(), "the list of suppressed addresses");
  if (!locked) return tl::unexpected(locked.error());
  return fd;
}

std::string temporary_name() {
  return "suppressions." + std::to_string(::getpid());
}

// Makes what is in tmp/ the list.
Result<> rename_into_place(Folders& folders, int state, int fd) {
  const std::string temporary = "tmp/" + temporary_name();
  auto done = sync_all(fd, temporary);
  if (done && ::renameat(folders.root(), temporary.c_str(), state, k_name) != 0)
    done = fail_errno(errno, "cannot replace '" + std::string(k_what) + "'");
  if (!done) ::unlinkat(folders.root(), temporary.c_str(), 0);
  if (done) done = sync_all(state, "state");
  return done;
}

// A new file for the list in tmp/; one that a crash left there is replaced.
Result<Fd> new_list(Folders& folders) {
  const std::string name = temporary_name();
  ::unlinkat(folders.root(), ("tmp/" + name).c_str(), 0);
  return folders.create_in_tmp(name);
}

bool same_moment(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

std::string_view to_text(SuppressedFor reason) {
  for (const auto& [known, text] : k_reasons)
    if (known == reason) return text;
  return {};
}

std::optional<SuppressedFor> suppressed_for_from(std::string_view text) {
  for (const auto& [reason, known] : k_reasons)
    if (known == text) return reason;
  return {};
}

std::string to_text(const Suppression& suppression) {
  std::string text = suppression.reason == SuppressedFor::manual
                         ? "suppressed by hand"
                         : std::string(to_text(suppression.reason));
  text += " on " + format_day(suppression.since);
  if (!suppression.provider.empty()) text += " (" + suppression.provider + ")";
  return text;
}

void append_line(std::string& out, const Suppression& suppression) {
  JsonWriter line(out);
  const auto write = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) line.field(key, value);
  };
  line.field("address", suppression.address);
  line.field("reason", to_text(suppression.reason));
  line.field("since", format_time(suppression.since));
  write("provider", suppression.provider);
  write("id", suppression.id);
  write("note", suppression.note);
  line.end();
  out += '\n';
}

Result<Suppression> parse_suppression(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.size() > k_longest_line) return no_entry("it is too long");
  const auto json = parse_json(line);
  if (!json) return tl::unexpected(json.error());
  if (!json->is_object()) return no_entry("it is no object");
  const auto since = parse_time(json->text_of("since"));
  if (!since) return no_entry("'since': " + since.error().what);
  Suppression entry;
  entry.address = comparable_email(json->text_of("address"));
  if (entry.address.empty()) return no_entry("it has no 'address'");
  entry.reason = suppressed_for_from(json->text_of("reason"))
                     .value_or(SuppressedFor::manual);
  entry.since = *since;
  entry.provider = json->text_of("provider");
  entry.id = json->text_of("id");
  entry.note = json->text_of("note");
  return entry;
}

Result<std::size_t> Suppressions::add(std::span<const Suppression> entries) {
  auto state = lock_state(folders_);
  if (!state) return tl::unexpected(state.error());
  if (auto ok = refresh(); !ok) return tl::unexpected(ok.error());
  std::unordered_set<std::string> added;
  std::string lines;
  for (Suppression entry : entries) {
    entry.address = comparable_email(entry.address);
    if (entry.address.empty()) continue;
    auto known = find(entry.address);
    if (!known) return tl::unexpected(known.error());
    if (*known || !added.insert(entry.address).second) continue;
    if (entry.note.size() > k_longest_note)
      entry.note = printable(entry.note, k_longest_note);
    append_line(lines, entry);
  }
  if (added.empty()) return std::size_t{0};
  auto written =
      file_ ? append(state->get(), lines) : write_new(state->get(), lines);
  if (!written) return tl::unexpected(written.error());
  return added.size();
}

// The first entries: a file that is there is there whole.
Result<> Suppressions::write_new(int state, const std::string& lines) {
  auto fd = new_list(folders_);
  if (!fd) return tl::unexpected(fd.error());
  if (auto ok = write_all(fd->get(), lines, k_what); !ok) {
    ::unlinkat(folders_.root(), ("tmp/" + temporary_name()).c_str(), 0);
    return ok;
  }
  return rename_into_place(folders_, state, fd->get());
}

Result<> Suppressions::append(int state, const std::string& lines) {
  struct stat info {};
  auto fd = open_regular(state, k_name, O_RDWR | O_APPEND, SIZE_MAX,
                         folders_.trusted_owner(), nullptr);
  if (!fd) return tl::unexpected(fd.error());
  if (auto ok = end_last_line(fd->get(), k_what); !ok) return ok;
  if (::fstat(fd->get(), &info) != 0)
    return fail_errno(errno, "cannot look at '" + std::string(k_what) + "'");
  auto ok = write_all(fd->get(), lines, k_what);
  if (ok) ok = sync_data(fd->get(), k_what);
  // On a full disk all or nothing: the caller adds them again.
  if (!ok && ::ftruncate(fd->get(), info.st_size) != 0)
    ok.error().hint = "some of the addresses may have been added";
  return ok;
}

Result<std::vector<Suppression>> Suppressions::remove(
    std::span<const std::string> addresses) {
  auto state = lock_state(folders_);
  if (!state) return tl::unexpected(state.error());
  if (auto ok = refresh(); !ok) return tl::unexpected(ok.error());
  std::unordered_map<std::string, std::string> wanted;
  for (const auto& address : addresses) {
    auto known = find(address);
    if (!known) return tl::unexpected(known.error());
    if (*known)
      wanted.emplace(std::move((*known)->address), comparable_email(address));
  }
  if (wanted.empty()) return std::vector<Suppression>();
  return rewrite_without(state->get(), wanted);
}

// `addresses`: as the file spells them, and as they were given. What is no
// entry is not carried over either.
Result<std::vector<Suppression>> Suppressions::rewrite_without(
    int state, const std::unordered_map<std::string, std::string>& addresses) {
  std::vector<Suppression> removed;
  auto fd = new_list(folders_);
  if (!fd) return tl::unexpected(fd.error());
  std::string kept;
  Result<> written;
  const auto take = [&](std::string_view line, std::uint64_t) {
    const std::string address = address_in(line);
    if (const auto it = addresses.find(address); it != addresses.end()) {
      if (auto entry = parse_suppression(line))
        removed.emplace_back(std::move(*entry)).address = it->second;
    } else if (!address.empty()) {
      kept.append(line).push_back('\n');
    }
    if (kept.size() < k_read_size) return true;
    written = write_all(fd->get(), std::exchange(kept, {}), k_what);
    return written.has_value();
  };
  std::uint64_t offset = 0;
  auto read = read_lines(file_.get(), offset, take);
  if (read && written) written = write_all(fd->get(), kept, k_what);
  if (!read) written = read;
  if (!written) {
    ::unlinkat(folders_.root(), ("tmp/" + temporary_name()).c_str(), 0);
    return tl::unexpected(written.error());
  }
  if (auto ok = rename_into_place(folders_, state, fd->get()); !ok)
    return tl::unexpected(ok.error());
  return removed;
}

Result<> Suppressions::refresh() {
  auto state = folders_.folder("state");
  if (!state) return tl::unexpected(state.error());
  struct stat info {};
  if (::fstatat(*state, k_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT)
      return fail_errno(errno, "cannot look at '" + std::string(k_what) + "'");
    forget_all();
    return {};
  }
  const bool same_file =
      file_ && info.st_ino == seen_.st_ino && info.st_dev == seen_.st_dev;
  if (same_file && info.st_size == seen_.st_size &&
      same_moment(info.st_mtim, seen_.st_mtim))
    return {};
  // It only grows, so what was read of a longer one still stands.
  if (!same_file || info.st_size <= seen_.st_size) return open_again();
  seen_ = info;
  return read_on();
}

void Suppressions::forget_all() {
  file_ = Fd();
  seen_ = {};
  read_to_ = 0;
  index_.clear();
  has_hashes_ = false;
}

Result<> Suppressions::open_again() {
  forget_all();
  auto state = folders_.folder("state");
  if (!state) return tl::unexpected(state.error());
  auto fd = open_regular(*state, k_name, O_RDONLY, SIZE_MAX,
                         folders_.trusted_owner(), &seen_);
  if (!fd && fd.error().kind == Error::Kind::not_found) return {};
  if (!fd) return tl::unexpected(fd.error());
  file_ = std::move(*fd);
  return read_on();
}

Result<> Suppressions::read_on() {
  const auto known = static_cast<std::ptrdiff_t>(index_.size());
  const auto take = [&](std::string_view line, std::uint64_t at) {
    const std::string address = address_in(line);
    if (!address.empty()) index_.push_back({hash_of(address), at});
    has_hashes_ = has_hashes_ || address.starts_with("h:");
    return true;
  };
  auto read = read_lines(file_.get(), read_to_, take);
  if (!read) {
    forget_all();
    return read;
  }
  std::sort(index_.begin() + known, index_.end());
  std::inplace_merge(index_.begin(), index_.begin() + known, index_.end());
  return {};
}

Result<std::optional<Suppression>> Suppressions::find(
    std::string_view address) {
  if (index_.empty()) return std::optional<Suppression>();
  auto found = find_spelled(comparable_email(address));
  if (!found || *found || !has_hashes_) return found;
  const auto key = mask_.existing_key();
  if (!key) return tl::unexpected(key.error());
  // Without their key hashes stand for nobody.
  if (!*key) return found;
  return find_spelled(hashed_email(**key, address));
}

Result<std::optional<Suppression>> Suppressions::find_spelled(
    const std::string& address) {
  const std::uint64_t hash = hash_of(address);
  for (auto it = std::lower_bound(index_.begin(), index_.end(), Place{hash, 0});
       it != index_.end() && it->hash == hash; ++it) {
    auto entry = line_at(it->offset);
    if (!entry) return entry;
    if (*entry && (*entry)->address == address) return entry;
  }
  return std::optional<Suppression>();
}

// Nothing when the line is no entry after all.
Result<std::optional<Suppression>> Suppressions::line_at(
    std::uint64_t offset) const {
  std::string line(k_longest_line, '\0');
  ssize_t n = 0;
  do
    n = ::pread(file_.get(), line.data(), line.size(),
                static_cast<off_t>(offset));
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return fail_errno(errno, "cannot read '" + std::string(k_what) + "'");
  line.resize(static_cast<std::size_t>(n));
  auto entry =
      parse_suppression(std::string_view(line).substr(0, line.find('\n')));
  if (!entry) return std::optional<Suppression>();
  return std::optional(std::move(*entry));
}

Result<> Suppressions::for_each(
    const std::function<bool(const Suppression& entry)>& each) {
  auto state = folders_.folder("state");
  if (!state) return tl::unexpected(state.error());
  auto fd = open_regular(*state, k_name, O_RDONLY, SIZE_MAX,
                         folders_.trusted_owner(), nullptr);
  if (!fd && fd.error().kind == Error::Kind::not_found) return {};
  if (!fd) return tl::unexpected(fd.error());
  std::uint64_t offset = 0;
  return read_lines(fd->get(), offset,
                    [&](std::string_view line, std::uint64_t) {
                      const auto entry = parse_suppression(line);
                      return !entry || each(*entry);
                    });
}

}  // namespace pony
