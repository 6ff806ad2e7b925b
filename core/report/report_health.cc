// Sentences; see report_health.h.
#include "core/report/report_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "core/display_width.h"
#include "core/json.h"
#include "core/outcome.h"
#include "core/report/report_figures.h"

namespace pony {
namespace {

// Lists in sentences end somewhere: nobody reads on, and names come from
// outside.
constexpr std::size_t k_named_at_most = 5;

std::string minute_text(Time time) {
  std::string text = format_minute(time);  // 2026-11-21T10:00Z
  std::replace(text.begin(), text.end(), 'T', ' ');
  text.pop_back();
  return text;
}

// "2026-11-21T10" as "2026-11-21 10:00"; a day as it is.
std::string since_text(const std::string& day_or_hour) {
  const auto t = day_or_hour.find('T');
  if (t == std::string::npos) return day_or_hour;
  return day_or_hour.substr(0, t) + " " + day_or_hour.substr(t + 1) + ":00";
}

// "1 of 20 messages", "1 of 1 message".
std::string some_of(std::uint64_t part, std::uint64_t whole,
                    std::string_view thing) {
  return fmt::format("{} of {} {}{}", count_text(part), count_text(whole),
                     thing, whole == 1 ? "" : "s");
}

// Some mail always bounces; one in twenty is no longer chance.
bool is_much(std::uint64_t lost, std::uint64_t ended) {
  return lost > 0 && lost >= ended / 20;
}

ReportHealth of_messages(const TallyRow& total) {
  ReportHealth health;
  const std::uint64_t lost = total.failed + total.expired;
  const std::uint64_t ended = total.sent + lost;
  if (ended + total.unknown == 0) return health;
  health.mood = is_much(lost, ended) || total.unknown > 0
                    ? ReportHealth::Mood::bad
                    : ReportHealth::Mood::good;
  if (lost > 0) {
    health.whole = some_of(lost, ended, "message") + " failed or expired (" +
                   percent_text(total.failure_rate()) + ")";
  } else if (ended > 0) {
    health.whole = some_of(ended, ended, "message") +
                   (ended == 1 ? " was sent" : " were sent");
  }
  if (total.unknown > 0) {
    if (!health.whole.empty()) health.whole += "; ";
    health.whole +=
        fmt::format("the outcome of {} attempt{} is unknown",
                    count_text(total.unknown), total.unknown == 1 ? "" : "s");
  }
  return health;
}

// What a provider did: in all, or from some day or hour on.
struct Deeds {
  std::uint64_t attempts = 0, accepted = 0, unavailable = 0, throttled = 0,
                unknown = 0;

