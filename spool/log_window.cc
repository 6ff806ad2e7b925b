#include "spool/log_window.h"

#include <optional>

#include "spool/log_place.h"

namespace pony {
namespace {

// More names than any configuration has; a foreign hand's are not counted.
constexpr std::size_t k_most_names = 1000;
constexpr std::size_t k_most_uncertain = 100'000;
constexpr std::size_t k_minute = 16;  // "2026-11-22T10:00"

}  // namespace

std::string_view text_in_line(std::string_view line, std::string_view member) {
  const auto at = line.find(member);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + member.size());
  // Names and kinds have no escapes; what has some is cut there, and is no
  // name of ours.
  return line.substr(0, line.find('"'));
}

Result<> LogWindow::advance(Time now) {
  const Time since = now - span_;
  if (!begun_) {
    auto place = place_of(log_, since, most_bytes_);
    if (!place) return tl::unexpected(place.error());
    position_ = std::move(*place);
    begun_ = true;
  }
  auto read = log_.read_on(position_, since, now, [&](std::string_view line) {
    take(line, since);
    return true;
  });
  minutes_.erase(
      minutes_.begin(),
      minutes_.lower_bound(std::chrono::floor<std::chrono::minutes>(since)));
  last_ts_.clear();
  last_minute_ = nullptr;
  return read;
}

LogWindow::Minute* LogWindow::minute_of(std::string_view ts, Time since) {
  if (ts.size() < k_minute) return nullptr;
  if (ts.starts_with(last_ts_) && !last_ts_.empty()) return last_minute_;
  const auto minute = parse_time(std::string(ts.substr(0, k_minute)) + ":00Z");
  last_ts_ = ts.substr(0, k_minute);
  last_minute_ = nullptr;
  if (minute && *minute >= std::chrono::floor<std::chrono::minutes>(since))
    last_minute_ = &minutes_[*minute];
  return last_minute_;
}

void LogWindow::take(std::string_view line, Time since) {
  const auto kind = text_in_line(line, "\"event\":\"");
  const bool attempt = kind == "attempted";
  const bool sent = kind == "sent";
  const bool failed = kind == "failed" || kind == "expired";
  const bool ends = sent || failed || kind == "cancelled" || kind == "held";
  if (!attempt && !ends) return;
  const auto id = text_in_line(line, "\"id\":\"");
  if (ends && !uncertain_.empty())
    if (const auto it = uncertain_.find(id); it != uncertain_.end())
      uncertain_.erase(it);
  Minute* minute = minute_of(text_in_line(line, "\"ts\":\""), since);
  if (minute == nullptr) return;
  if (attempt) {
    if (text_in_line(line, "\"outcome\":\"") == "unknown" &&
        uncertain_.size() < k_most_uncertain)
      uncertain_.emplace(id);
    take_attempt(line, *minute);
    return;
  }
  if (failed) ++minute->failed;
  if (!sent || minute->sent.size() >= k_most_names) return;
  const auto provider = text_in_line(line, "\"provider\":\"");
  ++minute->sent[{std::string(text_in_line(line, "\"pool\":\"")),
                  std::string(provider)}];
}

void LogWindow::take_attempt(std::string_view line, Minute& minute) {
  const auto provider = text_in_line(line, "\"provider\":\"");
  const auto outcome = text_in_line(line, "\"outcome\":\"");
  auto it = minute.attempts.find(provider);
  if (it == minute.attempts.end()) {
    if (minute.attempts.size() >= k_most_names) return;
    it = minute.attempts.emplace(provider, Attempts{}).first;
  }
  ++it->second.all;
  if (outcome != "accepted" && outcome != "rejected") ++it->second.failed;
}

std::uint64_t LogWindow::failed_since(Time since) const {
  std::uint64_t failed = 0;
  for (auto it = minutes_.lower_bound(
           std::chrono::floor<std::chrono::minutes>(since));
       it != minutes_.end(); ++it)
    failed += it->second.failed;
  return failed;
}

std::map<std::string, LogWindow::Attempts> LogWindow::attempts() const {
  std::map<std::string, Attempts> sum;
  for (const auto& [time, minute] : minutes_) {
    for (const auto& [provider, attempts] : minute.attempts) {
      sum[provider].all += attempts.all;
      sum[provider].failed += attempts.failed;
    }
  }
  return sum;
}

std::map<std::pair<std::string, std::string>, std::uint64_t> LogWindow::sent()
    const {
  std::map<std::pair<std::string, std::string>, std::uint64_t> sum;
  for (const auto& [time, minute] : minutes_)
    for (const auto& [names, count] : minute.sent) sum[names] += count;
  return sum;
}

}  // namespace pony
