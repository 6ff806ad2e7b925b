// pony.yaml as structs (pony.yaml(5)): read strictly, every problem at once
// with file:line, unknown keys with the nearest known one.
//
// Secrets are not looked up here but by who delivers (core/secret.h): an
// application that may only enqueue needs no right to read them. A ${NAME} in
// any other setting of a provider is filled in here ("$${" is a plain "${").
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/message.h"
#include "core/result.h"
#include "core/secret.h"
#include "core/threshold.h"

namespace pony {

struct RateLimit {
  int count = 0;
  std::chrono::seconds per{1};  // 1 s, 1 m, 1 h or 1 day
};

struct ProviderConfig {
  std::string name;
  std::string type;   // "smtp", "maildir", "sendmail", …
  std::string place;  // "pony.yaml:7"; empty: the built-in outbox
  Milliseconds timeout = std::chrono::seconds(60);
  Milliseconds connect_timeout = std::chrono::seconds(10);
  int connections = 20;
  std::vector<RateLimit> rate;
  // What else the type knows, by key: host, port, tls, path, ca_file …, and
  // "webhook.url" …. Checked for its type and spelling; paths are absolute,
  // flags "true" or "false", an IPv6 host without brackets, base_url without
  // a slash at its end. smtp always has tls and port, mailgun and
  // sendgrid their region.
  std::map<std::string, std::string> settings;
  std::vector<std::string> command;  // sendmail, exec: argv
  std::map<std::string, SecretSource>
      secrets;  // by key: password, api_key, "webhook.secret"

  // settings[key], or `other`.
  std::string setting(std::string_view key, std::string_view other = {}) const;
};

enum class Strategy { priority, random, round_robin, weighted, adaptive };
// "priority", "round_robin" …
std::string_view to_text(Strategy strategy);

struct PoolMember {
  std::string provider;
  int weight = 1;
};

struct PoolConfig {
  std::string name;
  Strategy strategy = Strategy::priority;
  std::vector<PoolMember> members;
  std::string place;
};

struct RetryConfig {
  std::chrono::seconds first{60};
  double factor = 2;
  std::chrono::seconds max{4 * 3600};
  double jitter = 0.2;  // a fraction: 0.2 is ± 20 %
  std::chrono::seconds give_up_after{5 * 24 * 3600};
};

struct BreakerConfig {
  int failures = 5;
  std::chrono::seconds cool_down{30};
  std::chrono::seconds max_cool_down{15 * 60};
};

struct RetentionConfig {
  std::chrono::seconds sent{30 * 86400};
  std::chrono::seconds failed{90 * 86400};
  std::chrono::seconds log{400 * 86400};
  std::chrono::seconds compress_log{7 * 86400};
  // A fraction of the disk that is to stay free; 0: age alone decides.
  double keep_free = 0;
};

struct HooksConfig {
  std::vector<std::string> on_sent;
  std::vector<std::string> on_failed;
  std::vector<std::string> on_breaker;
};

// What `pony run` watches by itself, and whom it tells.
struct AlertsConfig {
  std::vector<std::string> command;  // argv; empty: nobody is told
  std::chrono::seconds every{3600};  // of one kind at most one in this time
  VitalLimits limits;
};

struct SafeModeConfig {
  std::optional<Address> redirect_to;
  std::vector<std::string> allow;  // patterns such as "*@widgets.example"
};

// How the event log spells people's addresses (spool/address_mask.h).
enum class LogAddresses { full, masked, hash };
std::string_view to_text(LogAddresses how);

// Mail that `pony sendmail` takes gets `tags` if all that is given fits;
// "*" stands for anything, the case is ignored.
struct SendmailTagRule {
  std::string caller;  // the program that called, as "cron"; empty: any
  std::string from;    // the address in From; empty: any
  std::vector<std::string> tags;
};

struct SendmailConfig {
  std::vector<SendmailTagRule> tags;
  // Who may be the envelope's sender; empty: everybody.
  std::vector<std::string> allow_senders;
};

struct Config {
  std::string file;  // empty: the built-in configuration
  std::string spool;
  std::string spool_group;  // empty: the spool is its owner's alone
  std::string templates;
  LogAddresses log_addresses = LogAddresses::full;
  std::optional<Address> default_from;
  std::string default_lang = "en";
  std::chrono::seconds idempotency_window{24 * 3600};
  OnUnknown on_unknown = OnUnknown::retry;
  std::vector<ProviderConfig> providers;  // in the file's order
  std::vector<PoolConfig> pools;          // "default" is always there
  RetryConfig retry;
  BreakerConfig breaker;
  RetentionConfig retention;
  HooksConfig hooks;
  std::vector<std::string> event_sink;  // argv; empty: there is none
  AlertsConfig alerts;
  std::string aliases = "/etc/aliases";
  std::string local_recipient;
  std::string origin;  // empty: the host's mail name
  SendmailConfig sendmail;
  std::optional<SafeModeConfig> safe_mode;
  std::vector<std::string> warnings;  // "pony.yaml:9: …"

  const ProviderConfig* provider(std::string_view name) const;
  const PoolConfig* pool(std::string_view name) const;
};

// Which file is read: `given` (--config), else $PONY_CONFIG, else
// $XDG_CONFIG_HOME/pony/pony.yaml (~/.config), else /etc/pony/pony.yaml; the
// latter two only if they exist. Empty: the built-in configuration.
std::string config_path(std::string_view given);

// Reads `path` (empty: the built-in one: a spool under $XDG_STATE_HOME/pony,
// /var/spool/pony for root, and the Maildir provider "outbox" in it, which a
// file without providers gets too). Relative paths inside are relative to the
// file's folder.
// Errors: not_found, no_permission (the group or others can write the file),
// config with every problem.
Result<Config> load_config(const std::string& path);

// For a program whose caller must not lose a mail because of a bad
// configuration: what can be read of it, with defaults for the rest, and what
// is wrong with it. Of YAML that is broken what stands above the break counts,
// and a line "spool: …" wherever it stands; of a file that cannot be read or
// that others can write, nothing. Good for accepting mail, not for sending it.
struct ReadableConfig {
  Config config;
  std::optional<Error> problem;
};
ReadableConfig load_readable_config(const std::string& path);

// The same from text; `name` is what errors call it, `folder` (absolute) what
// relative paths start from.
Result<Config> parse_config(std::string_view yaml, std::string_view name,
                            std::string_view folder);

// Uses the spool at `folder` (--spool) instead; the built-in outbox moves
// there.
void use_spool(Config& config, std::string folder);

// The configuration with every default filled in, as YAML that parse_config
// accepts; secrets as ***, unless they are nothing but one ${NAME}.
std::string to_yaml(const Config& config);

// Every key that pony.yaml knows, as "retry.first", "providers.*.host": the
// documentation's test compares them with pony.yaml(5).
std::vector<std::string> config_keys();

}  // namespace pony
