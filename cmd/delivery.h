// All that delivering needs, built from the configuration: event loop,
// providers, pools, templates. Here the rooms meet: the dispatcher (core/pool)
// that a runner (spool) is given.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cmd/context.h"
#include "core/net/reactor.h"
#include "core/pool/dispatcher.h"
#include "core/provider/provider.h"
#include "core/template/template_store.h"
#include "spool/policy.h"

namespace pony {

class DeliverySet {
 public:
  // A provider that cannot be set up (a secret that cannot be read) is left
  // out and told; config when none is left.
  static Result<std::unique_ptr<DeliverySet>> make(Context& context, int jobs);
  ~DeliverySet();

  Reactor& reactor() { return reactor_; }
  Dispatcher& dispatcher() { return *dispatcher_; }
  TemplateStore& templates() { return templates_; }
  const Config& config() const { return config_; }
  // What the provider of this name would send for `mail`, secrets masked.
  Result<std::string> preview(std::string_view provider,
                              const RenderedMessage& mail);

 private:
  DeliverySet(Context& context, Config config);

  Context& context_;
  Config config_;  // a copy: a reload must not change it under us
  Reactor reactor_;
  TemplateStore templates_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

// What the configuration says about retries.
Policy policy_from(const Config& config);

// "to=<ann@example.com>, provider=main, attempt=2, deferred (…), next try …"
std::string describe(const Delivery& delivery, const Event& event, Time now);

}  // namespace pony
