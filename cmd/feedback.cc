// pony feedback: takes what a provider's webhook tells of messages it has.
#include "core/feedback/feedback.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cmd/commands.h"
#include "cmd/event_words.h"
#include "cmd/feedback_format.h"
#include "cmd/provider_format.h"
#include "cmd/webhook_input.h"
#include "core/address.h"
#include "core/fs.h"
#include "core/net/crypto.h"
#include "spool/attach_events.h"
#include "spool/feedback_memory.h"
#include "spool/suppressions.h"

namespace pony {
namespace {

// A certificate has some 2 KiB.
constexpr std::size_t k_certificate_limit = std::size_t{64} << 10;
// For how long a body without a signature is remembered.
constexpr Milliseconds k_usual_memory = std::chrono::hours(24);
constexpr std::size_t k_digits_of_key = 32;

struct FeedbackOptions {
  std::string provider;
  std::vector<std::string> headers;
  std::string since = "30d";
  bool dry_run = false;
};

// An error, and what a web server is to say of it.
struct Refusal {
  Error error;
  NotTaken why = NotTaken::misconfigured;
};

NotTaken why_of(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::bad_data:
      return NotTaken::not_ours;
    case Error::Kind::disk:
    case Error::Kind::temporary:
    case Error::Kind::busy:
      return NotTaken::try_again;
    default:
      return NotTaken::misconfigured;
  }
}

tl::unexpected<Refusal> refuse(Error error, NotTaken why) {
  return tl::unexpected<Refusal>(Refusal{std::move(error), why});
}

tl::unexpected<Refusal> refuse(Error error) {
  const NotTaken why = why_of(error.kind);
  return refuse(std::move(error), why);
}

template <class T>
using Taken = tl::expected<T, Refusal>;

Taken<FeedbackTally> or_refuse(Result<FeedbackTally> tally) {
  if (!tally) return refuse(tally.error());
  return std::move(*tally);
}

Result<Secret> webhook_secret(const ProviderConfig& provider,
                              const std::string& key) {
  const auto source = provider.secrets.find("webhook." + key);
  if (source == provider.secrets.end()) return Secret();
  return resolve(source->second);
}

Result<WebhookSettings> settings_of(const ProviderConfig& provider) {
  WebhookSettings settings;
  settings.public_key = provider.setting("webhook.public_key");
  settings.url = provider.setting("webhook.url");
  settings.topic = provider.setting("webhook.topic");
  settings.username = provider.setting("webhook.username");
  auto secret = webhook_secret(provider, "secret");
  if (!secret) return tl::unexpected(secret.error());
  settings.secret = std::move(*secret);
  auto password = webhook_secret(provider, "password");
  if (!password) return tl::unexpected(password.error());
  settings.password = std::move(*password);
  if (const auto age = provider.setting("webhook.max_age"); !age.empty()) {
    auto limit = parse_duration(age);
    if (!limit) return tl::unexpected(limit.error());
    settings.max_age = *limit;
  }
  const auto file = provider.setting("webhook.certificate_file");
  if (file.empty()) return settings;
  auto certificate = read_linked(file, k_certificate_limit);
  if (!certificate)
    return fail(
        Error::Kind::config,
        "cannot read 'webhook.certificate_file': " + certificate.error().what);
  settings.certificate = std::move(*certificate);
  return settings;
}

// What we write down of what was told.
ToldEvent told_event(const FeedbackEvent& told, const std::string& provider,
                     Time now) {
  ToldEvent out{{}, told.message_id, told.mail_id, told.provider_id};
  Event& event = out.event;
  // A moment to come would stand behind all that is still to happen.
  event.ts = told.time > now + k_clock_difference ? now : told.time;
  event.event = told.kind;
  event.provider = provider;
  event.provider_id = told.provider_id;
  event.recipient = told.recipient;
  event.status = told.status;
  if (told.bounce != Bounce::none) {
    event.reason = to_text(told.bounce);
    if (told.bounce != Bounce::blocked) event.reason += " bounce";
    event.error = told.reason;
  } else {
    event.reason = told.kind == "clicked" ? told.url : told.reason;
  }
  return out;
}

// Why mail to its recipient is of no use from now on, if it is so.
std::optional<SuppressedFor> suppresses(const FeedbackEvent& told) {
  if (told.recipient.empty()) return std::nullopt;
  if (told.kind == "complained") return SuppressedFor::complained;
  if (told.bounce == Bounce::hard) return SuppressedFor::bounced;
  return std::nullopt;
}

std::string key_from(std::string_view digest) {
  return to_hex(digest).substr(0, k_digits_of_key);
}

class FeedbackTaker {
 public:
  FeedbackTaker(const FeedbackOptions& options, Context& context)
      : options_(options), context_(context) {}

