#include "core/pool/dispatcher.h"

#include <algorithm>
#include <utility>

namespace pony {
namespace {

using Moment = Breaker::Moment;

Moment steady_now() {
  return std::chrono::steady_clock::now();
}

// Weight of the newest attempt in "of late".
constexpr double k_newest = 0.05;

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

bool is_failure(const Verdict& verdict) {
  return verdict.counts_against_provider &&
         (verdict.outcome == Outcome::unavailable ||
          verdict.outcome == Outcome::unknown ||
          verdict.outcome == Outcome::throttled);
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
};

Dispatcher::Dispatcher(Reactor& reactor,
                       std::vector<std::unique_ptr<Provider>> providers,
                       Render render, Options options)
    : reactor_(reactor),
      render_(std::move(render)),
      options_(std::move(options)),
      order_(options_.seed) {
  for (auto& provider : providers) {
    std::string name(provider->name());
    members_.emplace(std::move(name),
                     Member{std::move(provider), Breaker(options_.breaker),
                            MemberHealth{}, 0});
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
  if (stopping_ || everybody_rests()) return 0;
  return options_.jobs - static_cast<int>(rounds_.size());
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
  taken.pool = pool_for(options_.pools, is.message,
                        domain_of(taken.message->from.email));
  if (taken.pool == nullptr)
    return not_tried("there is no pool '" + is.message.pool +
                     "' in the configuration");

  std::vector<MemberHealth> health;
  for (const auto& member : taken.pool->members) {
    const auto it = members_.find(member.provider);
    health.push_back(it == members_.end() ? MemberHealth{} : it->second.health);
  }
  const auto order = order_.of(*taken.pool, health);
  for (auto it = order.rbegin(); it != order.rend(); ++it)
    taken.candidates.push_back(taken.pool->members[*it].provider);
  // Whose answer was lost last time may have it: that provider is asked
  // first, so that a receiver that folds equal Message-IDs sees one sender.
  if (!is.history.unknown_at.empty()) {
    const auto it = std::find(taken.candidates.begin(), taken.candidates.end(),
                              is.history.unknown_at);
    if (it != taken.candidates.end())
      std::rotate(it, it + 1, taken.candidates.end());
  }
  advance(taken);
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
      round.candidates.pop_back();
      continue;
    }
    Member& member = it->second;
    Attempt attempt{round.message, round.pending, round.number + 1};
    if (auto why = member.provider->cannot_carry(attempt)) {
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
    if (!member.breaker.may_try(steady_now())) {
      round.candidates.pop_back();
      continue;
    }
    if (member.provider->room() <= member.announced) return false;
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
  round.provider = member.provider->name();
  round.tried = true;
  Event event = event_of("attempting", round);
  event.attempt = attempt.number;
  event.provider = round.provider;
  happenings_.events.push_back(std::move(event));
  member.breaker.started(steady_now());
  ++member.announced;
  announced_.push_back({round.delivery->id, &member, std::move(attempt)});
}

void Dispatcher::confirmed() {
  auto starting = std::exchange(announced_, {});
  for (auto& one : starting) {
    --one.member->announced;
    auto recipients = one.attempt.recipients;
    const int number = one.attempt.number;
    one.member->provider->start(
        std::move(one.attempt),
        [this, id = one.id, member = one.member, number,
         to = std::move(recipients)](const AttemptResult& result) {
          ended(id, *member, to, number, result);
        });
  }
}

void Dispatcher::ended(const std::string& id, Member& member,
                       const std::vector<std::string>& recipients, int number,
                       const AttemptResult& result) {
  judge(member, result);
  const auto it = rounds_.find(id);
  if (it == rounds_.end()) return;
  InRound& round = *it->second;

  const Outcome best = best_of(result.verdicts);
  Event event = event_of("attempted", round);
  event.attempt = number;
  event.provider = member.provider->name();
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
    if (list)
      event.recipients.push_back(
          {recipients[i], verdict.outcome, verdict.error});
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

// What an attempt says about the provider's health.
void Dispatcher::judge(Member& member, const AttemptResult& result) {
  const Moment now = steady_now();
  const bool failed =
      std::any_of(result.verdicts.begin(), result.verdicts.end(), is_failure);
  const bool answered = std::any_of(
      result.verdicts.begin(), result.verdicts.end(), [](const Verdict& v) {
        return v.outcome == Outcome::accepted || v.outcome == Outcome::rejected;
      });
  for (const auto& verdict : result.verdicts)
    if (verdict.rest) member.breaker.rest_until(now + *verdict.rest);
  if (answered) {
    member.breaker.succeeded();
  } else if (failed) {
    if (member.breaker.failed(now))
      options_.on_warning(
          "provider '" + std::string(member.provider->name()) +
          "' rests after " + std::to_string(member.breaker.failures()) +
          " failures in a row; the last: " + result.verdicts.front().error);
  } else {
    member.breaker.ended();
  }
  auto& health = member.health;
  health.failure_rate +=
      k_newest * ((answered ? 0.0 : 1.0) - health.failure_rate);
  health.latency_ms += k_newest * (static_cast<double>(result.latency.count()) -
                                   health.latency_ms);
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
                         "' that could take it rests";
    }
  }
  happenings_.rounds.push_back(std::move(result));
  const std::string id = round.delivery->id;
  rounds_.erase(id);
}

Happenings Dispatcher::poll(Milliseconds max_wait) {
  const bool ready = !happenings_.empty();
  reactor_.turn(ready ? Milliseconds(0) : max_wait);
  // Those in line, in order, as far as there is room.
  for (std::size_t left = waiting_.size(); left > 0; --left) {
    const auto it = rounds_.find(waiting_.front());
    waiting_.pop_front();
    if (it != rounds_.end()) advance(*it->second);
  }
  return std::exchange(happenings_, {});
}

bool Dispatcher::everybody_rests() const {
  const Moment now = steady_now();
  return std::none_of(members_.begin(), members_.end(), [&](const auto& one) {
    return one.second.breaker.may_try(now);
  });
}

std::string Dispatcher::stalled() const {
  if (!everybody_rests()) return {};
  std::string text = "every provider rests:";
  const Moment now = steady_now();
  for (const auto& [name, member] : members_) {
    const auto until = member.breaker.resting_until(now);
    const auto wait =
        until ? std::chrono::ceil<std::chrono::seconds>(*until - now)
              : std::chrono::seconds(0);
    text += " '" + name + "' (" + std::to_string(wait.count()) + " s more)";
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
    result.verdicts.assign(one.attempt.recipients.size(), verdict);
    --one.member->announced;
    ended(one.id, *one.member, one.attempt.recipients, one.attempt.number,
          result);
  }
  for (auto& [name, member] : members_) member.provider->shut_down();
  for (const auto& id : std::exchange(waiting_, {})) {
    const auto it = rounds_.find(id);
    if (it == rounds_.end()) continue;
    it->second->candidates.clear();
    advance(*it->second);
  }
}

}  // namespace pony
