// A pool and how its members are, as `pony pool` tells it: tables for people,
// an object for programs.
#pragma once

#include <string>
#include <vector>

#include "cmd/provider_format.h"
#include "core/config.h"
#include "core/result.h"
#include "spool/health_files.h"

namespace pony {

struct ListedMember {
  ListedProvider provider;
  int weight = 1;
  bool may_be_asked = false;  // now
  double leads = 0;  // how likely it is asked first by the next message, 0 to 1
};

struct ListedPool {
  const PoolConfig* config = nullptr;
  std::vector<ListedMember> members;  // in the configuration's order
};

// Errors: as HealthStore::read.
Result<ListedPool> listed_pool(const Config& config, const PoolConfig& pool,
                               HealthFiles& health, Time now);

// One line a pool, with a heading. For people: it may change.
std::string pool_table(const std::vector<ListedPool>& pools, Time now);
// Everything about one.
std::string pool_page(const ListedPool& pool, Time now);
// One object, one line, with its '\n'.
std::string pool_json(const ListedPool& pool, Time now);

}  // namespace pony
