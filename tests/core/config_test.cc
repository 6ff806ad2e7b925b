#include "core/config.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/require_ok.h"

using namespace std::chrono_literals;
using pony::Config;
using pony::Error;
using pony::load_config;
using pony::load_readable_config;
using pony::parse_config;
using pony::Result;
using pony::Strategy;

namespace {

Result<Config> parse(std::string_view yaml) {
  return parse_config(yaml, "pony.yaml", "/srv/pony");
}

// "place: what (hint)", a line for each problem.
std::string problems_of(std::string_view yaml) {
  const auto config = parse(yaml);
  CHECK_FAILS(config, config);
  std::string out;
  for (const auto& problem : config.error().problems) {
    if (!out.empty()) out += "\n";
    out += problem.place + ": " + problem.what;
    if (!problem.hint.empty()) out += " (" + problem.hint + ")";
  }
  return out;
}

// The problems of a file whose only provider, "p", has these members.
std::string provider_problems(const std::string& members) {
  return problems_of("providers:\n  p: {" + members + "}\n");
}

// Sets a variable for as long as it lives; nullptr unsets it.
class WithVariable {
 public:
  WithVariable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    if (value == nullptr)
      ::unsetenv(name);
    else
      ::setenv(name, value, 1);
  }
  ~WithVariable() {
    if (old_)
      ::setenv(name_, old_->c_str(), 1);
    else
      ::unsetenv(name_);
  }
  WithVariable(const WithVariable&) = delete;
  WithVariable& operator=(const WithVariable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

class TempFolder {
 public:
  TempFolder() {
    char name[] = "/tmp/pony-config-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text,
                    mode_t mode) const {
    const std::string path = path_ + "/" + name;
    std::filesystem::create_directories(
        std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The example of the documentation, all keys of the top level but safe_mode's
// empty form.
constexpr const char* k_full = R"(
spool: /var/spool/pony
spool_group: mail
templates: ./my-templates/
default_from: Widget Team <team@widgets.example>
default_lang: es-MX
idempotency_window: 12h
on_unknown: hold
providers:
  main:   {type: sendgrid, api_key: "${SENDGRID_API_KEY}", rate: [50/s, 100000/day]}
  second: {type: mailgun, domain: mg.widgets.example, region: eu, api_key_file: mailgun.key}
  relay:  {type: smtp, host: mail.widgets.example, port: 587, username: u, password_file: relay.key, tls: required}
  script: {type: exec, command: [./my-provider, -v]}
  outbox: {type: maildir, path: outbox, timeout: 250ms, connections: 3}
pools:
  default:         {strategy: priority, providers: [main, second, relay]}
  widgets.example: {strategy: weighted, providers: [{name: second, weight: 3}, main]}
retry:   {first: 2m, factor: 1.5, max: 5h, jitter: 30%, give_up_after: 6d}
breaker: {failures: 7, cool_down: 40s, max_cool_down: 16m}
retention: {sent: 31d, failed: 91d, log: 401d}
hooks: {on_failed: [/usr/local/bin/page-me, --now], on_sent: [], on_breaker: []}
local_recipient: ops@widgets.example
aliases: etc/aliases
sendmail:
  allow_senders: ["*@widgets.example", root@web1.widgets.example]
  tags: [{caller: cron*, from: "root@*", tags: [cron, night]}, {tags: all}]
origin: web1.widgets.example
log_addresses: hash
safe_mode: {redirect_to: qa@widgets.example, allow: ["*@widgets.example"]}
)";

}  // namespace

TEST_SUITE_BEGIN("config");

TEST_CASE("a whole configuration is read") {
  const auto config = parse(k_full);

  REQUIRE_OK(config);
  CHECK(config->spool == "/var/spool/pony");
  CHECK(config->spool_group == "mail");
  CHECK(config->templates == "/srv/pony/my-templates");
  CHECK(config->default_from->email == "team@widgets.example");
  CHECK(config->default_lang == "es-MX");
  CHECK(config->idempotency_window == 12h);
  CHECK(config->on_unknown == pony::OnUnknown::hold);
  CHECK(config->log_addresses == pony::LogAddresses::hash);
  CHECK(config->retry.first == 2min);
  CHECK(config->retry.factor == 1.5);
  CHECK(config->retry.max == 5h);
  CHECK(config->retry.jitter == doctest::Approx(0.3));
  CHECK(config->retry.give_up_after == 6 * 24h);
  CHECK(config->breaker.failures == 7);
  CHECK(config->breaker.cool_down == 40s);
  CHECK(config->breaker.max_cool_down == 16min);
  CHECK(config->retention.sent == 31 * 24h);
  CHECK(config->retention.failed == 91 * 24h);
  CHECK(config->retention.log == 401 * 24h);
  CHECK(config->hooks.on_failed ==
        std::vector<std::string>{"/usr/local/bin/page-me", "--now"});
  CHECK(config->hooks.on_sent.empty());
  CHECK(config->local_recipient == "ops@widgets.example");
  CHECK(config->aliases.ends_with("/etc/aliases"));
  CHECK(config->sendmail.allow_senders.size() == 2);
  REQUIRE(config->sendmail.tags.size() == 2);
  CHECK(config->sendmail.tags[0].caller == "cron*");
  CHECK(config->sendmail.tags[0].from == "root@*");
  CHECK(config->sendmail.tags[0].tags.size() == 2);
  CHECK(config->sendmail.tags[1].tags.front() == "all");
  CHECK(config->origin == "web1.widgets.example");
  CHECK(config->safe_mode->redirect_to->email == "qa@widgets.example");
  CHECK(config->safe_mode->allow ==
        std::vector<std::string>{"*@widgets.example"});
  CHECK(config->warnings.empty());
}

TEST_CASE("providers keep the file's order, their settings and their place") {
  const auto config = parse(k_full);

  REQUIRE_OK(config);
  REQUIRE(config->providers.size() == 5);
  const auto& main = config->providers[0];
  CHECK(main.name == "main");
  CHECK(main.type == "sendgrid");
  CHECK(main.place == "pony.yaml:10");
  CHECK(main.timeout == 60s);
  CHECK(main.connections == 20);
  REQUIRE(main.rate.size() == 2);
  CHECK(main.rate[0].count == 50);
  CHECK(main.rate[0].per == 1s);
  CHECK(main.rate[1].count == 100000);
  CHECK(main.rate[1].per == 24h);
  CHECK(main.secrets.at("api_key").value == "${SENDGRID_API_KEY}");
  CHECK(main.secrets.at("api_key").place == "pony.yaml:10");

  CHECK(config->providers[1].setting("region") == "eu");
  CHECK(config->providers[1].secrets.at("api_key").file ==
        "/srv/pony/mailgun.key");
  CHECK(config->provider("relay")->setting("host") == "mail.widgets.example");
  CHECK(config->provider("relay")->setting("ehlo", "other") == "other");
  CHECK(config->provider("script")->command ==
        std::vector<std::string>{"/srv/pony/my-provider", "-v"});
  CHECK(config->provider("outbox")->setting("path") == "/srv/pony/outbox");
  CHECK(config->provider("outbox")->timeout == 250ms);
  CHECK(config->provider("outbox")->connections == 3);
  CHECK(config->provider("nobody") == nullptr);
}

TEST_CASE("pools keep their order, strategies and weights") {
  const auto config = parse(k_full);

  REQUIRE_OK(config);
  REQUIRE(config->pools.size() == 2);
  CHECK(config->pool("default")->members.size() == 3);
  const auto* pool = config->pool("widgets.example");
  REQUIRE(pool != nullptr);
  CHECK(pool->strategy == Strategy::weighted);
  CHECK(pool->place == "pony.yaml:17");
  CHECK(pool->members.at(0).provider == "second");
  CHECK(pool->members.at(0).weight == 3);
  CHECK(pool->members.at(1).weight == 1);
}

TEST_CASE("an empty file is the built-in configuration") {
  const WithVariable home("HOME", "/home/ann");
  const WithVariable state("XDG_STATE_HOME", "/var/state");
  const std::string spool =
      ::geteuid() == 0 ? "/var/spool/pony" : "/var/state/pony";

  for (const auto& config :
       {parse(""), parse("# nothing\n"), parse("providers:\npools:\nhooks:\n"),
        load_config("")}) {
    REQUIRE_OK(config);
    CHECK(config->file.empty());
    CHECK(config->spool == spool);
    CHECK(config->default_lang == "en");
    CHECK(config->retry.give_up_after == 5 * 24h);
    REQUIRE(config->providers.size() == 1);
    CHECK(config->providers[0].name == "outbox");
    CHECK(config->providers[0].type == "maildir");
    CHECK(config->providers[0].setting("path") == spool + "/outbox");
    REQUIRE(config->pool("default") != nullptr);
    CHECK(config->pool("default")->members.at(0).provider == "outbox");
  }
}

TEST_CASE("the built-in outbox follows the spool, a configured one does not") {
  auto config = parse("");
  REQUIRE_OK(config);
  use_spool(*config, "/tmp/other");
  CHECK(config->spool == "/tmp/other");
  CHECK(config->providers[0].setting("path") == "/tmp/other/outbox");

  config = parse("providers: {mine: {type: maildir, path: /var/mine}}");
  REQUIRE_OK(config);
  use_spool(*config, "/tmp/other");
  CHECK(config->providers[0].setting("path") == "/var/mine");
}

TEST_CASE("without a default pool all providers are in it, in order") {
  const auto config = parse(
      "pools: {bulk: {providers: b}}\n"
      "providers: {a: {type: sendmail}, b: {type: sendmail}}\n");

  REQUIRE_OK(config);
  const auto* pool = config->pool("default");
  REQUIRE(pool != nullptr);
  REQUIRE(pool->members.size() == 2);
  CHECK(pool->strategy == Strategy::priority);
  CHECK(pool->members[0].provider == "a");
  CHECK(pool->members[1].provider == "b");
  CHECK(config->pool("bulk")->members.at(0).provider == "b");
  CHECK(config->provider("a")->command ==
        std::vector<std::string>{"/usr/sbin/sendmail"});
}

TEST_CASE("every problem is told at once, by line, with the nearest key") {
  const auto config = parse(
      "retires: {first: 1m}\n"
      "retry: {frist: 1m, factor: fast}\n"
      "spool: 1\n"
      "spool: 2\n"
      "providers:\n"
      "  relay: {type: smtp, prot: 25}\n");

  CHECK_FAILS(config, config);
  CHECK(config.error().what == "'pony.yaml' has 6 problems");
  CHECK(problems_of("retires: {first: 1m}\n"
                    "retry: {frist: 1m, factor: fast}\n"
                    "spool: 1\n"
                    "spool: 2\n"
                    "providers:\n"
                    "  relay: {type: smtp, prot: 25}\n") ==
        "pony.yaml:1: unknown key 'retires' (did you mean 'retry'?)\n"
        "pony.yaml:2: unknown key 'frist' in 'retry' (did you mean 'first'?)\n"
        "pony.yaml:2: 'factor' must be a number from 1 to 100, not 'fast'\n"
        "pony.yaml:4: duplicate key 'spool' (the first one is on line 3)\n"
        "pony.yaml:6: unknown key 'prot' in 'relay' (did you mean 'port'?)\n"
        "pony.yaml:6: provider 'relay' (smtp) needs 'host'");
}

TEST_CASE("what is no YAML is one problem, with its line") {
  CHECK(problems_of("a: 1\nb: {\n").starts_with("pony.yaml:"));
  CHECK(problems_of("- a\n- b\n") ==
        "pony.yaml:1: the configuration must be a map, 'key: value'");
}

TEST_CASE("numbers are decimal, truth is true or false") {
  CHECK(provider_problems("type: sendmail, connections: 010") ==
        "pony.yaml:2: 'connections' must be a number from 1 to 1000, not "
        "'010'");
  CHECK(provider_problems("type: sendmail, connections: 0") ==
        "pony.yaml:2: 'connections' must be a number from 1 to 1000, not '0'");
  CHECK(provider_problems("type: smtp, host: h.example, port: 65536") ==
        "pony.yaml:2: 'port' must be a port from 1 to 65535, not '65536'");
  CHECK(provider_problems("type: smtp, host: h.example, insecure_tls: yes") ==
        "pony.yaml:2: 'insecure_tls' must be true or false, not 'yes'");
}

TEST_CASE("durations have a unit and are whole seconds where that matters") {
  const std::string hint = " (such as 250ms, 30s, 15m, 4h or 5d)";
  CHECK(problems_of("retry: {first: 60}") ==
        "pony.yaml:1: 'first' must be a duration, not '60'" + hint);
  CHECK(problems_of("retry: {first: 1500ms}") ==
        "pony.yaml:1: 'first' must be whole seconds, not '1500ms'");
  CHECK(problems_of("breaker: {cool_down: 0s}")
            .starts_with("pony.yaml:1: 'cool_down' must be a duration from "));
  CHECK(provider_problems("type: sendmail, timeout: [1s]") ==
        "pony.yaml:2: 'timeout' must be one text, not a list");
  const auto config = parse("retention: {sent: 0s}\nretry: {jitter: 0.25}\n");
  REQUIRE_OK(config);
  CHECK(config->retention.sent == 0s);
  CHECK(config->retry.jitter == 0.25);
}

TEST_CASE("ranges that contradict each other are refused") {
  CHECK(problems_of("retry: {first: 5h}") ==
        "pony.yaml:1: 'max' is shorter than 'first' in 'retry'");
  CHECK(problems_of("breaker: {cool_down: 1h}") ==
        "pony.yaml:1: 'max_cool_down' is shorter than 'cool_down' in "
        "'breaker'");
  CHECK(problems_of("retry: {jitter: 120%}") ==
        "pony.yaml:1: 'jitter' must be from 0% to 100%, not '120%'");
  CHECK_FAILS(parse("retry: {factor: nan}"), config);
  CHECK_FAILS(parse("retry: {factor: 0.5}"), config);
}

TEST_CASE("a rate is a count and a unit of time") {
  const auto config = parse(
      "providers: {p: {type: sendmail, rate: [1/sec, 2/min, 3/hour, 4/d]}}");
  REQUIRE_OK(config);
  const auto& rate = config->providers[0].rate;
  REQUIRE(rate.size() == 4);
  CHECK(rate[0].per == 1s);
  CHECK(rate[1].per == 1min);
  CHECK(rate[2].per == 1h);
  CHECK(rate[3].per == 24h);

  const std::string hint = " (such as 50/s, 1000/min, 5000/h or 100000/day)";
  for (const char* bad : {"50", "0/s", "x/s", "5/week", "-1/s", "/"}) {
    CHECK(provider_problems(std::string("type: sendmail, rate: ") + bad) ==
          std::string("pony.yaml:2: 'rate' must be a rate, not '") + bad + "'" +
              hint);
  }
}

TEST_CASE("a section must be a map, a text must be there") {
  CHECK(problems_of("retry: 5m") ==
        "pony.yaml:1: 'retry' must be a map, not '5m'");
  CHECK(problems_of("spool:\n") == "pony.yaml:1: 'spool' has no value");
  CHECK(problems_of("origin: ''\n") == "pony.yaml:1: 'origin' has no value");
  CHECK(problems_of("spool: |\n  /a\n  /b\n") ==
        "pony.yaml:1: 'spool' holds a line break or another control "
        "character");
}

TEST_CASE("addresses, languages and host names are checked") {
  CHECK(problems_of("default_from: nobody\n")
            .starts_with("pony.yaml:1: 'default_from' is no address: "));
  CHECK(problems_of("local_recipient: root\n") ==
        "pony.yaml:1: 'local_recipient' must be an address such as "
        "ops@widgets.example, not 'root'");
  CHECK(problems_of("default_lang: e_n\n") ==
        "pony.yaml:1: 'default_lang' must be a language such as en or es-MX, "
        "not 'e_n'");
  CHECK(problems_of("origin: a b\n") ==
        "pony.yaml:1: 'origin' must be a host name, not 'a b'");
  CHECK(problems_of("log_addresses: none\n") ==
        "pony.yaml:1: 'log_addresses' must be full, masked or hash, not "
        "'none'");
  CHECK(problems_of("on_unknown: maybe\n") ==
        "pony.yaml:1: 'on_unknown' must be retry, hold or fail, not 'maybe'");
}

TEST_CASE("a hook is an argv, never a line for a shell") {
  const std::string hint =
      " (write [/path/to/program, argument]; no shell is involved)";
  CHECK(problems_of("hooks: {on_sent: echo hello}") ==
        "pony.yaml:1: 'on_sent' must be a list: a program and its arguments, "
        "not 'echo hello'" +
            hint);
  CHECK_FAILS(parse("hooks: {on_sent: [a, [b]]}"), config);
  CHECK(problems_of("hooks: {on_sent: ['']}") ==
        "pony.yaml:1: 'on_sent' names no program");
}

TEST_CASE(
    "safe mode that says nothing is refused, an empty one lets nothing "
    "out") {
  CHECK(problems_of("safe_mode:\n") ==
        "pony.yaml:1: 'safe_mode' is empty (write {} to let nothing out, or "
        "take the line away)");
  CHECK_FAILS(parse("safe_mode: {allow: widgets}"), config);
  const auto config = parse("safe_mode: {}");
  REQUIRE_OK(config);
  REQUIRE(config->safe_mode);
  CHECK(config->safe_mode->allow.empty());
  CHECK_FALSE(config->safe_mode->redirect_to);
}

TEST_CASE("each type has its keys, and says which one is missing") {
  CHECK(provider_problems("type: mailgun") ==
        "pony.yaml:2: provider 'p' (mailgun) needs 'domain'\n"
        "pony.yaml:2: provider 'p' (mailgun) needs 'api_key'");
  CHECK(provider_problems("type: ses, region: eu-west-1") ==
        "pony.yaml:2: provider 'p' (ses) needs 'access_key_id'\n"
        "pony.yaml:2: provider 'p' (ses) needs 'secret_access_key'");
  CHECK(provider_problems("type: sendgrid, api_key_file: k, region: us") ==
        "pony.yaml:2: provider 'p' has the region 'us'; SendGrid has global "
        "and eu");
  CHECK(provider_problems("type: resend, api_key_file: k, region: eu") ==
        "pony.yaml:2: unknown key 'region' in 'p'");
  CHECK(provider_problems("type: exec") ==
        "pony.yaml:2: provider 'p' (exec) needs 'command'");
  CHECK(provider_problems("type: exec, command: []") ==
        "pony.yaml:2: provider 'p' names no program");
  CHECK(provider_problems("type: maildir, path: x, host: y") ==
        "pony.yaml:2: unknown key 'host' in 'p'");
  CHECK(provider_problems("type: smpt, host: y") ==
        "pony.yaml:2: unknown provider type 'smpt' (did you mean 'smtp'?)");
  CHECK(provider_problems("path: x") ==
        "pony.yaml:2: provider 'p' has no 'type'");
  CHECK(problems_of("providers: {p: smtp}") ==
        "pony.yaml:1: 'p' must be a map, not 'smtp' (such as {type: maildir, "
        "path: outbox})");
  CHECK(problems_of("providers: {'a/b': {type: sendmail}}") ==
        "pony.yaml:1: 'a/b' cannot name a provider (use letters, digits, '-', "
        "'_' and '.')");
}

TEST_CASE("a provider of every type can be written") {
  for (const char* members :
       {"type: brevo, api_key: k", "type: exec, command: [x]",
        "type: maildir, path: x",
        "type: mailgun, api_key: k, domain: d.example",
        "type: mandrill, api_key: k", "type: postmark, api_key: k",
        "type: postmark, api_key: k, message_stream: broadcast",
        "type: resend, api_key: k", "type: sendgrid, api_key: k",
        "type: sendgrid, api_key: k, region: eu", "type: sendmail",
        "type: smtp, host: '::1', port: 2525, tls: off",
        "type: ses, region: eu-west-1, access_key_id: a, secret_access_key: s, "
        "session_token_file: t",
        "type: sendgrid, api_key: k, base_url: 'https://[::1]:8443', "
        "proxy: 'socks5h://localhost:1080', ca_file: ca.pem, "
        "insecure_tls: true"}) {
    CAPTURE(members);
    REQUIRE_OK(parse(std::string("providers: {p: {") + members + "}}"));
  }
}

TEST_CASE("smtp knows its port, and sends no password in the clear") {
  const auto port = [](const std::string& more) {
    const auto config =
        parse("providers: {p: {type: smtp, host: h.example" + more + "}}");
    REQUIRE_OK(config);
    return config->providers[0].setting("tls") + " " +
           config->providers[0].setting("port");
  };
  CHECK(port("") == "required 587");
  CHECK(port(", tls: implicit") == "implicit 465");
  CHECK(port(", tls: off") == "off 25");
  CHECK(port(", port: 2525") == "required 2525");

  CHECK(provider_problems("type: smtp, host: h.example, username: u") ==
        "pony.yaml:2: provider 'p' has only one of 'username' and 'password'");
  CHECK(provider_problems("type: smtp, host: h.example, tls: off, username: u, "
                          "password: s") ==
        "pony.yaml:2: provider 'p' would send its password in the clear (use "
        "'tls: required', or no 'username')");
  CHECK(provider_problems("type: smtp, host: 'h.example:25'") ==
        "pony.yaml:2: 'host' must be a host name, not 'h.example:25' (the port "
        "has a key of its own, 'port')");
}

TEST_CASE("base_url is a host with TLS unless said otherwise") {
  const auto base_url = [](const std::string& more) {
    return parse("providers: {p: {type: resend, api_key: k, " + more + "}}");
  };
  const auto config = base_url("base_url: 'https://api.example:8443/'");
  REQUIRE_OK(config);
  CHECK(config->providers[0].setting("base_url") == "https://api.example:8443");
  REQUIRE_OK(
      base_url("base_url: 'http://127.0.0.1:8080', allow_insecure: true"));

  CHECK(provider_problems(
            "type: resend, api_key: k, base_url: 'http://api.example'") ==
        "pony.yaml:2: provider 'p' has a 'base_url' without TLS (use https://, "
        "or say 'allow_insecure: true')");
  for (const char* bad :
       {"https://u:canary@api.example", "https://api.example/v1",
        "ftp://api.example", "api.example", "https://", "https://a:0",
        "https://a:b", "https://a?b", "https://a#b", "https://a\\\\@b",
        "https://[::1", "https://[::1]x"}) {
    CAPTURE(bad);
    const auto refused = base_url(std::string("base_url: \"") + bad + "\"");
    CHECK_FAILS(refused, config);
    REQUIRE(refused.error().problems.size() == 1);
    CHECK(refused.error().problems[0].what ==
          "'base_url' must be https://HOST or https://HOST:PORT");
  }
}

TEST_CASE("a secret comes from one place only, and is never in an error") {
  CHECK(provider_problems("type: resend, api_key: canary, api_key_file: k") ==
        "pony.yaml:2: 'api_key' is given in two ways");
  CHECK(provider_problems("type: resend, api_key_command: pass show x")
            .find("must be a list") != std::string::npos);
  CHECK(provider_problems("type: resend, api_key: [canary]").find("canary") ==
        std::string::npos);
  CHECK(provider_problems("type: resend, api_key: \"can\\u0001ary\"") ==
        "pony.yaml:2: 'api_key' holds a line break or another control "
        "character");
}

TEST_CASE("a variable in a setting is filled in, in a secret it waits") {
  const WithVariable host("PONY_TEST_HOST", "h.example");
  const WithVariable unset("PONY_TEST_NONE", nullptr);

  const auto config = parse(
      "providers: {p: {type: smtp, host: 'mx.${PONY_TEST_HOST}',\n"
      "  username: 'a$${b}', password: '${PONY_TEST_NONE}'}}");
  REQUIRE_OK(config);
  CHECK(config->providers[0].setting("host") == "mx.h.example");
  CHECK(config->providers[0].setting("username") == "a${b}");
  CHECK(config->providers[0].secrets.at("password").value ==
        "${PONY_TEST_NONE}");
  CHECK(provider_problems("type: smtp, host: '${PONY_TEST_NONE}'") ==
        "pony.yaml:2: 'host': the environment has no 'PONY_TEST_NONE'");
}

TEST_CASE("a webhook has its own keys and secrets") {
  const auto config = parse(
      "providers:\n"
      "  p:\n"
      "    type: postmark\n"
      "    api_key: k\n"
      "    webhook: {username: u, password_file: w.key, max_age: 90m,\n"
      "              url: 'https://x.example/hook'}\n");
  REQUIRE_OK(config);
  const auto& provider = config->providers[0];
  CHECK(provider.setting("webhook.username") == "u");
  CHECK(provider.setting("webhook.max_age") == "90m");
  CHECK(provider.setting("webhook.url") == "https://x.example/hook");
  CHECK(provider.secrets.at("webhook.password").file == "/srv/pony/w.key");
  CHECK(provider.secrets.at("api_key").value == "k");

  CHECK(provider_problems("type: sendmail, webhook: {usrname: u}") ==
        "pony.yaml:2: unknown key 'usrname' in 'webhook' (did you mean "
        "'username'?)");
}

TEST_CASE("a pool has known providers, each once, and at least one") {
  const std::string providers =
      "providers: {main: {type: sendmail}, second: {type: sendmail}}\n";
  CHECK(problems_of(providers + "pools: {default: {providers: [mian]}}") ==
        "pony.yaml:2: pool 'default' names an unknown provider 'mian' (did you "
        "mean 'main'?)");
  CHECK(problems_of(providers + "pools: {x: {providers: [main, main]}}") ==
        "pony.yaml:2: provider 'main' is twice in pool 'x'");
  CHECK(problems_of(providers + "pools: {x: {strategy: random}}") ==
        "pony.yaml:2: pool 'x' has no providers");
  CHECK(problems_of(providers +
                    "pools: {x: {strategy: randon, providers: main}}") ==
        "pony.yaml:2: 'strategy' must be priority, random, round_robin, "
        "weighted or adaptive, not 'randon' (did you mean 'random'?)");
  CHECK(problems_of(providers +
                    "pools: {x: {strategy: weighted, providers: [{name: main, "
                    "weight: 0}]}}") ==
        "pony.yaml:2: 'weight' must be a number from 1 to 1000000, not '0'");
  const auto config =
      parse(providers + "pools: {x: {providers: [{name: main, weight: 2}]}}");
  REQUIRE_OK(config);
  CHECK(config->warnings ==
        std::vector<std::string>{"pony.yaml:2: pool 'x' has weights, but its "
                                 "strategy is not 'weighted'"});
}

TEST_CASE("paths may begin at the home") {
  const WithVariable home("HOME", "/home/ann");
  const auto config = parse("spool: ~/mail/\ntemplates: t\n");

  REQUIRE_OK(config);
  CHECK(config->spool == "/home/ann/mail");
  CHECK(config->templates == "/srv/pony/t");
}

TEST_CASE("the configuration is looked for where the manual says") {
  const TempFolder folder;
  const WithVariable home("HOME", folder.path().c_str());
  const WithVariable xdg("XDG_CONFIG_HOME", nullptr);
  CHECK(pony::config_path("given.yaml") == "given.yaml");
  {
    const WithVariable variable("PONY_CONFIG", "/some/pony.yaml");
    CHECK(pony::config_path("") == "/some/pony.yaml");
    CHECK(pony::config_path("given.yaml") == "given.yaml");
  }
  const WithVariable variable("PONY_CONFIG", nullptr);
  const std::string own = folder.write(".config/pony/pony.yaml", "", 0600);
  CHECK(pony::config_path("") == own);
  const std::string other = folder.write("xdg/pony/pony.yaml", "", 0600);
  const WithVariable moved("XDG_CONFIG_HOME", (folder.path() + "/xdg").c_str());
  CHECK(pony::config_path("") == other);
}

TEST_CASE("a file is read, and its folder is where paths and templates are") {
  const TempFolder folder;
  const std::string file =
      folder.write("pony.yaml", "spool: here\nfoo: 1\n", 0600);
  const auto wrong = load_config(file);
  CHECK_FAILS(wrong, config);
  CHECK(wrong.error().what == "'" + file + "' has 1 problem");
  CHECK(wrong.error().problems.at(0).place == file + ":2");

  folder.write("pony.yaml", "spool: here\n", 0600);
  std::filesystem::create_directory(folder.path() + "/templates");
  const auto config = load_config(file);
  REQUIRE_OK(config);
  CHECK(config->file == file);
  CHECK(config->spool == folder.path() + "/here");
  CHECK(config->templates == folder.path() + "/templates");

  CHECK_FAILS(load_config(folder.path() + "/none.yaml"), not_found);
  REQUIRE_OK(load_config("/dev/null"));
}

TEST_CASE("a file that others can write is refused") {
  const TempFolder folder;
  const std::string file = folder.write("pony.yaml", "", 0620);
  CHECK_FAILS(load_config(file), no_permission);
  ::chmod(file.c_str(), 0602);
  CHECK_FAILS(load_config(file), no_permission);
  ::chmod(file.c_str(), 0644);
  REQUIRE_OK(load_config(file));
}

TEST_CASE("a secret in a file that everyone can read is a warning") {
  const TempFolder folder;
  const auto warnings = [&folder](const char* key, mode_t mode) {
    const std::string file = folder.write(
        "pony.yaml",
        std::string("providers:\n  p: {type: resend, ") + key + "}\n", mode);
    const auto config = load_config(file);
    REQUIRE_OK(config);
    return config->warnings;
  };
  CHECK(warnings("api_key: k", 0644) ==
        std::vector<std::string>{
            folder.path() +
            "/pony.yaml:2: a secret stands in a file that everyone can read"});
  CHECK(warnings("api_key: k", 0640).empty());
  CHECK(warnings("api_key: '${K}'", 0644).empty());
  CHECK(warnings("api_key_file: k", 0644).empty());
}

TEST_CASE("rules for sendmail are checked") {
  CHECK(problems_of("sendmail: {tags: {caller: cron}}\n")
            .starts_with("pony.yaml:1: 'tags' must be a list"));
  CHECK(problems_of("sendmail: {tags: [cron]}\n")
            .starts_with("pony.yaml:1: a rule for tags must be a map"));
  CHECK(problems_of("sendmail: {tags: [{caller: cron}]}\n") ==
        "pony.yaml:1: a rule has no 'tags'");
  CHECK(problems_of("sendmail: {tags: [{tags: [" + std::string(201, 'x') +
                    "]}]}\n") == "pony.yaml:1: a tag has more than 200 bytes");
  CHECK(problems_of("sendmail: {allow_senders: [ann]}\n")
            .starts_with("pony.yaml:1: 'ann' is no pattern for an address"));
}

TEST_CASE("of a broken configuration what can be read counts") {
  const TempFolder folder;
  const WithVariable home("HOME", "/home/ann");
  const auto read = [&](const std::string& yaml) {
    return load_readable_config(folder.write("pony.yaml", yaml, 0600));
  };
  const auto fine = read("spool: /s\n");
  CHECK(!fine.problem);
  CHECK(fine.config.spool == "/s");

  const auto unknown = read("spol: /x\nspool: /s\nproviders: {a: {}}\n");
  REQUIRE(unknown.problem);
  CHECK(unknown.problem->kind == Error::Kind::config);
  CHECK(unknown.config.spool == "/s");

  for (const char* broken :
       {"providers: {a: {type: smtp\n", "retry: 'open\nmore: x\n", "\tx: y\n",
        "providers:\n  a: [\n- b\n", "]\n", "x: \x01\n", "x: \xff\n",
        "just text\n", "a: &b c\n"}) {
    CAPTURE(broken);
    const auto part = read(
        "spool: /s\nlocal_recipient: ops@widgets.example\n"
        "default_lang: es\n" +
        std::string(broken));
    REQUIRE(part.problem);
    CHECK(part.config.spool == "/s");
    CHECK(part.config.local_recipient == "ops@widgets.example");
  }

  for (const char* broken :
       {"providers: {a: {type: smtp\n", "x: \xff\n", "{{{{\n", "<<<<<<< HEAD\n",
        "a: 1\na: 2\nb: [\n", "just text\n"}) {
    CAPTURE(broken);
    const auto below = read(std::string(broken) + "spool: /s\nmore: [\n");
    REQUIRE(below.problem);
    CHECK(below.config.spool == "/s");
  }

  const auto none = read("{{{{");
  REQUIRE(none.problem);
  CHECK(none.config.spool == load_config("")->spool);
  CHECK(load_readable_config("/nowhere/pony.yaml").problem->kind ==
        Error::Kind::not_found);

  // Who else can write it could send our mail elsewhere.
  const std::string path = folder.write("pony.yaml", "spool: /s\n", 0622);
  const auto open = load_readable_config(path);
  REQUIRE(open.problem);
  CHECK(open.config.spool == load_config("")->spool);
}

TEST_CASE(
    "config show prints everything in force, without secrets, and pony "
    "can read it again") {
  const auto config = parse(std::string(k_full) + "# more\n");
  REQUIRE_OK(config);
  const std::string yaml = to_yaml(*config);
  const auto again = parse_config(yaml, "again.yaml", "/elsewhere");
  REQUIRE_OK(again);
  CHECK(to_yaml(*again) == yaml);

  const WithVariable home("HOME", "/home/ann");
  const auto built_in = load_config("");
  REQUIRE_OK(built_in);
  const auto shown = parse(to_yaml(*built_in));
  REQUIRE_OK(shown);
  CHECK(to_yaml(*shown) == to_yaml(*built_in));
}

TEST_CASE("config show hides secrets, and shows where they are") {
  const auto config = parse(
      "providers:\n"
      "  a: {type: resend, api_key: canary, webhook: {secret: canary}}\n"
      "  b: {type: resend, api_key: 'canary${KEY}', webhook: {max_age: 1h}}\n"
      "  c: {type: resend, api_key: '${KEY}'}\n"
      "  d: {type: resend, api_key_command: [pass, show, \"it's\"]}\n"
      "  e: {type: smtp, host: h.example, username: 'a$${b}\"', "
      "password_file: k}\n"
      "safe_mode: {}\n");
  REQUIRE_OK(config);
  const std::string yaml = to_yaml(*config);

  CHECK(yaml.find("canary") == std::string::npos);
  CHECK(yaml.find("api_key: \"***\"") != std::string::npos);
  CHECK(yaml.find("api_key: \"${KEY}\"") != std::string::npos);
  CHECK(yaml.find("password_file: \"/srv/pony/k\"") != std::string::npos);
  const auto again = parse_config(yaml, "again.yaml", "/elsewhere");
  REQUIRE_OK(again);
  CHECK(to_yaml(*again) == yaml);
  CHECK(again->provider("e")->setting("username") == "a${b}\"");
  CHECK(again->provider("a")->secrets.at("webhook.secret").value == "***");
}

TEST_CASE("every key is listed once, sorted") {
  const auto keys = pony::config_keys();

  CHECK(std::is_sorted(keys.begin(), keys.end()));
  CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
  for (const char* key :
       {"spool", "retry.first", "providers.*.host", "providers.*.api_key_file",
        "providers.*.webhook.secret_command", "pools.*.strategy",
        "pools.*.providers.*.weight", "safe_mode.allow"}) {
    CAPTURE(key);
    CHECK(std::find(keys.begin(), keys.end(), key) != keys.end());
  }
}

TEST_SUITE_END();