  std::uint64_t faults() const { return unavailable + throttled + unknown; }
  bool is_degraded() const {
    return attempts > 0 && faults() >= without(attempts, faults());
  }
};

Deeds deeds_of(const TallyRow& row) {
  return {row.attempts, count_of(row, Outcome::accepted),
          count_of(row, Outcome::unavailable),
          count_of(row, Outcome::throttled), count_of(row, Outcome::unknown)};
}

Deeds operator+(const Deeds& a, const Deeds& b) {
  return {a.attempts + b.attempts, a.accepted + b.accepted,
          a.unavailable + b.unavailable, a.throttled + b.throttled,
          a.unknown + b.unknown};
}

using Providers = std::map<std::string, Deeds>;

struct Failing {
  std::string name;
  Deeds deeds;
  std::string since;  // a day or an hour as a tally has it; empty: all along
  Providers all;      // what all providers did in that time
};

std::string name_of(const std::string& provider) {
  return provider.empty() ? "-" : provider;
}

std::string faults_text(const Deeds& deeds) {
  std::string text;
  for (const Count& count :
       {Count{"unavailable", deeds.unavailable},
        Count{"throttled", deeds.throttled}, Count{"unknown", deeds.unknown}}) {
    if (count.value == 0) continue;
    if (!text.empty()) text += ", ";
    text += count_text(count.value) + " " + std::string(count.name);
  }
  return text;
}

// "mailgun accepted 405, relay 7": everybody but who fails, the busiest first.
std::string carriers_text(const Failing& failing) {
  std::vector<std::pair<std::uint64_t, std::string>> carriers;
  for (const auto& [name, deeds] : failing.all) {
    if (name != failing.name && deeds.accepted > 0)
      carriers.emplace_back(deeds.accepted, name_of(name));
  }
  if (carriers.empty())
    return std::string("no other provider accepted anything") +
           (failing.since.empty() ? "" : " meanwhile");
  std::stable_sort(
      carriers.begin(), carriers.end(),
      [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  const std::size_t named = std::min(carriers.size(), k_named_at_most);
  for (std::size_t i = 0; i < named; ++i) {
    const auto& [accepted, name] = carriers[i];
    text += (i > 0 ? ", " : "") + name + (i > 0 ? " " : " accepted ") +
            count_text(accepted);
  }
  if (named < carriers.size())
    text += fmt::format(" and {} more", carriers.size() - named);
  return failing.since.empty() ? text : text + " meanwhile";
}

Providers all_along(const Tally& tally) {
  Providers all;
  for (const auto& [key, row] : tally.rows())
    all.emplace(key.front(), deeds_of(row));
  return all;
}

// Day or hour, then providers.
using Course = std::map<std::string, Providers>;

Course course_of(const Tally& over_time) {
  const std::size_t who = over_time.by().front() == TallyBy::provider ? 0 : 1;
  Course course;
  for (const auto& [key, row] : over_time.rows())
    course[key[1 - who]].emplace(key[who], deeds_of(row));
  return course;
}

// Since when a provider has failed without an end: back from the last day or
// hour in which it was tried. Empty when it did well then.
std::string failing_since(const Course& course, const std::string& name) {
  std::string since;
  for (auto at = course.rbegin(); at != course.rend(); ++at) {
    const auto found = at->second.find(name);
    if (found == at->second.end() || found->second.attempts == 0) continue;
    if (!found->second.is_degraded()) break;
    since = at->first;
  }
  return since;
}

Failing from_then_on(const Course& course, const std::string& name,
                     const std::string& since) {
  Failing failing = {name, {}, since, {}};
  for (auto at = course.find(since); at != course.end(); ++at) {
    for (const auto& [who, deeds] : at->second)
      failing.all[who] = failing.all[who] + deeds;
  }
  failing.deeds = failing.all[name];
  return failing;
}

std::vector<Failing> failing_in(const Tally& tally, const Tally* over_time) {
  const Providers all = all_along(tally);
  const Course course = over_time == nullptr || over_time->by().size() != 2
                            ? Course()
                            : course_of(*over_time);
  std::vector<Failing> failing;
  for (const auto& [name, deeds] : all) {
    const std::string since = failing_since(course, name);
    if (!since.empty()) {
      failing.push_back(from_then_on(course, name, since));
    } else if (deeds.is_degraded()) {
      failing.push_back({name, deeds, {}, all});
    }
  }
  std::stable_sort(failing.begin(), failing.end(),
                   [](const Failing& a, const Failing& b) {
                     return a.deeds.faults() > b.deeds.faults();
                   });
  return failing;
}

std::string sentence_of(const Failing& failing) {
  const Deeds& deeds = failing.deeds;
  return fmt::format(
      "{}: {}{} failed ({}); {}", name_of(failing.name),
      some_of(deeds.faults(), deeds.attempts, "attempt"),
      failing.since.empty() ? "" : " since " + since_text(failing.since),
      faults_text(deeds), carriers_text(failing));
}

std::vector<std::string> degraded(const Tally& tally, const Tally* over_time) {
  const std::vector<Failing> failing = failing_in(tally, over_time);
  std::vector<std::string> sentences;
  for (const Failing& one : failing) {
    if (sentences.size() == k_named_at_most) {
      sentences.push_back(fmt::format("{} more providers failed like that",
                                      failing.size() - k_named_at_most));
      break;
    }
    sentences.push_back(sentence_of(one));
  }
  return sentences;
}

ReportHealth of_attempts(const TallyRow& total) {
  ReportHealth health;
  if (total.attempts == 0) return health;
  health.mood = ReportHealth::Mood::good;
  const std::uint64_t wrong =
      without(total.attempts, count_of(total, Outcome::accepted));
  const std::string was = total.attempts == 1 ? " was " : " were ";
  health.whole =
      some_of(wrong > 0 ? wrong : total.attempts, total.attempts, "attempt") +
      was +
      (wrong > 0 ? "not accepted (" + percent_text(total.failure_rate()) + ")"
                 : "accepted");
  return health;
}

ReportHealth health_as_a_whole(const Tally& tally) {
  if (tally.of() == TallyOf::messages) return of_messages(tally.total());
  if (tally.of() == TallyOf::attempts) return of_attempts(tally.total());
  return {};
}

// Appends `text` in lines of at most `width` columns, broken at spaces, those
// after the first indented.
void append_wrapped(std::string& out, std::string_view text, int width) {
  constexpr std::string_view k_indent = "  ";
  const auto limit = static_cast<std::size_t>(std::max(width, 0));
  std::size_t column = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t is = display_width(word);
    if (column > 0 && limit > 0 && column + 1 + is > limit) {
      out.append("\n").append(k_indent);
      column = k_indent.size();
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += is;
  }
  out += '\n';
}

}  // namespace

std::string span_text(const ReportSpan& span) {
  const Time end = std::min(span.until.value_or(span.now), span.now);
  const std::string until = minute_text(end) + " UTC";
  if (!span.since) return "all up to " + until;
  return minute_text(std::min(*span.since, end)) + " to " + until;
}

ReportHealth health_of(const Tally& tally, const ProviderTallies& providers) {
  ReportHealth health = health_as_a_whole(tally);
  if (providers.all != nullptr)
    health.providers = degraded(*providers.all, providers.over_time);
  if (!health.providers.empty()) health.mood = ReportHealth::Mood::bad;
  return health;
}

TallyBy time_key(const ReportSpan& span) {
  const Time end = std::min(span.until.value_or(span.now), span.now);
  const bool is_short =
      span.since && end - *span.since <= std::chrono::hours(48);
  return is_short ? TallyBy::hour : TallyBy::day;
}

std::vector<TallyBy> provider_time_keys(const ReportSpan& span) {
  return {TallyBy::provider, time_key(span)};
}

std::string to_headline(const Tally& tally, const ProviderTallies& providers,
                        const ReportSpan& span, int width) {
  const ReportHealth health = health_of(tally, providers);
  std::string first = span_text(span);
  if (!health.whole.empty()) first += ": " + health.whole;
  std::string out;
  append_wrapped(out, first, width);
  for (const std::string& sentence : health.providers)
    append_wrapped(out, printable(sentence, 1000), width);
  return out;
}

}  // namespace pony
