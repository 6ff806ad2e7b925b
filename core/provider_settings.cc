#include "core/provider_settings.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <set>

#include "core/json.h"

namespace pony {
namespace {

using Kind = YamlNode::Kind;

// What a value must look like.
enum class Shape {
  text,
  host,      // a name or an IP address
  port,      // 1 to 65535
  tls,       // required, implicit or off
  flag,      // true or false
  path,      // made absolute
  base_url,  // http(s)://HOST[:PORT]
  proxy,     // the same, and socks5://, socks5h://
  url,       // any http(s) URL
  region,    // a label of a host name
  duration,
  argv,
  secret,  // also as KEY_file and KEY_command
};

struct Setting {
  std::string_view key;
  Shape shape;
};

constexpr Setting k_settings[] = {
    {"access_key_id", Shape::secret},
    {"allow_insecure", Shape::flag},
    {"api_key", Shape::secret},
    {"base_url", Shape::base_url},
    {"ca_file", Shape::path},
    {"command", Shape::argv},
    {"configuration_set", Shape::text},
    {"domain", Shape::host},
    {"ehlo", Shape::host},
    {"host", Shape::host},
    {"insecure_tls", Shape::flag},
    {"message_stream", Shape::text},
    {"password", Shape::secret},
    {"path", Shape::path},
    {"port", Shape::port},
    {"proxy", Shape::proxy},
    {"region", Shape::region},
    {"secret_access_key", Shape::secret},
    {"session_token", Shape::secret},
    {"tls", Shape::tls},
    {"username", Shape::text},
};

constexpr Setting k_webhook_settings[] = {
    {"secret", Shape::secret},    {"public_key", Shape::text},
    {"url", Shape::url},          {"topic", Shape::text},
    {"username", Shape::text},    {"password", Shape::secret},
    {"max_age", Shape::duration}, {"certificate_file", Shape::path},
};

// Keys are separated by blanks; what each looks like is said above.
struct ProviderType {
  std::string_view name;
  bool speaks_http;  // has k_http_keys too
  std::string_view required;
  std::string_view optional;
};

constexpr std::string_view k_http_keys =
    "base_url allow_insecure ca_file insecure_tls proxy";

constexpr ProviderType k_types[] = {
    // name, speaks HTTP, must be given, may be given
    {"brevo", true, "api_key", ""},
    {"exec", false, "command", ""},
    {"maildir", false, "path", ""},
    {"mailgun", true, "domain api_key", "region"},
    {"mandrill", true, "api_key", ""},
    {"postmark", true, "api_key", "message_stream"},
    {"resend", true, "api_key", ""},
    {"sendgrid", true, "api_key", "region"},
    {"sendmail", false, "", "command"},
    {"ses", true, "region access_key_id secret_access_key",
     "session_token configuration_set"},
    {"smtp", false, "host",
     "port tls username password ca_file insecure_tls ehlo"},
};

constexpr int k_most_connections = 1000;
constexpr int k_highest_port = 65535;

void read_webhook(ConfigReader& reader, const YamlEntry& entry,
                  ProviderConfig& out);

// What every type has.
constexpr ConfigField<ProviderConfig> k_common[] = {
    {"type", [](ConfigReader& reader, const YamlEntry& entry,
                ProviderConfig& out) { reader.read(entry, out.type); }},
    {"timeout",
     [](ConfigReader& reader, const YamlEntry& entry, ProviderConfig& out) {
       reader.read_duration(entry, out.timeout);
     }},
    {"connect_timeout",
     [](ConfigReader& reader, const YamlEntry& entry, ProviderConfig& out) {
       reader.read_duration(entry, out.connect_timeout);
     }},
    {"connections",
     [](ConfigReader& reader, const YamlEntry& entry, ProviderConfig& out) {
       reader.read_number(entry, out.connections, 1, k_most_connections);
     }},
    {"rate", [](ConfigReader& reader, const YamlEntry& entry,
                ProviderConfig& out) { reader.read_rates(entry, out.rate); }},
    {"webhook", read_webhook},
};
constexpr std::span<const ConfigField<ProviderConfig>> k_common_fields(
    k_common);

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// The keys of `type` that the others need not have.
std::vector<std::string_view> own_keys(const ProviderType& type) {
  std::vector<std::string_view> keys = words(type.required);
  for (const std::string_view key : words(type.optional)) keys.push_back(key);
  if (!type.speaks_http) return keys;
  for (const std::string_view key : words(k_http_keys)) keys.push_back(key);
  return keys;
}

const ProviderType* find_type(std::string_view name) {
  for (const ProviderType& type : k_types)
    if (type.name == name) return &type;
  return nullptr;
}

const Setting* find_setting(std::span<const Setting> settings,
                            std::string_view key) {
  for (const Setting& setting : settings)
    if (setting.key == key) return &setting;
  return nullptr;
}

// A key of the file, taken apart: "api_key_file" is api_key's file.
struct Key {
  enum class Form { value, file, command };
  const Setting* setting = nullptr;  // nullptr: there is no such key
  Form form = Form::value;
};

Key take_apart(std::span<const Setting> settings, std::string_view key) {
  if (const Setting* setting = find_setting(settings, key))
    return {setting, Key::Form::value};
  for (const auto& [suffix, form] :
       {std::pair{std::string_view("_file"), Key::Form::file},
        std::pair{std::string_view("_command"), Key::Form::command}}) {
    if (!key.ends_with(suffix)) continue;
    const auto* setting =
        find_setting(settings, key.substr(0, key.size() - suffix.size()));
    if (setting != nullptr && setting->shape == Shape::secret)
      return {setting, form};
  }
  return {};
}

bool is_ip_address(const std::string& text) {
  in6_addr parsed{};
  return ::inet_pton(AF_INET6, text.c_str(), &parsed) == 1 ||
         ::inet_pton(AF_INET, text.c_str(), &parsed) == 1;
}

bool is_region(std::string_view text) {
  return is_host_name(text) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

// HOST or HOST:PORT or [IPv6]:PORT, and nothing after it.
bool is_authority(std::string_view text) {
  std::string_view host = text;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && !text.ends_with(']')) {
    const auto port = whole_number(text.substr(colon + 1));
    if (!port || *port < 1 || *port > k_highest_port) return false;
    host = text.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']'))
    return is_ip_address(std::string(host.substr(1, host.size() - 2)));
  return is_host_name(host);
}

// What follows the first of `schemes` that `url` begins with, if any.
std::optional<std::string_view> after_scheme(
    std::string_view url, std::initializer_list<std::string_view> schemes) {
  for (const std::string_view scheme : schemes)
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  return std::nullopt;
}

// Reads the keys of one provider, or of its webhook.
class SettingsReader {
 public:
  SettingsReader(ConfigReader& reader, ProviderConfig& out,
                 std::string_view prefix)
      : reader_(reader), out_(out), prefix_(prefix) {}

