#include "core/pool/dispatcher.h"

#include <algorithm>
#include <utility>

#include "core/provider/attempt.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

// How long a message waits for a provider's rate while another provider of its
// pool might take it.
constexpr Milliseconds k_rate_patience{2000};

Outcome best_of(const std::vector<Verdict>& verdicts) {
  Outcome best = verdicts.front().outcome;
  for (const auto& verdict : verdicts) best = better(best, verdict.outcome);
  return best;
}

bool all_alike(const std::vector<Verdict>& verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(), [&](const Verdict& v) {
    return v.outcome == verdicts.front().outcome;
  });
}

// What a list of recipients says of one. Ten thousand of them fill a message's
// file with each attempt: words that the event has already are not repeated.
RecipientOutcome of_one(const std::string& email, const Verdict& verdict,
                        const Event& event) {
  constexpr std::size_t longest = 200;
  return {email, verdict.outcome,
          verdict.error == event.error ? std::string()
                                       : printable(verdict.error, longest)};
}

}  // namespace

// A message on its way round the providers of its pool.
struct Dispatcher::InRound {
  std::shared_ptr<const Delivery> delivery;
  std::shared_ptr<const RenderedMessage> message;
  const PoolConfig* pool = nullptr;
  std::vector<std::string> candidates;  // providers, the next one last
  std::vector<std::string> pending;     // recipients to be reached
  std::vector<RecipientVerdict> verdicts;
  int number = 0;  // of the last attempt
  std::string provider;
  std::string cannot_carry;
  bool tried = false;
  bool could_carry = false;  // some provider could, even if it rests
  bool left_out = false;     // some provider could not be set up
  std::optional<Steady::time_point> waits_since;  // for a provider's rate
};

Dispatcher::Dispatcher(const Config& config,
                       std::vector<std::unique_ptr<Provider>> providers,
                       Render render, HealthStore& health, Reactor& reactor,
                       const Clock& clock, Options options)
    : config_(config),
      reactor_(reactor),
      clock_(clock),
      render_(std::move(render)),
      options_(std::move(options)),
      order_(options_.seed) {
  for (auto& provider : providers) {
    const std::string name(provider->name());
    const auto* settings = config_.provider(name);
    members_.try_emplace(name, std::move(provider),
                         settings != nullptr ? *settings : ProviderConfig{},
                         config_.breaker, health, clock);
  }
}

Dispatcher::~Dispatcher() = default;

const PoolConfig* Dispatcher::pool_for(const std::vector<PoolConfig>& pools,
                                       const Message& message,
                                       std::string_view sender_domain) {
  const auto named = [&](std::string_view name) -> const PoolConfig* {
    for (const auto& pool : pools)
      if (pool.name == name) return &pool;
    return nullptr;
  };
  if (!message.pool.empty()) return named(message.pool);
  if (const auto* pool = named(sender_domain)) return pool;
  return named("default");
}

int Dispatcher::room() const {
  if (stopping_) return 0;
  // With nothing but a breaker that is half open there is work for one: the
  // others would only come to be put back.
  int jobs = 0;
  for (const auto& [name, member] : members_)
    if (!member.resting_until())
      jobs = std::max(jobs, member.is_half_open() ? 1 : options_.jobs);
  return jobs - static_cast<int>(rounds_.size());
}

void Dispatcher::take(std::shared_ptr<const Delivery> delivery) {
  auto round = std::make_unique<InRound>();
  round->delivery = std::move(delivery);
  const Delivery& is = *round->delivery;
  round->number = is.history.attempts;
  for (const auto& recipient : is.message.recipients())
    if (!is.history.settled.contains(recipient.email))
      round->pending.push_back(recipient.email);

  InRound& taken = *round;
  rounds_.emplace(is.id, std::move(round));
  const auto not_tried = [&](std::string why) {
    Round result;
    result.id = is.id;
    result.not_tried = std::move(why);
    happenings_.rounds.push_back(std::move(result));
    rounds_.erase(is.id);
  };
  auto rendered = render_(is);
  if (!rendered) {
    std::string why = rendered.error().what;
    for (const auto& problem : rendered.error().problems)
      why += "; " + problem.place + ": " + problem.what;
    return not_tried(std::move(why));
  }
  taken.message = std::make_shared<const RenderedMessage>(std::move(*rendered));
  taken.pool =
      pool_for(config_.pools, is.message, domain_of(taken.message->from.email));
  if (taken.pool == nullptr)
    return not_tried("there is no pool '" + is.message.pool +
                     "' in the configuration");

  const auto order = order_.of(*taken.pool, health_of(*taken.pool));
  for (auto it = order.rbegin(); it != order.rend(); ++it)
    taken.candidates.push_back(taken.pool->members[*it].provider);
  put_doubtful_in_place(taken);
  advance(taken);
}

