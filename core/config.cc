// pony.yaml: where it is found, its sections, and the checks that need more
// than one of them. Providers are provider_settings.cc's affair, single values
// config_reader.cc's, YAML itself yaml_document.cc's.
//
// This is on the way of every `pony enqueue`: each map is walked once, nothing
// is copied that need not be.
#include "core/config.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "core/config_reader.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/provider_settings.h"
#include "core/words.h"

namespace pony {
namespace {

using Kind = YamlNode::Kind;

constexpr std::size_t k_max_file_bytes = 1024 * 1024;
constexpr std::size_t k_max_name_bytes = 100;
constexpr int k_most_failures = 1000;
constexpr int k_heaviest = 1'000'000;
constexpr double k_largest_factor = 100;
constexpr std::string_view k_system_file = "/etc/pony/pony.yaml";
constexpr std::string_view k_system_templates = "/etc/pony/templates";
#ifdef PONY_DATA_DIR
constexpr std::string_view k_shipped_templates = PONY_DATA_DIR "/templates";
#else
constexpr std::string_view k_shipped_templates = "/usr/share/pony/templates";
#endif

struct StrategyName {
  std::string_view name;
  Strategy strategy;
};
constexpr StrategyName k_strategies[] = {
    {"priority", Strategy::priority},       {"random", Strategy::random},
    {"round_robin", Strategy::round_robin}, {"weighted", Strategy::weighted},
    {"adaptive", Strategy::adaptive},
};

// --- Sections that are a map of plain values

// Reads the map at `entry` into `out`.
template <class T, std::size_t N>
void read_section(ConfigReader& reader, const YamlEntry& entry,
                  const ConfigField<T> (&fields)[N], T& out) {
  if (!reader.is_map(entry)) return;
  read_fields(reader, entry.value, entry.key,
              std::span<const ConfigField<T>>(fields), out);
}

// "0.2" or, with `percent`, "20%" too; from `least` to `most`.
void read_fraction(ConfigReader& reader, const YamlEntry& entry, double least,
                   double most, double& out, std::string_view wanted) {
  const std::string* text = reader.text(entry);
  if (text == nullptr) return;
  std::string_view digits = *text;
  const bool percent = digits.ends_with('%');
  if (percent) digits.remove_suffix(1);
  double value = 0;
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), value,
                      std::chars_format::fixed);
  if (percent) value /= 100;
  const bool whole =
      read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  // Written so that NaN fails too.
  if (!whole || !(value >= least && value <= most))
    reader.refuse_value(entry, wanted);
  else
    out = value;
}

// A field that is a duration of at least a second, or at least `Least`.
template <auto Member, int Least = 1, class T>
void read_seconds(ConfigReader& reader, const YamlEntry& entry, T& out) {
  reader.read_duration(entry, out.*Member, std::chrono::seconds(Least));
}

template <auto Member, class T>
void read_program(ConfigReader& reader, const YamlEntry& entry, T& out) {
  reader.read_argv(entry, out.*Member);
}

// A text or an address.
template <auto Member, class T>
void read_plain(ConfigReader& reader, const YamlEntry& entry, T& out) {
  reader.read(entry, out.*Member);
}

constexpr ConfigField<RetryConfig> k_retry[] = {
    {"first", read_seconds<&RetryConfig::first>},
    {"factor",
     [](ConfigReader& reader, const YamlEntry& entry, RetryConfig& out) {
       read_fraction(reader, entry, 1, k_largest_factor, out.factor,
                     "a number from 1 to 100");
     }},
    {"max", read_seconds<&RetryConfig::max>},
    {"jitter",
     [](ConfigReader& reader, const YamlEntry& entry, RetryConfig& out) {
       read_fraction(reader, entry, 0, 1, out.jitter, "from 0% to 100%");
     }},
    {"give_up_after", read_seconds<&RetryConfig::give_up_after>},
};

constexpr ConfigField<BreakerConfig> k_breaker[] = {
    {"failures",
     [](ConfigReader& reader, const YamlEntry& entry, BreakerConfig& out) {
       reader.read_number(entry, out.failures, 1, k_most_failures);
     }},
    {"cool_down", read_seconds<&BreakerConfig::cool_down>},
    {"max_cool_down", read_seconds<&BreakerConfig::max_cool_down>},
};

