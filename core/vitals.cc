#include "core/vitals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/json.h"
#include "core/words.h"

namespace pony {
namespace {

// From so many failures among so many attempts on a provider does not work,
// even if its breaker is closed at this moment.
constexpr double k_failing = 0.9;
constexpr std::uint64_t k_attempts_that_tell = 10;
constexpr std::size_t k_sentence_bytes = 600;

CheckStatus severity_of(double value, const Threshold& threshold) {
  if (threshold.critical &&
      is_passed(value, *threshold.critical, threshold.unit))
    return CheckStatus::critical;
  if (threshold.warning && is_passed(value, *threshold.warning, threshold.unit))
    return CheckStatus::warning;
  return CheckStatus::ok;
}

std::string messages(std::uint64_t count) {
  return counted(count, "message");
}

// A finding about one number: `what` says it, and why it is wrong follows.
CheckFinding finding_of(std::string kind, double value,
                        const Threshold& threshold, std::string what) {
  CheckFinding finding{std::move(kind), severity_of(value, threshold),
                       std::move(what), value};
  if (finding.severity == CheckStatus::ok) return finding;
  const bool critical = finding.severity == CheckStatus::critical;
  finding.sentence += fmt::format(
      " ({} {} {})", critical ? "critical" : "warning",
      threshold.unit == LimitUnit::percent ? "below" : "above",
      value_text(critical ? *threshold.critical : *threshold.warning,
                 threshold.unit));
  return finding;
}

CheckFinding about_oldest(const Vitals& vitals, const Threshold& threshold) {
  const double seconds = static_cast<double>(vitals.oldest().count()) / 1000;
  return finding_of("oldest", seconds, threshold,
                    vitals.oldest_since ? "the oldest message has waited " +
                                              format_age(vitals.oldest())
                                        : "no message waits");
}

CheckFinding about_last_run(const Vitals& vitals, const Threshold& threshold) {
  if (!vitals.last_run)
    return {"last_run",
            threshold.critical ? CheckStatus::critical : CheckStatus::warning,
            "nothing is known of any run", 0};
  const Milliseconds ago =
      std::max(vitals.now - *vitals.last_run, Milliseconds(0));
  return finding_of("last_run", static_cast<double>(ago.count()) / 1000,
                    threshold, "the last run was " + format_age(ago) + " ago");
}

CheckFinding about_disk(const Vitals& vitals, const Threshold& threshold) {
  const bool inodes = vitals.free_inodes < vitals.free_space;
  const double free = inodes ? vitals.free_inodes : vitals.free_space;
  return finding_of("disk", free, threshold,
                    fmt::format("{:.1f}% of the disk's {} free", free,
                                inodes ? "inodes are" : "space is"));
}

// "412 messages left by 'mailgun'"
std::string carried_in_words(const ProviderVitals& provider) {
  std::string text;
  for (const auto& [name, count] : provider.carried_by)
    text += fmt::format("{}{} left by '{}'", text.empty() ? "" : ", ",
                        messages(count), name);
  return text;
}

bool is_failing(const ProviderVitals& provider) {
  return provider.attempts >= k_attempts_that_tell &&
         static_cast<double>(provider.failed_attempts) >=
             k_failing * static_cast<double>(provider.attempts) &&
         !provider.carried_by.empty();
}

// What is wrong with one provider; empty: nothing.
std::string trouble_of(const ProviderVitals& provider, Time now,
                       Milliseconds span) {
  std::string text;
  if (is_failing(provider)) {
    const auto percent =
        std::floor(100 * static_cast<double>(provider.failed_attempts) /
                   static_cast<double>(provider.attempts));
    text = fmt::format("provider '{}' failed {:.0f}% of {} attempts in {}; {}",
                       provider.name, percent, provider.attempts,
                       format_duration(span), carried_in_words(provider));
  }
  if (provider.takes_mail(now - span)) return text;
  const std::string why = provider.why.empty()
                              ? std::string(to_text(provider.breaker))
                              : provider.why;
  if (text.empty()) return "provider '" + provider.name + "': " + why;
  return text + "; " + why;
}

struct Troubles {
  CheckStatus severity = CheckStatus::ok;
  std::vector<std::string> sentences;