  Taken<FeedbackTally> take();
  // How who is refused has to be asked.
  Challenge challenge() const { return challenge_; }

 private:
  Result<> open();
  Taken<FeedbackTally> keep(const Webhook& webhook, const Feedback& feedback);
  Result<std::vector<Attached>> attach(std::vector<ToldEvent>& told);
  Result<FeedbackTally> act(const Feedback& feedback,
                            FeedbackMemory::Seen seen);
  Result<FeedbackTally> only_look(const Feedback& feedback);
  std::vector<Suppression> suppressions(const Feedback& feedback,
                                        const std::vector<ToldEvent>& told,
                                        const std::vector<Attached>& became,
                                        FeedbackMemory::Seen seen) const;
  Result<std::size_t> would_suppress(const std::vector<Suppression>& entries);
  std::vector<ToldEvent> told_by(const Feedback& feedback) const;
  FeedbackTally tally_of(const Feedback& feedback,
                         const std::vector<Attached>& became) const;
  Result<FeedbackMemory> memory_of(const Webhook& webhook,
                                   const Feedback& feedback);

  const FeedbackOptions& options_;
  Context& context_;
  const ProviderConfig* provider_ = nullptr;
  Spool* spool_ = nullptr;
  Challenge challenge_ = Challenge::none;
  WebhookSettings settings_;
  AttachOptions attach_options_;
  Time now_{};
};

Result<> FeedbackTaker::open() {
  now_ = context_.clock().now();
  auto since = parse_moment(options_.since, now_);
  if (!since) return fail(Error::Kind::usage, "--since: " + since.error().what);
  attach_options_.since = *since;
  auto config = context_.config();
  if (!config) return tl::unexpected(config.error());
  auto provider = provider_called(**config, options_.provider);
  if (!provider) return tl::unexpected(provider.error());
  provider_ = *provider;
  if (!has_webhooks(provider_->type))
    return fail(Error::Kind::config,
                "'" + provider_->name + "' is of the type '" + provider_->type +
                    "', which sends no webhooks");
  if (wants_password(provider_->type)) challenge_ = Challenge::password;
  auto settings = settings_of(*provider_);
  if (!settings) return tl::unexpected(settings.error());
  settings_ = std::move(*settings);
  return {};
}

std::vector<ToldEvent> FeedbackTaker::told_by(const Feedback& feedback) const {
  std::vector<ToldEvent> told;
  told.reserve(feedback.events.size());
  for (const FeedbackEvent& event : feedback.events)
    told.push_back(told_event(event, provider_->name, now_));
  return told;
}

FeedbackTally FeedbackTaker::tally_of(
    const Feedback& feedback, const std::vector<Attached>& became) const {
  FeedbackTally tally;
  tally.provider = provider_->name;
  tally.ignored = feedback.ignored;
  tally.confirm_url = feedback.confirm_url;
  for (const Attached one : became) {
    tally.added += one == Attached::added;
    tally.known += one == Attached::known;
    tally.no_message += one == Attached::no_message;
    tally.too_many += one == Attached::too_many;
  }
  return tally;
}

Result<FeedbackMemory> FeedbackTaker::memory_of(const Webhook& webhook,
                                                const Feedback& feedback) {
  auto body = sha256(webhook.body);
  if (!body) return tl::unexpected(body.error());
  auto token = feedback.token.empty() ? body : sha256(feedback.token);
  if (!token) return tl::unexpected(token.error());
  const auto age =
      settings_.max_age ? settings_.max_age : usual_max_age(provider_->type);
  return FeedbackMemory::open(
      spool_->folders(), provider_->name, key_from(*token), key_from(*body),
      age.value_or(k_usual_memory) + k_clock_difference);
}

// Those of whom something bad is told for the first time: who was taken off
// the list since stays off it, however often the same is told.
std::vector<Suppression> FeedbackTaker::suppressions(
    const Feedback& feedback, const std::vector<ToldEvent>& told,
    const std::vector<Attached>& became, FeedbackMemory::Seen seen) const {
  std::vector<Suppression> entries;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const auto reason = suppresses(feedback.events[i]);
    const bool is_old =
        became[i] == Attached::known && seen != FeedbackMemory::Seen::begun;
    if (!reason || is_old) continue;
    Suppression entry;
    entry.address = told[i].event.recipient;
    entry.reason = *reason;
    entry.since = told[i].event.ts;
    entry.provider = provider_->name;
    if (became[i] != Attached::no_message) entry.id = told[i].event.id;
    entries.push_back(std::move(entry));
  }
  return entries;
}

