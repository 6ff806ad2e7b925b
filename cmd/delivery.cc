#include "cmd/delivery.h"

#include <random>
#include <utility>

#include "core/provider/registry.h"
#include "core/template/render_message.h"

namespace pony {
namespace {

Result<std::vector<std::unique_ptr<Provider>>> make_providers(
    Context& context, const Config& config, Reactor& reactor) {
  std::vector<std::unique_ptr<Provider>> providers;
  for (const auto& one : config.providers) {
    auto provider = make_provider(one, reactor, context.clock());
    if (!provider) {
      context.warn("provider '" + one.name +
                   "' is left out: " + provider.error().what);
      continue;
    }
    if (one.setting("insecure_tls") == "true")
      context.warn("provider '" + one.name +
                   "': insecure_tls is on, its certificate is not checked");
    providers.push_back(std::move(*provider));
  }
  if (providers.empty())
    return fail(Error::Kind::config, "no provider can be used",
                "see: pony config check");
  return providers;
}

// Settings that this version reads but does not keep yet. One that is there to
// hold mail back must not be passed over: then nothing is delivered.
Result<> check_kept(Context& context, const Config& config) {
  if (config.safe_mode)
    return fail(Error::Kind::config,
                "safe_mode is not kept by this version of pony, so nothing is "
                "delivered",
                "remove it from the configuration to deliver to everybody");
  const auto not_kept = [&](const std::string& what) {
    context.say("warning: " + what + " is not kept by this version of pony");
  };
  for (const auto& provider : config.providers)
    if (!provider.rate.empty())
      not_kept("the rate of provider '" + provider.name + "'");
  const auto& hooks = config.hooks;
  if (!hooks.on_sent.empty() || !hooks.on_failed.empty() ||
      !hooks.on_breaker.empty())
    not_kept("hooks");
  return {};
}

}  // namespace

DeliverySet::DeliverySet(Context& context, Config config)
    : context_(context),
      config_(std::move(config)),
      templates_(config_.templates, config_.default_lang) {}

DeliverySet::~DeliverySet() = default;

Result<std::unique_ptr<DeliverySet>> DeliverySet::make(Context& context,
                                                       int jobs) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  if (auto kept = check_kept(context, **config); !kept)
    return tl::unexpected(kept.error());
  std::unique_ptr<DeliverySet> set(new DeliverySet(context, **config));
  auto providers = make_providers(context, set->config_, set->reactor_);
  if (!providers) return tl::unexpected(providers.error());

  Dispatcher::Options options;
  options.jobs = jobs;
  options.pools = set->config_.pools;
  options.breaker = set->config_.breaker;
  options.seed = std::random_device{}();
  options.on_warning = [&context](const std::string& text) {
    context.warn(text);
  };
  auto render = [set = set.get()](const Delivery& delivery) {
    return render_message(delivery.message, delivery.id, delivery.accepted_at,
                          set->templates_, set->config_.default_from);
  };
  set->dispatcher_ =
      std::make_unique<Dispatcher>(set->reactor_, std::move(*providers),
                                   std::move(render), std::move(options));
  return set;
}

Result<std::string> DeliverySet::preview(std::string_view name,
                                         const RenderedMessage& mail) {
  const ProviderConfig* config = config_.provider(name);
  if (config == nullptr)
    return fail(Error::Kind::usage,
                "there is no provider '" + std::string(name) + "'");
  auto provider = make_provider(*config, reactor_, context_.clock());
  if (!provider) return tl::unexpected(provider.error());
  Attempt attempt{std::make_shared<const RenderedMessage>(mail), {}, 1};
  for (const auto* list : {&mail.to, &mail.cc, &mail.bcc})
    for (const auto& address : *list)
      attempt.recipients.push_back(address.email);
  return (*provider)->preview(attempt);
}

Policy policy_from(const Config& config) {
  return {config.retry, config.on_unknown};
}

std::string describe(const Delivery& delivery, const Event& event, Time now) {
  std::string text = delivery.id + ": to=<";
  const auto recipients = delivery.message.recipients();
  if (!recipients.empty()) text += printable(recipients.front().email, 200);
  text += ">";
  if (recipients.size() > 1)
    text += " and " + std::to_string(recipients.size() - 1) + " more";
  if (!event.provider.empty()) text += ", provider=" + event.provider;
  if (event.attempt > 0) text += ", attempt=" + std::to_string(event.attempt);
  text += ", " + event.event;
  if (!event.reason.empty()) text += " (" + printable(event.reason) + ")";
  if (event.next_at)
    text += ", next try in " + format_age(*event.next_at - now);
  return text;
}

}  // namespace pony
