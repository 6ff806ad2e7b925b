// Sentences; see report_health.h.
#include "core/report/report_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

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

// Attempts that failed by the provider's doing.
std::uint64_t faults_of(const TallyRow& row) {
  return count_of(row, Outcome::unavailable) +
         count_of(row, Outcome::throttled) + count_of(row, Outcome::unknown);
}

bool is_degraded(const TallyRow& row) {
  return row.attempts > 0 && faults_of(row) >= row.attempts - faults_of(row);
}

struct Provider {
  const std::string* name;
  const TallyRow* row;
};

std::vector<Provider> providers_of(const Tally& tally) {
  std::vector<Provider> providers;
  for (const auto& [key, row] : tally.rows())
    providers.push_back({&key.front(), &row});
  return providers;
}

std::string name_of(const Provider& provider) {
  return provider.name->empty() ? "-" : *provider.name;
}

std::string faults_text(const TallyRow& row) {
  std::string text;
  for (const Outcome outcome :
       {Outcome::unavailable, Outcome::throttled, Outcome::unknown}) {
    const std::uint64_t count = count_of(row, outcome);
    if (count == 0) continue;
    if (!text.empty()) text += ", ";
    text += count_text(count) + " " + std::string(to_text(outcome));
  }
  return text;
}

// "mailgun accepted 405, relay 7": everybody but `failing`, the busiest first.
std::string carriers_text(const Provider& failing,
                          std::vector<Provider> providers) {
  const auto accepted = [](const Provider& one) {
    return count_of(*one.row, Outcome::accepted);
  };
  std::erase_if(providers, [&](const Provider& one) {
    return one.name == failing.name || accepted(one) == 0;
  });
  if (providers.empty()) return "no other provider accepted anything";
  std::stable_sort(providers.begin(), providers.end(),
                   [&](const Provider& a, const Provider& b) {
                     return accepted(a) > accepted(b);
                   });
  std::string text;
  const std::size_t named = std::min(providers.size(), k_named_at_most);
  for (std::size_t i = 0; i < named; ++i) {
    text += (i > 0 ? ", " : "") + name_of(providers[i]) +
            (i > 0 ? " " : " accepted ") + count_text(accepted(providers[i]));
  }
  if (named < providers.size())
    text += fmt::format(" and {} more", providers.size() - named);
  return text;
}

std::vector<std::string> degraded(const Tally& tally) {
  const std::vector<Provider> all = providers_of(tally);
  std::vector<Provider> failing = all;
  std::erase_if(failing,
                [](const Provider& one) { return !is_degraded(*one.row); });
  std::stable_sort(failing.begin(), failing.end(),
                   [](const Provider& a, const Provider& b) {
                     return faults_of(*a.row) > faults_of(*b.row);
                   });
  std::vector<std::string> sentences;
  for (const Provider& one : failing) {
    if (sentences.size() == k_named_at_most) {
      sentences.push_back(fmt::format("{} more providers failed like that",
                                      failing.size() - k_named_at_most));
      break;
    }
    sentences.push_back(
        fmt::format("{}: {} failed ({}); {}", name_of(one),
                    some_of(faults_of(*one.row), one.row->attempts, "attempt"),
                    faults_text(*one.row), carriers_text(one, all)));
  }
  return sentences;
}

ReportHealth of_attempts(const Tally& tally) {
  ReportHealth health;
  const TallyRow& total = tally.total();
  if (total.attempts == 0) return health;
  const std::uint64_t wrong =
      total.attempts - count_of(total, Outcome::accepted);
  health.mood = wrong > 0 ? ReportHealth::Mood::bad : ReportHealth::Mood::good;
  const std::string was = total.attempts == 1 ? " was " : " were ";
  health.whole =
      some_of(wrong > 0 ? wrong : total.attempts, total.attempts, "attempt") +
      was +
      (wrong > 0 ? "not accepted (" + percent_text(total.failure_rate()) + ")"
                 : "accepted");
  if (tally.by() == std::vector{TallyBy::provider})
    health.providers = degraded(tally);
  health.mood = health.providers.empty() ? ReportHealth::Mood::good
                                         : ReportHealth::Mood::bad;
  return health;
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

ReportHealth health_of(const Tally& tally) {
  if (tally.of() == TallyOf::messages) return of_messages(tally.total());
  if (tally.of() == TallyOf::attempts) return of_attempts(tally);
  return {};
}

std::string to_headline(const Tally& tally, const ReportSpan& span, int width) {
  const ReportHealth health = health_of(tally);
  std::string first = span_text(span);
  if (!health.whole.empty()) first += ": " + health.whole;
  std::string out;
  append_wrapped(out, first, width);
  for (const std::string& sentence : health.providers)
    append_wrapped(out, printable(sentence, 1000), width);
  return out;
}

}  // namespace pony
