// The dispatcher: sends each message round the providers of its pool until
// one has it or none is left. It is the Deliverer that `run` and `send` use.
//
// A round: the pool is picked (by name, by the sender's domain, else default),
// its strategy orders the providers, those that cannot carry the message are
// skipped and said so, those that rest are left out. `unavailable` and
// `throttled` go on to the next provider at once, for those recipients alone;
// `unknown` ends the round for its recipients (another provider might send a
// second copy); `accepted` and `rejected` settle theirs.
// A breaker that is half open lets one message through, which goes its usual
// way; everybody else's way leads round that provider.
// Doesn't know: the spool, retries (spool/policy.h says what a round means),
// where the health of providers is kept.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/delivery.h"
#include "core/health.h"
#include "core/net/reactor.h"
#include "core/pool/member.h"
#include "core/pool/strategy.h"
#include "core/provider/provider.h"
#include "core/rendered_message.h"

namespace pony {

class Dispatcher : public Deliverer {
 public:
  using Render = std::function<Result<RenderedMessage>(const Delivery&)>;

  struct Options {
    int jobs = 50;           // messages in flight
    std::uint64_t seed = 0;  // for random and weighted
    std::function<void(const std::string&)> on_warning =
        [](const std::string&) {};
    // A breaker opened or closed: {"event":"breaker","provider":…,"state":…}.
    std::function<void(const Json&)> on_breaker = [](const Json&) {};
  };

  // Pools, breaker and the providers' rates are `config`'s. What is referred
  // to outlives the dispatcher.
  Dispatcher(const Config& config,
             std::vector<std::unique_ptr<Provider>> providers, Render render,
             HealthStore& health, Reactor& reactor, const Clock& clock,
             Options options);
  ~Dispatcher() override;

  int room() const override;
  void take(std::shared_ptr<const Delivery> delivery) override;
  Happenings poll(Milliseconds max_wait) override;
  void confirmed() override;
  std::string stalled() const override;
  void give_up() override;

  // The pool that `message` from `sender_domain` goes to; nullptr when it
  // names one that there is not.
  static const PoolConfig* pool_for(const std::vector<PoolConfig>& pools,
                                    const Message& message,
                                    std::string_view sender_domain);

 private:
  struct InRound;
  struct Announced {
    std::string id;
    Member* member;
    Attempt attempt;
  };

  std::vector<MemberHealth> health_of(const PoolConfig& pool) const;
  void put_doubtful_in_place(InRound& round) const;
  void advance(InRound& round);
  bool try_to_start(InRound& round);
  void announce(InRound& round, Member& member, Attempt attempt);
  void ended(const std::string& id, Member& member,
             const std::vector<std::string>& recipients, int number,
             const AttemptResult& result);
  void share_health();
  void tell_breaker(const Member& member, std::string_view state);
  void close(InRound& round);
  Event event_of(std::string_view kind, const InRound& round) const;
  bool everybody_rests() const;
  std::optional<Time> first_to_return(const InRound& round) const;
  Milliseconds until_rate_allows(Milliseconds max_wait) const;

  const Config& config_;
  Reactor& reactor_;
  const Clock& clock_;
  std::map<std::string, Member, std::less<>> members_;
  Render render_;
  Options options_;
  Order order_;
  std::map<std::string, std::unique_ptr<InRound>, std::less<>> rounds_;
  std::deque<std::string> waiting_;  // for room at a provider
  std::vector<Announced> announced_;
  Happenings happenings_;
  bool stopping_ = false;
};

}  // namespace pony
