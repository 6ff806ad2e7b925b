#include "cmd/complete_values.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>

#include "core/template/template_store.h"
#include "spool/message_file.h"
#include "spool/message_id.h"

namespace pony {
namespace {

constexpr std::size_t k_names_read = 20'000;
constexpr std::size_t k_ids_shown = 100;
constexpr std::size_t k_logs_read = 2;
constexpr off_t k_log_tail = off_t{256} << 10;
constexpr std::size_t k_tags_shown = 100;

// The spool, if there is one: to press a key makes none.
Spool* existing_spool(Context& context) {
  auto config = context.config();
  if (!config) return nullptr;
  struct stat info {};
  const std::string inside = (*config)->spool + "/new";
  if (::stat(inside.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return nullptr;
  auto spool = context.spool();
  return spool ? *spool : nullptr;
}

struct Seen {
  std::string id;
  State state = State::fresh;
};

// Whole lines of the end of a log.
std::string tail_of(int root, const std::string& path) {
  const Fd fd(::openat(root, path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  const off_t from = std::max<off_t>(info.st_size - k_log_tail, 0);
  std::string text(static_cast<std::size_t>(info.st_size - from), '\0');
  const ssize_t n = ::pread(fd.get(), text.data(), text.size(), from);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  if (from > 0) text.erase(0, text.find('\n') + 1);
  return text;
}

void add_tags(std::string_view lines, std::set<std::string>& tags) {
  while (!lines.empty() && tags.size() < k_tags_shown) {
    const auto end = lines.find('\n');
    const auto line = lines.substr(0, end);
    if (line.find("\"tags\":") != std::string_view::npos)
      if (const auto event = parse_event(line))
        tags.insert(event->tags.begin(), event->tags.end());
    if (end == std::string_view::npos) return;
    lines.remove_prefix(end + 1);
  }
}

}  // namespace

std::vector<Candidate> ids_that_exist(Context& context,
                                      const std::vector<State>& states,
                                      std::string_view prefix) {
  Spool* spool = existing_spool(context);
  if (spool == nullptr) return {};
  std::vector<Seen> seen;
  std::size_t read = 0;
  for (const State state : states) {
    auto folders = spool->folders().folders_of(state);
    if (!folders) continue;
    // The last days and minutes first: there are the newest.
    std::reverse(folders->begin(), folders->end());
    for (const auto& folder : *folders) {
      if (read >= k_names_read) break;
      (void)spool->folders().for_each_file(
          folder, [&](const std::string&, const char* name) {
            const auto id = id_of_file_name(name);
            if (id.starts_with(prefix) && !id.empty())
              seen.push_back({std::string(id), state});
            return ++read < k_names_read;
          });
    }
    read = 0;
  }
  std::sort(seen.begin(), seen.end(),
            [](const Seen& a, const Seen& b) { return a.id > b.id; });
  if (seen.size() > k_ids_shown) seen.resize(k_ids_shown);
  const Time now = context.clock().now();
  std::vector<Candidate> found;
  found.reserve(seen.size());
  for (auto& [id, state] : seen) {
    std::string meaning(to_text(state));
    meaning += ", " + format_age(now - time_of_message_id(id));
    found.push_back({std::move(id), std::move(meaning)});
  }
  return found;
}

std::vector<Candidate> templates_that_exist(Context& context) {
  auto config = context.config();
  if (!config) return {};
  TemplateStore store((*config)->templates, (*config)->default_lang);
  auto ids = store.list();
  if (!ids) return {};
  std::vector<Candidate> found;
  for (auto& id : *ids) found.push_back({std::move(id), "template"});
  return found;
}

std::vector<Candidate> providers_that_exist(Context& context) {
  auto config = context.config();
  if (!config) return {};
  std::vector<Candidate> found;
  for (const auto& provider : (*config)->providers)
    found.push_back({provider.name, provider.type});
  return found;
}

std::vector<Candidate> pools_that_exist(Context& context) {
  auto config = context.config();
  if (!config) return {};
  std::vector<Candidate> found;
  for (const auto& pool : (*config)->pools)
    found.push_back({pool.name, "pool"});
  return found;
}

std::vector<Candidate> tags_of_late(Context& context) {
  Spool* spool = existing_spool(context);
  if (spool == nullptr) return {};
  auto names = spool->folders().sub_folders("log");
  if (!names) return {};
  std::erase_if(*names, [](const std::string& name) {
    return !name.starts_with("events-") || !name.ends_with(".jsonl");
  });
  std::set<std::string> tags;
  for (std::size_t i = 0; i < k_logs_read && i < names->size(); ++i)
    add_tags(tail_of(spool->folders().root(),
                     "log/" + (*names)[names->size() - 1 - i]),
             tags);
  std::vector<Candidate> found;
  for (const auto& tag : tags) found.push_back({tag, "tag"});
  return found;
}

}  // namespace pony