// More would empty sent/ at once on most disks.
constexpr double k_most_kept_free = 0.9;

constexpr ConfigField<RetentionConfig> k_retention[] = {
    {"sent", read_seconds<&RetentionConfig::sent, 0>},
    {"failed", read_seconds<&RetentionConfig::failed, 0>},
    {"log", read_seconds<&RetentionConfig::log, 0>},
    {"compress_log", read_seconds<&RetentionConfig::compress_log, 0>},
    {"keep_free",
     [](ConfigReader& reader, const YamlEntry& entry, RetentionConfig& out) {
       read_fraction(reader, entry, 0, k_most_kept_free, out.keep_free,
                     "from 0% to 90%");
     }},
};

constexpr ConfigField<HooksConfig> k_hooks[] = {
    {"on_sent", read_program<&HooksConfig::on_sent>},
    {"on_failed", read_program<&HooksConfig::on_failed>},
    {"on_breaker", read_program<&HooksConfig::on_breaker>},
};

// A limit as `pony check` takes it: "15m:1h".
template <auto Member, LimitUnit Of>
void read_limit(ConfigReader& reader, const YamlEntry& entry,
                AlertsConfig& out) {
  const std::string* text = reader.text(entry);
  if (text == nullptr) return;
  auto threshold = parse_threshold(*text, Of);
  if (!threshold)
    reader.refuse(entry.line,
                  fmt::format("'{}': {}", entry.key, threshold.error().what));
  else
    out.limits.*Member = *threshold;
}

constexpr ConfigField<AlertsConfig> k_alerts[] = {
    {"command", read_program<&AlertsConfig::command>},
    {"every", read_seconds<&AlertsConfig::every>},
    {"oldest", read_limit<&VitalLimits::oldest, LimitUnit::seconds>},
    {"queue", read_limit<&VitalLimits::queue, LimitUnit::count>},
    {"failed", read_limit<&VitalLimits::failed, LimitUnit::count>},
    {"uncertain", read_limit<&VitalLimits::uncertain, LimitUnit::count>},
    {"disk", read_limit<&VitalLimits::disk, LimitUnit::percent>},
    {"degraded",
     [](ConfigReader& reader, const YamlEntry& entry, AlertsConfig& out) {
       const std::string* text = reader.text(entry);
       if (text == nullptr) return;
       if (const auto value = truth(*text))
         out.limits.degraded = *value;
       else
         reader.refuse_value(entry, "true or false");
     }},
};

// "*@widgets.example", "ann@*", "ann@widgets.example", or "*".
bool is_address_pattern(std::string_view text) {
  return text == "*" || (text.find('@') != std::string_view::npos &&
                         text.find(' ') == std::string_view::npos);
}

constexpr ConfigField<SafeModeConfig> k_safe_mode[] = {
    {"redirect_to", read_plain<&SafeModeConfig::redirect_to>},
    {"allow",
     [](ConfigReader& reader, const YamlEntry& entry, SafeModeConfig& out) {
       reader.read_list(entry, out.allow);
       for (const std::string& pattern : out.allow) {
         if (is_address_pattern(pattern)) continue;
         reader.refuse(
             entry.line,
             fmt::format("'{}' is no pattern for an address", pattern),
             "write \"*@widgets.example\" or a whole address");
       }
     }},
};

constexpr std::size_t k_longest_tag = 200;  // pony-message(5)

void read_tags(ConfigReader& reader, const YamlEntry& entry,
               SendmailTagRule& out) {
  reader.read_list(entry, out.tags);
  for (const std::string& tag : out.tags) {
    if (tag.size() > k_longest_tag)
      reader.refuse(entry.line, "a tag has more than 200 bytes");
  }
}

constexpr ConfigField<SendmailTagRule> k_tag_rule[] = {
    {"caller", read_plain<&SendmailTagRule::caller>},
    {"from", read_plain<&SendmailTagRule::from>},
    {"tags", read_tags},
};

void read_tag_rules(ConfigReader& reader, const YamlEntry& entry,
                    SendmailConfig& out) {
  if (!entry.value.is(Kind::list)) {
    reader.refuse_value(entry, "a list",
                        "such as [{caller: cron, tags: [cron]}]");
    return;
  }
  for (const YamlNode& item : entry.value.items) {
    if (!item.is(Kind::map)) {
      reader.refuse(item.line, "a rule for tags must be a map",
                    "such as {caller: cron, tags: [cron]}");
      continue;
    }
    SendmailTagRule& rule = out.tags.emplace_back();
    read_fields(reader, item, "tags",
                std::span<const ConfigField<SendmailTagRule>>(k_tag_rule),
                rule);
    if (rule.tags.empty()) reader.refuse(item.line, "a rule has no 'tags'");
  }
}

