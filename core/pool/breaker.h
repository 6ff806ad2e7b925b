// A circuit breaker: whether a provider is to be tried at all just now.
//
//   closed ──N failures in a row──► open ──cool-down over──► half open
//     ▲                              ▲                          │ one probe
//     └────────── success ───────────┴───────── failure ────────┘
//
// Each time the probe fails the cool-down doubles, up to max_cool_down. A
// provider that asked to be left alone (Retry-After) rests for that long,
// whatever the breaker says. A value: it knows no clock and no provider.
#pragma once

#include <chrono>
#include <optional>

#include "core/config.h"

namespace pony {

class Breaker {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  enum class State { closed, open, half_open };

  explicit Breaker(const BreakerConfig& config) : config_(config) {}

  State state(Moment now) const;
  // May an attempt start now? In half_open only one may be under way.
  bool may_try(Moment now) const;
  // An attempt starts: in half_open it is the probe.
  void started(Moment now);
  void succeeded();
  // True when this failure opens the breaker.
  bool failed(Moment now);
  // An attempt ended that says nothing about the provider's health.
  void ended() { probing_ = false; }
  void rest_until(Moment until);
  // When it may be tried again; nothing when now.
  std::optional<Moment> resting_until(Moment now) const;
  int failures() const { return failures_; }

 private:
  BreakerConfig config_;
  int failures_ = 0;
  bool probing_ = false;
  std::optional<Moment> open_until_;
  std::optional<Moment> rest_until_;
  std::chrono::seconds cool_down_{0};
};

}  // namespace pony