// What the pool's strategy looks at, one a member. Only adaptive does: for the
// others nobody goes through a thousand latencies for each message.
std::vector<MemberHealth> Dispatcher::health_of(const PoolConfig& pool) const {
  std::vector<MemberHealth> health(pool.members.size());
  if (pool.strategy != Strategy::adaptive) return health;
  for (std::size_t i = 0; i < health.size(); ++i) {
    const auto it = members_.find(pool.members[i].provider);
    if (it != members_.end()) health[i] = it->second.of_late();
  }
  return health;
}

// Whose answer was lost last time may have it. As long as it knows the message
// by its key it is asked first; else last: whoever swallowed one answer may do
// so again, and each time send another copy.
void Dispatcher::put_doubtful_in_place(InRound& round) const {
  const History& history = round.delivery->history;
  auto& candidates = round.candidates;  // the next one last
  const auto it =
      std::find(candidates.begin(), candidates.end(), history.unknown_at);
  if (it == candidates.end()) return;
  const auto member = members_.find(*it);
  const bool knows_it = member != members_.end() &&
                        clock_.now() - history.unknown_since <
                            member->second.provider().remembers_key_for();
  if (knows_it) {
    std::rotate(it, it + 1, candidates.end());
  } else {
    std::rotate(candidates.begin(), it, it + 1);
  }
}

// On to the next provider, or to the end of the round, or into the line of a
// provider that has no room.
void Dispatcher::advance(InRound& round) {
  if (try_to_start(round)) return;
  if (!round.candidates.empty()) {
    waiting_.push_back(round.delivery->id);
    return;
  }
  close(round);
}

// True when an attempt was announced. Otherwise the round has no candidates
// left, or its next one (the last of them) has no room.
bool Dispatcher::try_to_start(InRound& round) {
  while (!round.candidates.empty() && !round.pending.empty()) {
    const auto it = members_.find(round.candidates.back());
    if (it == members_.end()) {
      // Left out for now (its secret cannot be read): it might have.
      round.could_carry = true;
      round.left_out = true;
      round.candidates.pop_back();
      continue;
    }
    Member& member = it->second;
    Attempt attempt{round.message, round.pending, round.number + 1};
    if (auto why = member.provider().cannot_carry(attempt)) {
      Event skipped = event_of("skipped", round);
      skipped.provider = it->first;
      skipped.reason = *why;
      happenings_.events.push_back(std::move(skipped));
      if (!round.cannot_carry.empty()) round.cannot_carry += "; ";
      round.cannot_carry += it->first + ": " + *why;
      round.candidates.pop_back();
      continue;
    }
    round.could_carry = true;
    const auto start = member.reserve();
    if (start == Member::Start::busy) return false;
    if (start == Member::Start::wait) {
      if (!round.waits_since) round.waits_since = Steady::now();
      if (round.candidates.size() == 1 ||
          Steady::now() - *round.waits_since < k_rate_patience)
        return false;
    }
    round.waits_since.reset();
    if (start != Member::Start::now) {
      round.candidates.pop_back();
      continue;
    }
    round.candidates.pop_back();
    announce(round, member, std::move(attempt));
    return true;
  }
  round.candidates.clear();
  return false;
}

Event Dispatcher::event_of(std::string_view kind, const InRound& round) const {
  Event event;
  event.event = kind;
  event.id = round.delivery->id;
  event.lang = round.message->lang;
  event.pool = round.pool->name;
  return event;
}

void Dispatcher::announce(InRound& round, Member& member, Attempt attempt) {
  round.number = attempt.number;
  round.provider = member.name();
  round.tried = true;
  Event event = event_of("attempting", round);
  event.attempt = attempt.number;
  event.provider = round.provider;
  happenings_.events.push_back(std::move(event));
  ++member.announced;
  announced_.push_back({round.delivery->id, &member, std::move(attempt)});
}