// How many of them are not on the list yet.
Result<std::size_t> FeedbackTaker::would_suppress(
    const std::vector<Suppression>& entries) {
  Suppressions list(spool_->folders());
  if (auto read = list.refresh(); !read) return tl::unexpected(read.error());
  std::set<std::string> added;
  for (const auto& entry : entries) {
    auto found = list.find(entry.address);
    if (!found) return tl::unexpected(found.error());
    if (!*found) added.insert(comparable_email(entry.address));
  }
  return added.size();
}

Result<FeedbackTally> FeedbackTaker::act(const Feedback& feedback,
                                         FeedbackMemory::Seen seen) {
  auto told = told_by(feedback);
  auto became = attach_events(*spool_, told, attach_options_);
  if (!became) return tl::unexpected(became.error());
  auto tally = tally_of(feedback, *became);
  const auto entries = suppressions(feedback, told, *became, seen);
  if (entries.empty()) return tally;
  auto suppressed = Suppressions(spool_->folders()).add(entries);
  if (!suppressed) return tl::unexpected(suppressed.error());
  tally.suppressed = *suppressed;
  return tally;
}

Result<FeedbackTally> FeedbackTaker::only_look(const Feedback& feedback) {
  auto told = told_by(feedback);
  auto became = try_to_attach(*spool_, told, attach_options_);
  if (!became) return tl::unexpected(became.error());
  for (std::size_t i = 0; i < told.size(); ++i) {
    std::string line;
    if (context_.options.json)
      append_line(line, told[i].event);
    else
      line = log_line(told[i].event);
    context_.io().out(line);
  }
  auto tally = tally_of(feedback, *became);
  auto suppressed = would_suppress(
      suppressions(feedback, told, *became, FeedbackMemory::Seen::never));
  if (!suppressed) return tl::unexpected(suppressed.error());
  tally.suppressed = *suppressed;
  return tally;
}

Taken<FeedbackTally> FeedbackTaker::keep(const Webhook& webhook,
                                         const Feedback& feedback) {
  auto spool = context_.spool();
  if (!spool) return refuse(spool.error());
  spool_ = *spool;
  if (options_.dry_run) return or_refuse(only_look(feedback));
  auto memory = memory_of(webhook, feedback);
  if (!memory) return refuse(memory.error());
  if (memory->seen() == FeedbackMemory::Seen::other)
    return refuse({Error::Kind::no_permission,
                   "the request's signature was used for another body",
                   "somebody may have overheard it",
                   {}},
                  NotTaken::refused);
  if (memory->seen() == FeedbackMemory::Seen::taken) {
    FeedbackTally tally;
    tally.provider = provider_->name;
    tally.taken_before = true;
    return tally;
  }
  if (auto begun = memory->begin(now_); !begun) return refuse(begun.error());
  auto tally = act(feedback, memory->seen());
  if (!tally) return refuse(tally.error());
  if (auto done = memory->taken(); !done) return refuse(done.error());
  return *tally;
}

