#include "spool/address_mask.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/address.h"
#include "core/fs.h"

namespace pony {
namespace {

constexpr const char* k_key_name = "address.key";
constexpr std::string_view k_key_what = "state/address.key";
constexpr std::size_t k_key_file_limit = 100;

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

bool is_local_byte(char c) {
  constexpr std::string_view k_others = "!#$%&'*+-/=?^_`{|}~.";
  return is_word_byte(c) || k_others.find(c) != std::string_view::npos;
}

bool is_domain_byte(char c) {
  return is_word_byte(c) || c == '-' || c == '.';
}

// How many bytes the first character of UTF-8 has.
std::size_t first_character(std::string_view text) {
  std::size_t size = text.empty() ? 0 : 1;
  while (size < text.size() &&
         (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
    ++size;
  return size;
}

// `text` with each address in it as `respell` has it.
template <class Respell>
std::string with_emails(std::string_view text, const Respell& respell) {
  std::string out;
  const char* end = text.data();
  for (const auto email : emails_in(text)) {
    out.append(end, email.data());
    out += respell(email);
    end = email.data() + email.size();
  }
  return out.append(end, text.data() + text.size());
}

template <class Respell>
void respell_event(Event& event, const Respell& respell) {
  for (auto& recipient : event.recipients) {
    recipient.email = with_emails(recipient.email, respell);
    recipient.error = with_emails(recipient.error, respell);
  }
  event.recipient = with_emails(event.recipient, respell);
  event.error = with_emails(event.error, respell);
  event.reason = with_emails(event.reason, respell);
}

bool holds_at(std::string_view text) {
  return text.find('@') != std::string_view::npos;
}

Result<HashKey> random_key() {
  HashKey key{};
  if (::getrandom(key.data(), sizeof key, 0) != sizeof key)
    return fail_errno(errno, "cannot make '" + std::string(k_key_what) + "'");
  return key;
}

// Puts a new key in its place; the first of those who try wins.
Result<> make_key(Folders& folders, int state) {
  auto key = random_key();
  if (!key) return tl::unexpected(key.error());
  const std::string temporary =
      std::string(k_key_name) + "." + std::to_string(::getpid());
  ::unlinkat(folders.root(), ("tmp/" + temporary).c_str(), 0);
  auto fd = folders.create_in_tmp(temporary);
  if (!fd) return tl::unexpected(fd.error());
  auto done = write_all(fd->get(), to_text(*key) + "\n", temporary);
  if (done) done = sync_all(fd->get(), temporary);
  const std::string path = "tmp/" + temporary;
  if (done &&
      ::renameat2(folders.root(), path.c_str(), state, k_key_name,
                  RENAME_NOREPLACE) != 0 &&
      errno != EEXIST)
    done = fail_errno(errno, "cannot make '" + std::string(k_key_what) + "'");
  ::unlinkat(folders.root(), path.c_str(), 0);
  if (done) done = sync_all(state, "state");
  return done;
}

}  // namespace

std::vector<std::string_view> emails_in(std::string_view text) {
  std::vector<std::string_view> emails;
  std::size_t taken = 0;  // up to here it belongs to the one before
  for (auto at = text.find('@'); at != std::string_view::npos;
       at = text.find('@', at + 1)) {
    std::size_t begin = at;
    while (begin > taken && is_local_byte(text[begin - 1])) --begin;
    while (begin < at && (text[begin] == '\'' || text[begin] == '`')) ++begin;
    std::size_t end = at + 1;
    while (end < text.size() && is_domain_byte(text[end])) ++end;
    while (end > at + 1 && (text[end - 1] == '.' || text[end - 1] == '-'))
      --end;
    if (begin == at || end == at + 1) continue;
    emails.push_back(text.substr(begin, end - begin));
    taken = end;
  }
  return emails;
}

std::string masked_email(std::string_view email) {
  const auto local = local_part(email);
  std::string masked(local.substr(0, first_character(local)));
  return masked.append("***@").append(domain_of(email));
}

std::string hashed_email(const HashKey& key, std::string_view email) {
  const std::string comparable = comparable_email(email);
  return "h:" + keyed_hash_text(key, comparable) + "@" +
         std::string(domain_of(comparable));
}

Result<std::string_view> AddressMask::masked(std::string_view lines) {
  if (how_ == LogAddresses::full || !holds_at(lines)) return lines;
  if (how_ == LogAddresses::hash)
    if (auto made = key(); !made) return tl::unexpected(made.error());
  const auto respell = [&](std::string_view email) {
    return how_ == LogAddresses::hash ? hashed_email(*key_, email)
                                      : masked_email(email);
  };
  lines_.clear();
  while (!lines.empty()) {
    const auto size = std::min(lines.find('\n'), lines.size() - 1) + 1;
    const auto line = lines.substr(0, size);
    lines.remove_prefix(size);
    if (!holds_at(line)) {
      lines_.append(line);
    } else if (auto event = parse_event(line)) {
      respell_event(*event, respell);
      append_line(lines_, *event);
    } else {
      lines_ += with_emails(line, respell);
    }
  }
  return std::string_view(lines_);
}

std::vector<std::string> AddressMask::keys_of(const Event& event) {
  std::vector<std::string> keys = {event.natural_key()};
  if (event.recipient.empty() && event.recipients.empty()) return keys;
  Event respelled = event;
  respell_event(respelled, masked_email);
  keys.push_back(respelled.natural_key());
  const auto key = existing_key();
  if (!key || !*key) return keys;
  respelled = event;
  respell_event(respelled, [&](std::string_view email) {
    return hashed_email(**key, email);
  });
  keys.push_back(respelled.natural_key());
  return keys;
}

Result<std::optional<HashKey>> AddressMask::existing_key() {
  if (key_) return key_;
  auto state = folders_.folder("state");
  if (!state) return tl::unexpected(state.error());
  auto text = read_regular(*state, k_key_name, k_key_file_limit,
                           folders_.trusted_owner());
  if (!text && text.error().kind == Error::Kind::not_found)
    return std::optional<HashKey>();
  if (!text) return tl::unexpected(text.error());
  if (text->ends_with('\n')) text->pop_back();
  key_ = hash_key_from(*text);
  if (!key_)
    return fail(Error::Kind::bad_data,
                "'" + std::string(k_key_what) + "' holds no key",
                "remove it, and a new one is made; hashes in the log before "
                "and after it have nothing in common then");
  return key_;
}

Result<HashKey> AddressMask::key() {
  for (int round = 0;; ++round) {
    auto key = existing_key();
    if (!key) return tl::unexpected(key.error());
    if (*key) return **key;
    if (round > 0)
      return fail(Error::Kind::temporary,
                  "'" + std::string(k_key_what) + "' comes and goes");
    auto state = folders_.folder("state");
    if (!state) return tl::unexpected(state.error());
    if (auto made = make_key(folders_, *state); !made)
      return tl::unexpected(made.error());
  }
}

}  // namespace pony
