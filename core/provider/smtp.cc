// The SMTP provider: settings, and a pool of sessions that carry many messages
// each.
//
// Sessions are opened on demand, never more than attempts need them, and kept
// for 10 s of idleness. An attempt on a session that went stale while it idled
// begins once more on a fresh one, and nobody hears of it.
// Order matters: whatever calls an attempt's `done` or may destroy a link is
// the last thing a function does, as `done` may start the next attempt here.
#include "core/provider/smtp.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <utility>

#include "core/host_name.h"
#include "core/json.h"
#include "core/mime/builder.h"
#include "core/mime/carried_form.h"
#include "core/provider/envelope.h"
#include "core/provider/smtp_link.h"
#include "core/provider/smtp_session.h"
#include "core/raw_message.h"
#include "core/secret.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds k_idle_limit{10};
// After a session was refused while others live, the server has all it wants.
constexpr std::chrono::seconds k_crowded{10};
// What every server must take in one transaction (RFC 5321, 4.5.3.1.8).
constexpr std::size_t k_recipients_at_once = 100;

struct Work {
  Attempt attempt;
  Provider::Done done;
  Steady::time_point started = Steady::now();
  Envelope envelope;
  std::vector<Verdict> verdicts;
  std::size_t answered = 0;  // recipients that have their verdict, in order
  bool repeated = false;     // a stale session has cost it one beginning
};

struct Link {
  std::unique_ptr<SmtpLink> smtp;
  std::unique_ptr<Work> work;                // what it carries now
  Steady::time_point since = Steady::now();  // connecting, or idle
  bool used = false;
};

class SmtpProvider : public Provider {
 public:
  SmtpProvider(const ProviderConfig& config, SmtpServer server,
               Reactor& reactor)
      : name_(config.name),
        timeout_(config.timeout),
        connections_(static_cast<std::size_t>(std::max(1, config.connections))),
        server_(std::move(server)),
        reactor_(reactor) {}
  ~SmtpProvider() override;

  std::string_view name() const override { return name_; }
  std::string_view type() const override { return "smtp"; }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  int room() const override;
  void start(Attempt attempt, Done done) override;
  void check(std::function<void(ProviderCheck)> checked) override;
  void shut_down() override;
  Result<std::string> preview(const Attempt& attempt,
                              std::vector<std::string>& reduced) const override;

 private:
  void dispatch();
  Link* take_idle();
  void open_links();
  std::size_t link_limit() const;
  void on_opened(Link& link, const std::optional<Verdict>& failure);
  void on_open_failed(Link& link, const Verdict& failure);
  void fail_waiting(const Verdict& verdict);

  void begin(Link& link, std::unique_ptr<Work> work);
  Result<SmtpMail> mail_of(const Work& work, const SmtpFeatures& features,
                           Verdict& refusal) const;
  void advance(Link& link);
  void begin_again(Link& link);
  void go_on(Link& link);
  void give_rest(Work& work, const Verdict& verdict) const;
  void complete(std::unique_ptr<Work> work);

  struct Check;
  void end_check(Check& check, const std::optional<Verdict>& failure);

  void close(Link& link);
  void close_idle();
  void arm_tick();
  void on_tick();
  bool end_one_overdue(Steady::time_point now);
  bool end_overdue(Link& link, Steady::time_point now);

  std::string name_;
  Milliseconds timeout_;
  std::size_t connections_;
  SmtpServer server_;
  Reactor& reactor_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<Link*> idle_;  // the last used one at the back
  std::size_t connecting_ = 0;
  std::deque<std::unique_ptr<Work>> waiting_;  // for a session
  std::size_t in_flight_ = 0;                  // the waiting ones too
  std::size_t crowd_limit_ = 0;                // sessions, while crowded
  Steady::time_point crowded_until_{};
  Reactor::TimerId tick_ = 0;  // 0: not set
  std::vector<std::unique_ptr<Check>> checks_;
};

// A session that is opened to see whether it opens.
struct SmtpProvider::Check {
  std::unique_ptr<SmtpLink> link;
  std::function<void(ProviderCheck)> checked;
  Reactor::TimerId deadline = 0;
};

SmtpProvider::~SmtpProvider() {
  reactor_.cancel(tick_);
  for (const auto& check : checks_) reactor_.cancel(check->deadline);
}

