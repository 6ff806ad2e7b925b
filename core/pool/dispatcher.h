// The dispatcher: sends each message round the providers of its pool until
// one has it or none is left. It is the Deliverer that `run` and `send` use.
//
// A round: the pool is picked (by name, by the sender's domain, else default),
// its strategy orders the providers, those that cannot carry the message are
// skipped and said so, those that rest are left out. `unavailable` and
// `throttled` go on to the next provider at once, for those recipients alone;
// `unknown` ends the round for its recipients (another provider might send a
// second copy); `accepted` and `rejected` settle theirs.
// Doesn't know: the spool, retries (spool/policy.h says what a round means).
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
#include "core/net/reactor.h"
#include "core/pool/breaker.h"
#include "core/pool/strategy.h"
#include "core/provider/provider.h"
#include "core/rendered_message.h"

namespace pony {

class Dispatcher : public Deliverer {
 public:
  using Render = std::function<Result<RenderedMessage>(const Delivery&)>;

  struct Options {
    int jobs = 50;  // messages in flight
    std::vector<PoolConfig> pools;
    BreakerConfig breaker;
    std::uint64_t seed = 0;  // for random and weighted
    std::function<void(const std::string&)> on_warning =
        [](const std::string&) {};
  };

  Dispatcher(Reactor& reactor, std::vector<std::unique_ptr<Provider>> providers,
             Render render, Options options);
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
  struct Member {
    std::unique_ptr<Provider> provider;
    Breaker breaker;
    MemberHealth health;
    int announced = 0;  // attempts that wait for confirmed()
  };
  struct InRound;
  struct Announced {
    std::string id;
    Member* member;
    Attempt attempt;
  };

  void advance(InRound& round);
  bool try_to_start(InRound& round);
  void announce(InRound& round, Member& member, Attempt attempt);
  void ended(const std::string& id, Member& member,
             const std::vector<std::string>& recipients, int number,
             const AttemptResult& result);
  void judge(Member& member, const AttemptResult& result);
  void close(InRound& round);
  Event event_of(std::string_view kind, const InRound& round) const;
  bool everybody_rests() const;

  Reactor& reactor_;
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