  void read(const YamlEntry& entry, const Key& key) {
    const std::string name = prefix_ + std::string(key.setting->key);
    if (!seen_.insert(key.setting->key).second) {
      reader_.refuse(entry.line, fmt::format("'{}' is given in two ways",
                                             key.setting->key));
      return;
    }
    if (key.setting->shape == Shape::secret)
      read_secret(entry, key.form, name);
    else if (key.setting->shape == Shape::argv)
      reader_.read_argv(entry, out_.command);
    else
      read_setting(entry, key.setting->shape, name);
  }

  // Was the key in the file, right or wrong?
  bool has(std::string_view key) const { return seen_.count(key) > 0; }

 private:
  void read_secret(const YamlEntry& entry, Key::Form form,
                   const std::string& name) {
    SecretSource source;
    source.key = name;
    source.place = reader_.place(entry.line);
    if (form == Key::Form::file) {
      reader_.read_path(entry, source.file);
    } else if (form == Key::Form::command) {
      reader_.read_argv(entry, source.command);
      if (source.command.empty() && !entry.value.is(Kind::bad))
        reader_.refuse(entry.line,
                       fmt::format("'{}' names no program", entry.key));
    } else {
      reader_.read(entry, source.value);
      if (!source.value.empty() && source.value.find("${") == std::string::npos)
        reader_.note_plain_secret(entry.line);
    }
    out_.secrets.insert_or_assign(name, std::move(source));
  }

  void read_setting(const YamlEntry& entry, Shape shape,
                    const std::string& name) {
    const std::string* text = reader_.text(entry);
    if (text == nullptr) return;
    auto value = expand_environment(*text);
    if (!value) {
      reader_.refuse(entry.line,
                     fmt::format("'{}': {}", entry.key, value.error().what),
                     value.error().hint);
      return;
    }
    if (value->empty() || has_control(*value)) {
      reader_.refuse(entry.line,
                     fmt::format("'{}' is empty or has a control character "
                                 "once its variables are filled in",
                                 entry.key));
      return;
    }
    if (auto checked = shaped(entry, shape, std::move(*value)))
      out_.settings.insert_or_assign(name, std::move(*checked));
  }

