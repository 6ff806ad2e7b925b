#include "cmd/check_format.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "core/json.h"
#include "core/message.h"

namespace pony {
namespace {

constexpr std::array k_priorities = {Priority::high, Priority::normal,
                                     Priority::bulk};

std::int64_t seconds(Milliseconds time) {
  return time.count() / 1000;
}

std::string by_priority(const std::array<std::uint64_t, 3>& counts) {
  std::string text;
  JsonWriter writer(text);
  for (std::size_t i = 0; i < counts.size(); ++i)
    writer.field(to_text(k_priorities[i]),
                 static_cast<std::int64_t>(counts[i]));
  writer.end();
  return text;
}

std::string as_list(const std::vector<CheckFinding>& findings) {
  std::string list = "[";
  for (const auto& finding : findings) {
    if (list.size() > 1) list.push_back(',');
    JsonWriter(list)
        .field("kind", finding.kind)
        .field("status", to_text(finding.severity))
        .field("sentence", finding.sentence)
        .raw("value", fmt::format("{:.15g}", finding.value))
        .end();
  }
  return list + "]";
}

// --- Prometheus

std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    out += c == '\n' ? "\\n" : std::string(1, c);
  }
  return out;
}

void head(std::string& out, std::string_view name, std::string_view help) {
  out += fmt::format("# HELP pony_{} {}\n# TYPE pony_{} gauge\n", name, help,
                     name);
}

void gauge(std::string& out, std::string_view name, std::string_view help,
           double value) {
  head(out, name, help);
  out += fmt::format("pony_{} {:.15g}\n", name, value);
}

double time_value(Time time) {
  return static_cast<double>(time.time_since_epoch().count()) / 1000;
}

void append_queue(std::string& out, const Vitals& vitals) {
  head(out, "queue_messages", "Messages in the spool that are not done.");
  const auto lanes = [&](std::string_view state,
                         const std::array<std::uint64_t, 3>& counts) {
    for (std::size_t i = 0; i < counts.size(); ++i)
      out += fmt::format(
          "pony_queue_messages{{state=\"{}\",priority=\"{}\"}} {}\n", state,
          to_text(k_priorities[i]), counts[i]);
  };
  lanes("new", vitals.fresh);
  lanes("deferred", vitals.deferred);
  out += fmt::format("pony_queue_messages{{state=\"claimed\"}} {}\n",
                     vitals.claimed);
  out += fmt::format("pony_queue_messages{{state=\"held\"}} {}\n", vitals.held);
}

void append_providers(std::string& out, const Vitals& vitals) {
  constexpr std::array k_states = {BreakerState::closed, BreakerState::open,
                                   BreakerState::half_open};
  head(out, "provider_breaker",
       "1 for the state that a provider's breaker is in, else 0.");
  for (const auto& one : vitals.providers)
    for (const BreakerState state : k_states)
      out += fmt::format(
          "pony_provider_breaker{{provider=\"{}\",state=\"{}\"}} {}\n",
          label(one.name), to_text(state), one.breaker == state ? 1 : 0);
  head(out, "provider_paused", "1 if a person paused it, else 0.");
  for (const auto& one : vitals.providers)
    out += fmt::format("pony_provider_paused{{provider=\"{}\"}} {}\n",
                       label(one.name), one.paused ? 1 : 0);
  head(out, "provider_recent_attempts",
       fmt::format("Attempts within the last {}, and how many of them failed.",
                   format_duration(vitals.attempts_span)));
  for (const auto& one : vitals.providers) {
    out += fmt::format(
        "pony_provider_recent_attempts{{provider=\"{}\",result=\"failed\"}} "
        "{}\npony_provider_recent_attempts{{provider=\"{}\",result=\"ok\"}} "
        "{}\n",
        label(one.name), one.failed_attempts, label(one.name),
        one.attempts - one.failed_attempts);
  }
}

}  // namespace

std::string to_json(const Vitals& vitals,
                    const std::vector<CheckFinding>& findings) {
  std::string line;
  JsonWriter writer(line);
  const CheckStatus worst = worst_of(findings);
  writer.field("status", to_text(worst))
      .field("code", static_cast<std::int64_t>(worst))
      .field("waiting", static_cast<std::int64_t>(vitals.waiting()))
      .raw("new", by_priority(vitals.fresh))
      .raw("deferred", by_priority(vitals.deferred))
      .field("claimed", static_cast<std::int64_t>(vitals.claimed))
      .field("held", static_cast<std::int64_t>(vitals.held));
  if (vitals.oldest_since) {
    writer.field("oldest_s", seconds(vitals.oldest()));
    writer.field("oldest_since", format_time(*vitals.oldest_since));
  } else {
    writer.null("oldest_s").null("oldest_since");
  }
  writer.raw("findings", as_list(findings)).end();
  return line + "\n";
}

std::string to_prometheus(const Vitals& vitals,
                          const std::vector<CheckFinding>& findings) {
  std::string out;
  append_queue(out, vitals);
  gauge(out, "oldest_message_age_seconds",
        "How long the message has waited that waited longest.",
        static_cast<double>(vitals.oldest().count()) / 1000);
  gauge(out, "recently_failed_messages",
        fmt::format("Messages that failed or expired within the last {}.",
                    format_duration(vitals.failed_span)),
        static_cast<double>(vitals.failed));
  gauge(out, "uncertain_messages",
        "Messages waiting or held that may have been delivered or not.",
        static_cast<double>(vitals.uncertain));
  if (vitals.last_run)
    gauge(out, "last_run_timestamp_seconds",
          "When a runner was last alive, in seconds since 1970.",
          time_value(*vitals.last_run));
  append_providers(out, vitals);
  gauge(out, "spool_free_bytes", "Free space of the spool's file system.",
        static_cast<double>(vitals.free_bytes));
  gauge(out, "spool_free_ratio",
        "Free space of the spool's file system, 0 to 1.",
        vitals.free_space / 100);
  gauge(out, "spool_free_inodes_ratio",
        "Free inodes of the spool's file system, 0 to 1.",
        vitals.free_inodes / 100);
  head(out, "check_status",
       "What pony check says of each thing: 0 fine, 1 warning, 2 critical.");
  for (const auto& finding : findings)
    out += fmt::format("pony_check_status{{kind=\"{}\"}} {}\n", finding.kind,
                       static_cast<int>(finding.severity));
  gauge(out, "check_timestamp_seconds",
        "When this was written, in seconds since 1970.",
        time_value(vitals.now));
  return out;
}

}  // namespace pony
