// Blocks in a file, with sums; see digest.h.
//
//   file header, then for each block: its header, names, columns
//
// All that is read here may be anything at all, so nothing is used before its
// sum is right and its numbers are in bounds.
#include "core/report/digest.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pony {

struct Digest::FileHeader {
  std::array<char, 8> magic{};
  std::uint32_t form = 0;
  std::uint32_t head_size = 0;  // the log's first bytes
  std::uint64_t head_hash = 0;
  std::uint64_t inode = 0;
  // Of a compressed log, which is read once; else 0.
  std::int64_t size = 0;
  std::int64_t mtime = 0;
  std::uint64_t hash = 0;  // of all before it
};

namespace {

// The last digit is the format's version.
constexpr std::array<char, 8> k_magic = {'p', 'o', 'n', 'y',
                                         'd', 'i', 'g', '1'};
constexpr std::uint32_t k_block_magic = 0x6b6c6270;
constexpr std::size_t k_told_by = 4096;  // bytes that tell a log from another
constexpr std::size_t k_names_limit = std::size_t{64} << 20;
constexpr std::string_view k_suffix = ".digest";
// More blocks than that for what is in them are put together, by reading the
// log again: many small reports leave many small blocks.
constexpr std::size_t k_few_blocks = 16;
constexpr std::size_t k_small_block = 4096;

static_assert(std::has_unique_object_representations_v<BlockHeader>);

std::uint64_t hash_of(const void* data, std::size_t size,
                      std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(data, size, seed);
}

template <class Header>
std::uint64_t header_hash(const Header& header, std::uint64_t seed) {
  return hash_of(&header, offsetof(Header, hash), seed);
}

bool read_exactly(int fd, void* to, std::size_t size, off_t offset) {
  auto* at = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t n = ::pread(fd, at, size, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    offset += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::size_t padded(std::size_t size) {
  return (size + 7) / 8 * 8;
}

std::size_t part_size(const BlockHeader& header, BlockPart part) {
  const std::size_t events = header.events;
  switch (part) {
    case BlockPart::names:
      return header.names_size;
    case BlockPart::key:
    case BlockPart::message:
      return events * sizeof(std::uint64_t);
    case BlockPart::ts:
    case BlockPart::time:
      return events * sizeof(std::uint32_t);
    case BlockPart::label:
    case BlockPart::detail:
      return events * sizeof(std::uint16_t);
  }
  return 0;
}

// Where a part begins behind the header; of `end_of_parts` where the next block
// does.
constexpr std::size_t end_of_parts = k_block_parts;
std::size_t part_offset(const BlockHeader& header, std::size_t part) {
  std::size_t offset = sizeof header;
  for (std::size_t before = 0; before < part; ++before)
    offset += padded(part_size(header, static_cast<BlockPart>(before)));
  return offset;
}

const void* data_of(const EventBlock& block, const std::string& names,
                    BlockPart part) {
  switch (part) {
    case BlockPart::names:
      return names.data();
    case BlockPart::key:
      return block.key.data();
    case BlockPart::message:
      return block.message.data();
    case BlockPart::ts:
      return block.ts.data();
    case BlockPart::time:
      return block.time.data();
    case BlockPart::label:
      return block.label.data();
    case BlockPart::detail:
      return block.detail.data();
  }
  return nullptr;
}

// ----- names to bytes and back

static_assert(sizeof(BlockNames::Label) == 8 * sizeof(std::uint32_t) &&
              sizeof(BlockNames::Detail) == 2 * sizeof(std::uint32_t));

template <class Item>
void append_items(std::string& out, const std::vector<Item>& items) {
  out.append(reinterpret_cast<const char*>(items.data()),
             items.size() * sizeof(Item));
}

std::string bytes_of(const BlockNames& names) {
  std::vector<std::uint32_t> sizes = {
      static_cast<std::uint32_t>(names.strings.size()),
      static_cast<std::uint32_t>(names.tags.size()),
      static_cast<std::uint32_t>(names.labels.size()),
      static_cast<std::uint32_t>(names.details.size())};
  for (const std::string& text : names.strings)
    sizes.push_back(static_cast<std::uint32_t>(text.size()));
  std::string out;
  append_items(out, sizes);
  append_items(out, names.tags);
  append_items(out, names.labels);
  append_items(out, names.details);
  for (const std::string& text : names.strings) out += text;
  return out;
}

// Takes from the front of `bytes`; false when it is too short.
template <class Item>
bool take_items(std::string_view& bytes, std::size_t count,
                std::vector<Item>& items) {
  if (count > bytes.size() / sizeof(Item)) return false;
  items.resize(count);
  if (count > 0) std::memcpy(items.data(), bytes.data(), count * sizeof(Item));
  bytes.remove_prefix(count * sizeof(Item));
  return true;
}

bool are_in_bounds(const BlockNames& names) {
  const std::size_t strings = names.strings.size();
  const auto is_string = [strings](std::uint32_t number) {
    return number < strings;
  };
  const auto is_label = [&](const BlockNames::Label& label) {
    return is_string(label.event) && is_string(label.outcome) &&
           is_string(label.template_id) && is_string(label.provider) &&
           is_string(label.pool) && is_string(label.lang) &&
           label.first_tag <= names.tags.size() &&
           label.tags <= names.tags.size() - label.first_tag;
  };
  const auto is_detail = [&](const BlockNames::Detail& detail) {
    return is_string(detail.domain) && is_string(detail.why);
  };
  return std::all_of(names.tags.begin(), names.tags.end(), is_string) &&
         std::all_of(names.labels.begin(), names.labels.end(), is_label) &&
         std::all_of(names.details.begin(), names.details.end(), is_detail);
}

bool names_from(std::string_view bytes, BlockNames& names) {
  std::vector<std::uint32_t> counts;
  std::vector<std::uint32_t> sizes;
  if (!take_items(bytes, 4, counts) || !take_items(bytes, counts[0], sizes) ||
      !take_items(bytes, counts[1], names.tags) ||
      !take_items(bytes, counts[2], names.labels) ||
      !take_items(bytes, counts[3], names.details))
    return false;
  names.strings.clear();
  names.strings.reserve(sizes.size());
  for (const std::uint32_t size : sizes) {
    if (size > bytes.size()) return false;
    names.strings.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return bytes.empty() && are_in_bounds(names);
}

bool are_below(const std::vector<std::uint16_t>& numbers, std::size_t limit) {
  std::uint16_t greatest = 0;
  for (const std::uint16_t number : numbers)
    greatest = std::max(greatest, number);
  return numbers.empty() || greatest < limit;
}

// The lock is as good as the file that has the name.
bool still_has_name(int folder, const std::string& name, int fd) {
  struct stat named {};
  struct stat ours {};
  return ::fstatat(folder, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstat(fd, &ours) == 0 && named.st_ino == ours.st_ino &&
         named.st_dev == ours.st_dev;
}

// Whoever made it, a digest is its folder's owner's, and for whom the folder
// is for. False when that cannot be.
bool adopt_owner(int folder, int fd) {
  struct stat above {};
  struct stat info {};
  if (::fstat(folder, &above) != 0 || ::fstat(fd, &info) != 0) return false;
  if (info.st_uid != above.st_uid && ::geteuid() == 0 &&
      ::fchown(fd, above.st_uid, above.st_gid) != 0)
    return false;
  const mode_t mode = above.st_mode & 0660;
  return (info.st_mode & 0777) == mode || ::fchmod(fd, mode) == 0;
}

}  // namespace

Digest Digest::open(int folder, Owner owner, const std::string& log_name,
                    Compression form, int log, const struct stat& info) {
  Digest digest;
  digest.form_ = form;
  digest.log_ = log;
  digest.log_info_ = info;
  digest.folder_ = folder;
  digest.name_ = digest_name(log_name);
  auto file =
      open_regular(folder, digest.name_, O_RDWR, SIZE_MAX, owner, nullptr);
  if (file) {
    digest.writable_ = ::flock(file->get(), LOCK_EX | LOCK_NB) == 0 &&
                       still_has_name(folder, digest.name_, file->get());
  } else if (file.error().kind == Error::Kind::not_found) {
    digest.writable_ = true;
    return digest;
  } else {
    file =
        open_regular(folder, digest.name_, O_RDONLY, SIZE_MAX, owner, nullptr);
    if (!file) return digest;
  }
  digest.file_ = std::move(*file);
  digest.read_blocks();
  return digest;
}

std::uint64_t Digest::log_hash(off_t from, std::size_t size) const {
  std::array<char, k_told_by> bytes{};
  if (size > bytes.size() || !read_exactly(log_, bytes.data(), size, from))
    return 0;
  return hash_of(bytes.data(), size);
}

// Is it a digest, and of this log?
bool Digest::read_header(FileHeader& header) const {
  if (!read_exactly(file_.get(), &header, sizeof header, 0)) return false;
  if (header.magic != k_magic || header.hash != header_hash(header, 0))
    return false;
  if (header.form != static_cast<std::uint32_t>(form_) ||
      header.inode != log_info_.st_ino)
    return false;
  if (form_ != Compression::none &&
      (header.size != log_info_.st_size ||
       header.mtime != nanoseconds(log_info_.st_mtim)))
    return false;
  return header.head_size <= k_told_by &&
         header.head_hash == log_hash(0, header.head_size);
}

void Digest::read_blocks() {
  FileHeader file;
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0 || !read_header(file)) return;
  seed_ = file.hash;
  end_ = sizeof file;
  std::size_t events = 0;
  for (;;) {
    Stored stored{end_, {}};
    BlockHeader& header = stored.header;
    if (!read_exactly(file_.get(), &header, sizeof header, end_)) break;
    if (header.magic != k_block_magic ||
        header.hash != header_hash(header, seed_) ||
        header.events > k_block_events || header.names_size > k_names_limit ||
        header.span.begin != end_of_log() ||
        header.span.end < header.span.begin)
      break;
    const auto size = static_cast<off_t>(part_offset(header, end_of_parts));
    if (size > info.st_size - end_) break;
    blocks_.push_back(stored);
    events += header.events;
    end_ += size;
  }
  const bool too_many =
      writable_ && blocks_.size() > k_few_blocks + events / k_small_block;
  if (!knows_log() || too_many) drop_from(0);
}

// Are the bytes of the log that the blocks tell of still the same, as far as
// can be seen without reading them all?
bool Digest::knows_log() const {
  if (blocks_.empty()) return true;
  if (form_ != Compression::none) return has_all();
  const BlockHeader& last = blocks_.back().header;
  const auto size = static_cast<std::uint64_t>(log_info_.st_size);
  if (last.span.end > size || last.tail_size > last.span.end) return false;
  // Of the same length, but written to: not appended to, in any case.
  if (last.span.end == size && last.log_mtime != nanoseconds(log_info_.st_mtim))
    return false;
  return last.tail_hash ==
         log_hash(static_cast<off_t>(last.span.end - last.tail_size),
                  last.tail_size);
}

// False when another was faster, or nothing can be made here.
bool Digest::make_file() {
  Fd file(::openat(folder_, name_.c_str(),
                   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0 ||
      !adopt_owner(folder_, file.get()))
    return false;
  file_ = std::move(file);
  return true;
}

// Writes the header of an empty digest.
bool Digest::start_file(const DigestSpan& first) {
  if (!file_ && !make_file()) return false;
  FileHeader header;
  header.magic = k_magic;
  header.form = static_cast<std::uint32_t>(form_);
  header.inode = log_info_.st_ino;
  const auto size = form_ == Compression::none
                        ? first.end
                        : static_cast<std::uint64_t>(log_info_.st_size);
  header.head_size =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(size, k_told_by));
  header.head_hash = log_hash(0, header.head_size);
  if (form_ != Compression::none) {
    header.size = log_info_.st_size;
    header.mtime = nanoseconds(log_info_.st_mtim);
  }
  header.hash = header_hash(header, 0);
  seed_ = header.hash;
  end_ = sizeof header;
  const std::string_view bytes(reinterpret_cast<const char*>(&header),
                               sizeof header);
  return ::ftruncate(file_.get(), 0) == 0 &&
         write_all_at(file_.get(), bytes, 0, "a digest").has_value();
}

bool Digest::append(const EventBlock& block, const DigestSpan& span,
                    DigestEnd end) {
  if (!writable_) return false;
  if (blocks_.empty() && !start_file(span)) {
    writable_ = false;
    return false;
  }
  Stored stored{end_, {}};
  BlockHeader& header = stored.header;
  const std::string names = bytes_of(block.names);
  header.magic = k_block_magic;
  header.events = static_cast<std::uint32_t>(block.size());
  header.names_size = static_cast<std::uint32_t>(names.size());
  header.retried = block.retried;
  header.base_ts = block.base_ts;
  header.first_ts = block.first_ts;
  header.last_ts = block.last_ts;
  header.span = span;
  header.log_mtime = nanoseconds(log_info_.st_mtim);
  header.end = end;
  if (form_ == Compression::none) {
    header.tail_size = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(span.end, k_told_by));
    header.tail_hash = log_hash(static_cast<off_t>(span.end - header.tail_size),
                                header.tail_size);
  }
  std::string bytes(part_offset(header, end_of_parts), '\0');
  for (std::size_t i = 0; i < k_block_parts; ++i) {
    const auto part = static_cast<BlockPart>(i);
    const void* data = data_of(block, names, part);
    const std::size_t size = part_size(header, part);
    header.part_hash[i] = hash_of(data, size);
    if (size > 0)
      std::memcpy(bytes.data() + part_offset(header, i), data, size);
  }
  header.hash = header_hash(header, seed_);
  std::memcpy(bytes.data(), &header, sizeof header);
  // What was behind the last block is torn, or of another log.
  writable_ = ::ftruncate(file_.get(), end_) == 0 &&
              write_all_at(file_.get(), bytes, static_cast<std::uint64_t>(end_),
                           "a digest")
                  .has_value();
  if (!writable_) {
    // On a full disk it is not to keep what is of no use to anybody. Should
    // that fail too, the sums tell.
    [[maybe_unused]] const int cut =
        ::ftruncate(file_.get(), blocks_.empty() ? 0 : end_);
    return false;
  }
  blocks_.push_back(stored);
  end_ += static_cast<off_t>(bytes.size());
  return true;
}

bool Digest::load_part(const Stored& stored, BlockPart part, void* to) const {
  const auto index = static_cast<std::size_t>(part);
  const std::size_t size = part_size(stored.header, part);
  const auto offset =
      stored.offset + static_cast<off_t>(part_offset(stored.header, index));
  return read_exactly(file_.get(), to, size, offset) &&
         hash_of(to, size) == stored.header.part_hash[index];
}

bool Digest::load(std::size_t index, const std::vector<BlockPart>& parts,
                  EventBlock& block) const {
  const Stored& stored = blocks_[index];
  const BlockHeader& header = stored.header;
  block.base_ts = header.base_ts;
  block.first_ts = header.first_ts;
  block.last_ts = header.last_ts;
  block.retried = header.retried;
  const auto column = [&](BlockPart part, auto& values) {
    values.resize(header.events);
    return load_part(stored, part, values.data());
  };
  const auto load_one = [&](BlockPart part) {
    switch (part) {
      case BlockPart::names: {
        std::string bytes(header.names_size, '\0');
        return load_part(stored, part, bytes.data()) &&
               names_from(bytes, block.names);
      }
      case BlockPart::key:
        return column(part, block.key);
      case BlockPart::message:
        return column(part, block.message);
      case BlockPart::ts:
        return column(part, block.ts);
      case BlockPart::time:
        return column(part, block.time);
      // Read behind the names, which they have to fit.
      case BlockPart::label:
        return column(part, block.label) &&
               are_below(block.label, block.names.labels.size());
      case BlockPart::detail:
        return column(part, block.detail) &&
               are_below(block.detail, block.names.details.size());
    }
    return false;
  };
  return std::all_of(parts.begin(), parts.end(), load_one);
}

void Digest::drop_from(std::size_t index) {
  if (index >= blocks_.size()) return;
  end_ = blocks_[index].offset;
  blocks_.resize(index);
  // Others would trip over it too.
  if (writable_ && ::ftruncate(file_.get(), index == 0 ? 0 : end_) != 0)
    writable_ = false;
}

std::string digest_name(const std::string& log_name) {
  return std::string(log_name).append(k_suffix);
}

void remove_other_digests(int folder,
                          const std::vector<std::string>& log_names) {
  std::unordered_set<std::string> known;
  for (const std::string& log : log_names) known.insert(digest_name(log));
  std::vector<std::string> others;
  (void)for_each_name(folder, [&](const char* name) {
    if (std::string_view(name).ends_with(k_suffix) && !known.contains(name))
      others.emplace_back(name);
    return true;
  });
  for (const std::string& name : others) ::unlinkat(folder, name.c_str(), 0);
}

}  // namespace pony