  // `value` in the form in which providers get it; nullopt after a problem.
  std::optional<std::string> shaped(const YamlEntry& entry, Shape shape,
                                    std::string value) {
    switch (shape) {
      case Shape::host:
        return host(entry, std::move(value));
      case Shape::port: {
        const auto port = whole_number(value);
        if (port && *port >= 1 && *port <= k_highest_port) return value;
        return wrong(entry, fmt::format("a port from 1 to {}", k_highest_port));
      }
      case Shape::tls:
        if (value == "required" || value == "implicit" || value == "off")
          return value;
        return wrong(entry, "required, implicit or off",
                     "required: STARTTLS, or no mail; implicit: TLS from the "
                     "start (port 465)");
      case Shape::flag:
        if (truth(value)) return value;
        return wrong(entry, "true or false");
      case Shape::path:
        return reader_.absolute(value);
      case Shape::base_url:
        return base_url(entry, std::move(value));
      case Shape::proxy: {
        const auto rest = after_scheme(
            value, {"http://", "https://", "socks5://", "socks5h://"});
        if (rest && is_authority(*rest)) return value;
        return wrong_url(entry,
                         "a proxy: http://HOST:PORT or "
                         "socks5h://HOST:PORT");
      }
      case Shape::url:
        if (after_scheme(value, {"http://", "https://"}) &&
            value.find(' ') == std::string::npos)
          return value;
        return wrong(entry, "an http or https URL");
      case Shape::region:
        if (is_region(value)) return value;
        return wrong(entry, "a region such as eu or eu-west-1");
      case Shape::duration: {
        const auto duration = parse_duration(value);
        if (duration && duration->count() > 0)
          return format_duration(*duration);
        return wrong(entry, "a duration", "such as 15m, 4h or 5d");
      }
      default:
        return value;
    }
  }

  std::optional<std::string> host(const YamlEntry& entry, std::string value) {
    if (value.starts_with('[') && value.ends_with(']'))
      value = value.substr(1, value.size() - 2);
    if (is_host_name(value) || is_ip_address(value)) return value;
    const bool has_port =
        value.find(':') != std::string::npos && is_authority(value);
    return wrong(entry, "a host name",
                 has_port ? "the port has a key of its own, 'port'" : "");
  }

  std::optional<std::string> base_url(const YamlEntry& entry,
                                      std::string value) {
    if (value.ends_with('/')) value.pop_back();
    const auto rest = after_scheme(value, {"http://", "https://"});
    if (rest && is_authority(*rest)) return value;
    return wrong_url(entry, "https://HOST or https://HOST:PORT");
  }

  std::optional<std::string> wrong(const YamlEntry& entry,
                                   std::string_view wanted,
                                   std::string hint = {}) {
    reader_.refuse_value(entry, wanted, std::move(hint));
    return std::nullopt;
  }

  // Without the value: it may hold a password.
  std::optional<std::string> wrong_url(const YamlEntry& entry,
                                       std::string_view wanted) {
    reader_.refuse(entry.line,
                   fmt::format("'{}' must be {}", entry.key, wanted),
                   "no path, no user name or password in it");
    return std::nullopt;
  }

