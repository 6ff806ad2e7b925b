#include "cmd/listing.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "core/json.h"
#include "spool/message_id.h"

namespace pony {
namespace {

// Names that are sorted together: a folder up to that size is listed in the
// order of acceptance.
constexpr std::size_t k_names_at_once = 4096;
constexpr std::size_t k_note_limit = std::size_t{64} << 10;

bool is_dropped_name(std::string_view name) {
  return name.ends_with(k_dropped_suffix) && !name.starts_with(".");
}

// "01J….json": a file that was claimed, or refused, and has its id.
std::string id_of_dropped(std::string_view name) {
  name.remove_suffix(k_dropped_suffix.size());
  return is_message_id(name) ? std::string(name) : std::string();
}

class Lister {
 public:
  Lister(Context& context, Spool& spool, const Config& config,
         const Selector& selector, Look look,
         const std::function<bool(const Listed&)>& each)
      : spool_(spool),
        selector_(selector),
        read_(look == Look::contents || selector.needs_content()),
        each_(each),
        senders_(config),
        now_(context.clock().now()) {}

  // False: enough.
  Result<bool> list(const std::string& folder, State state);

 private:
  bool list_names(State state);
  bool meet(Listed listed);

  Spool& spool_;
  const Selector& selector_;
  bool read_;
  const std::function<bool(const Listed&)>& each_;
  Senders senders_;
  Time now_;
  std::size_t met_ = 0;
  std::vector<std::pair<std::string, std::string>> names_;  // name, folder
};

std::optional<struct stat> look_at(Spool& spool, const Listed& listed) {
  struct stat info {};
  const std::string path = listed.folder + "/" + listed.name;
  if (::fstatat(spool.folders().root(), path.c_str(), &info,
                AT_SYMLINK_NOFOLLOW) != 0)
    return std::nullopt;
  return info;
}

// What is wrong, with every problem of it.
std::string in_a_line(const Error& error) {
  std::string text = error.what;
  for (const auto& problem : error.problems) {
    text += "; ";
    if (!problem.place.empty()) text += problem.place + ": ";
    text += problem.what;
  }
  return text;
}

Result<MessageFile> read_dropped(Spool& spool, const Listed& listed) {
  auto text =
      read_regular(spool.folders().root(), listed.folder + "/" + listed.name,
                   k_message_limit, spool.folders().trusted_owner());
  if (!text) return tl::unexpected(text.error());
  auto json = parse_json(*text);
  if (!json) return tl::unexpected(json.error());
  auto message = message_from(*json);
  if (!message) return tl::unexpected(message.error());
  MessageFile file;
  file.id = listed.id;
  file.accepted_at = listed.arrived;
  file.message = std::move(*message);
  file.size = text->size();
  return file;
}

// Fills in what the file holds, or why it holds no message. False: it has
// moved on.
bool look_inside(Spool& spool, Senders& senders, Listed& listed) {
  const bool whole = !id_of_file_name(listed.name).empty();
  if (!whole && listed.state == State::failed) {
    listed.problem = "no valid message";
  } else {
    auto file = whole ? spool.read(listed.folder, listed.id)
                      : read_dropped(spool, listed);
    if (!file && file.error().kind == Error::Kind::not_found) return false;
    if (file) {
      listed.arrived = file->accepted_at;
      listed.size_bytes = file->size;
      listed.file = std::move(*file);
      listed.sender = senders.of(listed.file->message);
      return true;
    }
    listed.problem = "no valid message: " + in_a_line(file.error());
  }
  const auto info = look_at(spool, listed);
  if (!info) return false;
  listed.size_bytes = static_cast<std::size_t>(info->st_size);
  if (const auto why = burial_of(spool, listed); why && !why->reason.empty())
    listed.problem = why->reason;
  return true;
}

// The file as far as its name and folder tell; nothing when it is no
// message's or has moved on.
std::optional<Listed> listed_from(Spool& spool, State state,
                                  const std::string& folder,
                                  const std::string& name) {
  Listed listed;
  listed.state = state;
  listed.folder = folder;
  listed.name = name;
  listed.id = id_of_file_name(name);
  if (listed.id.empty()) {
    if (!is_dropped_name(name)) return std::nullopt;
    listed.id = id_of_dropped(name);
  }
  if (!listed.id.empty()) {
    listed.arrived = time_of_message_id(listed.id);
    return listed;
  }
  const auto info = look_at(spool, listed);
  if (!info) return std::nullopt;
  listed.arrived = Time(std::chrono::seconds(info->st_mtim.tv_sec));
  return listed;
}

Result<bool> Lister::list(const std::string& folder, State state) {
  bool go_on = true;
  names_.clear();
  auto listed = spool_.folders().for_each_file(
      folder, [&](const std::string& in, const char* name) {
        names_.emplace_back(name, in);
        if (names_.size() >= k_names_at_once) go_on = list_names(state);
        return go_on;
      });
  if (!listed) return tl::unexpected(listed.error());
  return go_on && list_names(state);
}

bool Lister::list_names(State state) {
  std::sort(names_.begin(), names_.end());
  for (const auto& [name, folder] : std::exchange(names_, {})) {
    // Most files are told apart by their names: no call for those.
    const auto id = id_of_file_name(name);
    if (!id.empty() && (!selector_.may_match(id, state) ||
                        !selector_.may_be_aged(time_of_message_id(id), now_)))
      continue;
    auto listed = listed_from(spool_, state, folder, name);
    if (listed && !meet(std::move(*listed))) return false;
  }
  return true;
}

bool Lister::meet(Listed listed) {
  if (read_ && !look_inside(spool_, senders_, listed)) return true;
  const bool meant =
      listed.file
          ? selector_.matches(*listed.file, listed.state, now_, listed.sender)
          : selector_.matches_unreadable(listed.id, listed.state,
                                         listed.arrived, listed.problem, now_);
  if (!meant) return true;
  ++met_;
  if (!each_(listed)) return false;
  return selector_.limit == 0 || met_ < selector_.limit;
}

}  // namespace

Result<> for_each_listed(Context& context, const Selector& selector,
                         const std::vector<State>& states, Look look,
                         const std::function<bool(const Listed&)>& each) {
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  const Time now = context.clock().now();
  Lister lister(context, **spool, **config, selector, look, each);
  for (const State state : selector.states.empty() ? states : selector.states) {
    auto folders = (*spool)->folders().folders_of(state);
    if (!folders) return tl::unexpected(folders.error());
    const bool by_day = state == State::sent || state == State::failed;
    for (const auto& folder : *folders) {
      // "failed/2026-11-21"
      if (by_day &&
          !selector.may_have_ended_on(folder.substr(folder.find('/') + 1), now))
        continue;
      auto go_on = lister.list(folder, state);
      if (!go_on) return tl::unexpected(go_on.error());
      if (!*go_on) return {};
    }
  }
  return {};
}

Result<Listed> find_listed(Context& context, const std::string& id) {
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  if (!is_message_id(id))
    return fail(Error::Kind::not_found,
                "'" + printable(id, 60) + "' is no message id",
                "an id is 26 letters and digits; see: pony queue");
  Senders senders(**config);
  Folders& folders = (*spool)->folders();
  const std::string names[] = {message_file_name(id),
                               id + std::string(k_dropped_suffix)};
  bool seen = true;
  // It may move on between being found and being read.
  for (int round = 0; seen && round < 5; ++round) {
    seen = false;
    for (const auto& name : names) {
      auto found = folders.find(id, name);
      if (!found) {
        if (found.error().kind == Error::Kind::not_found) continue;
        return tl::unexpected(found.error());
      }
      seen = true;
      auto listed = listed_from(**spool, found->state, found->folder, name);
      if (listed && look_inside(**spool, senders, *listed))
        return std::move(*listed);
    }
  }
  return fail(Error::Kind::not_found, "there is no message '" + id + "'",
              "see: pony queue --state all");
}

std::optional<Event> burial_of(Spool& spool, const Listed& listed) {
  if (listed.state != State::failed || listed.id.empty()) return std::nullopt;
  auto note = read_regular(spool.folders().root(),
                           listed.folder + "/" + listed.id + ".error",
                           k_note_limit, spool.folders().trusted_owner());
  if (!note) return std::nullopt;
  auto event = parse_event(note->substr(0, note->find('\n')));
  if (!event) return std::nullopt;
  return std::move(*event);
}

Senders::Senders(const Config& config)
    : templates_(config.templates, config.default_lang),
      default_from_(config.default_from) {}

std::optional<Address> Senders::of(const Message& message) {
  if (message.from) return message.from;
  if (!message.raw.empty()) return Address{};
  if (!message.template_id.empty())
    if (auto found = templates_.find(message.template_id);
        found && (*found)->from)
      return (*found)->from;
  return default_from_;
}

}  // namespace pony
