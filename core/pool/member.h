// A provider as a pool sees it: may it be tried now, and what did its last
// attempts say of its health. The health is shared with every other runner
// and `send` through a HealthStore; here is a copy that is seldom old, and
// notes of what this process found out, handed to the store once a turn.
//
// A store that fails (a full disk) costs nothing but the sharing: this process
// goes on with its copy.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/config.h"
#include "core/health.h"
#include "core/pool/strategy.h"
#include "core/provider/provider.h"

namespace pony {

class Member {
 public:
  // What they refer to outlives the member. `config` is the provider's.
  Member(std::unique_ptr<Provider> provider, const ProviderConfig& config,
         const BreakerConfig& breaker, HealthStore& store, const Clock& clock);

  Provider& provider() { return *provider_; }
  const Provider& provider() const { return *provider_; }
  const std::string& name() const { return name_; }

  enum class Start {
    now,      // reserved: its rate is charged, a half-open breaker's probe ours
    busy,     // all its connections are in use
    wait,     // its rate lets the next one start in a moment
    not_now,  // it rests, is paused, or its rate is used up for long
  };
  // Asks for leave to start an attempt. After Start::now either its result is
  // noted or it is given back.
  Start reserve();
  void give_back();

  // What an attempt came to.
  void note(const AttemptResult& result);

  // What the breaker did by the notes of a turn: the store's, or ours if the
  // store could not keep them.
  struct Turn {
    bool opened = false;
    bool closed = false;
  };
  // Hands over the notes, and looks now and then at what others found out.
  Turn share();

  // When it may be tried again, and why not now; nothing: now.
  std::optional<Time> resting_until() const;
  std::string why_resting() const;
  bool is_half_open() const;
  // How long until the rate lets the next attempt start, if somebody was told
  // to wait.
  Milliseconds rate_waits_for() const;

  MemberHealth of_late() const;
  const ProviderHealth& health() const { return health_; }
  // Why the store could not be used, once.
  std::optional<Error> take_store_error();

  int announced = 0;  // attempts that wait for the dispatcher's confirmed()

 private:
  struct Note {
    enum class Kind { works, fails, says_nothing } kind;
    Time at;
    Milliseconds latency;
    std::string error;
    std::optional<Time> rest_until;
  };

  void apply(const Note& note, ProviderHealth& health, Turn& turn) const;
  void change(const std::function<void(ProviderHealth&)>& change);
  bool take_over(Result<ProviderHealth> kept);
  void look_again();
  bool store_rests() const;

  std::unique_ptr<Provider> provider_;
  std::string name_;
  std::vector<RateLimit> rates_;
  Milliseconds probe_lease_;
  const BreakerConfig& breaker_;
  HealthStore& store_;
  const Clock& clock_;
  ProviderHealth health_;
  std::vector<Note> notes_;  // not yet in the store; in health_ they are
  Turn own_turn_;            // what they did to health_
  std::optional<Time> reserved_at_;
  std::optional<Time> rate_waits_until_;
  std::chrono::steady_clock::time_point read_at_;
  std::optional<Error> store_error_;
  bool store_failed_ = false;
  bool on_its_own_ = false;  // the store could not keep our last update
};

}  // namespace pony
