#include "cmd/vitals_reader.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "core/json.h"
#include "spool/census.h"
#include "spool/heartbeat.h"

namespace pony {
namespace {

// How far back a provider's attempts count.
constexpr Milliseconds k_attempts_span = std::chrono::hours(6);
// What is read of each day's log at the beginning.
constexpr std::size_t k_log_bytes = std::size_t{512} << 20;
constexpr std::size_t k_log_bytes_of_a_runner = std::size_t{64} << 20;

double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 100;
}

bool is_member(const PoolVitals& pool, const std::string& provider) {
  return std::find(pool.members.begin(), pool.members.end(), provider) !=
         pool.members.end();
}

// Is everything that the census is asked for beyond its worst limit?
bool is_enough(const Census& census, const VitalLimits& limits, Time now) {
  const auto is_beyond = [](const std::optional<Threshold>& limit,
                            double value) {
    return !limit || value > std::max(limit->warning.value_or(0),
                                      limit->critical.value_or(0));
  };
  const Milliseconds oldest =
      census.oldest_since ? now - *census.oldest_since : Milliseconds(0);
  return is_beyond(limits.queue, static_cast<double>(census.waiting())) &&
         is_beyond(limits.oldest, static_cast<double>(oldest.count()) / 1000);
}

}  // namespace

VitalsReader::VitalsReader(Spool& spool, const Config& config, Care care,
                           Milliseconds failed_span)
    : spool_(spool),
      config_(config),
      care_(care),
      failed_span_(failed_span),
      span_(std::max(k_attempts_span, failed_span)),
      window_(spool.folders(), spool.log(), span_,
              care == Care::exact ? k_log_bytes : k_log_bytes_of_a_runner),
      health_(spool.folders()) {}

Result<Vitals> VitalsReader::read(Time now, const VitalLimits& limits) {
  Vitals vitals;
  vitals.now = now;
  vitals.failed_span = failed_span_;
  vitals.attempts_span = span_;
  if (auto read = read_census(vitals, limits); !read)
    return tl::unexpected(read.error());
  if (limits.degraded)
    if (auto read = read_providers(vitals); !read)
      return tl::unexpected(read.error());
  if (limits.failed || limits.uncertain || limits.degraded)
    if (auto read = read_log(vitals); !read)
      return tl::unexpected(read.error());
  if (limits.last_run) {
    auto last = last_run(spool_.folders());
    if (!last) return tl::unexpected(last.error());
    vitals.last_run = *last;
  }
  if (limits.disk)
    if (auto read = read_disk(vitals); !read)
      return tl::unexpected(read.error());
  return vitals;
}

Result<> VitalsReader::read_census(Vitals& vitals, const VitalLimits& limits) {
  if (care_ != Care::exact && !limits.queue && !limits.oldest &&
      !limits.uncertain)
    return {};
  CensusOptions options;
  options.ask_held = limits.uncertain.has_value();
  if (care_ != Care::exact && !limits.uncertain)
    options.enough = [&](const Census& census) {
      return is_enough(census, limits, vitals.now);
    };
  auto census = take_census(spool_.folders(), vitals.now, options);
  if (!census) return tl::unexpected(census.error());
  vitals.fresh = census->fresh;
  vitals.deferred = census->deferred;
  vitals.claimed = census->claimed;
  vitals.held = census->held;
  vitals.uncertain = census->held_uncertain;
  vitals.oldest_since = census->oldest_since;
  return {};
}

Result<> VitalsReader::read_log(Vitals& vitals) {
  if (auto read = window_.advance(vitals.now); !read) return read;
  vitals.failed = window_.failed_since(vitals.now - failed_span_);
  vitals.uncertain += window_.uncertain();
  const auto attempts = window_.attempts();
  const auto sent = window_.sent();
  for (auto& provider : vitals.providers) {
    if (const auto it = attempts.find(provider.name); it != attempts.end()) {
      provider.attempts = it->second.all;
      provider.failed_attempts = it->second.failed;
    }
    for (const auto& [names, count] : sent) {
      const auto& [pool_name, by] = names;
      const auto pool = std::find_if(
          vitals.pools.begin(), vitals.pools.end(),
          [&name = pool_name](const auto& one) { return one.name == name; });
      if (by != provider.name && pool != vitals.pools.end() &&
          is_member(*pool, by) && is_member(*pool, provider.name))
        provider.carried_by[by] += count;
    }
  }
  return {};
}

// Those that a pool may ask; the others have no mail to carry.
Result<> VitalsReader::read_providers(Vitals& vitals) {
  for (const auto& pool : config_.pools) {
    PoolVitals& one = vitals.pools.emplace_back();
    one.name = pool.name;
    for (const auto& member : pool.members)
      one.members.push_back(member.provider);
  }
  for (const auto& provider : config_.providers) {
    if (std::none_of(vitals.pools.begin(), vitals.pools.end(),
                     [&](const PoolVitals& pool) {
                       return is_member(pool, provider.name);
                     }))
      continue;
    auto health = health_.read(provider.name);
    if (!health) return tl::unexpected(health.error());
    tidy(*health, vitals.now, config_.breaker, provider.rate);
    ProviderVitals& one = vitals.providers.emplace_back();
    one.name = provider.name;
    one.breaker = breaker_state(*health, vitals.now);
    one.paused = is_paused(*health, vitals.now);
    one.why = why_resting(*health, vitals.now);
    one.last_error_at = health->last_error_at;
  }
  return {};
}

Result<> VitalsReader::read_disk(Vitals& vitals) {
  struct statvfs disk {};
  if (::fstatvfs(spool_.folders().root(), &disk) != 0)
    return fail_errno(errno, "cannot ask for the free space of the spool '" +
                                 printable(spool_.folders().path()) + "'");
  // As df(1) counts: without what only root may use.
  const auto free = static_cast<double>(disk.f_bavail);
  const auto used = static_cast<double>(disk.f_blocks - disk.f_bfree);
  vitals.free_space = percent(free, free + used);
  vitals.free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto free_inodes = static_cast<double>(disk.f_favail);
  const auto used_inodes = static_cast<double>(disk.f_files - disk.f_ffree);
  // Some file systems have no fixed number of them.
  vitals.free_inodes =
      disk.f_files == 0 ? 100 : percent(free_inodes, free_inodes + used_inodes);
  return {};
}

}  // namespace pony