constexpr ConfigField<SendmailConfig> k_sendmail[] = {
    {"tags", read_tag_rules},
    {"allow_senders",
     [](ConfigReader& reader, const YamlEntry& entry, SendmailConfig& out) {
       reader.read_list(entry, out.allow_senders);
       for (const std::string& pattern : out.allow_senders) {
         if (is_address_pattern(pattern)) continue;
         reader.refuse(
             entry.line,
             fmt::format("'{}' is no pattern for an address", pattern),
             "write \"*@widgets.example\" or a whole address");
       }
     }},
};

void read_retry(ConfigReader& reader, const YamlEntry& entry, Config& out) {
  read_section(reader, entry, k_retry, out.retry);
  if (out.retry.max < out.retry.first)
    reader.refuse(entry.line, "'max' is shorter than 'first' in 'retry'");
}

void read_breaker(ConfigReader& reader, const YamlEntry& entry, Config& out) {
  read_section(reader, entry, k_breaker, out.breaker);
  if (out.breaker.max_cool_down < out.breaker.cool_down) {
    reader.refuse(entry.line,
                  "'max_cool_down' is shorter than 'cool_down' in 'breaker'");
  }
}

void read_alerts(ConfigReader& reader, const YamlEntry& entry, Config& out) {
  read_section(reader, entry, k_alerts, out.alerts);
  const AlertsConfig& alerts = out.alerts;
  if (alerts.command.empty() && !alerts.limits.empty()) {
    reader.refuse(entry.line, "'alerts' has no 'command' to be told",
                  "such as command: [/usr/local/bin/page-me]");
  } else if (!alerts.command.empty() && alerts.limits.empty()) {
    reader.warn(entry.line,
                "'alerts' names nothing to watch, such as oldest: 15m");
  }
}

void read_event_sink(ConfigReader& reader, const YamlEntry& entry,
                     Config& out) {
  reader.read_argv(entry, out.event_sink);
}

void read_safe_mode(ConfigReader& reader, const YamlEntry& entry, Config& out) {
  // Unlike other sections: if everything in it was commented out, did they
  // mean it to be on or off? Guessing wrong sends mail.
  if (entry.value.is(Kind::null)) {
    reader.refuse(entry.line, "'safe_mode' is empty",
                  "write {} to let nothing out, or take the line away");
    return;
  }
  out.safe_mode.emplace();
  read_section(reader, entry, k_safe_mode, *out.safe_mode);
}

// --- Providers and pools

// Names become part of file names, events and selectors.
bool is_name(std::string_view text) {
  const auto is_name_byte = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  return text.size() <= k_max_name_bytes && !text.empty() &&
         text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), is_name_byte);
}

void read_providers(ConfigReader& reader, const YamlEntry& entry, Config& out) {
  if (!reader.is_map(entry)) return;
  out.providers.reserve(entry.value.entries.size());
  for (const YamlEntry& member : entry.value.entries) {
    if (!is_name(member.key)) {
      reader.refuse(
          member.line,
          fmt::format("'{}' cannot name a provider", printable(member.key, 80)),
          "use letters, digits, '-', '_' and '.'");
    }
    out.providers.push_back(read_provider(reader, member));
  }
}

void read_strategy(ConfigReader& reader, const YamlEntry& entry,
                   PoolConfig& out) {
  const std::string* text = reader.text(entry);
  if (text == nullptr) return;
  std::vector<std::string_view> names;
  for (const auto& [name, strategy] : k_strategies) {
    if (name == *text) {
      out.strategy = strategy;
      return;
    }
    names.push_back(name);
  }
  reader.refuse_value(entry,
                      "priority, random, round_robin, weighted or adaptive",
                      did_you_mean(*text, names));
}

constexpr ConfigField<PoolMember> k_member[] = {
    {"name", read_plain<&PoolMember::provider>},
    {"weight",
     [](ConfigReader& reader, const YamlEntry& entry, PoolMember& out) {
       reader.read_number(entry, out.weight, 1, k_heaviest);
     }},
};

