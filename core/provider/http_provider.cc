// What all HTTP providers share: a client with the settings of pony.yaml,
// what an answer that never came means, and that no error ever holds one of
// our secrets, even when the provider quotes it.
#include "core/provider/http_provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/json.h"
#include "core/mime/mail_parser.h"
#include "core/net/http_client.h"
#include "core/provider/attempt.h"
#include "core/provider/credential_mask.h"

namespace pony {
namespace {

using Steady = std::chrono::steady_clock;
// No provider's keys are shorter.
constexpr std::size_t k_shortest_key = 6;

using Secrets = std::map<std::string, Secret, std::less<>>;

constexpr std::size_t k_longest_check = 500;

HttpOptions options_from(const ProviderConfig& config) {
  HttpOptions options;
  options.timeout = config.timeout;
  options.connect_timeout = config.connect_timeout;
  options.connections = std::max(1, config.connections);
  options.ca_file = config.setting("ca_file");
  options.insecure_tls = config.setting("insecure_tls") == "true";
  options.allow_http = config.setting("base_url").starts_with("http://");
  options.proxy = config.setting("proxy");
  return options;
}

class HttpProvider : public Provider {
 public:
  HttpProvider(const ProviderConfig& config, std::unique_ptr<HttpApi> api,
               const Secrets& secrets, Reactor& reactor, const Clock& clock)
      : name_(config.name),
        connections_(std::max(1, config.connections)),
        api_(std::move(api)),
        clock_(clock),
        client_(options_from(config), reactor) {
    for (const auto& [key, secret] : secrets)
      masks_.emplace_back(secret.reveal());
  }

  std::string_view name() const override { return name_; }
  std::string_view type() const override { return api_->type(); }
  std::optional<std::string> cannot_carry(
      const Attempt& attempt) const override;
  int room() const override { return connections_ - in_flight_; }
  std::chrono::seconds remembers_key_for() const override {
    return api_->remembers_key_for();
  }
  void start(Attempt attempt, Done done) override;
  void check(std::function<void(ProviderCheck)> checked) override;
  void shut_down() override { client_.shut_down(); }
  Result<std::string> preview(const Attempt& attempt,
                              std::vector<std::string>& reduced) const override;

 private:
  struct Work {
    Attempt attempt;
    Done done;
    AttemptResult result;
    Steady::time_point started = Steady::now();
  };

  Result<Attempt> carried(const Attempt& attempt) const;
  Result<HttpRequest> request_for(const Attempt& attempt,
                                  std::vector<std::string>& reduced) const;
  void answered(Work& work, const HttpResult& result);
  std::string masked(std::string text) const;
  HttpReply masked_reply(HttpReply reply) const;
  std::string one_line(std::string words) const;

