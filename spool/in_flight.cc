#include "spool/in_flight.h"

#include <fcntl.h>

#include <string_view>

#include "core/fs.h"
#include "spool/log_window.h"

namespace pony {
namespace {

constexpr std::size_t k_journal_limit = std::size_t{64} << 20;

using Begun = std::map<std::string, std::string, std::less<>>;  // id, provider

void read_journal(std::string_view text, Begun& begun) {
  // Zeros are what it has ahead.
  text = text.substr(0, text.find('\0'));
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto kind = text_in_line(line, "\"event\":\"");
    const auto id = text_in_line(line, "\"id\":\"");
    if (kind == "attempting") {
      begun[std::string(id)] = text_in_line(line, "\"provider\":\"");
    } else if (const auto it = begun.find(id); it != begun.end()) {
      begun.erase(it);
    }
  }
}

}  // namespace

Result<std::map<std::string, std::uint64_t>> attempts_in_flight(
    Folders& folders) {
  std::map<std::string, std::uint64_t> counts;
  auto runners = folders.sub_folders("cur");
  if (!runners) return tl::unexpected(runners.error());
  for (const auto& runner : *runners) {
    auto folder = open_folder(folders.root(), "cur/" + runner);
    if (!folder) continue;
    Begun begun;
    (void)for_each_name(folder->get(), [&](const char* name) {
      if (!std::string_view(name).starts_with("journal.")) return true;
      const auto text = read_regular(folder->get(), name, k_journal_limit,
                                     folders.trusted_owner());
      if (text) read_journal(*text, begun);
      return true;
    });
    for (const auto& [id, provider] : begun) ++counts[provider];
  }
  return counts;
}

}  // namespace pony
