#include "spool/forget.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "core/address.h"
#include "core/compressed_file.h"
#include "core/line_reader.h"
#include "spool/health_files.h"
#include "spool/message_id.h"

namespace pony {
namespace {

constexpr std::string_view k_forgotten = "forgotten";

// In JSON the letters of an escape stand before a word as if they were its
// own: "\nann@example.com".
std::string_view behind_escape(std::string_view text, std::string_view email) {
  constexpr std::size_t k_size_of_u = 5;  // "u000a"
  if (email.data() == text.data() || *(email.data() - 1) != '\\') return email;
  const std::size_t size = email.front() == 'u' ? k_size_of_u : 1;
  return email.size() > size ? email.substr(size) : email;
}

// The hash of which `email` is the end, with its "h:".
std::string_view as_hash(std::string_view text, std::string_view email) {
  constexpr std::size_t k_mark = 2;
  const auto before = static_cast<std::size_t>(email.data() - text.data());
  if (before < k_mark) return {};
  const auto whole = text.substr(before - k_mark, email.size() + k_mark);
  return whole.starts_with("h:") ? whole : std::string_view();
}

// Bytes that an address may begin with, but rather end a word before it:
// "user=ann@example.com", "https://w.example/off/ann@example.com".
std::string_view behind_sign(std::string_view email) {
  const auto local = email.substr(0, email.rfind('@'));
  return email.substr(local.find_last_of("=/{}|*#&?!%$^~`") + 1);
}

}  // namespace

People::People(std::span<const std::string> addresses,
               const std::optional<HashKey>& key) {
  for (const auto& address : addresses) {
    addresses_.insert(comparable_email(address));
    masked_.insert(comparable_email(masked_email(address)));
    if (key) hashed_.insert(hashed_email(*key, address));
  }
}

bool People::has(std::string_view email) const {
  return addresses_.contains(comparable_email(email));
}

void People::for_each_mention(
    std::string_view text, Masked masked,
    const std::function<void(std::string_view)>& each) const {
  for (const auto email : emails_in(text)) {
    const auto bare = behind_escape(text, email);
    const auto hash = as_hash(text, email);
    if (has(email)) {
      each(email);
    } else if (has(bare)) {
      each(bare);
    } else if (const auto part = behind_sign(email); has(part)) {
      each(part);
    } else if (!hash.empty() && hashed_.contains(comparable_email(hash))) {
      each(hash);
    } else if (masked == Masked::yes &&
               masked_.contains(comparable_email(email))) {
      each(email);
    }
  }
}

bool People::mentioned_in(std::string_view text) const {
  bool is = false;
  for_each_mention(text, Masked::no, [&](std::string_view) { is = true; });
  return is;
}

std::string People::without_mentions(std::string_view text,
                                     Masked masked) const {
  std::string out(text);
  for_each_mention(text, masked, [&](std::string_view mention) {
    out.replace(static_cast<std::size_t>(mention.data() - text.data()),
                mention.size(), forgotten_text(mention.size()));
  });
  return out;
}

std::string forgotten_text(std::size_t size) {
  std::string text(k_forgotten.substr(0, size));
  text.resize(size, '.');
  return text;
}

namespace {

using DryRun = ForgetOptions::DryRun;
using Masked = People::Masked;

constexpr std::size_t k_write_size = std::size_t{256} << 10;

bool is_waiting(State state) {
  return state == State::fresh || state == State::deferred ||
         state == State::held;
}

class Forgetting {
 public:
  Forgetting(Spool& spool, const People& people, const ForgetOptions& options)
      : spool_(spool), people_(people), options_(options) {}

  Result<> do_messages();
  Result<> do_keys();
  Result<> do_log();
  Result<> do_health();
  Forgotten take() { return std::move(done_); }
  Forgotten& done() { return done_; }

 private:
  // A file that has the address in it.
  struct Found {
    std::string folder;
    std::string name;
    State state = State::fresh;
  };
  // What becomes of a message.
  enum class Deed { none, remove, strike };
  struct Plan {
    Deed deed = Deed::none;
    Message struck;
    bool mentioned = false;
  };

