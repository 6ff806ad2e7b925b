#include "cmd/delivery.h"

#include <cstdlib>
#include <random>
#include <utility>

#include "cmd/provider_format.h"
#include "core/provider/registry.h"
#include "core/template/render_message.h"
#include "spool/message_id.h"

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

// The same provider with nothing to hide: what is masked was never there.
ProviderConfig without_secrets(ProviderConfig config) {
  for (auto& [key, source] : config.secrets) {
    SecretSource masked;
    masked.key = source.key;
    masked.place = source.place;
    masked.value = "***";
    source = std::move(masked);
  }
  return config;
}

// What random and weighted pools draw from: $PONY_SEED makes them repeatable.
std::uint64_t seed() {
  if (const char* given = std::getenv("PONY_SEED"))
    return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

}  // namespace

DeliverySet::DeliverySet(Context& context, Spool& spool, Config config)
    : context_(context),
      config_(std::move(config)),
      templates_(config_.templates, config_.default_lang),
      health_(spool.folders()) {}

DeliverySet::~DeliverySet() = default;

Result<std::unique_ptr<DeliverySet>> DeliverySet::make(Context& context,
                                                       Spool& spool, int jobs) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  std::unique_ptr<DeliverySet> made(new DeliverySet(context, spool, **config));
  DeliverySet& set = *made;
  auto providers = make_providers(context, set.config_, set.reactor_);
  if (!providers) return tl::unexpected(providers.error());

  Dispatcher::Options options;
  options.jobs = jobs;
  options.seed = seed();
  options.on_warning = [&context](const std::string& text) {
    context.warn(text);
  };
  options.on_breaker = [&set](const Json& event) { set.on_breaker_(event); };
  auto render = [&set](const Delivery& delivery) -> Result<RenderedMessage> {
    auto mail =
        render_message(delivery.message, delivery.id, delivery.accepted_at,
                       set.templates_, set.config_.default_from);
    if (mail && set.config_.safe_mode) mark_redirected(*mail);
    return mail;
  };
  set.dispatcher_ = std::make_unique<Dispatcher>(
      set.config_, std::move(*providers), std::move(render), set.health_,
      set.reactor_, context.clock(), std::move(options));
  if (set.config_.safe_mode) {
    set.safe_mode_.emplace(*set.dispatcher_, *set.config_.safe_mode);
    context.say("safe_mode is on: mail goes only to whom it allows");
  }
  return made;
}

Deliverer& DeliverySet::deliverer() {
  if (safe_mode_) return *safe_mode_;
  return *dispatcher_;
}

Result<RenderedMessage> render_now(const Message& message, const Config& config,
                                   const Clock& clock) {
  TemplateStore templates(config.templates, config.default_lang);
  const Time now = clock.now();
  const std::string id = new_message_id(now);
  if (!config.safe_mode)
    return render_message(message, id, now, templates, config.default_from);
  const SafeMessage safe = in_safe_mode(message, *config.safe_mode);
  if (safe.stands_for.empty())
    return fail(Error::Kind::refused,
                "safe_mode keeps every recipient of this message back");
  auto mail =
      render_message(safe.message, id, now, templates, config.default_from);
  if (mail) mark_redirected(*mail);
  return mail;
}

Result<std::string> preview_as(std::string_view name,
                               const RenderedMessage& mail,
                               const Config& config, const Clock& clock,
                               std::vector<std::string>& reduced) {
  auto provider_config = provider_called(config, name);
  if (!provider_config) return tl::unexpected(provider_config.error());
  Reactor reactor;
  auto provider =
      make_provider(without_secrets(**provider_config), reactor, clock);
  if (!provider) return tl::unexpected(provider.error());
  const Attempt attempt{std::make_shared<const RenderedMessage>(mail),
                        recipients_of(mail), 1};
  if (auto why = (*provider)->cannot_carry(attempt))
    return fail(Error::Kind::refused,
                "provider '" + std::string(name) +
                    "' cannot carry this message: " + *why);
  return (*provider)->preview(attempt, reduced);
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
