#include "cmd/message_ids.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace pony {
namespace {

using Each = std::function<Result<>(std::span<const std::string>)>;

constexpr std::size_t k_read_size = std::size_t{64} << 10;
// A longer line holds no id; it is cut, so that it costs no memory.
constexpr std::size_t k_line_limit = 4096;

// Gathers ids and hands them on in groups.
class Groups {
 public:
  explicit Groups(const Each& each) : each_(each) {}

  Result<> add(std::string id) {
    ids_.push_back(std::move(id));
    return ids_.size() < k_ids_together ? Result<>() : hand_on();
  }
  Result<> hand_on() {
    if (ids_.empty()) return {};
    auto done = each_(ids_);
    ids_.clear();
    return done;
  }

 private:
  const Each& each_;
  std::vector<std::string> ids_;
};

std::string_view first_word(std::string_view line) {
  constexpr std::string_view k_space = " \t\r";
  const auto begin = line.find_first_not_of(k_space);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  line = line.substr(0, line.find_first_of(k_space));
  if (line.ends_with(':')) line.remove_suffix(1);
  return line;
}

bool more_is_there(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

Result<> read_lines(int fd, Groups& groups) {
  std::string rest;
  std::vector<char> buffer(k_read_size);
  for (bool ended = false; !ended;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "cannot read standard input");
    ended = n == 0;
    rest.append(buffer.data(), static_cast<std::size_t>(n));
    if (ended) rest.push_back('\n');
    std::size_t start = 0;
    for (auto end = rest.find('\n'); end != std::string::npos;
         end = rest.find('\n', start)) {
      const auto word =
          first_word(std::string_view(rest).substr(start, end - start));
      start = end + 1;
      if (word.empty()) continue;
      if (auto ok = groups.add(std::string(word)); !ok) return ok;
    }
    rest.erase(0, start);
    if (rest.size() > k_line_limit) rest.resize(k_line_limit);
    if (!ended && !more_is_there(fd))
      if (auto ok = groups.hand_on(); !ok) return ok;
  }
  return {};
}

}  // namespace

Result<> for_each_id(const std::vector<std::string>& words, Context& context,
                     const Each& each) {
  Groups groups(each);
  for (const auto& word : words) {
    auto ok =
        word == "-" ? read_lines(context.io().in(), groups) : groups.add(word);
    if (!ok) return ok;
  }
  return groups.hand_on();
}

}  // namespace pony
