// Delivery into a Maildir; the format is qmail's maildir(5).
//
// Promises: a message is in new/ whole and durable before it is called
// accepted; whatever fails before its rename leaves nothing behind.
// Attempts that are started within one turn of the loop are synced together:
// all are written first, and new/ is synced once.
#include "core/provider/maildir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/fs.h"
#include "core/host_name.h"
#include "core/json.h"
#include "core/provider/envelope.h"
#include "core/provider/local_mail.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

// The host's part of a file name: '/' and ':' mean something there and are
// written as maildir(5) says.
std::string host_part() {
  std::string out;
  for (const char c : host_name()) {
    if (c == '/') {
      out += "\\057";
    } else if (c == ':') {
      out += "\\072";
    } else {
      out += c;
    }
  }
  return out;
}

struct Folders {
  Fd tmp;
  Fd fresh;  // new/
};

// Opens `path`, making it and what is above it where missing.
Result<Fd> open_path(const std::string& path) {
  if (auto folder =
          Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      folder) {
    return folder;
  }
  if (errno != ENOENT) {
    return fail_errno(errno, "cannot open folder '" + path + "'");
  }
  const auto slash = path.find_last_of('/');
  if (slash == path.npos || slash + 1 == path.size()) {
    return fail(Error::Kind::config, "'" + path + "' is no absolute path");
  }
  auto parent = open_path(slash == 0 ? "/" : path.substr(0, slash));
  if (!parent) return parent;
  return open_or_make_folder(parent->get(), path.substr(slash + 1), 0700);
}

Result<Folders> open_maildir(const std::string& path) {
  auto root = open_path(path);
  if (!root) return tl::unexpected<Error>(root.error());
  // cur/ is the reader's; it is made because a Maildir without it is none.
  auto cur = open_or_make_folder(root->get(), "cur", 0700);
  if (!cur) return tl::unexpected<Error>(cur.error());
  Folders folders;
  auto tmp = open_or_make_folder(root->get(), "tmp", 0700);
  if (!tmp) return tl::unexpected<Error>(tmp.error());
  folders.tmp = std::move(*tmp);
  auto fresh = open_or_make_folder(root->get(), "new", 0700);
  if (!fresh) return tl::unexpected<Error>(fresh.error());
  folders.fresh = std::move(*fresh);
  return folders;
}

class MaildirProvider : public Provider {
 public:
  MaildirProvider(const ProviderConfig& config, std::string path,
                  Reactor& reactor, const Clock& clock)
      : name_(config.name),
        path_(std::move(path)),
        host_(host_part()),
        room_(std::max(1, config.connections)),
        reactor_(reactor),
        clock_(clock) {}
  ~MaildirProvider() override { drop_written(); }

  std::string_view name() const override { return name_; }
  std::string_view type() const override { return "maildir"; }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  int room() const override {
    return room_ - static_cast<int>(written_.size());
  }
  void start(Attempt attempt, Done done) override;
  void check(std::function<void(ProviderCheck)> checked) override;
  void shut_down() override;
  Result<std::string> preview(const Attempt& attempt,
                              std::vector<std::string>& reduced) const override;

 private:
  // A message in tmp/, not yet synced.
  struct Written {
    std::string file;
    Fd fd;
    std::size_t recipients = 0;
    Done done;
    Steady::time_point started;
    Verdict verdict;
  };

  Result<std::string> content(const Attempt& attempt) const;
  Result<> write(const Attempt& attempt, const std::string& mail, Written& to);
  void settle_all();
  void settle(Written& one) const;
  void answer(std::vector<Written> all) const;
  void drop_written();

  std::string name_;
  std::string path_;
  std::string host_;
  int room_;
  Reactor& reactor_;
  const Clock& clock_;
  std::optional<Folders> folders_;
  std::vector<Written> written_;
  Reactor::TimerId settling_ = 0;  // 0: not set
  std::uint64_t count_ = 0;
};

void give_up(Verdict& verdict, const Error& error) {
  verdict.outcome = Outcome::unavailable;
  verdict.error = printable(error.what, 1000);
}

std::optional<std::string> MaildirProvider::cannot_carry(
    const Attempt& attempt) const {
  auto envelope = envelope_of(attempt);
  if (!envelope) return envelope.error().what;
  return std::nullopt;
}

Result<std::string> MaildirProvider::content(const Attempt& attempt) const {
  auto envelope = envelope_of(attempt);
  if (!envelope) return tl::unexpected<Error>(envelope.error());
  auto mail = local_mail(*attempt.message);
  if (!mail) return mail;
  mail->insert(0, fmt::format("Return-Path: <{}>\n", envelope->sender));
  return mail;
}

Result<std::string> MaildirProvider::preview(const Attempt& attempt,
                                             std::vector<std::string>&) const {
  return content(attempt);
}