std::optional<std::string> SmtpProvider::cannot_carry(
    const Attempt& attempt) const {
  auto envelope = envelope_of(attempt);
  if (!envelope) return envelope.error().what;
  return std::nullopt;
}

int SmtpProvider::room() const {
  return static_cast<int>(connections_) - static_cast<int>(in_flight_);
}

Result<std::string> SmtpProvider::preview(const Attempt& attempt,
                                          std::vector<std::string>&) const {
  auto envelope = envelope_of(attempt);
  if (!envelope) return tl::unexpected<Error>(envelope.error());
  return compose_mime(*attempt.message, {envelope->needs_utf8});
}

void SmtpProvider::start(Attempt attempt, Done done) {
  auto work = std::make_unique<Work>();
  work->attempt = std::move(attempt);
  work->done = std::move(done);
  work->verdicts.resize(work->attempt.recipients.size());
  ++in_flight_;
  auto envelope = envelope_of(work->attempt);
  if (!envelope) {
    Verdict verdict;
    verdict.outcome = Outcome::rejected;
    verdict.error = envelope.error().what;
    verdict.counts_against_provider = false;
    give_rest(*work, verdict);
    return complete(std::move(work));
  }
  if (work->verdicts.empty()) return complete(std::move(work));
  work->envelope = std::move(*envelope);
  waiting_.push_back(std::move(work));
  dispatch();
}

// Gives sessions to those who wait, and opens more where there are too few.
void SmtpProvider::dispatch() {
  while (!waiting_.empty()) {
    Link* link = take_idle();
    if (link == nullptr) return open_links();
    auto work = std::move(waiting_.front());
    waiting_.pop_front();
    begin(*link, std::move(work));
  }
}

// An idle session that still lives: a 421 or the end of it may have been lying
// there since it was last used.
Link* SmtpProvider::take_idle() {
  while (!idle_.empty()) {
    Link* link = idle_.back();
    link->smtp->read();
    if (!link->smtp->session().must_close()) {
      idle_.pop_back();
      return link;
    }
    close(*link);
  }
  return nullptr;
}

std::size_t SmtpProvider::link_limit() const {
  if (Steady::now() < crowded_until_) {
    return std::min(crowd_limit_, connections_);
  }
  return connections_;
}

void SmtpProvider::open_links() {
  while (connecting_ < waiting_.size() &&
         links_.size() < std::max<std::size_t>(1, link_limit())) {
    auto smtp = SmtpLink::make(server_, reactor_);
    if (!smtp) {
      Verdict verdict;
      verdict.error = smtp.error().what;
      return fail_waiting(verdict);
    }
    auto link = std::make_unique<Link>();
    link->smtp = std::move(*smtp);
    Link* opening = link.get();
    links_.push_back(std::move(link));
    ++connecting_;
    arm_tick();
    opening->smtp->open([this, opening](const std::optional<Verdict>& failure) {
      on_opened(*opening, failure);
    });
  }
}

void SmtpProvider::on_opened(Link& link,
                             const std::optional<Verdict>& failure) {
  if (failure) return on_open_failed(link, *failure);
  --connecting_;
  link.since = Steady::now();
  link.smtp->on_ready([this, opened = &link] { advance(*opened); });
  idle_.push_back(&link);
  dispatch();
}

// One refusal speaks for all who wait, unless other sessions live or are being
// opened: then the server only has enough of us, and those will do.
void SmtpProvider::on_open_failed(Link& link, const Verdict& failure) {
  close(link);
  if (links_.empty()) return fail_waiting(failure);
  crowd_limit_ = links_.size();
  crowded_until_ = Steady::now() + k_crowded;
}

void SmtpProvider::fail_waiting(const Verdict& verdict) {
  auto failed = std::exchange(waiting_, {});
  for (auto& work : failed) {
    give_rest(*work, verdict);
    complete(std::move(work));
  }
}

// The message's bytes as this server takes them.
Result<std::string> mime_of(const RenderedMessage& message,
                            const SmtpFeatures& features, SmtpMail& mail) {
  if (message.raw.empty()) return compose_mime(message, {mail.utf8});
  auto bytes = carried_form(
      message, features.eight_bit_mime ? Takes::eight_bit : Takes::seven_bit);
  if (!bytes) return bytes;
  mail.eight_bit = !is_ascii(*bytes);
  // What stands unencoded in a header is RFC 6531's to allow, and PHP's to
  // write. A server that has not heard of it is not asked: most take it.
  const auto header = header_of(*bytes);
  if (features.smtputf8 && !is_ascii(header) && is_utf8(header))
    mail.utf8 = true;
  return bytes;
}

