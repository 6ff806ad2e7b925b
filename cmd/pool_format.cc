#include "cmd/pool_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/json.h"
#include "core/pool/strategy.h"

namespace pony {
namespace {

constexpr std::string_view k_default = "default";

bool is_domain(std::string_view name) {
  return name.find('.') != std::string_view::npos;
}

// Which senders' mail goes to it without naming it.
std::string senders_of(const PoolConfig& pool) {
  if (pool.name == k_default) return "all others";
  return is_domain(pool.name) ? "@" + pool.name : "-";
}

std::string percent(double share) {
  return fmt::format("{:.0f}%", 100 * share);
}

// "main 67%, second 33%": who leads now.
std::string leaders_of(const ListedPool& pool) {
  std::string text;
  for (const auto& member : pool.members) {
    if (member.leads <= 0) continue;
    text += (text.empty() ? "" : ", ") + member.provider.config->name;
    if (member.leads < 1) text += " " + percent(member.leads);
  }
  return text.empty() ? "none" : text;
}

std::string members_of(const ListedPool& pool, Time now) {
  std::string text;
  for (const auto& member : pool.members) {
    text += (text.empty() ? "" : ", ") + member.provider.config->name;
    if (pool.config->strategy == Strategy::weighted)
      text += fmt::format(":{}", member.weight);
    if (const auto state = provider_state(member.provider.health, now);
        state != "ok")
      text += fmt::format(" ({})", state);
  }
  return text;
}

}  // namespace

Result<ListedPool> listed_pool(const Config& config, const PoolConfig& pool,
                               HealthFiles& health, Time now) {
  ListedPool listed{&pool, {}};
  std::vector<MemberHealth> of_late;
  std::vector<bool> may_be_asked;
  for (const auto& member : pool.members) {
    const auto* provider = config.provider(member.provider);
    auto read = health.read(member.provider);
    if (!read) return tl::unexpected(read.error());
    ListedMember& one = listed.members.emplace_back();
    one.provider = listed_provider(config, *provider, std::move(*read), now);
    one.weight = member.weight;
    const ProviderHealth& is = one.provider.health;
    one.may_be_asked = !resting_until(is, now);
    may_be_asked.push_back(one.may_be_asked);
    const auto median = is.latency.percentile(50);
    of_late.push_back({failure_rate(is, now),
                       median ? static_cast<double>(median->count()) : 0});
  }
  const auto chances = chances_to_lead(pool, of_late, may_be_asked);
  for (std::size_t i = 0; i < chances.size(); ++i)
    listed.members[i].leads = chances[i];
  return listed;
}

std::string pool_table(const std::vector<ListedPool>& pools, Time now) {
  using Row = std::array<std::string, 5>;
  std::vector<Row> rows = {
      {"NAME", "STRATEGY", "SENDERS", "FIRST NOW", "PROVIDERS"}};
  for (const auto& pool : pools)
    rows.push_back(
        {pool.config->name, std::string(to_text(pool.config->strategy)),
         senders_of(*pool.config), leaders_of(pool), members_of(pool, now)});
  std::array<std::size_t, 4> widths{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      text += fmt::format("{:<{}}  ", row[i], widths[i]);
    text += row.back() + "\n";
  }
  return text;
}

std::string pool_page(const ListedPool& pool, Time now) {
  const PoolConfig& config = *pool.config;
  std::string text = fmt::format("pool      {}\nstrategy  {}\nsenders   ",
                                 config.name, to_text(config.strategy));
  if (config.name == k_default) {
    text += "all whose domain has no pool of its own";
  } else if (is_domain(config.name)) {
    text += "those of @" + config.name + ", and messages that name the pool";
  } else {
    text += "only messages that name the pool";
  }
  text += "\nfirst now " + leaders_of(pool) + "\n\n";
  std::vector<ListedProvider> providers;
  for (const auto& member : pool.members) providers.push_back(member.provider);
  text += provider_table(providers, now);
  if (config.strategy != Strategy::weighted) return text;
  text += "\nweights  ";
  for (const auto& member : pool.members)
    text += fmt::format(" {} {}", member.provider.config->name, member.weight);
  return text + "\n";
}

std::string pool_json(const ListedPool& pool, Time now) {
  std::string members = "[";
  for (const auto& member : pool.members) {
    if (members.size() > 1) members.push_back(',');
    std::string provider = provider_json(member.provider, now);
    provider.pop_back();  // its '\n'
    JsonWriter(members)
        .field("name", member.provider.config->name)
        .field("weight", std::int64_t{member.weight})
        .boolean("may_be_asked", member.may_be_asked)
        .raw("leads", fmt::format("{:.3f}", member.leads))
        .raw("provider", provider)
        .end();
  }
  members.push_back(']');
  const PoolConfig& config = *pool.config;
  std::string line;
  JsonWriter writer(line);
  writer.field("name", config.name)
      .field("strategy", to_text(config.strategy))
      .boolean("is_default", config.name == k_default);
  if (is_domain(config.name)) {
    writer.field("sender_domain", config.name);
  } else {
    writer.null("sender_domain");
  }
  writer.raw("members", members).end();
  return line + "\n";
}

}  // namespace pony