  ConfigReader& reader_;
  ProviderConfig& out_;
  std::string prefix_;
  std::set<std::string_view> seen_;
};

// `settings` as people may write them.
std::vector<std::string> spellings(const Setting& setting) {
  std::vector<std::string> out{std::string(setting.key)};
  if (setting.shape != Shape::secret) return out;
  out.push_back(out.front() + "_file");
  out.push_back(out.front() + "_command");
  return out;
}

void refuse_unknown(ConfigReader& reader, const YamlEntry& entry,
                    std::string_view section, std::span<const Setting> settings,
                    const std::vector<std::string_view>& allowed,
                    std::vector<std::string_view> known) {
  std::vector<std::string> own;
  for (const Setting& setting : settings) {
    if (std::find(allowed.begin(), allowed.end(), setting.key) == allowed.end())
      continue;
    for (std::string& key : spellings(setting)) own.push_back(std::move(key));
  }
  known.insert(known.end(), own.begin(), own.end());
  reader.refuse_key(entry, section, known);
}

void read_webhook(ConfigReader& reader, const YamlEntry& entry,
                  ProviderConfig& out) {
  if (!reader.is_map(entry)) return;
  SettingsReader settings(reader, out, "webhook.");
  std::vector<std::string_view> allowed;
  for (const Setting& setting : k_webhook_settings)
    allowed.push_back(setting.key);
  for (const YamlEntry& member : entry.value.entries) {
    const Key key = take_apart(k_webhook_settings, member.key);
    if (key.setting != nullptr)
      settings.read(member, key);
    else
      refuse_unknown(reader, member, "webhook", k_webhook_settings, allowed,
                     {});
  }
}

// The type that `entry` names; problems when there is none.
const ProviderType* type_of(ConfigReader& reader, const YamlEntry& entry) {
  for (const YamlEntry& member : entry.value.entries) {
    if (member.key != "type" || !member.value.is(Kind::text)) continue;
    const ProviderType* type = find_type(member.value.text);
    if (type != nullptr) return type;
    std::vector<std::string_view> names;
    for (const ProviderType& known : k_types) names.push_back(known.name);
    reader.refuse(member.line,
                  fmt::format("unknown provider type '{}'",
                              printable(member.value.text, 80)),
                  did_you_mean(member.value.text, names));
    return nullptr;
  }
  reader.refuse(entry.line,
                fmt::format("provider '{}' has no 'type'", entry.key));
  return nullptr;
}

void check_smtp(ConfigReader& reader, const YamlEntry& entry,
                const SettingsReader& settings, ProviderConfig& out) {
  if (settings.has("username") != settings.has("password")) {
    reader.refuse(entry.line,
                  fmt::format("provider '{}' has only one of 'username' and "
                              "'password'",
                              entry.key));
  }
  const std::string tls = out.setting("tls", "required");
  if (tls == "off" && settings.has("username")) {
    reader.refuse(entry.line,
                  fmt::format("provider '{}' would send its password in the "
                              "clear",
                              entry.key),
                  "use 'tls: required', or no 'username'");
  }
  out.settings.try_emplace("tls", tls);
  out.settings.try_emplace("port", tls == "implicit" ? "465"
                                   : tls == "off"    ? "25"
                                                     : "587");
}

void check_http(ConfigReader& reader, const YamlEntry& entry,
                const ProviderConfig& out) {
  if (!out.setting("base_url").starts_with("http://") ||
      out.setting("allow_insecure") == "true")
    return;
  reader.refuse(
      entry.line,
      fmt::format("provider '{}' has a 'base_url' without TLS", entry.key),
      "use https://, or say 'allow_insecure: true'");
}

// The services whose regions are few enough to be known; the first one is
// meant when none is given.
struct Regions {
  std::string_view service;
  std::string_view usual;
  std::string_view other;
};

void check_region(ConfigReader& reader, const YamlEntry& entry,
                  const Regions& regions, ProviderConfig& out) {
  const std::string region = out.setting("region", regions.usual);
  if (region == regions.usual || region == regions.other) {
    out.settings.try_emplace("region", region);
    return;
  }
  reader.refuse(entry.line,
                fmt::format("provider '{}' has the region '{}'; {} has {} "
                            "and {}",
                            entry.key, region, regions.service, regions.usual,
                            regions.other));
}

// What is missing, and what does not go together.
void check_whole(ConfigReader& reader, const YamlEntry& entry,
                 const ProviderType& type, const SettingsReader& settings,
                 ProviderConfig& out) {
  for (const std::string_view key : words(type.required)) {
    if (settings.has(key)) continue;
    reader.refuse(entry.line, fmt::format("provider '{}' ({}) needs '{}'",
                                          entry.key, type.name, key));
  }
  if (type.name == "exec" && settings.has("command") && out.command.empty())
    reader.refuse(entry.line,
                  fmt::format("provider '{}' names no program", entry.key));
  if (type.name == "sendmail" && out.command.empty())
    out.command = {"/usr/sbin/sendmail"};
  if (type.speaks_http) check_http(reader, entry, out);
  if (type.name == "smtp") check_smtp(reader, entry, settings, out);
  if (type.name == "mailgun")
    check_region(reader, entry, {"Mailgun", "us", "eu"}, out);
  if (type.name == "sendgrid")
    check_region(reader, entry, {"SendGrid", "global", "eu"}, out);
}

}  // namespace

ProviderConfig read_provider(ConfigReader& reader, const YamlEntry& entry) {
  ProviderConfig out;
  out.name = entry.key;
  out.place = reader.place(entry.line);
  if (!entry.value.is(Kind::map)) {
    reader.refuse_value(entry, "a map",
                        "such as {type: maildir, path: outbox}");
    return out;
  }
  const ProviderType* type = type_of(reader, entry);
  SettingsReader settings(reader, out, "");
  const std::vector<std::string_view> allowed =
      type == nullptr ? std::vector<std::string_view>() : own_keys(*type);
  for (const YamlEntry& member : entry.value.entries) {
    if (const auto* field = find_field(k_common_fields, member.key)) {
      field->read(reader, member, out);
      continue;
    }
    const Key key = take_apart(k_settings, member.key);
    if (key.setting != nullptr && std::find(allowed.begin(), allowed.end(),
                                            key.setting->key) != allowed.end())
      settings.read(member, key);
    else if (type != nullptr)  // else we do not know what it may have
      refuse_unknown(reader, member, entry.key, k_settings, allowed,
                     keys_of(k_common_fields));
  }
  if (type != nullptr) check_whole(reader, entry, *type, settings, out);
  return out;
}

std::vector<std::string> provider_keys() {
  std::vector<std::string> keys;
  for (const auto& field : k_common_fields) keys.emplace_back(field.key);
  for (const Setting& setting : k_settings)
    for (std::string& key : spellings(setting)) keys.push_back(std::move(key));
  for (const Setting& setting : k_webhook_settings)
    for (const std::string& key : spellings(setting))
      keys.push_back("webhook." + key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace pony