// One item of a pool's `providers`: a name, or {name, weight}.
void read_member(ConfigReader& reader, const YamlNode& item, PoolConfig& out) {
  PoolMember member;
  if (item.is(Kind::text)) {
    member.provider = item.text;
  } else if (item.is(Kind::map)) {
    read_fields(reader, item, "providers",
                std::span<const ConfigField<PoolMember>>(k_member), member);
    if (member.provider.empty())
      reader.refuse(item.line, "a member of a pool has no 'name'");
  } else if (!item.is(Kind::bad)) {
    reader.refuse(item.line,
                  "a member of a pool must be a name or {name, weight}");
  }
  if (member.provider.empty()) return;
  for (const PoolMember& other : out.members) {
    if (other.provider != member.provider) continue;
    reader.refuse(item.line,
                  fmt::format("provider '{}' is twice in pool '{}'",
                              printable(member.provider, 80), out.name));
  }
  out.members.push_back(std::move(member));
}

void read_members(ConfigReader& reader, const YamlEntry& entry,
                  PoolConfig& out) {
  if (entry.value.is(Kind::list)) {
    for (const YamlNode& item : entry.value.items)
      read_member(reader, item, out);
  } else {
    read_member(reader, entry.value, out);
  }
}

constexpr ConfigField<PoolConfig> k_pool[] = {
    {"strategy", read_strategy},
    {"providers", read_members},
};

void check_members(ConfigReader& reader, const YamlEntry& entry,
                   const PoolConfig& pool, const Config& config) {
  if (pool.members.empty()) {
    reader.refuse(entry.line, fmt::format("pool '{}' has no providers",
                                          printable(pool.name, 80)));
  }
  const bool has_weights =
      std::any_of(pool.members.begin(), pool.members.end(),
                  [](const PoolMember& member) { return member.weight != 1; });
  if (has_weights && pool.strategy != Strategy::weighted) {
    reader.warn(entry.line, fmt::format("pool '{}' has weights, but its "
                                        "strategy is not 'weighted'",
                                        pool.name));
  }
  for (const PoolMember& member : pool.members) {
    if (config.provider(member.provider) != nullptr) continue;
    std::vector<std::string_view> names;
    for (const ProviderConfig& provider : config.providers)
      names.push_back(provider.name);
    reader.refuse(
        entry.line,
        fmt::format("pool '{}' names an unknown provider '{}'",
                    printable(pool.name, 80), printable(member.provider, 80)),
        did_you_mean(member.provider, names));
  }
}

// After the providers, wherever in the file it stands.
void read_pools(ConfigReader& reader, const YamlEntry& entry, Config& out) {
  if (!reader.is_map(entry)) return;
  for (const YamlEntry& member : entry.value.entries) {
    if (!is_name(member.key)) {
      reader.refuse(
          member.line,
          fmt::format("'{}' cannot name a pool", printable(member.key, 80)),
          "use a domain, or letters, digits, '-', '_' and '.'");
    }
    PoolConfig& pool = out.pools.emplace_back();
    pool.name = member.key;
    pool.place = reader.place(member.line);
    if (!member.value.is(Kind::map)) {
      reader.refuse_value(member, "a map", "such as {providers: [main]}");
      continue;
    }
    read_fields(reader, member.value, member.key,
                std::span<const ConfigField<PoolConfig>>(k_pool), pool);
    check_members(reader, member, pool, out);
  }
}

void ignore_until_later(ConfigReader&, const YamlEntry&, Config&) {}

// --- The top of the file

void read_default_lang(ConfigReader& reader, const YamlEntry& entry,
                       Config& out) {
  reader.read(entry, out.default_lang);
  if (!is_language(out.default_lang))
    reader.refuse_value(entry, "a language such as en or es-MX");
}

void read_on_unknown(ConfigReader& reader, const YamlEntry& entry,
                     Config& out) {
  const std::string* text = reader.text(entry);
  if (text == nullptr) return;
  const auto policy = on_unknown_from(*text);
  if (policy)
    out.on_unknown = *policy;
  else
    reader.refuse_value(entry, "retry, hold or fail");
}