Taken<FeedbackTally> FeedbackTaker::take() {
  if (auto opened = open(); !opened) return refuse(opened.error());
  auto webhook = read_webhook(options_.headers, context_);
  if (!webhook) return refuse(webhook.error());
  auto feedback = read_feedback(provider_->type, *webhook, settings_, now_);
  if (!feedback && feedback.error().kind == Error::Kind::no_permission)
    return refuse(feedback.error(), NotTaken::refused);
  if (!feedback) return refuse(feedback.error());
  auto kept = keep(*webhook, *feedback);
  // The body was a right one: what is wrong is on our side, and may be mended
  // before the provider gives up.
  if (!kept && kept.error().why == NotTaken::not_ours)
    kept.error().why = NotTaken::try_again;
  return kept;
}

void tell(const FeedbackTally& tally, const FeedbackOptions& options,
          Context& context) {
  if (!tally.confirm_url.empty())
    context.warn("SNS asks to confirm the subscription of '" + tally.provider +
                 "': open " + tally.confirm_url);
  if (is_cgi()) return;
  if (context.options.json && !options.dry_run)
    context.io().out(feedback_json(tally));
  else
    context.say((options.dry_run ? "would be: " : "") +
                feedback_sentence(tally));
}

Result<int> run_feedback(const FeedbackOptions& options, Context& context) {
  if (is_cgi() && cgi_method() != "POST") {
    context.io().out(cgi_response_to(cgi_method()));
    return 0;
  }
  FeedbackTaker taker(options, context);
  const auto tally = taker.take();
  if (is_cgi())
    context.io().out(cgi_response(tally ? NotTaken::no : tally.error().why,
                                  taker.challenge()));
  if (!tally) return tl::unexpected(tally.error().error);
  tell(*tally, options, context);
  return 0;
}

}  // namespace

Action add_feedback(CLI::App& app, Context& context) {
  auto options = std::make_shared<FeedbackOptions>();
  app.add_option("PROVIDER", options->provider, "The provider, as in pony.yaml")
      ->required();
  app.add_option("--header,-H", options->headers,
                 "A header of the request; may be repeated")
      ->type_name("'Name: value'")
      ->allow_extra_args(false);
  app.add_option("--since", options->since,
                 "How far back to look for a message that is told only by "
                 "the provider's own id (30d)")
      ->type_name("TIME");
  app.add_flag("--dry-run,-n", options->dry_run,
               "Verify and show the events, change nothing");
  app.footer(
      "The request's body is read from standard input, byte for byte as it "
      "came. A web\nserver may run this as CGI: then the headers come from "
      "the environment and the\nanswer is an HTTP response. What it is "
      "verified with is in 'webhook:' of the\nprovider, see pony.yaml(5); "
      "pony-feedback(1) has examples for web servers.\n\n"
      "Hard bounces and complaints put their address on the list of pony "
      "suppress.\n\n"
      "Examples\n"
      "  pony feedback second < body.json\n"
      "  pony feedback main -H \"svix-id: $ID\" -H \"svix-timestamp: $TS\" \\\n"
      "    -H \"svix-signature: $SIGNATURE\" < body.json\n"
      "  pony feedback second --dry-run --json < body.json\n\n"
      "Exit codes\n"
      "  0 taken, now or before · 64 usage, no such provider · 65 not what "
      "this provider\n  sends · 74 the disk failed · 75 not done, send it "
      "again · 77 the signature is wrong,\n  too old or was used for another "
      "body · 78 not configured");
  return [options, &context] { return run_feedback(*options, context); };
}

}  // namespace pony
