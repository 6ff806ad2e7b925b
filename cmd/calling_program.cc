#include "cmd/calling_program.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "core/address.h"
#include "core/fs.h"
#include "core/json.h"

namespace pony {
namespace {

constexpr std::size_t k_stat_limit = 4096;
constexpr int k_most_shells = 16;
constexpr std::array<std::string_view, 8> k_shells = {
    "sh", "dash", "bash", "busybox", "ksh", "mksh", "zsh", "ash"};

struct Process {
  std::string name;
  int parent = 0;
};

// From "pid (name) state parent …"; the name may hold anything.
Process process(const std::string& proc, int pid) {
  Process found;
  const std::string path = proc + "/" + std::to_string(pid) + "/stat";
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return found;
  const auto read = read_all(fd.get(), k_stat_limit, path);
  if (!read) return found;
  const std::string& text = *read;
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open ||
      close + 4 > text.size())
    return found;
  found.name = text.substr(open + 1, close - open - 1);
  const char* const begin = text.data() + close + 4;  // ") S "
  (void)std::from_chars(begin, text.data() + text.size(), found.parent);
  return found;
}

// passwd's comment is "Ann Smith,room,phone"; an '&' is the login, with a
// capital.
std::string name_of_comment(std::string_view comment,
                            const std::string& login) {
  std::string name;
  for (const char c : comment.substr(0, comment.find(','))) {
    if (c != '&') {
      name += c;
      continue;
    }
    name += login;
    char& first = name[name.size() - login.size()];
    if (first >= 'a' && first <= 'z')
      first = static_cast<char>(first - 'a' + 'A');
  }
  return is_utf8(name) && !has_control(name) ? name : std::string();
}

}  // namespace

CallingUser calling_user() {
  CallingUser user;
  const uid_t uid = ::getuid();
  const passwd* entry = ::getpwuid(uid);
  if (entry != nullptr && entry->pw_name != nullptr)
    user.login = entry->pw_name;
  if (!check_email(user.login + "@localhost"))
    user.login = "uid" + std::to_string(uid);
  if (entry != nullptr && entry->pw_gecos != nullptr)
    user.full_name = name_of_comment(entry->pw_gecos, user.login);
  return user;
}

std::string calling_program(const std::string& proc, int pid) {
  pid = process(proc, pid).parent;
  for (int i = 0; i < k_most_shells && pid > 0; ++i) {
    const Process one = process(proc, pid);
    const bool is_shell =
        std::find(k_shells.begin(), k_shells.end(), one.name) != k_shells.end();
    if (!is_shell) return one.name;
    pid = one.parent;
  }
  return {};
}

}  // namespace pony