void read_log_addresses(ConfigReader& reader, const YamlEntry& entry,
                        Config& out) {
  const std::string* text = reader.text(entry);
  if (text == nullptr) return;
  for (const auto how :
       {LogAddresses::full, LogAddresses::masked, LogAddresses::hash}) {
    if (*text != to_text(how)) continue;
    out.log_addresses = how;
    return;
  }
  // What somebody did not want in the log must not get there by a slip.
  out.log_addresses = LogAddresses::masked;
  reader.refuse_value(entry, "full, masked or hash");
}

void read_local_recipient(ConfigReader& reader, const YamlEntry& entry,
                          Config& out) {
  const std::string* text = reader.text(entry);
  if (text == nullptr) return;
  if (check_email(*text))
    out.local_recipient = *text;
  else
    reader.refuse_value(entry, "an address such as ops@widgets.example");
}

void read_origin(ConfigReader& reader, const YamlEntry& entry, Config& out) {
  const std::string* text = reader.text(entry);
  if (text == nullptr) return;
  if (is_host_name(*text))
    out.origin = *text;
  else
    reader.refuse_value(entry, "a host name");
}

// A section whose fields are `Fields`, read into `Member`.
template <auto Member, auto& Fields>
void read_map(ConfigReader& reader, const YamlEntry& entry, Config& out) {
  read_section(reader, entry, Fields, out.*Member);
}

template <auto Member>
void read_folder(ConfigReader& reader, const YamlEntry& entry, Config& out) {
  reader.read_path(entry, out.*Member);
}

constexpr ConfigField<Config> k_top[] = {
    {"spool", read_folder<&Config::spool>},
    {"spool_group", read_plain<&Config::spool_group>},
    {"templates", read_folder<&Config::templates>},
    {"default_from", read_plain<&Config::default_from>},
    {"default_lang", read_default_lang},
    {"idempotency_window", read_seconds<&Config::idempotency_window, 0>},
    {"on_unknown", read_on_unknown},
    {"log_addresses", read_log_addresses},
    {"providers", read_providers},
    {"pools", ignore_until_later},
    {"retry", read_retry},
    {"breaker", read_breaker},
    {"retention", read_map<&Config::retention, k_retention>},
    {"hooks", read_map<&Config::hooks, k_hooks>},
    {"event_sink", read_event_sink},
    {"alerts", read_alerts},
    {"aliases", read_folder<&Config::aliases>},
    {"local_recipient", read_local_recipient},
    {"origin", read_origin},
    {"sendmail", read_map<&Config::sendmail, k_sendmail>},
    {"safe_mode", read_safe_mode},
};

// --- Defaults

std::string home_folder() {
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return home;
  // getpwuid may ask the network: only for those whom cron gave no HOME.
  const passwd* entry = ::getpwuid(::geteuid());
  return entry == nullptr ? "/" : entry->pw_dir;
}

// $`variable`, or `other` below the home; the XDG specification ignores
// relative values.
std::string xdg_folder(const char* variable, std::string_view other) {
  const char* value = std::getenv(variable);
  if (value != nullptr && *value == '/') return value;
  return fmt::format("{}/{}", home_folder(), other);
}

std::string default_spool() {
  if (::geteuid() == 0) return "/var/spool/pony";
  return xdg_folder("XDG_STATE_HOME", ".local/state") + "/pony";
}

// `folder` is the configuration file's, empty when there is none.
std::string default_templates(std::string_view folder) {
  if (!folder.empty()) {
    std::string beside = fmt::format("{}/templates", folder);
    if (is_folder(beside)) return beside;
  }
  std::string system(k_system_templates);
  return is_folder(system) ? system : std::string(k_shipped_templates);
}

std::string outbox_of(std::string_view spool) {
  return fmt::format("{}/outbox", spool);
}

void add_outbox(Config& config) {
  ProviderConfig& outbox = config.providers.emplace_back();
  outbox.name = "outbox";
  outbox.type = "maildir";
  outbox.settings.emplace("path", outbox_of(config.spool));
}

void add_default_pool(Config& config) {
  if (config.pool("default") != nullptr) return;
  PoolConfig& pool = config.pools.emplace_back();
  pool.name = "default";
  for (const ProviderConfig& provider : config.providers)
    pool.members.push_back({provider.name, 1});
}

// --- The whole

// What is known of the file that a text came from.
struct Origin {
  std::string_view name;
  std::string_view folder;
  bool everyone_can_read = false;
};