void MaildirProvider::start(Attempt attempt, Done done) {
  Written one;
  one.recipients = attempt.recipients.size();
  one.done = std::move(done);
  one.started = Steady::now();
  std::vector<Written> refused;
  auto mail = content(attempt);
  if (!mail) {
    give_up(one.verdict, mail.error());
    one.verdict.outcome = Outcome::rejected;
    one.verdict.counts_against_provider = false;
    refused.push_back(std::move(one));
    return answer(std::move(refused));
  }
  if (auto wrote = write(attempt, *mail, one); !wrote) {
    give_up(one.verdict, wrote.error());
    // Perhaps somebody removed the folders: look for them again next time.
    if (written_.empty()) folders_.reset();
    refused.push_back(std::move(one));
    return answer(std::move(refused));
  }
  written_.push_back(std::move(one));
  if (settling_ != 0) return;
  settling_ = reactor_.after(Milliseconds(0), [this] { settle_all(); });
}

Result<> MaildirProvider::write(const Attempt& attempt, const std::string& mail,
                                Written& to) {
  if (!folders_) {
    auto folders = open_maildir(path_);
    if (!folders) return tl::unexpected<Error>(folders.error());
    folders_ = std::move(*folders);
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
      clock_.now().time_since_epoch());
  const std::string file =
      fmt::format("{}.{}_{}P{}Q{}.{}", seconds.count(), attempt.message->id,
                  attempt.number, ::getpid(), ++count_, host_);
  if (file.find('/') != file.npos) {
    return fail(Error::Kind::bad_data, "a message's id holds a '/'");
  }
  to.fd =
      Fd(::openat(folders_->tmp.get(), file.c_str(),
                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to.fd) {
    return fail_errno(errno, "cannot write into '" + path_ + "/tmp'");
  }
  to.file = file;
  auto wrote = write_all(to.fd.get(), mail, file);
  if (!wrote) ::unlinkat(folders_->tmp.get(), file.c_str(), 0);
  return wrote;
}

// Makes what was written durable and visible, then answers for all of it.
void MaildirProvider::settle_all() {
  settling_ = 0;
  auto all = std::exchange(written_, {});
  for (Written& one : all) settle(one);
  if (auto synced = sync_all(folders_->fresh.get(), path_ + "/new"); !synced) {
    // They can be seen, and may be gone after a power cut.
    for (Written& one : all) {
      if (one.verdict.outcome != Outcome::accepted) continue;
      give_up(one.verdict, synced.error());
      one.verdict.outcome = Outcome::unknown;
    }
    folders_.reset();
  }
  answer(std::move(all));
}

void MaildirProvider::settle(Written& one) const {
  const int tmp = folders_->tmp.get();
  auto done = sync_all(one.fd.get(), one.file);
  if (done) done = one.fd.close(one.file);
  if (done && ::renameat(tmp, one.file.c_str(), folders_->fresh.get(),
                         one.file.c_str()) != 0) {
    done = fail_errno(errno, "cannot rename into '" + path_ + "/new'");
  }
  if (!done) {
    ::unlinkat(tmp, one.file.c_str(), 0);
    return give_up(one.verdict, done.error());
  }
  one.verdict.outcome = Outcome::accepted;
  one.verdict.provider_id = one.file;
}

void MaildirProvider::answer(std::vector<Written> all) const {
  for (Written& one : all) {
    AttemptResult result;
    result.verdicts.assign(one.recipients, one.verdict);
    result.latency =
        std::chrono::duration_cast<Milliseconds>(Steady::now() - one.started);
    one.done(std::move(result));
  }
}

void MaildirProvider::drop_written() {
  reactor_.cancel(std::exchange(settling_, 0));
  for (const Written& one : written_) {
    ::unlinkat(folders_->tmp.get(), one.file.c_str(), 0);
  }
}

void MaildirProvider::check(std::function<void(ProviderCheck)> checked) {
  auto folders = open_maildir(path_);
  if (!folders) return checked({false, folders.error().what});
  const bool writable =
      ::faccessat(folders->tmp.get(), ".", W_OK | X_OK, AT_EACCESS) == 0;
  checked(writable
              ? ProviderCheck{true, "'" + path_ + "' can be written to"}
              : ProviderCheck{false, "cannot write into '" + path_ +
                                         "/tmp': " + std::strerror(errno)});
}

void MaildirProvider::shut_down() {
  drop_written();
  auto all = std::exchange(written_, {});
  for (Written& one : all) one.verdict.error = "given up before it was synced";
  answer(std::move(all));
}

}  // namespace

Result<std::unique_ptr<Provider>> make_maildir_provider(
    const ProviderConfig& config, Reactor& reactor, const Clock& clock) {
  std::string path = config.setting("path");
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.empty() || path.front() != '/') {
    return fail(Error::Kind::config,
                fmt::format("{}: provider '{}' has no absolute 'path'",
                            config.place, config.name));
  }
  return std::make_unique<MaildirProvider>(config, std::move(path), reactor,
                                           clock);
}

}  // namespace pony
