// All that delivering needs, built from the configuration: event loop,
// providers, pools, templates. Here the rooms meet: the dispatcher (core/pool)
// that a runner (spool) is given.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cmd/context.h"
#include "core/net/reactor.h"
#include "core/pool/dispatcher.h"
#include "core/pool/safe_mode.h"
#include "core/provider/provider.h"
#include "core/template/template_store.h"
#include "spool/health_files.h"
#include "spool/policy.h"
#include "spool/spool.h"

namespace pony {

class DeliverySet {
 public:
  // A provider that cannot be set up (a secret that cannot be read) is left
  // out and told; config when none is left. The health of providers is kept
  // in `spool`, which outlives the set.
  static Result<std::unique_ptr<DeliverySet>> make(Context& context,
                                                   Spool& spool, int jobs);
  ~DeliverySet();

  Reactor& reactor() { return reactor_; }
  // What a runner is given: the dispatcher, in safe mode if so configured.
  Deliverer& deliverer();
  TemplateStore& templates() { return templates_; }
  const Config& config() const { return config_; }
  // Told when a breaker opens or closes.
  void on_breaker(std::function<void(const Json&)> told) {
    on_breaker_ = std::move(told);
  }

 private:
  DeliverySet(Context& context, Spool& spool, Config config);

  Context& context_;
  Config config_;  // a copy: a reload must not change it under us
  Reactor reactor_;
  TemplateStore templates_;
  HealthFiles health_;
  std::function<void(const Json&)> on_breaker_ = [](const Json&) {};
  std::unique_ptr<Dispatcher> dispatcher_;
  std::optional<SafeModeDeliverer> safe_mode_;
};

// `message` as it would be mailed now, in safe mode if so configured.
Result<RenderedMessage> render_now(const Message& message, const Config& config,
                                   const Clock& clock);

// What the provider of this name would send for `mail`, with no secret read
// or shown; what it would leave out is added to `reduced`. refused when it
// cannot carry the mail, usage when there is no such provider.
Result<std::string> preview_as(std::string_view provider,
                               const RenderedMessage& mail,
                               const Config& config, const Clock& clock,
                               std::vector<std::string>& reduced);

// What the configuration says about retries.
Policy policy_from(const Config& config);

// "to=<ann@example.com>, provider=main, attempt=2, deferred (…), next try …"
std::string describe(const Delivery& delivery, const Event& event, Time now);

}  // namespace pony