void read_root(ConfigReader& reader, const YamlNode& root,
               std::string_view folder, Config& out) {
  if (!root.is(Kind::map) && !root.is(Kind::null)) {
    reader.refuse(root.line, "the configuration must be a map, 'key: value'");
    return;
  }
  read_fields(reader, root, "", std::span<const ConfigField<Config>>(k_top),
              out);
  if (out.spool.empty()) out.spool = default_spool();
  if (out.templates.empty()) out.templates = default_templates(folder);
  if (out.providers.empty()) add_outbox(out);
  for (const YamlEntry& entry : root.entries)
    if (entry.key == "pools") read_pools(reader, entry, out);
  add_default_pool(out);
}

// A secret in a file that everyone can read.
void check_secrecy(ConfigReader& reader, const Origin& origin) {
  const int line = reader.plain_secret_line();
  if (!origin.everyone_can_read || line == 0) return;
  const std::string what = "a secret stands in a file that everyone can read";
  if (origin.name.starts_with("/etc/"))
    reader.refuse(line, what, fmt::format("chmod o-r '{}'", origin.name));
  else
    reader.warn(line, what);
}

Result<Config> read_config(std::string_view yaml, const Origin& origin) {
  Config config;
  ConfigReader reader(origin.name, origin.folder);
  YamlDocument document = read_yaml(yaml);
  for (YamlProblem& problem : document.problems) {
    reader.refuse(problem.line, std::move(problem.what),
                  std::move(problem.hint));
  }
  if (!document.root.is(Kind::bad)) {
    read_root(reader, document.root, origin.folder, config);
    check_secrecy(reader, origin);
  }
  auto problems = reader.take_problems();
  if (!problems.empty()) {
    std::string what = fmt::format("'{}' has {}", origin.name,
                                   counted(problems.size(), "problem"));
    return fail(Error::Kind::config, std::move(what), std::move(problems));
  }
  config.warnings = reader.take_warnings();
  return config;
}

// `yaml` without the top-level key in which the problem of line `line` is, and
// without all that follows. Empty when nothing is left.
std::string_view above_problem(std::string_view yaml, int line) {
  std::size_t begin = 0;
  std::size_t cut = 0;
  for (int number = 1; number <= line && begin < yaml.size(); ++number) {
    if (std::string_view(" \t\r\n#-}]").find(yaml[begin]) ==
        std::string_view::npos)
      cut = begin;
    const std::size_t end = yaml.find('\n', begin);
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  return yaml.substr(0, cut);
}

// The document, or the part of it above what is no YAML.
YamlDocument read_readable_yaml(std::string_view yaml) {
  constexpr int k_most_tries = 100;
  YamlDocument document = read_yaml(yaml);
  for (int i = 0; i < k_most_tries && document.root.is(Kind::bad); ++i) {
    const int line =
        document.problems.empty() ? 1 : document.problems.back().line;
    yaml = above_problem(yaml, line);
    document = read_yaml(yaml);
  }
  return document;
}

// Where mail waits must be known however broken the rest is: of a document
// that has no `spool`, the line that says it, wherever it stands.
void find_spool(std::string_view yaml, YamlDocument& document) {
  const auto& entries = document.root.entries;
  if (std::any_of(entries.begin(), entries.end(),
                  [](const auto& entry) { return entry.key == "spool"; }))
    return;
  for (std::size_t begin = 0; begin < yaml.size();) {
    const std::size_t end = std::min(yaml.find('\n', begin), yaml.size());
    const std::string_view line = yaml.substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with("spool:")) continue;
    YamlDocument found = read_yaml(line);
    if (!found.root.is(Kind::map)) continue;
    if (!document.root.is(Kind::map)) document = YamlDocument();
    document.root.kind = Kind::map;
    document.root.entries.push_back(std::move(found.root.entries.front()));
    return;
  }
}

std::string absolute_path(const std::string& path) {
  if (path.starts_with('/')) return path;
  // POSIX.1-2008 leaves a null buffer open; glibc and musl allocate.
  char* here = ::getcwd(nullptr, 0);
  if (here == nullptr) return path;
  std::string out = fmt::format("{}/{}", here, path);
  std::free(here);
  return out;
}

