// Where the numbers of core/vitals.h come from: the spool's folders and log,
// the providers' health, the disk. One object may be asked again and again;
// then it reads of the log what is new.
#pragma once

#include <chrono>

#include "core/config.h"
#include "core/result.h"
#include "core/vitals.h"
#include "spool/health_files.h"
#include "spool/log_window.h"
#include "spool/spool.h"

namespace pony {

class VitalsReader {
 public:
  // How thoroughly: an alert needs to know that a limit is passed, not by how
  // much, and it is a runner that asks, which has mail to deliver.
  enum class Care { exact, enough_for_the_limits };

  // What they refer to outlives the reader. `failed_span`: how far back failed
  // messages count.
  VitalsReader(Spool& spool, const Config& config, Care care,
               Milliseconds failed_span = std::chrono::hours(1));

  // Everything that `limits` asks for, and how much waits. Changes nothing in
  // the spool. Errors: it cannot be read.
  Result<Vitals> read(Time now, const VitalLimits& limits);

 private:
  Result<> read_census(Vitals& vitals, const VitalLimits& limits);
  Result<> read_log(Vitals& vitals);
  Result<> read_providers(Vitals& vitals);
  Result<> read_disk(Vitals& vitals);

  Spool& spool_;
  const Config& config_;
  Care care_;
  Milliseconds failed_span_;
  Milliseconds span_;
  LogWindow window_;
  HealthFiles health_;
};

}  // namespace pony