// The next transaction of `work`, or the verdict on why there can be none.
Result<SmtpMail> SmtpProvider::mail_of(const Work& work,
                                       const SmtpFeatures& features,
                                       Verdict& refusal) const {
  refusal = Verdict{};
  refusal.counts_against_provider = false;
  SmtpMail mail;
  mail.utf8 = work.envelope.needs_utf8;
  if (mail.utf8 && !features.smtputf8) {
    return fail(Error::Kind::bad_data,
                fmt::format("'{}' offers no SMTPUTF8, which a non-ASCII "
                            "address needs",
                            server_.place));
  }
  auto mime = mime_of(*work.attempt.message, features, mail);
  if (!mime) {
    if (mime.error().kind == Error::Kind::bad_data) {
      refusal.outcome = Outcome::rejected;
    }
    return tl::unexpected<Error>(mime.error());
  }
  mail.data = smtp_data(std::move(*mime));
  if (features.size_limit != 0 && mail.data.size > features.size_limit) {
    return fail(
        Error::Kind::bad_data,
        fmt::format("the message has {} bytes, '{}' takes {}", mail.data.size,
                    server_.place, features.size_limit));
  }
  mail.sender = work.envelope.sender;
  const auto& all = work.envelope.recipients;
  const auto count = std::min(k_recipients_at_once, all.size() - work.answered);
  mail.recipients.assign(
      all.begin() + static_cast<std::ptrdiff_t>(work.answered),
      all.begin() + static_cast<std::ptrdiff_t>(work.answered + count));
  const auto& dsn = work.attempt.message->dsn;
  if (dsn && features.dsn) {
    mail.mail_parameters = dsn_of_mail(*dsn);
    for (const std::string& recipient : mail.recipients) {
      mail.rcpt_parameters.push_back(dsn_of_rcpt(*dsn, recipient));
    }
  }
  return mail;
}

// Begins a transaction on a session that is in no one's hands.
void SmtpProvider::begin(Link& link, std::unique_ptr<Work> work) {
  Verdict refusal;
  auto mail = mail_of(*work, link.smtp->session().features(), refusal);
  if (!mail) {
    refusal.error = mail.error().what;
    give_rest(*work, refusal);
    link.since = Steady::now();
    idle_.push_back(&link);
    return complete(std::move(work));
  }
  link.work = std::move(work);
  link.smtp->session().begin(std::move(*mail));
  advance(link);
}

// Writes what there is to write, and settles what has come to its end.
void SmtpProvider::advance(Link& link) {
  SmtpSession& session = link.smtp->session();
  link.smtp->flush();
  if (!session.done()) return;
  if (link.work == nullptr) {
    if (session.must_close()) close(link);
    return;
  }
  if (link.used && session.was_untouched() && !link.work->repeated) {
    return begin_again(link);
  }
  Work& work = *link.work;
  for (const Verdict& verdict : session.verdicts()) {
    work.verdicts[work.answered++] = verdict;
  }
  go_on(link);
}

// The session was stale. Those that idled as long may be, too.
void SmtpProvider::begin_again(Link& link) {
  auto work = std::move(link.work);
  work->repeated = true;
  close(link);
  close_idle();
  waiting_.push_front(std::move(work));
  dispatch();
}

// After a transaction: the next one of the same attempt, or its end.
void SmtpProvider::go_on(Link& link) {
  auto work = std::move(link.work);
  link.used = true;
  const bool whole = work->answered == work->verdicts.size();
  if (link.smtp->session().must_close()) {
    close(link);
    if (!whole) {
      Verdict verdict;
      verdict.error = "the session ended before this recipient's turn";
      give_rest(*work, verdict);
    }
    return complete(std::move(work));
  }
  if (!whole) return begin(link, std::move(work));
  link.since = Steady::now();
  idle_.push_back(&link);
  complete(std::move(work));
}

void SmtpProvider::give_rest(Work& work, const Verdict& verdict) const {
  while (work.answered < work.verdicts.size()) {
    work.verdicts[work.answered++] = verdict;
  }
}