Result<Config> built_in_config() {
  Config config;
  config.spool = default_spool();
  config.templates = default_templates("");
  add_outbox(config);
  add_default_pool(config);
  return config;
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

std::string ProviderConfig::setting(std::string_view key,
                                    std::string_view other) const {
  const auto found = settings.find(std::string(key));
  return found == settings.end() ? std::string(other) : found->second;
}

std::string_view to_text(LogAddresses how) {
  switch (how) {
    case LogAddresses::full:
      return "full";
    case LogAddresses::masked:
      return "masked";
    case LogAddresses::hash:
      return "hash";
  }
  return {};
}

const ProviderConfig* Config::provider(std::string_view name) const {
  for (const ProviderConfig& provider : providers)
    if (provider.name == name) return &provider;
  return nullptr;
}

const PoolConfig* Config::pool(std::string_view name) const {
  for (const PoolConfig& pool : pools)
    if (pool.name == name) return &pool;
  return nullptr;
}

std::string config_path(std::string_view given) {
  if (!given.empty()) return std::string(given);
  const char* variable = std::getenv("PONY_CONFIG");
  if (variable != nullptr && *variable != '\0') return variable;
  std::string own =
      xdg_folder("XDG_CONFIG_HOME", ".config") + "/pony/pony.yaml";
  if (exists(own)) return own;
  std::string system(k_system_file);
  return exists(system) ? system : std::string();
}

Result<Config> load_config(const std::string& path) {
  if (path.empty()) return built_in_config();
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail_errno(errno, fmt::format("cannot open '{}'", path));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return fail_errno(errno, fmt::format("cannot look at '{}'", path));
  if (S_ISREG(info.st_mode) && (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(
        Error::Kind::no_permission,
        fmt::format("others can write '{}', and what it says is run", path),
        fmt::format("chmod go-w '{}'", path));
  }
  auto text = read_all(fd.get(), k_max_file_bytes, path);
  if (!text)
    return fail(Error::Kind::config, text.error().what, text.error().hint);
  const std::string whole = absolute_path(path);
  const std::string_view folder =
      std::string_view(whole).substr(0, whole.rfind('/'));
  const bool everyone_can_read =
      S_ISREG(info.st_mode) && (info.st_mode & S_IROTH) != 0;
  auto config = read_config(
      *text, {path, folder.empty() ? "/" : folder, everyone_can_read});
  if (config) config->file = path;
  return config;
}

ReadableConfig load_readable_config(const std::string& path) {
  auto whole = load_config(path);
  if (whole) return {std::move(*whole), std::nullopt};
  ReadableConfig out{*built_in_config(), whole.error()};
  if (whole.error().kind != Error::Kind::config) return out;
  const auto text = read_linked(path, k_max_file_bytes);
  if (!text) return out;
  YamlDocument document = read_readable_yaml(*text);
  find_spool(*text, document);
  if (!document.root.is(Kind::map)) return out;
  const std::string absolute = absolute_path(path);
  const std::string_view folder =
      std::string_view(absolute).substr(0, absolute.rfind('/'));
  ConfigReader reader(path, folder);
  out.config = Config();
  read_root(reader, document.root, folder, out.config);
  out.config.file = path;
  return out;
}

Result<Config> parse_config(std::string_view yaml, std::string_view name,
                            std::string_view folder) {
  return read_config(yaml, {name, folder, false});
}

void use_spool(Config& config, std::string folder) {
  config.spool = std::move(folder);
  for (ProviderConfig& provider : config.providers)
    if (provider.place.empty())
      provider.settings.insert_or_assign("path", outbox_of(config.spool));
}

std::vector<std::string> config_keys() {
  std::vector<std::string> keys;
  const auto add = [&keys](std::string_view prefix, const auto& fields) {
    for (const auto& field : fields)
      keys.push_back(fmt::format("{}{}", prefix, field.key));
  };
  add("", k_top);
  add("retry.", k_retry);
  add("breaker.", k_breaker);
  add("retention.", k_retention);
  add("hooks.", k_hooks);
  add("alerts.", k_alerts);
  add("safe_mode.", k_safe_mode);
  add("sendmail.", k_sendmail);
  add("sendmail.tags.*.", k_tag_rule);
  add("pools.*.", k_pool);
  add("pools.*.providers.*.", k_member);
  for (const std::string& key : provider_keys())
    keys.push_back("providers.*." + key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace pony