  void add(CheckStatus how_bad, std::string sentence) {
    severity = std::max(severity, how_bad);
    sentences.push_back(std::move(sentence));
  }
};

void look_at_pool(const PoolVitals& pool, const Vitals& vitals,
                  Troubles& troubles) {
  std::string last;
  std::size_t up = 0;
  for (const auto& provider : vitals.providers) {
    const bool is_member = std::find(pool.members.begin(), pool.members.end(),
                                     provider.name) != pool.members.end();
    if (!is_member || !provider.takes_mail(vitals.now - vitals.attempts_span))
      continue;
    ++up;
    last = provider.name;
  }
  if (up == 0) {
    troubles.add(CheckStatus::critical,
                 "no provider of pool '" + pool.name + "' takes mail");
  } else if (up == 1 && pool.members.size() > 1) {
    troubles.add(
        CheckStatus::warning,
        "pool '" + pool.name + "' is on its last provider, '" + last + "'");
  }
}

// The worst comes first.
CheckFinding about_degraded(const Vitals& vitals) {
  Troubles troubles;
  for (const auto& pool : vitals.pools) look_at_pool(pool, vitals, troubles);
  for (const auto& provider : vitals.providers) {
    auto trouble = trouble_of(provider, vitals.now, vitals.attempts_span);
    if (!trouble.empty())
      troubles.add(CheckStatus::warning, std::move(trouble));
  }
  if (troubles.sentences.empty())
    return {"degraded", CheckStatus::ok, "every provider works", 0};
  const auto is_bad = [](const std::string& text) {
    return text.starts_with("no provider");
  };
  std::stable_partition(troubles.sentences.begin(), troubles.sentences.end(),
                        is_bad);
  std::string text;
  for (const auto& one : troubles.sentences)
    text += (text.empty() ? "" : "; ") + one;
  return {"degraded", troubles.severity, std::move(text),
          static_cast<double>(troubles.sentences.size())};
}

// --- The line

// "oldest=120s;300;900;0"
std::string perfdata(std::string_view label, double value,
                     std::string_view unit,
                     const std::optional<Threshold>& threshold,
                     std::string_view most = {}) {
  // Below a limit is worse: "5:" is the range that is fine.
  const bool below = threshold && threshold->unit == LimitUnit::percent;
  const auto limit = [&](const std::optional<double>& number) {
    return number ? fmt::format("{}", *number) + (below ? ":" : "")
                  : std::string();
  };
  return fmt::format(" {}={}{};{};{};0{}{}", label, fmt::format("{}", value),
                     unit, threshold ? limit(threshold->warning) : "",
                     threshold ? limit(threshold->critical) : "",
                     most.empty() ? "" : ";", most);
}

double tenth(double value) {
  return std::floor(value * 10) / 10;
}

std::int64_t seconds(Milliseconds time) {
  return time.count() / 1000;
}

// What is wrong, the worst first, as a pager shows the beginning; else how
// much waits.
std::string in_words(const Vitals& vitals,
                     const std::vector<CheckFinding>& findings) {
  std::string text;
  for (const CheckStatus severity :
       {CheckStatus::critical, CheckStatus::warning})
    for (const auto& finding : findings)
      if (finding.severity == severity)
        text += (text.empty() ? "" : "; ") + finding.sentence;
  if (!text.empty()) return text;
  text = fmt::format("{} waiting", vitals.waiting());
  if (vitals.oldest_since) text += ", oldest " + format_age(vitals.oldest());
  if (vitals.held > 0) text += fmt::format(", {} held", vitals.held);
  return text;
}

std::string all_perfdata(const Vitals& vitals, const VitalLimits& limits) {
  const auto number = [](std::string_view label, auto value,
                         std::string_view unit,
                         const std::optional<Threshold>& limit) {
    return perfdata(label, static_cast<double>(value), unit, limit);
  };
  std::string text = number("queue", vitals.waiting(), "", limits.queue);
  text += number("oldest", seconds(vitals.oldest()), "s", limits.oldest);
  text += number("held", vitals.held, "", {});
  if (limits.failed) text += number("failed", vitals.failed, "", limits.failed);
  if (limits.uncertain)
    text += number("uncertain", vitals.uncertain, "", limits.uncertain);
  if (limits.last_run && vitals.last_run) {
    const auto ago = std::max(vitals.now - *vitals.last_run, Milliseconds(0));
    text += number("last_run", seconds(ago), "s", limits.last_run);
  }
  if (!limits.disk) return text;
  for (const auto& [label, free] : {std::pair("disk", vitals.free_space),
                                    std::pair("inodes", vitals.free_inodes)})
    text += perfdata(label, tenth(free), "%", limits.disk, "100");
  return text;
}

}  // namespace

bool ProviderVitals::takes_mail(Time long_ago) const {
  if (paused || breaker == BreakerState::open) return false;
  return breaker == BreakerState::closed ||
         last_error_at.value_or(Time{}) < long_ago;
}

std::uint64_t Vitals::waiting() const {
  return std::accumulate(fresh.begin(), fresh.end(), claimed) +
         std::accumulate(deferred.begin(), deferred.end(), std::uint64_t{0});
}

Milliseconds Vitals::oldest() const {
  if (!oldest_since) return Milliseconds(0);
  return std::max(now - *oldest_since, Milliseconds(0));
}

std::string_view to_text(CheckStatus severity) {
  switch (severity) {
    case CheckStatus::ok:
      return "OK";
    case CheckStatus::warning:
      return "WARNING";
    case CheckStatus::critical:
      return "CRITICAL";
  }
  return "CRITICAL";
}

std::vector<CheckFinding> judge(const Vitals& vitals,
                                const VitalLimits& limits) {
  std::vector<CheckFinding> findings;
  if (limits.oldest) findings.push_back(about_oldest(vitals, *limits.oldest));
  const auto count = [&](std::string kind, std::uint64_t value,
                         const std::optional<Threshold>& limit,
                         std::string what) {
    if (limit)
      findings.push_back(finding_of(std::move(kind), static_cast<double>(value),
                                    *limit, std::move(what)));
  };
  count("queue", vitals.waiting(), limits.queue,
        messages(vitals.waiting()) +
            (vitals.waiting() == 1 ? " waits" : " wait"));
  count("failed", vitals.failed, limits.failed,
        fmt::format("{} failed within {}", messages(vitals.failed),
                    format_duration(vitals.failed_span)));
  count("uncertain", vitals.uncertain, limits.uncertain,
        messages(vitals.uncertain) + " may have been delivered or not");
  if (limits.last_run)
    findings.push_back(about_last_run(vitals, *limits.last_run));
  if (limits.disk) findings.push_back(about_disk(vitals, *limits.disk));
  if (limits.degraded) findings.push_back(about_degraded(vitals));
  return findings;
}

CheckStatus worst_of(const std::vector<CheckFinding>& findings) {
  CheckStatus worst = CheckStatus::ok;
  for (const auto& finding : findings)
    worst = std::max(worst, finding.severity);
  return worst;
}

std::string in_one_line(const Vitals& vitals, const VitalLimits& limits,
                        const std::vector<CheckFinding>& findings) {
  // A '|' would end the words, whatever a provider says.
  std::string text = printable(in_words(vitals, findings), k_sentence_bytes);
  std::replace(text.begin(), text.end(), '|', '/');
  return "PONY " + std::string(to_text(worst_of(findings))) + " - " + text +
         " |" + all_perfdata(vitals, limits) + "\n";
}

}  // namespace pony
