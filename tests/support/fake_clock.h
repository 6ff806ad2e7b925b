// A clock that moves only when a test says so.
#pragma once

#include "core/clock.h"

namespace pony {

class FakeClock : public Clock {
 public:
  Time now() const override { return now_; }
  void advance(Milliseconds by) { now_ += by; }

 private:
  Time now_ = *parse_time("2026-11-21T10:00:00Z");
};

}  // namespace pony
