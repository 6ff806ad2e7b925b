#include "spool/census.h"

#include <fcntl.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "core/message.h"
#include "spool/message_file.h"
#include "spool/message_id.h"
#include "spool/message_tail.h"

namespace pony {
namespace {

constexpr std::array k_priorities = {Priority::high, Priority::normal,
                                     Priority::bulk};
constexpr int k_asked_a_folder = 64;
constexpr int k_asked_in_all = 4096;
constexpr int k_held_asked = 10'000;
// How many names are counted between two questions whether that is enough.
constexpr unsigned k_names_a_question = 4096;
constexpr std::string_view k_may_have_been_delivered =
    "it may have been delivered";

// Since when a message waits whose last event is this one.
Time waits_since(const Event& event, Time accepted) {
  const bool brought_back =
      event.event == "retried" || event.event == "released";
  if (event.next_at && (brought_back || event.event == "queued"))
    return *event.next_at;
  if (brought_back) return event.ts;
  if (event.queue_ms) return event.ts - Milliseconds(*event.queue_ms);
  return accepted;
}

class Counter {
 public:
  Counter(Folders& folders, Time now, const CensusOptions& options)
      : folders_(folders), now_(now), options_(options) {}

  Result<Census> count();

 private:
  Result<> count_fresh();
  Result<> count_claimed();
  Result<> count_deferred();
  Result<> count_held();
  // Calls `each` with the names of messages in a folder.
  Result<> for_each_message(
      const std::string& folder,
      const std::function<void(const std::string& where,
                               std::string_view name)>& each);
  void look_for_oldest(const std::string& folder, std::string_view name,
                       std::optional<Time> due);
  void waits(Time since);
  std::optional<Time> changed_at(const std::string& path) const;

  Folders& folders_;
  Time now_;
  const CensusOptions& options_;
  Census census_;
  int asked_here_ = 0;
  int asked_ = 0;
  unsigned until_question_ = k_names_a_question;
};

Result<Census> Counter::count() {
  for (const auto part : {&Counter::count_fresh, &Counter::count_claimed,
                          &Counter::count_deferred, &Counter::count_held}) {
    if (census_.cut_short) break;
    if (auto counted = (this->*part)(); !counted)
      return tl::unexpected(counted.error());
  }
  return census_;
}

Result<> Counter::for_each_message(
    const std::string& folder,
    const std::function<void(const std::string& where, std::string_view name)>&
        each) {
  asked_here_ = 0;
  return folders_.for_each_file(
      folder, [&](const std::string& where, const char* name) {
        const std::string_view view = name;
        const bool ours = !id_of_file_name(view).empty() ||
                          (view.ends_with(k_dropped_suffix) && view[0] != '.');
        if (ours) each(where, view);
        if (--until_question_ > 0) return true;
        until_question_ = k_names_a_question;
        census_.cut_short = options_.enough(census_);
        return !census_.cut_short;
      });
}

Result<> Counter::count_fresh() {
  for (std::size_t i = 0; i < k_priorities.size(); ++i) {
    auto counted =
        for_each_message(lane("new", k_priorities[i]),
                         [&](const std::string& where, std::string_view name) {
                           ++census_.fresh[i];
                           look_for_oldest(where, name, {});
                         });
    if (!counted || census_.cut_short) return counted;
  }
  return {};
}

Result<> Counter::count_claimed() {
  auto runners = folders_.sub_folders("cur");
  if (!runners) return tl::unexpected(runners.error());
  for (const auto& runner : *runners) {
    auto counted = for_each_message(
        "cur/" + runner, [&](const std::string& where, std::string_view name) {
          ++census_.claimed;
          look_for_oldest(where, name, {});
        });
    if (!counted || census_.cut_short) return counted;
  }
  return {};
}

// Soonest first: those that wait for another try come before those that are
// scheduled for much later.
Result<> Counter::count_deferred() {
  auto buckets = folders_.sub_folders("deferred");
  if (!buckets) return tl::unexpected(buckets.error());
  for (const auto& bucket : *buckets) {
    const auto minute = parse_minute(bucket);
    if (!minute) continue;  // not ours
    for (std::size_t i = 0; i < k_priorities.size(); ++i) {
      auto counted = for_each_message(
          lane("deferred/" + bucket, k_priorities[i]),
          [&](const std::string& where, std::string_view name) {
            ++census_.deferred[i];
            look_for_oldest(where, name, *minute);
          });
      if (!counted || census_.cut_short) return counted;
    }
  }
  return {};
}

Result<> Counter::count_held() {
  int asked = 0;
  return for_each_message(
      "held", [&](const std::string& where, std::string_view name) {
        ++census_.held;
        if (!options_.ask_held || ++asked > k_held_asked) return;
        const auto event =
            read_last_event(folders_, where + "/" + std::string(name));
        if (event && event->event == "held" &&
            event->reason.starts_with(k_may_have_been_delivered))
          ++census_.held_uncertain;
      });
}

// `due` is the minute of the bucket that it lies in.
void Counter::look_for_oldest(const std::string& folder, std::string_view name,
                              std::optional<Time> due) {
  const auto id = id_of_file_name(name);
  const std::string path = folder + "/" + std::string(name);
  if (id.empty()) {
    if (const auto changed = changed_at(path)) waits(*changed);
    return;
  }
  const Time accepted = time_of_message_id(id);
  if (census_.oldest_since && accepted >= *census_.oldest_since) return;
  if (asked_here_ >= k_asked_a_folder || asked_ >= k_asked_in_all) {
    // In new/ it was accepted for now, but for those that were brought back;
    // in a bucket it is due since then, or it is scheduled.
    if (!due) {
      const auto changed = changed_at(path);
      waits(std::max(accepted, changed.value_or(accepted)));
    } else {
      waits(*due);
    }
    return;
  }
  ++asked_here_;
  ++asked_;
  const auto event = read_last_event(folders_, path);
  if (event) {
    waits(waits_since(*event, accepted));
  } else if (event.error().kind != Error::Kind::not_found) {
    waits(accepted);
  }
}

void Counter::waits(Time since) {
  if (since > now_) return;
  census_.oldest_since = std::min(census_.oldest_since.value_or(since), since);
}

std::optional<Time> Counter::changed_at(const std::string& path) const {
  struct stat info {};
  if (::fstatat(folders_.root(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return std::nullopt;
  return Time(std::chrono::seconds(info.st_mtim.tv_sec));
}

}  // namespace

std::uint64_t Census::waiting() const {
  return std::accumulate(fresh.begin(), fresh.end(), claimed) +
         std::accumulate(deferred.begin(), deferred.end(), std::uint64_t{0});
}

Result<Census> take_census(Folders& folders, Time now,
                           const CensusOptions& options) {
  return Counter(folders, now, options).count();
}

}  // namespace pony
