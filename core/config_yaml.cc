// The configuration as YAML again, for `pony config show`. Everything that is
// in force stands there, defaults too, and no secret.
#include <fmt/core.h>

#include "core/config.h"
#include "core/json.h"

namespace pony {
namespace {

// "text" in double quotes; a JSON string is a YAML one.
std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// A provider's setting: "${" in it is meant as it stands.
std::string quoted_setting(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) out += '$';
    out += text[i];
  }
  return quoted(out);
}

std::string list(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) {
    if (!out.empty()) out += ", ";
    out += quoted(item);
  }
  return "[" + out + "]";
}

std::string duration(Milliseconds value) {
  return format_duration(value);
}

std::string rates(const std::vector<RateLimit>& limits) {
  std::string out;
  for (const RateLimit& limit : limits) {
    const auto seconds = limit.per.count();
    if (!out.empty()) out += ", ";
    out += fmt::format("{}/{}", limit.count,
                       seconds == 1      ? "s"
                       : seconds == 60   ? "min"
                       : seconds == 3600 ? "h"
                                         : "day");
  }
  return "[" + out + "]";
}

// "${NAME}" and nothing else says where the secret is, not what it is.
bool is_one_variable(std::string_view text) {
  if (!text.starts_with("${") || !text.ends_with('}')) return false;
  const std::string_view name = text.substr(2, text.size() - 3);
  return name.find_first_of("${}") == std::string_view::npos;
}

// "api_key_file: …", the key without the "webhook." before it.
std::string line_of(std::string_view key, const SecretSource& source) {
  if (!source.command.empty())
    return fmt::format("{}_command: {}", key, list(source.command));
  if (!source.file.empty())
    return fmt::format("{}_file: {}", key, quoted(source.file));
  return fmt::format(
      "{}: {}", key,
      quoted(is_one_variable(source.value) ? source.value : "***"));
}

void append_settings(std::string& out, const ProviderConfig& provider) {
  constexpr std::string_view k_webhook = "webhook.";
  std::string webhook;
  const auto add = [&](std::string_view key, const auto& make_line) {
    if (key.starts_with(k_webhook)) {
      webhook += "      " + make_line(key.substr(k_webhook.size())) + "\n";
    } else {
      out += "    " + make_line(key) + "\n";
    }
  };
  for (const auto& [key, value] : provider.settings) {
    add(key, [&value = value](std::string_view name) {
      return fmt::format("{}: {}", name, quoted_setting(value));
    });
  }
  for (const auto& [key, source] : provider.secrets) {
    add(key, [&source = source](std::string_view name) {
      return line_of(name, source);
    });
  }
  if (!webhook.empty()) out += "    webhook:\n" + webhook;
}

void append_providers(std::string& out, const Config& config) {
  out += "providers:\n";
  for (const ProviderConfig& provider : config.providers) {
    out += fmt::format(
        "  {}:\n    type: {}\n    timeout: {}\n    connect_timeout: {}\n"
        "    connections: {}\n    rate: {}\n",
        quoted(provider.name), provider.type, duration(provider.timeout),
        duration(provider.connect_timeout), provider.connections,
        rates(provider.rate));
    if (!provider.command.empty())
      out += fmt::format("    command: {}\n", list(provider.command));
    append_settings(out, provider);
  }
}

void append_pools(std::string& out, const Config& config) {
  out += "pools:\n";
  for (const PoolConfig& pool : config.pools) {
    out += fmt::format("  {}:\n    strategy: {}\n    providers:\n",
                       quoted(pool.name), to_text(pool.strategy));
    for (const PoolMember& member : pool.members) {
      out += fmt::format("      - {{name: {}, weight: {}}}\n",
                         quoted(member.provider), member.weight);
    }
  }
}

void append_safe_mode(std::string& out, const SafeModeConfig& safe_mode) {
  out += "safe_mode:\n";
  if (safe_mode.redirect_to) {
    out += fmt::format("  redirect_to: {}\n",
                       quoted(to_text(*safe_mode.redirect_to)));
  }
  out += fmt::format("  allow: {}\n", list(safe_mode.allow));
}