void SmtpProvider::complete(std::unique_ptr<Work> work) {
  --in_flight_;
  AttemptResult result;
  result.verdicts = std::move(work->verdicts);
  for (Verdict& verdict : result.verdicts) {
    if (!verdict.error.empty()) {
      verdict.error = server_.masked(std::move(verdict.error));
    }
  }
  result.latency =
      std::chrono::duration_cast<Milliseconds>(Steady::now() - work->started);
  dispatch();
  work->done(std::move(result));
}

void SmtpProvider::close(Link& link) {
  if (!link.smtp->is_open()) --connecting_;
  std::erase(idle_, &link);
  std::erase_if(links_,
                [&link](const auto& one) { return one.get() == &link; });
}

void SmtpProvider::close_idle() {
  while (!idle_.empty()) {
    Link* link = idle_.back();
    link->smtp->quit();
    close(*link);
  }
}

// One timer looks after every deadline, as far apart as the shortest of them
// allows: a timer for each reply would cost more than it tells.
void SmtpProvider::arm_tick() {
  if (tick_ != 0) return;
  constexpr Milliseconds shortest{10};
  constexpr Milliseconds longest{1000};
  const auto period = std::clamp(
      std::min(timeout_, server_.connect_timeout) / 10, shortest, longest);
  tick_ = reactor_.after(period, [this] { on_tick(); });
}

void SmtpProvider::on_tick() {
  tick_ = 0;
  const auto now = Steady::now();
  while (end_one_overdue(now)) {
  }
  if (!links_.empty()) arm_tick();
}

// The first of those whose time is up. An ending may change links_ in any way,
// so it is looked through anew for the next.
bool SmtpProvider::end_one_overdue(Steady::time_point now) {
  for (const auto& link : links_) {
    if (end_overdue(*link, now)) return true;
  }
  return false;
}

// Ends what `link` waits for in vain. True if there was anything to end.
bool SmtpProvider::end_overdue(Link& link, Steady::time_point now) {
  if (!link.smtp->is_open()) {
    if (now - link.since < server_.connect_timeout) return false;
    on_open_failed(link, link.smtp->open_timed_out());
    return true;
  }
  if (link.work != nullptr) {
    if (now - link.smtp->last_progress() < timeout_) return false;
    link.smtp->session().lost(fmt::format("no reply from '{}' within {}",
                                          server_.place,
                                          format_duration(timeout_)));
    // A silent server is no stale session: not tried again behind the scenes.
    link.work->repeated = true;
    advance(link);
    return true;
  }
  if (now - link.since < k_idle_limit) return false;
  link.smtp->quit();
  close(link);
  return true;
}

void SmtpProvider::check(std::function<void(ProviderCheck)> checked) {
  auto link = SmtpLink::make(server_, reactor_);
  if (!link) return checked({false, link.error().what});
  checks_.push_back(std::make_unique<Check>());
  Check& check = *checks_.back();
  check.link = std::move(*link);
  check.checked = std::move(checked);
  check.deadline = reactor_.after(server_.connect_timeout, [this, &check] {
    end_check(check, check.link->open_timed_out());
  });
  check.link->open([this, &check](const std::optional<Verdict>& failure) {
    end_check(check, failure);
  });
}

void SmtpProvider::end_check(Check& check,
                             const std::optional<Verdict>& failure) {
  reactor_.cancel(check.deadline);
  auto checked = std::move(check.checked);
  if (!failure) check.link->quit();
  std::erase_if(checks_, [&](const auto& one) { return one.get() == &check; });
  if (failure) return checked({false, failure->error});
  std::string words = "'" + server_.place + "' opens a session";
  words += server_.tls == SmtpTls::off ? " in the clear" : " over TLS";
  if (!server_.username.empty()) words += " and takes the login";
  checked({true, std::move(words)});
}

void SmtpProvider::shut_down() {
  reactor_.cancel(std::exchange(tick_, 0));
  close_idle();
  auto links = std::exchange(links_, {});
  connecting_ = 0;
  auto given_up = std::exchange(waiting_, {});
  Verdict verdict;
  verdict.error = "given up while it waited for a session";
  for (auto& work : given_up) give_rest(*work, verdict);
  for (auto& link : links) {
    if (link->work == nullptr) continue;
    link->smtp->session().lost("given up");
    Work& work = *link->work;
    for (const Verdict& last : link->smtp->session().verdicts()) {
      work.verdicts[work.answered++] = last;
    }
    give_rest(work, verdict);
    given_up.push_back(std::move(link->work));
  }
  links.clear();
  for (auto& work : given_up) complete(std::move(work));
}