  bool dry_run() const { return options_.dry_run == DryRun::yes; }
  Result<std::vector<Found>> look_in(State state);
  Result<> take_message(const Found& found, const std::string& id);
  Result<> act(const Found& found, const std::string& id);
  Result<> moved_on(const std::string& id);
  Result<> sync(const std::string& folder);
  Plan plan_for(const MessageFile& file, std::string_view content) const;
  void note(const Plan& plan, const std::string& id, State state);
  Result<> remove(const MessageFile& file, State state);
  Result<> strike(const MessageFile& file, const Plan& plan,
                  std::string_view content);
  Result<> overwrite(const Found& found);
  Result<> do_log_file(int log, const std::string& name);
  Result<std::size_t> overwrite_lines(int fd);
  Result<std::size_t> count_lines(int fd, const std::string& name,
                                  Compression form);
  Result<> rewrite_compressed(int log, const std::string& name, int from,
                              Compression form);
  Masked masked_in(std::string_view line) const;
  Result<> remove_digests();
  Result<RunnerFolder*> runner();

  Spool& spool_;
  const People& people_;
  const ForgetOptions& options_;
  Forgotten done_;
  std::optional<RunnerFolder> runner_;    // made when first needed
  std::unordered_set<std::string> ids_;   // of their messages
  std::unordered_set<std::string> gone_;  // of these the removed ones
};

Result<RunnerFolder*> Forgetting::runner() {
  if (!runner_) {
    auto made = RunnerFolder::create(spool_.folders());
    if (!made) return tl::unexpected(made.error());
    runner_.emplace(std::move(*made));
  }
  return &*runner_;
}

// --- Messages

// Those files of a state that have the address in them.
Result<std::vector<Forgetting::Found>> Forgetting::look_in(State state) {
  Folders& folders = spool_.folders();
  std::vector<Found> found;
  auto places = folders.folders_of(state);
  if (!places) return tl::unexpected(places.error());
  for (const auto& place : *places) {
    auto listed = folders.for_each_file(
        place, [&](const std::string& folder, const char* name) {
          if (name[0] == '.' || std::string_view(name).starts_with("journal."))
            return true;
          auto content =
              read_regular(folders.root(), folder + "/" + name,
                           k_message_file_limit, folders.trusted_owner());
          if (content && people_.mentioned_in(*content))
            found.push_back({folder, name, state});
          return true;
        });
    if (!listed) return tl::unexpected(listed.error());
  }
  return found;
}

Result<> Forgetting::do_messages() {
  // In the order of a message's life: one that moves on meanwhile is met.
  for (const State state : {State::fresh, State::deferred, State::held,
                            State::claimed, State::sent, State::failed}) {
    auto found = look_in(state);
    if (!found) return tl::unexpected(found.error());
    for (const auto& one : *found) {
      const std::string id(id_of_file_name(one.name));
      Result<> ok;
      if (state == State::claimed || (id.empty() && is_waiting(state)))
        done_.busy.push_back(id.empty() ? one.name : id);
      else if (id.empty())
        ok = overwrite(one);
      else
        ok = take_message(one, id);
      if (!ok) return wrap(ok.error(), "'" + one.folder + "/" + one.name + "'");
    }
  }
  std::erase_if(done_.busy,
                [&](const std::string& id) { return ids_.contains(id); });
  return {};
}

// What is to be done with a message to these recipients.
Forgetting::Plan Forgetting::plan_for(const MessageFile& file,
                                      std::string_view content) const {
  Plan plan;
  plan.struck = file.message;
  for (auto* list : {&plan.struck.to, &plan.struck.cc, &plan.struck.bcc})
    std::erase_if(*list, [&](const Address& address) {
      return people_.has(address.email);
    });
  const auto left = plan.struck.recipients().size();
  const bool was_to_them = left < file.message.recipients().size();
  const auto events = content.substr(content.find('\n') + 1);
  if (was_to_them && left == 0) {
    plan.deed = Deed::remove;
  } else if (was_to_them || people_.mentioned_in(events)) {
    plan.deed = Deed::strike;
  }
  plan.mentioned = plan.deed != Deed::remove &&
                   people_.mentioned_in(message_line(file.id, file.accepted_at,
                                                     file.mode, plan.struck));
  return plan;
}

void Forgetting::note(const Plan& plan, const std::string& id, State state) {
  if (plan.mentioned) done_.mentioned.push_back(id);
  if (plan.deed == Deed::none) return;
  ids_.insert(id);
  if (plan.deed == Deed::strike) {
    done_.struck.push_back(id);
    return;
  }
  gone_.insert(id);
  (is_waiting(state) ? done_.cancelled : done_.removed).push_back(id);
}

// Claims the message, so that nobody else is at work on it, and does what is
// to be done. One that only mentions them is left alone.
Result<> Forgetting::take_message(const Found& found, const std::string& id) {
  Folders& folders = spool_.folders();
  const std::string path = found.folder + "/" + found.name;
  auto content = read_regular(folders.root(), path, k_message_file_limit,
                              folders.trusted_owner());
  if (!content && content.error().kind == Error::Kind::not_found)
    return moved_on(id);
  if (!content) return tl::unexpected(content.error());
  const auto file = parse_message_file(*content, id);
  const Plan plan = file ? plan_for(*file, *content) : Plan();
  if (dry_run() || (file && plan.deed == Deed::none)) {
    if (file) {
      note(plan, id, found.state);
    } else {
      ++done_.files;
    }
    return {};
  }
  auto own = runner();
  if (!own) return tl::unexpected(own.error());
  auto claimed = (*own)->claim(found.folder, found.name, found.name);
  if (!claimed && (claimed.error().kind == Error::Kind::not_found ||
                   claimed.error().kind == Error::Kind::busy))
    return moved_on(id);
  if (!claimed) return claimed;
  return act(found, id);
}

// Somebody else has it now: if it is not met again it is to be looked for.
Result<> Forgetting::moved_on(const std::string& id) {
  done_.busy.push_back(id);
  return {};
}

// The folder may have gone meanwhile, as empty.
Result<> Forgetting::sync(const std::string& folder) {
  auto synced = spool_.folders().sync(folder);
  if (!synced && synced.error().kind == Error::Kind::not_found) return {};
  return synced;
}

// Whatever becomes of it, a message that is left goes back to its place.
Result<> Forgetting::act(const Found& found, const std::string& id) {
  Folders& folders = spool_.folders();
  const Found claimed{runner_->path(), found.name, found.state};
  auto content =
      read_regular(folders.root(), claimed.folder + "/" + claimed.name,
                   k_message_file_limit, folders.trusted_owner());
  if (!content) return tl::unexpected(content.error());
  auto file = parse_message_file(*content, id);
  Result<> ok;
  Plan plan;
  if (file) {
    plan = plan_for(*file, *content);
    if (plan.deed == Deed::remove) ok = remove(*file, found.state);
    if (plan.deed == Deed::strike) ok = strike(*file, plan, *content);
    if (ok) note(plan, id, found.state);
  } else {
    ok = overwrite(claimed);
  }
  if (ok && plan.deed == Deed::remove) return sync(found.folder);
  auto back =
      folders.move(claimed.folder, found.name, found.folder, found.name);
  if (back) back = sync(found.folder);
  return ok ? back : ok;
}

// The log is told of the end of what was still waiting: figures add up.
Result<> Forgetting::remove(const MessageFile& file, State state) {
  if (is_waiting(state)) {
    Event cancelled = spool_.event("cancelled", file.id, file.message);
    cancelled.reason = "its recipient was forgotten";
    std::string line;
    append_line(line, cancelled);
    auto ok = spool_.log().append(line, spool_.clock().now());
    if (ok) ok = spool_.log().sync();
    if (!ok) return ok;
  }
  const std::string path = runner_->path() + "/" + message_file_name(file.id);
  if (::unlinkat(spool_.folders().root(), path.c_str(), 0) != 0)
    return fail_errno(errno, "cannot remove '" + path + "'");
  return spool_.folders().sync(runner_->path());
}

// Writes the claimed file anew and renames it over the old one: all of it,
// but for the recipients and what its events say of them.
Result<> Forgetting::strike(const MessageFile& file, const Plan& plan,
                            std::string_view content) {
  Folders& folders = spool_.folders();
  std::string text =
      message_line(file.id, file.accepted_at, file.mode, plan.struck);
  text += people_.without_mentions(content.substr(content.find('\n') + 1),
                                   Masked::no);
  const std::string temporary =
      file.id + "." + std::to_string(::getpid()) + ".forget";
  auto fd = folders.create_in_tmp(temporary);
  if (!fd) return tl::unexpected(fd.error());
  const std::string path = runner_->path() + "/" + message_file_name(file.id);
  auto ok = write_all(fd->get(), text, temporary);
  if (ok) ok = sync_all(fd->get(), temporary);
  if (ok && ::renameat(folders.root(), ("tmp/" + temporary).c_str(),
                       folders.root(), path.c_str()) != 0)
    ok = fail_errno(errno, "cannot replace '" + path + "'");
  if (!ok) ::unlinkat(folders.root(), ("tmp/" + temporary).c_str(), 0);
  return ok;
}

// What is no message is left as it is, but for the bytes of the address.
Result<> Forgetting::overwrite(const Found& found) {
  ++done_.files;
  if (dry_run()) return {};
  struct stat info {};
  const std::string path = found.folder + "/" + found.name;
  auto fd =
      open_regular(spool_.folders().root(), path, O_RDWR, k_message_file_limit,
                   spool_.folders().trusted_owner(), &info);
  if (!fd) return tl::unexpected(fd.error());
  auto content = read_all(fd->get(), k_message_file_limit, path);
  if (!content) return tl::unexpected(content.error());
  const auto clean = people_.without_mentions(*content, Masked::no);
  if (auto ok = write_all_at(fd->get(), clean, 0, path); !ok) return ok;
  return sync_data(fd->get(), path);
}

// --- What is said of them elsewhere

Result<> Forgetting::do_keys() {
  auto removed = spool_.keys().remove_if(
      dry_run() ? IdempotencyKeys::DryRun::yes : IdempotencyKeys::DryRun::no,
      [&](std::string_view key, std::string_view id) {
        return gone_.contains(std::string(id)) || people_.mentioned_in(key);
      });
  if (!removed) return tl::unexpected(removed.error());
  done_.keys = *removed;
  return {};
}

Result<> Forgetting::do_health() {
  auto names = spool_.folders().sub_folders("state/providers");
  if (!names && names.error().kind == Error::Kind::not_found) return {};
  if (!names) return tl::unexpected(names.error());
  HealthFiles store(spool_.folders());
  for (const auto& file : *names) {
    if (!file.ends_with(".json")) continue;
    const std::string name = file.substr(0, file.size() - 5);
    auto health = store.read(name);
    if (!health || !people_.mentioned_in(health->last_error)) continue;
    ++done_.providers;
    if (dry_run()) continue;
    auto updated = store.update(name, [&](ProviderHealth& one) {
      one.last_error = people_.without_mentions(one.last_error, Masked::no);
    });
    if (!updated) return tl::unexpected(updated.error());
  }
  return {};
}

// --- The event log

// What is masked is theirs only where the line is about a message of theirs.
Masked Forgetting::masked_in(std::string_view line) const {
  constexpr std::string_view k_member = "\"id\":\"";
  const auto at = line.find(k_member);
  if (at == std::string_view::npos) return Masked::no;
  const auto id = line.substr(at + k_member.size(), k_message_id_size);
  return ids_.contains(std::string(id)) ? Masked::yes : Masked::no;
}

Result<> Forgetting::do_log() {
  auto log = spool_.folders().existing("log");
  if (!log && log.error().kind == Error::Kind::not_found) return {};
  if (!log) return tl::unexpected(log.error());
  std::vector<std::string> names;
  auto listed = for_each_name(*log, [&](const char* name) {
    if (std::string_view(name).starts_with("events-")) names.emplace_back(name);
    return true;
  });
  if (!listed) return listed;
  std::sort(names.begin(), names.end());
  for (const auto& name : names)
    if (auto ok = do_log_file(*log, name); !ok)
      return wrap(ok.error(), "'log/" + name + "'");
  if (done_.log_lines > 0 && !dry_run()) return remove_digests();
  return {};
}

Result<> Forgetting::do_log_file(int log, const std::string& name) {
  const Compression form = compression_of(name);
  auto fd = open_regular(log, name, O_RDWR, SIZE_MAX,
                         spool_.folders().trusted_owner(), nullptr);
  if (!fd && fd.error().kind == Error::Kind::not_found) return {};
  if (!fd) return tl::unexpected(fd.error());
  const bool in_place = form == Compression::none && !dry_run();
  auto lines = in_place ? overwrite_lines(fd->get())
                        : count_lines(fd->get(), name, form);
  if (!lines) return tl::unexpected(lines.error());
  if (*lines == 0) return {};
  // A damaged one is not written anew: what is behind the damage would be
  // lost, and may still be had by hand.
  if (!done_.not_read.empty() && done_.not_read.back() == name) return {};
  done_.log_lines += *lines;
  ++done_.log_files;
  if (in_place) return sync_data(fd->get(), name);
  if (dry_run()) return {};
  return rewrite_compressed(log, name, fd->get(), form);
}

Result<std::size_t> Forgetting::count_lines(int fd, const std::string& name,
                                            Compression form) {
  auto source = open_source(fd, form, 0);
  if (!source) return tl::unexpected(source.error());
  LineReader reader(**source, 0);
  std::size_t count = 0;
  std::string_view line;
  for (;;) {
    auto more = reader.next(line);
    if (!more) return tl::unexpected(more.error());
    if (!*more) {
      if ((*source)->is_cut_off()) done_.not_read.push_back(name);
      return count;
    }
    bool found = false;
    people_.for_each_mention(line, masked_in(line),
                             [&](std::string_view) { found = true; });
    count += found;
  }
}

// In place, byte for byte: others append to the file, and readers are
// somewhere in it.
Result<std::size_t> Forgetting::overwrite_lines(int fd) {
  auto source = open_source(fd, Compression::none, 0);
  if (!source) return tl::unexpected(source.error());
  LineReader reader(**source, 0);
  std::size_t count = 0;
  Result<> ok;
  const auto clean = [&](std::string_view line, off_t begin) {
    bool found = false;
    people_.for_each_mention(
        line, masked_in(line), [&](std::string_view mention) {
          found = true;
          const auto at = begin + (mention.data() - line.data());
          if (ok)
            ok = write_all_at(fd, forgotten_text(mention.size()),
                              static_cast<std::uint64_t>(at), "the event log");
        });
    count += found;
  };
  std::string_view line;
  for (;;) {
    const off_t begin = reader.offset();
    auto more = reader.next(line);
    if (!more) return tl::unexpected(more.error());
    if (!*more) break;
    clean(line, begin);
    if (!ok) return tl::unexpected(ok.error());
  }
  // A line that a crash cut short, or that is being written.
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return fail_errno(errno, "cannot look at the event log");
  std::string rest(std::clamp<std::size_t>(
                       static_cast<std::size_t>(info.st_size - reader.offset()),
                       k_write_size, k_longest_line),
                   '\0');
  const ssize_t n = ::pread(fd, rest.data(), rest.size(), reader.offset());
  if (n < 0) return fail_errno(errno, "cannot read the event log");
  clean(std::string_view(rest).substr(0, static_cast<std::size_t>(n)),
        reader.offset());
  if (!ok) return tl::unexpected(ok.error());
  return count;
}

// Nobody appends to a compressed file: it is written anew, as gzip, and
// renamed over the old one.
Result<> Forgetting::rewrite_compressed(int log, const std::string& name,
                                        int from, Compression form) {
  Folders& folders = spool_.folders();
  const std::string plain_name =
      "forget." + std::to_string(::getpid()) + ".jsonl";
  const std::string packed_name = plain_name + ".gz";
  const auto in_tmp = [](const std::string& one) { return "tmp/" + one; };
  const auto clear = [&] {
    ::unlinkat(folders.root(), in_tmp(plain_name).c_str(), 0);
    ::unlinkat(folders.root(), in_tmp(packed_name).c_str(), 0);
  };
  clear();
  auto plain = folders.create_in_tmp(plain_name);
  if (!plain) return tl::unexpected(plain.error());
  auto packed = folders.create_in_tmp(packed_name);
  if (!packed) {
    clear();
    return tl::unexpected(packed.error());
  }
  // The name is that of the form that it has now.
  std::string new_name = name;
  if (form == Compression::zstd)
    new_name = name.substr(0, name.size() - 4) + ".gz";
  const auto write = [&]() -> Result<> {
    auto source = open_source(from, form, 0);
    if (!source) return tl::unexpected(source.error());
    LineReader reader(**source, 0);
    std::string out;
    std::string_view line;
    for (;;) {
      auto more = reader.next(line);
      if (!more) return tl::unexpected(more.error());
      if (*more) out += people_.without_mentions(line, masked_in(line)) + "\n";
      if (*more && out.size() < k_write_size) continue;
      auto ok = write_all(plain->get(), std::exchange(out, {}), plain_name);
      if (!ok) return ok;
      if (!*more) break;
    }
    if (::lseek(plain->get(), 0, SEEK_SET) != 0)
      return fail_errno(errno, "cannot read '" + plain_name + "'");
    if (auto ok = compress_file(plain->get(), packed->get()); !ok) return ok;
    if (auto ok = sync_all(packed->get(), packed_name); !ok) return ok;
    if (::renameat2(folders.root(), in_tmp(packed_name).c_str(), log,
                    new_name.c_str(),
                    new_name == name ? 0 : RENAME_NOREPLACE) != 0)
      return fail_errno(errno, "cannot replace 'log/" + name + "'");
    if (new_name != name && ::unlinkat(log, name.c_str(), 0) != 0)
      return fail_errno(errno, "cannot remove 'log/" + name + "'");
    return sync_all(log, "log");
  };
  auto done = write();
  clear();
  return done;
}

// What a report remembers of the log is made again.
Result<> Forgetting::remove_digests() {
  auto folder = open_folder(spool_.folders().root(), "state/report");
  if (!folder && folder.error().kind == Error::Kind::not_found) return {};
  if (!folder) return tl::unexpected(folder.error());
  std::vector<std::string> names;
  auto listed = for_each_name(folder->get(), [&](const char* name) {
    names.emplace_back(name);
    return true;
  });
  if (!listed) return listed;
  for (const auto& name : names)
    if (::unlinkat(folder->get(), name.c_str(), 0) != 0 && errno != ENOENT &&
        errno != EISDIR)
      return fail_errno(errno, "cannot remove 'state/report/" + name + "'");
  return sync_all(folder->get(), "state/report");
}

// --- Suppressions

// Those who were suppressed. Kept, they are a hash and no more than that.
Result<std::vector<Suppression>> forget_suppressions(
    Spool& spool, std::span<const std::string> addresses,
    const ForgetOptions& options) {
  Suppressions list(spool.folders());
  if (auto ok = list.refresh(); !ok) return tl::unexpected(ok.error());
  const bool keep =
      options.suppressed == ForgetOptions::Suppressed::keep_hashed;
  std::vector<Suppression> there;
  std::vector<std::string> go;  // the addresses whose entries are removed
  for (const auto& address : addresses) {
    auto entry = list.find(address);
    if (!entry) return tl::unexpected(entry.error());
    if (!*entry) continue;
    const bool is_hash = (*entry)->address.starts_with("h:");
    if (!keep || !is_hash) go.push_back(address);
    there.push_back(std::move(**entry));
    there.back().address = comparable_email(address);
  }
  if (options.dry_run == DryRun::yes || go.empty()) return there;
  if (keep) {
    auto key = spool.log().mask().key();
    if (!key) return tl::unexpected(key.error());
    std::vector<Suppression> hashed;
    for (const auto& one : there)
      hashed.push_back({hashed_email(*key, one.address),
                        one.reason,
                        one.since,
                        one.provider,
                        {},
                        {}});
    // Before the others go: nobody is sent to for a moment.
    if (auto added = list.add(hashed); !added)
      return tl::unexpected(added.error());
  }
  // Who has both an entry and a hash loses the hash in a second round.
  for (int round = 0; round < (keep ? 1 : 2); ++round)
    if (auto removed = list.remove(go); !removed)
      return tl::unexpected(removed.error());
  return there;
}

}  // namespace

Result<Forgotten> forget(Spool& spool, std::span<const std::string> addresses,
                         const ForgetOptions& options) {
  auto key = spool.log().mask().existing_key();
  if (!key) return tl::unexpected(key.error());
  const People people(addresses, *key);
  Forgetting forgetting(spool, people, options);
  if (auto ok = forgetting.do_messages(); !ok)
    return tl::unexpected(ok.error());
  if (auto ok = forgetting.do_keys(); !ok) return tl::unexpected(ok.error());
  if (auto ok = forgetting.do_log(); !ok) return tl::unexpected(ok.error());
  if (auto ok = forgetting.do_health(); !ok) return tl::unexpected(ok.error());
  auto suppressions = forget_suppressions(spool, addresses, options);
  if (!suppressions) return tl::unexpected(suppressions.error());
  forgetting.done().suppressions = std::move(*suppressions);
  return forgetting.take();
}

}  // namespace pony