  std::string name_;
  int connections_;
  std::unique_ptr<HttpApi> api_;
  std::vector<CredentialMask> masks_;  // one a secret
  const Clock& clock_;
  HttpClient client_;
  int in_flight_ = 0;
};

// `attempt` as the API is asked for it: a finished message in parts, unless it
// takes those as they are.
Result<Attempt> HttpProvider::carried(const Attempt& attempt) const {
  if (attempt.message->raw.empty() || api_->takes_finished()) return attempt;
  auto parts = parsed_mail(*attempt.message);
  if (!parts)
    return wrap(parts.error(), "the finished message cannot be read in parts");
  return Attempt{std::move(*parts), attempt.recipients, attempt.number};
}

std::optional<std::string> HttpProvider::cannot_carry(
    const Attempt& attempt) const {
  auto asked = carried(attempt);
  if (!asked) {
    const Error& error = asked.error();
    if (error.hint.empty()) return error.what;
    return fmt::format("{} ({})", error.what, error.hint);
  }
  return api_->cannot_carry(*asked);
}

Result<HttpRequest> HttpProvider::request_for(
    const Attempt& attempt, std::vector<std::string>& reduced) const {
  auto asked = carried(attempt);
  if (!asked) return tl::unexpected<Error>(asked.error());
  if (asked->message != attempt.message && attempt.message->parsed)
    reduced = attempt.message->parsed->reduced;
  return api_->request(*asked, clock_.now(), reduced);
}

void HttpProvider::start(Attempt attempt, Done done) {
  auto work = std::make_shared<Work>();
  work->attempt = std::move(attempt);
  work->done = std::move(done);
  auto request = request_for(work->attempt, work->result.reduced);
  if (!request) {
    // bad_data is the message's own fault, anything else this machine's.
    Verdict verdict;
    verdict.outcome = request.error().kind == Error::Kind::bad_data
                          ? Outcome::rejected
                          : Outcome::unavailable;
    verdict.error = masked(request.error().what);
    verdict.counts_against_provider = false;
    work->result.verdicts = for_all(work->attempt, verdict);
    return work->done(std::move(work->result));
  }
  ++in_flight_;
  client_.send(std::move(*request), [this, work](const HttpResult& result) {
    --in_flight_;
    answered(*work, result);
  });
}

void HttpProvider::answered(Work& work, const HttpResult& result) {
  if (result.reply) {
    work.result.verdicts =
        api_->verdicts(work.attempt, masked_reply(*result.reply), clock_.now());
  } else {
    Verdict verdict;
    verdict.outcome =
        result.may_have_arrived ? Outcome::unknown : Outcome::unavailable;
    verdict.error = result.error;
    work.result.verdicts = for_all(work.attempt, verdict);
  }
  for (Verdict& verdict : work.result.verdicts) {
    if (!verdict.error.empty())
      verdict.error = masked(std::move(verdict.error));
    verdict.provider_id = printable(masked(std::move(verdict.provider_id)));
  }
  work.result.latency =
      std::chrono::duration_cast<Milliseconds>(Steady::now() - work.started);
  work.done(std::move(work.result));
}

void HttpProvider::check(std::function<void(ProviderCheck)> checked) {
  auto request = api_->check_request(clock_.now());
  if (!request) {
    const Error& error = request.error();
    std::string words = error.what;
    if (!error.hint.empty()) words += fmt::format(" ({})", error.hint);
    return checked({false, one_line(std::move(words))});
  }
  client_.send(std::move(*request),
               [this, checked = std::move(checked)](const HttpResult& result) {
                 ProviderCheck check{false, result.error};
                 if (result.reply)
                   check = api_->check_result(masked_reply(*result.reply));
                 check.words = one_line(std::move(check.words));
                 checked(std::move(check));
               });
}

// A check's words as they may be shown.
std::string HttpProvider::one_line(std::string words) const {
  return printable(masked(std::move(words)), k_longest_check);
}

Result<std::string> HttpProvider::preview(
    const Attempt& attempt, std::vector<std::string>& reduced) const {
  auto request = request_for(attempt, reduced);
  if (!request) return tl::unexpected<Error>(request.error());
  std::string text = fmt::format("{} {}\n", request->method, request->url);
  for (const HttpHeader& header : request->headers)
    text += fmt::format(
        "{}: {}\n", header.name,
        header.value.starts_with("Basic ") ? "Basic ***" : header.value);
  text += '\n';
  text += request->body;
  return masked(std::move(text));
}

std::string HttpProvider::masked(std::string text) const {
  for (const CredentialMask& mask : masks_) mask.apply(text);
  return text;
}

// Before anybody cuts it: of a secret that was cut in two, one half would
// remain.
HttpReply HttpProvider::masked_reply(HttpReply reply) const {
  for (const CredentialMask& mask : masks_) {
    // It may be part of any word: the answer would not be understood.
    if (mask.size() < k_shortest_key) continue;
    mask.apply(reply.body);
    for (HttpHeader& header : reply.headers) mask.apply(header.value);
  }
  return reply;
}

}  // namespace

Result<std::unique_ptr<Provider>> make_http_provider(
    const ProviderConfig& config, MakeApi make_api, Reactor& reactor,
    const Clock& clock) {
  Secrets secrets;
  for (const auto& [key, source] : config.secrets) {
    if (key.starts_with("webhook.")) continue;  // `pony feedback` needs those
    auto secret = resolve(source);
    if (!secret) return tl::unexpected<Error>(secret.error());
    secrets.emplace(key, std::move(*secret));
  }
  const ApiConfig api{config, [&secrets](std::string_view key) {
                        const auto found = secrets.find(key);
                        return found == secrets.end() ? Secret()
                                                      : found->second;
                      }};
  auto made = make_api(api);
  return std::make_unique<HttpProvider>(config, std::move(made), secrets,
                                        reactor, clock);
}

}  // namespace pony
