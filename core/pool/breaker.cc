#include "core/pool/breaker.h"

#include <algorithm>

namespace pony {

Breaker::State Breaker::state(Moment now) const {
  if (!open_until_) return State::closed;
  return now < *open_until_ ? State::open : State::half_open;
}

bool Breaker::may_try(Moment now) const {
  if (rest_until_ && now < *rest_until_) return false;
  switch (state(now)) {
    case State::closed:
      return true;
    case State::open:
      return false;
    case State::half_open:
      break;
  }
  return !probing_;
}

void Breaker::started(Moment now) {
  if (state(now) == State::half_open) probing_ = true;
}

void Breaker::succeeded() {
  failures_ = 0;
  probing_ = false;
  open_until_.reset();
  cool_down_ = std::chrono::seconds(0);
}

bool Breaker::failed(Moment now) {
  ++failures_;
  const bool probe_failed = probing_;
  probing_ = false;
  if (state(now) == State::open) return false;  // was in flight when it opened
  if (!probe_failed && failures_ < config_.failures) return false;
  const bool was_closed = !open_until_;
  cool_down_ = cool_down_.count() == 0
                   ? config_.cool_down
                   : std::min(cool_down_ * 2, config_.max_cool_down);
  open_until_ = now + cool_down_;
  return was_closed;
}

void Breaker::rest_until(Moment until) {
  if (!rest_until_ || until > *rest_until_) rest_until_ = until;
}

std::optional<Breaker::Moment> Breaker::resting_until(Moment now) const {
  std::optional<Moment> until;
  if (rest_until_ && now < *rest_until_) until = rest_until_;
  if (open_until_ && now < *open_until_ && (!until || *open_until_ > *until))
    until = open_until_;
  return until;
}

}  // namespace pony