void Dispatcher::confirmed() {
  auto starting = std::exchange(announced_, {});
  for (auto& one : starting) {
    --one.member->announced;
    auto recipients = one.attempt.recipients;
    const int number = one.attempt.number;
    one.member->provider().start(
        std::move(one.attempt),
        [this, id = one.id, member = one.member, number,
         to = std::move(recipients)](const AttemptResult& result) {
          ended(id, *member, to, number, result);
        });
  }
  reactor_.begin_performing();
}

void Dispatcher::ended(const std::string& id, Member& member,
                       const std::vector<std::string>& recipients, int number,
                       const AttemptResult& result) {
  member.note(result);
  const auto it = rounds_.find(id);
  if (it == rounds_.end()) return;
  InRound& round = *it->second;

  const Outcome best = best_of(result.verdicts);
  Event event = event_of("attempted", round);
  event.attempt = number;
  event.provider = member.name();
  event.outcome = best;
  event.latency_ms = result.latency.count();
  event.reduced = result.reduced;
  for (const auto& verdict : result.verdicts) {
    if (verdict.outcome != best) continue;
    event.status = verdict.status;
    event.provider_id = verdict.provider_id;
    if (best != Outcome::accepted) event.error = verdict.error;
    break;
  }
  // Without a list the outcome is everybody's who is not settled
  // (core/history.h), also theirs who are in doubt at an earlier provider and
  // were not asked for here.
  const bool some_in_doubt = std::any_of(
      round.verdicts.begin(), round.verdicts.end(),
      [](const auto& one) { return one.verdict.outcome == Outcome::unknown; });
  const bool list = some_in_doubt || !all_alike(result.verdicts);
  std::vector<std::string> left;
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    const Verdict& verdict = result.verdicts[i];
    if (list) event.recipients.push_back(of_one(recipients[i], verdict, event));
    if (verdict.outcome == Outcome::unavailable ||
        verdict.outcome == Outcome::throttled)
      left.push_back(recipients[i]);
    const auto known = std::find_if(
        round.verdicts.begin(), round.verdicts.end(),
        [&](const auto& one) { return one.email == recipients[i]; });
    if (known == round.verdicts.end()) {
      round.verdicts.push_back({recipients[i], verdict});
    } else {
      known->verdict = verdict;
    }
  }
  happenings_.events.push_back(std::move(event));
  round.pending = std::move(left);
  if (stopping_ || round.pending.empty()) round.candidates.clear();
  advance(round);
}

// Hands on what this turn's attempts said of their providers' health.
void Dispatcher::share_health() {
  for (auto& [name, member] : members_) {
    const auto turn = member.share();
    if (turn.opened) {
      options_.on_warning("provider '" + name +
                          "' rests: " + member.why_resting());
      tell_breaker(member, "open");
    } else if (turn.closed) {
      tell_breaker(member, "closed");
    }
    if (const auto error = member.take_store_error())
      options_.on_warning("the health of provider '" + name +
                          "' is not kept: " + error->what);
  }
}

// A breaker opened or closed: who is to know also wants to hear which pools
// live on their last provider now.
void Dispatcher::tell_breaker(const Member& member, std::string_view state) {
  Json event = Json::object();
  event.set("ts", Json::string(format_time(clock_.now())));
  event.set("event", Json::string("breaker"));
  event.set("provider", Json::string(member.name()));
  event.set("state", Json::string(std::string(state)));
  event.set("failures", Json::number(member.health().failures));
  if (state == "open") {
    if (const auto until = member.resting_until())
      event.set("until", Json::string(format_time(*until)));
    event.set("error", Json::string(member.health().last_error));
  }
  Json pools = Json::array();
  for (const auto& pool : config_.pools) {
    Json left = Json::array();
    bool concerned = false;
    for (const auto& one : pool.members) {
      const auto it = members_.find(one.provider);
      if (it == members_.end()) continue;
      concerned = concerned || one.provider == member.name();
      if (!it->second.resting_until())
        left.items.push_back(Json::string(one.provider));
    }
    if (!concerned) continue;
    if (state == "open" && left.items.size() == 1 && pool.members.size() > 1)
      options_.on_warning("pool '" + pool.name +
                          "' lives on its last provider, '" +
                          left.items.front().text + "'");
    Json entry = Json::object();
    entry.set("pool", Json::string(pool.name));
    entry.set("left", std::move(left));
    pools.items.push_back(std::move(entry));
  }
  event.set("pools", std::move(pools));
  options_.on_breaker(event);
}