// "key: value" if there is a value.
void append_text(std::string& out, std::string_view key,
                 const std::string& value) {
  if (!value.empty()) out += fmt::format("{}: {}\n", key, quoted(value));
}

void append_sendmail(std::string& out, const SendmailConfig& sendmail) {
  out += fmt::format("sendmail:\n  allow_senders: {}\n  tags:{}\n",
                     list(sendmail.allow_senders),
                     sendmail.tags.empty() ? " []" : "");
  for (const SendmailTagRule& rule : sendmail.tags) {
    out += fmt::format("    - tags: {}\n", list(rule.tags));
    if (!rule.caller.empty())
      out += fmt::format("      caller: {}\n", quoted(rule.caller));
    if (!rule.from.empty())
      out += fmt::format("      from: {}\n", quoted(rule.from));
  }
}

void append_limit(std::string& out, std::string_view key,
                  const std::optional<Threshold>& limit) {
  if (limit) out += fmt::format("  {}: {}\n", key, quoted(to_text(*limit)));
}

void append_alerts(std::string& out, const AlertsConfig& alerts) {
  if (alerts.command.empty()) return;
  out += fmt::format("alerts:\n  command: {}\n  every: {}\n",
                     list(alerts.command), duration(alerts.every));
  const VitalLimits& limits = alerts.limits;
  append_limit(out, "oldest", limits.oldest);
  append_limit(out, "queue", limits.queue);
  append_limit(out, "failed", limits.failed);
  append_limit(out, "uncertain", limits.uncertain);
  append_limit(out, "disk", limits.disk);
  out += fmt::format("  degraded: {}\n", limits.degraded);
}

}  // namespace

std::string_view to_text(Strategy strategy) {
  switch (strategy) {
    case Strategy::priority:
      return "priority";
    case Strategy::random:
      return "random";
    case Strategy::round_robin:
      return "round_robin";
    case Strategy::weighted:
      return "weighted";
    case Strategy::adaptive:
      return "adaptive";
  }
  return "priority";
}

std::string to_yaml(const Config& config) {
  std::string out;
  append_text(out, "spool", config.spool);
  append_text(out, "spool_group", config.spool_group);
  append_text(out, "templates", config.templates);
  if (config.default_from)
    append_text(out, "default_from", to_text(*config.default_from));
  append_text(out, "default_lang", config.default_lang);
  out +=
      fmt::format("idempotency_window: {}\non_unknown: {}\nlog_addresses: {}\n",
                  duration(config.idempotency_window),
                  to_text(config.on_unknown), to_text(config.log_addresses));
  append_providers(out, config);
  append_pools(out, config);
  const RetryConfig& retry = config.retry;
  out += fmt::format(
      "retry:\n  first: {}\n  factor: {}\n  max: {}\n  jitter: {}\n"
      "  give_up_after: {}\n",
      duration(retry.first), retry.factor, duration(retry.max), retry.jitter,
      duration(retry.give_up_after));
  const BreakerConfig& breaker = config.breaker;
  out += fmt::format(
      "breaker:\n  failures: {}\n  cool_down: {}\n  max_cool_down: {}\n",
      breaker.failures, duration(breaker.cool_down),
      duration(breaker.max_cool_down));
  const RetentionConfig& retention = config.retention;
  out += fmt::format(
      "retention:\n  sent: {}\n  failed: {}\n  log: {}\n  compress_log: {}\n"
      "  keep_free: {}\n",
      duration(retention.sent), duration(retention.failed),
      duration(retention.log), duration(retention.compress_log),
      retention.keep_free);
  const HooksConfig& hooks = config.hooks;
  out += fmt::format(
      "hooks:\n  on_sent: {}\n  on_failed: {}\n  on_breaker: {}\n",
      list(hooks.on_sent), list(hooks.on_failed), list(hooks.on_breaker));
  out += fmt::format("event_sink: {}\n", list(config.event_sink));
  append_alerts(out, config.alerts);
  append_text(out, "aliases", config.aliases);
  append_text(out, "local_recipient", config.local_recipient);
  append_text(out, "origin", config.origin);
  append_sendmail(out, config.sendmail);
  if (config.safe_mode) append_safe_mode(out, *config.safe_mode);
  return out;
}

}  // namespace pony
