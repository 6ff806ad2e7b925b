#include "core/pool/member.h"

#include <algorithm>
#include <utility>

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

// How old the copy may get while this process has nothing to tell.
constexpr Milliseconds k_look_again{20};
// A rate that frees a place within this time is waited for.
constexpr Milliseconds k_short_wait{2000};
// After its time-outs a probe has ended, or its process has died.
constexpr Milliseconds k_probe_margin{30'000};
// A store that failed is left alone for so long: each call of it may wait.
constexpr Milliseconds k_store_rest{10'000};

}  // namespace

Member::Member(std::unique_ptr<Provider> provider, const ProviderConfig& config,
               const BreakerConfig& breaker, HealthStore& store,
               const Clock& clock)
    : provider_(std::move(provider)),
      name_(provider_->name()),
      rates_(config.rate),
      probe_lease_(config.connect_timeout + config.timeout + k_probe_margin),
      breaker_(breaker),
      store_(store),
      clock_(clock) {
  auto health = store_.read(name_);
  if (health) health_ = std::move(*health);
  tidy(health_, clock_.now(), breaker_, rates_);
  read_at_ = Steady::now();
}

// Works on the store's health, or without it on our copy. `change` is a
// function of what it is given alone, so that a failed try leaves no trace.
void Member::change(const std::function<void(ProviderHealth&)>& change) {
  if (store_rests() || !take_over(store_.update(name_, change)))
    change(health_);
}

bool Member::store_rests() const {
  return on_its_own_ && Steady::now() - read_at_ < k_store_rest;
}

// What the store made of an update is our copy from here on. False when it
// could not: our copy is all there is then.
bool Member::take_over(Result<ProviderHealth> kept) {
  read_at_ = Steady::now();
  on_its_own_ = !kept;
  if (kept) {
    health_ = std::move(*kept);
    return true;
  }
  if (!std::exchange(store_failed_, true)) store_error_ = kept.error();
  return false;
}

// What others found out meanwhile. Not while we know what the store does not:
// notes that are on their way to it, or that it could not keep.
void Member::look_again() {
  if (on_its_own_ || !notes_.empty() || Steady::now() - read_at_ < k_look_again)
    return;
  auto health = store_.read(name_);
  read_at_ = Steady::now();
  if (health) health_ = std::move(*health);
  tidy(health_, clock_.now(), breaker_, rates_);
}

Member::Start Member::reserve() {
  // Who has waited for work for long knows nothing of what happened since.
  look_again();
  const Time now = clock_.now();
  if (resting_until()) return Start::not_now;
  if (provider_->room() <= announced) return Start::busy;
  if (rate_waits_for() > Milliseconds(0)) return Start::wait;
  rate_waits_until_.reset();
  if (!is_half_open() && rates_.empty()) return Start::now;

  Start start = Start::now;
  std::optional<Time> wait_until;
  change([&](ProviderHealth& health) {
    tidy(health, now, breaker_, rates_);
    start = Start::not_now;
    wait_until.reset();
    // Somebody else may have found out that it does not work.
    if (pony::resting_until(health, now)) return;
    wait_until = take_from_rates(health, rates_, now);
    if (wait_until) return;
    if (breaker_state(health, now) == BreakerState::half_open)
      (void)claim_probe(health, now, probe_lease_);
    start = Start::now;
  });
  if (start == Start::now) reserved_at_ = now;
  if (!wait_until) return start;
  rate_waits_until_ = wait_until;
  return resting_until() ? Start::not_now : Start::wait;
}

void Member::give_back() {
  if (!reserved_at_) return;
  change([&](ProviderHealth& health) {
    give_back_to_rates(health, rates_, *reserved_at_);
    note_neutral(health);
  });
}

void Member::note(const AttemptResult& result) {
  Note note{Note::Kind::says_nothing, clock_.now(), result.latency, {}, {}};
  for (const Verdict& verdict : result.verdicts) {
    if (verdict.rest)
      note.rest_until = std::max(note.rest_until.value_or(Time{}),
                                 note.at + Milliseconds(*verdict.rest));
    switch (verdict.outcome) {
      case Outcome::accepted:
        note.kind = Note::Kind::works;
        break;
      case Outcome::rejected:
        // Unless the message never left: then it says nothing.
        if (verdict.counts_against_provider) note.kind = Note::Kind::works;
        break;
      case Outcome::throttled:
        // It works, and said for how long it wants rest; if it did not say,
        // the breaker decides.
        if (verdict.rest) break;
        [[fallthrough]];
      case Outcome::unavailable:
      case Outcome::unknown:
        if (!verdict.counts_against_provider || note.kind == Note::Kind::works)
          break;
        note.kind = Note::Kind::fails;
        note.error = verdict.error;
        break;
    }
  }
  apply(note, health_, own_turn_);
  notes_.push_back(std::move(note));
}

void Member::apply(const Note& note, ProviderHealth& health, Turn& turn) const {
  const bool was_closed =
      breaker_state(health, note.at) == BreakerState::closed;
  switch (note.kind) {
    case Note::Kind::works:
      note_success(health, note.at, note.latency);
      if (!was_closed) turn.closed = true;
      break;
    case Note::Kind::fails:
      if (note_failure(health, note.at, note.error, breaker_))
        turn.opened = true;
      break;
    case Note::Kind::says_nothing:
      note_neutral(health);
      break;
  }
  if (note.rest_until) note_rest(health, *note.rest_until);
}

Member::Turn Member::share() {
  Turn turn;
  if (notes_.empty()) {
    look_again();
    return turn;
  }
  const auto notes = std::exchange(notes_, {});
  const Turn own = std::exchange(own_turn_, {});
  if (store_rests()) return own;
  const bool kept = take_over(store_.update(name_, [&](ProviderHealth& health) {
    tidy(health, clock_.now(), breaker_, rates_);
    for (const Note& note : notes) apply(note, health, turn);
  }));
  return kept ? turn : own;
}

std::optional<Time> Member::resting_until() const {
  const Time now = clock_.now();
  auto until = pony::resting_until(health_, now);
  if (rate_waits_for() > k_short_wait)
    until = std::max(until.value_or(Time{}), *rate_waits_until_);
  return until;
}

// Zero when it need not wait, also when the clock was set back since.
Milliseconds Member::rate_waits_for() const {
  if (!rate_waits_until_) return Milliseconds(0);
  const Milliseconds wait = *rate_waits_until_ - clock_.now();
  const bool is_possible = std::any_of(
      rates_.begin(), rates_.end(),
      [&](const RateLimit& rate) { return wait <= rate.per + rate.per / 10; });
  return is_possible ? std::max(wait, Milliseconds(0)) : Milliseconds(0);
}

std::string Member::why_resting() const {
  const Time now = clock_.now();
  std::string why = pony::why_resting(health_, now);
  if (rate_waits_for() <= k_short_wait) return why;
  if (!why.empty()) why += "; ";
  return why + "its rate is used up";
}

bool Member::is_half_open() const {
  return breaker_state(health_, clock_.now()) == BreakerState::half_open;
}

MemberHealth Member::of_late() const {
  const auto median = health_.latency.percentile(50);
  return {failure_rate(health_, clock_.now()),
          median ? static_cast<double>(median->count()) : 0};
}

std::optional<Error> Member::take_store_error() {
  return std::exchange(store_error_, {});
}

}  // namespace pony