void Dispatcher::close(InRound& round) {
  Round result;
  result.id = round.delivery->id;
  result.verdicts = std::move(round.verdicts);
  result.provider = round.provider;
  result.attempt = round.number;
  if (!round.tried) {
    if (!round.could_carry && !round.cannot_carry.empty()) {
      result.cannot_be_carried = round.cannot_carry;
    } else if (round.pending.empty()) {
      // Everybody was settled before: a retry of what needs none.
    } else if (stopping_ || everybody_rests()) {
      result.untouched = true;
    } else {
      result.not_tried = "every provider of pool '" + round.pool->name +
                         "' that could take it rests" +
                         (round.left_out ? " or is left out" : "");
      result.next_at = first_to_return(round);
    }
  }
  happenings_.rounds.push_back(std::move(result));
  const std::string id = round.delivery->id;
  rounds_.erase(id);
}

// When the first of those who could take it may be tried again.
std::optional<Time> Dispatcher::first_to_return(const InRound& round) const {
  std::optional<Time> first;
  for (const auto& one : round.pool->members) {
    const auto it = members_.find(one.provider);
    if (it == members_.end()) continue;
    const auto until = it->second.resting_until();
    if (until && *until != Time::max() && (!first || *until < *first))
      first = until;
  }
  return first;
}

Happenings Dispatcher::poll(Milliseconds max_wait) {
  const bool ready = !happenings_.empty();
  reactor_.turn(ready ? Milliseconds(0) : until_rate_allows(max_wait));
  share_health();
  // Those in line, in order, as far as there is room.
  for (std::size_t left = waiting_.size(); left > 0; --left) {
    const auto it = rounds_.find(waiting_.front());
    waiting_.pop_front();
    if (it != rounds_.end()) advance(*it->second);
  }
  return std::exchange(happenings_, {});
}

// Whoever waits for a provider's rate wakes when it has a place.
Milliseconds Dispatcher::until_rate_allows(Milliseconds max_wait) const {
  for (const std::string& id : waiting_) {
    const auto round = rounds_.find(id);
    if (round == rounds_.end() || round->second->candidates.empty()) continue;
    const auto member = members_.find(round->second->candidates.back());
    if (member == members_.end()) continue;
    const Milliseconds wait = member->second.rate_waits_for();
    if (wait > Milliseconds(0)) max_wait = std::min(max_wait, wait);
  }
  return max_wait;
}

bool Dispatcher::everybody_rests() const {
  return std::none_of(members_.begin(), members_.end(), [](const auto& one) {
    return !one.second.resting_until();
  });
}

std::string Dispatcher::stalled() const {
  if (!everybody_rests()) return {};
  std::string text = "every provider rests:";
  for (const auto& [name, member] : members_) {
    text += text.ends_with(':') ? " '" : "; '";
    text += name + "' (" + printable(member.why_resting(), 200);
    const auto until = member.resting_until();
    if (until && *until != Time::max())
      text += ", " + format_age(*until - clock_.now()) + " more";
    text += ")";
  }
  return text;
}

void Dispatcher::give_up() {
  stopping_ = true;
  for (auto& one : std::exchange(announced_, {})) {
    AttemptResult result;
    Verdict verdict;
    verdict.error = "stopped before it was started";
    verdict.counts_against_provider = false;
    result.verdicts = for_all(one.attempt, verdict);
    --one.member->announced;
    one.member->give_back();
    ended(one.id, *one.member, one.attempt.recipients, one.attempt.number,
          result);
  }
  for (auto& [name, member] : members_) member.provider().shut_down();
  for (const auto& id : std::exchange(waiting_, {})) {
    const auto it = rounds_.find(id);
    if (it == rounds_.end()) continue;
    it->second->candidates.clear();
    advance(*it->second);
  }
}

}  // namespace pony