// Settings to where and how to connect ------------------------------------

bool is_host_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

bool is_ipv6(std::string_view text) {
  return text.find(':') != text.npos &&
         text.find_first_not_of("0123456789abcdefABCDEF:.") == text.npos;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" ||
         (host.substr(0, 4) == "127." &&
          host.find_first_not_of("0123456789.") == host.npos);
}

// How we call ourselves unless `ehlo` says it.
std::string own_host_name() {
  std::string name = host_name();
  return is_host_name(name) ? name : "localhost";
}

Result<SmtpTls> tls_from(const ProviderConfig& config) {
  const std::string tls = config.setting("tls", "required");
  if (tls == "required") return SmtpTls::required;
  if (tls == "implicit") return SmtpTls::implicit;
  if (tls == "off") return SmtpTls::off;
  return fail(Error::Kind::config,
              fmt::format("{}: provider '{}': 'tls' is '{}'", config.place,
                          config.name, printable(tls)),
              "it is required, implicit or off");
}

Result<std::string> port_from(const ProviderConfig& config, SmtpTls tls) {
  const char* usual = tls == SmtpTls::implicit ? "465"
                      : tls == SmtpTls::off    ? "25"
                                               : "587";
  std::string port = config.setting("port", usual);
  int number = 0;
  auto [end, error] =
      std::from_chars(port.data(), port.data() + port.size(), number);
  if (error == std::errc{} && end == port.data() + port.size() && number > 0 &&
      number < 65536) {
    return port;
  }
  return fail(Error::Kind::config,
              fmt::format("{}: provider '{}': '{}' is no port", config.place,
                          config.name, printable(port)));
}

// Who we log in as, and that it goes to nobody in between.
Result<> read_login(const ProviderConfig& config, SmtpServer& server) {
  server.username = config.setting("username");
  auto source = config.secrets.find("password");
  if (server.username.empty() != (source == config.secrets.end())) {
    return fail(Error::Kind::config,
                fmt::format("{}: provider '{}' has only one of 'username' and "
                            "'password'",
                            config.place, config.name));
  }
  if (server.username.empty()) return {};
  if (server.tls == SmtpTls::off && !is_loopback(server.host)) {
    return fail(Error::Kind::config,
                fmt::format("{}: provider '{}' would send its password in the "
                            "clear",
                            config.place, config.name),
                "use 'tls: required', or no 'username'");
  }
  auto password = resolve(source->second);
  if (!password) return tl::unexpected<Error>(password.error());
  server.password = std::move(*password);
  return {};
}

Result<SmtpServer> server_from(const ProviderConfig& config) {
  SmtpServer server;
  auto tls = tls_from(config);
  if (!tls) return tl::unexpected<Error>(tls.error());
  server.tls = *tls;
  auto port = port_from(config, server.tls);
  if (!port) return tl::unexpected<Error>(port.error());

  server.host = config.setting("host");
  if (server.host.size() > 2 && server.host.front() == '[' &&
      server.host.back() == ']') {
    server.host = server.host.substr(1, server.host.size() - 2);
  }
  const std::string ehlo = config.setting("ehlo", own_host_name());
  if ((!is_host_name(server.host) && !is_ipv6(server.host)) ||
      !is_host_name(ehlo)) {
    return fail(Error::Kind::config,
                fmt::format("{}: provider '{}': 'host' or 'ehlo' is no host "
                            "name",
                            config.place, config.name));
  }
  const std::string host =
      is_ipv6(server.host) ? "[" + server.host + "]" : server.host;
  server.place = host + ":" + *port;
  server.url = fmt::format("{}://{}/{}",
                           server.tls == SmtpTls::implicit ? "smtps" : "smtp",
                           server.place, ehlo);
  server.ca_file = config.setting("ca_file");
  server.insecure_tls = config.setting("insecure_tls") == "true";
  server.connect_timeout = config.connect_timeout;
  if (auto login = read_login(config, server); !login) {
    return tl::unexpected<Error>(login.error());
  }
  return server;
}

}  // namespace

Result<std::unique_ptr<Provider>> make_smtp_provider(
    const ProviderConfig& config, Reactor& reactor, const Clock&) {
  auto server = server_from(config);
  if (!server) return tl::unexpected<Error>(server.error());
  return std::make_unique<SmtpProvider>(config, std::move(*server), reactor);
}

}  // namespace pony
