#include "cmd/provider_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/json.h"
#include "core/words.h"

namespace pony {
namespace {

constexpr std::size_t k_columns = 10;
using Row = std::array<std::string, k_columns>;
constexpr std::array<std::string_view, k_columns> k_headings = {
    "NAME", "TYPE",   "STATE",    "UNTIL", "P50",
    "P95",  "FAILED", "FAILURES", "LEFT",  "POOLS"};
constexpr std::array<bool, k_columns> k_is_number = {
    false, false, false, true, true, true, true, true, false, false};

// When it may be tried again; nothing: now, or nobody knows.
std::optional<Time> until_of(const ProviderHealth& health, Time now) {
  const auto until = resting_until(health, now);
  return until == Time::max() ? std::nullopt : until;
}

std::string list_text(const std::vector<std::string>& parts) {
  return parts.empty() ? "-" : joined(parts, ",");
}

std::string latency_text(const std::optional<Milliseconds>& latency) {
  if (!latency) return "-";
  const auto ms = latency->count();
  if (ms < 1'000) return fmt::format("{}ms", ms);
  return fmt::format("{:.1f}s", static_cast<double>(ms) / 1'000);
}

// "12/50 1s": left, of how many, in which time.
std::string rates_text(const ListedProvider& provider, Time now) {
  const auto& limits = provider.config->rate;
  const auto left = left_of_rates(provider.health, limits, now);
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < limits.size(); ++i)
    parts.push_back(fmt::format("{}/{} {}", left[i], limits[i].count,
                                format_duration(limits[i].per)));
  return list_text(parts);
}

Row row_of(const ListedProvider& provider, Time now) {
  const ProviderHealth& health = provider.health;
  const auto until = until_of(health, now);
  return {provider.config->name,
          provider.config->type,
          std::string(provider_state(health, now)),
          until ? format_age(*until - now) : "-",
          latency_text(health.latency.percentile(50)),
          latency_text(health.latency.percentile(95)),
          fmt::format("{:.0f}%", 100 * failure_rate(health, now)),
          std::to_string(health.failures),
          rates_text(provider, now),
          list_text(provider.pools)};
}

std::string line_of(const Row& row,
                    const std::array<std::size_t, k_columns>& widths) {
  std::string line;
  for (std::size_t i = 0; i < k_columns; ++i) {
    if (i > 0) line += "  ";
    line += k_is_number[i] ? fmt::format("{:>{}}", row[i], widths[i])
                           : fmt::format("{:<{}}", row[i], widths[i]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string rates_json(const ListedProvider& provider, Time now) {
  const auto& limits = provider.config->rate;
  const auto left = left_of_rates(provider.health, limits, now);
  std::string list = "[";
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (i > 0) list.push_back(',');
    JsonWriter(list)
        .field("per", format_duration(limits[i].per))
        .field("limit", std::int64_t{limits[i].count})
        .field("left", std::int64_t{left[i]})
        .end();
  }
  return list + "]";
}

void latency_field(JsonWriter& line, std::string_view name,
                   const std::optional<Milliseconds>& latency) {
  if (latency) {
    line.field(name, std::int64_t{latency->count()});
  } else {
    line.null(name);
  }
}

}  // namespace

Result<const ProviderConfig*> provider_called(const Config& config,
                                              std::string_view name) {
  if (const auto* provider = config.provider(name)) return provider;
  std::vector<std::string_view> names;
  std::string all;
  for (const auto& provider : config.providers) {
    names.push_back(provider.name);
    all += (all.empty() ? "" : ", ") + provider.name;
  }
  std::string hint = did_you_mean(name, names);
  if (hint.empty()) hint = "there are: " + all;
  return fail(Error::Kind::usage,
              "there is no provider '" + printable(name, 80) + "'",
              std::move(hint));
}

ListedProvider listed_provider(const Config& config,
                               const ProviderConfig& provider,
                               ProviderHealth health, Time now) {
  tidy(health, now, config.breaker, provider.rate);
  ListedProvider listed{&provider, std::move(health), {}};
  for (const auto& pool : config.pools)
    if (std::any_of(pool.members.begin(), pool.members.end(),
                    [&](const PoolMember& member) {
                      return member.provider == provider.name;
                    }))
      listed.pools.push_back(pool.name);
  return listed;
}

std::string_view provider_state(const ProviderHealth& health, Time now) {
  if (is_paused(health, now)) return "paused";
  const BreakerState breaker = breaker_state(health, now);
  if (breaker != BreakerState::closed) return to_text(breaker);
  return resting_until(health, now) ? "resting" : "ok";
}

std::string provider_table(const std::vector<ListedProvider>& providers,
                           Time now) {
  std::vector<Row> rows(1);
  std::copy(k_headings.begin(), k_headings.end(), rows.front().begin());
  for (const auto& provider : providers) rows.push_back(row_of(provider, now));
  std::array<std::size_t, k_columns> widths{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < k_columns; ++i)
      widths[i] = std::max(widths[i], row[i].size());
  std::string text = line_of(rows.front(), widths);
  for (std::size_t i = 0; i < providers.size(); ++i) {
    text += line_of(rows[i + 1], widths);
    if (const auto why = why_resting(providers[i].health, now); !why.empty())
      text += "    (" + printable(why) + ")\n";
  }
  return text;
}

std::string provider_json(const ListedProvider& provider, Time now) {
  const ProviderHealth& health = provider.health;
  const std::string why = why_resting(health, now);
  const auto until = until_of(health, now);
  std::string out;
  JsonWriter line(out);
  line.field("name", provider.config->name);
  line.field("type", provider.config->type);
  line.field("state", provider_state(health, now));
  if (why.empty()) {
    line.null("why");
  } else {
    line.field("why", why);
  }
  if (until) {
    line.field("until", format_time(*until));
  } else {
    line.null("until");
  }
  line.field("failures", std::int64_t{health.failures});
  line.raw("failure_rate", fmt::format("{:.3f}", failure_rate(health, now)));
  latency_field(line, "p50_ms", health.latency.percentile(50));
  latency_field(line, "p95_ms", health.latency.percentile(95));
  line.raw("rates", rates_json(provider, now));
  line.field("pools", provider.pools);
  line.end();
  return out + "\n";
}

}  // namespace pony
