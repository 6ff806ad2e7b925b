#include "cmd/local_submission.h"

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/address.h"
#include "core/fs.h"
#include "core/host_name.h"
#include "core/json.h"
#include "core/mime/body_encoding.h"
#include "core/mime/submitted_mail.h"
#include "spool/message_id.h"

namespace pony {
namespace {

constexpr std::size_t k_mail_name_limit = 4096;
constexpr std::size_t k_most_tags = 50;  // pony-message(5)
constexpr std::size_t k_reasons_told = 3;
constexpr std::size_t k_reasons_counted = 100;

bool is_domain(const std::string& name) {
  return check_email("x@" + name).has_value();
}

std::string host_domain() {
  std::string name = host_name();
  return is_domain(name) ? name : "localhost";
}

// The machine's mail name (Debian's policy, 11.6), or its host name.
std::string mail_name(const std::string& host) {
  const auto text = read_linked("/etc/mailname", k_mail_name_limit);
  if (!text) return host;
  const std::string name = text->substr(0, text->find_first_of(" \t\r\n"));
  return is_domain(name) ? name : host;
}

// "first; second; third; and 7 more".
std::string in_a_line(const std::vector<std::string>& reasons) {
  std::string text;
  for (std::size_t i = 0; i < reasons.size() && i < k_reasons_told; ++i)
    text += (text.empty() ? "" : "; ") + reasons[i];
  if (reasons.size() > k_reasons_told)
    text +=
        "; and " + std::to_string(reasons.size() - k_reasons_told) + " more";
  return text;
}

void add_once(std::vector<std::string>& list, const std::string& one) {
  if (std::find(list.begin(), list.end(), one) == list.end())
    list.push_back(one);
}

}  // namespace

bool fits_pattern(const std::string& pattern, const std::string& text) {
  return ::fnmatch(pattern.c_str(), text.c_str(),
                   FNM_CASEFOLD | FNM_NOESCAPE) == 0;
}

std::vector<std::string> tags_by_rule(const std::vector<SendmailTagRule>& rules,
                                      const std::string& caller,
                                      const std::string& from) {
  std::vector<std::string> tags;
  for (const SendmailTagRule& rule : rules) {
    const bool fits =
        (rule.caller.empty() || fits_pattern(rule.caller, caller)) &&
        (rule.from.empty() || fits_pattern(rule.from, from));
    if (!fits) continue;
    for (const std::string& tag : rule.tags) add_once(tags, tag);
  }
  return tags;
}

// What a mail becomes.
struct LocalSubmission::Parts {
  std::vector<Message> to_send;
  std::optional<Message> to_hold;
  std::vector<std::string> reasons;  // of what is held
};

LocalSubmission::LocalSubmission(Context& context, const Config& config,
                                 const std::optional<Error>& problem,
                                 const std::optional<std::string>& full_name)
    : context_(context), config_(config), user_(calling_user()) {
  if (problem)
    note_ = "accepted although the configuration is broken: " +
            printable(problem->what, 500);
  full_name_ = full_name.value_or(user_.full_name);
  names_.host = host_domain();
  names_.origin =
      config.origin.empty() ? mail_name(names_.host) : config.origin;
  names_.local_recipient = config.local_recipient;
  // Whoever it is for will look at the aliases when the mail is held.
  if (auto read = Aliases::load(config.aliases))
    aliases_ = std::move(*read);
  else
    context_.warn(read.error().what);
  names_.aliases = &aliases_;
  own_address_ = user_.login + "@" + names_.origin;
}

Result<std::string> LocalSubmission::sender_for(
    const std::optional<std::string>& given) const {
  if (!given) return own_address_;
  if (given->empty()) return *given;
  const bool is_name = given->find('@') == std::string::npos;
  std::string sender = is_name ? *given + "@" + names_.origin : *given;
  if (auto checked = check_email(sender); !checked)
    return wrap(checked.error(), "the sender");
  const auto& allowed = config_.sendmail.allow_senders;
  const bool may = allowed.empty() || sender == own_address_ ||
                   std::any_of(allowed.begin(), allowed.end(),
                               [&](const std::string& pattern) {
                                 return fits_pattern(pattern, sender);
                               });
  if (may) return sender;
  return fail(Error::Kind::no_permission,
              "'" + printable(sender, 100) +
                  "' may not send: it is none of sendmail.allow_senders",
              "your own address is '" + own_address_ + "'");
}

Result<std::vector<LocalRoute>> LocalSubmission::routes(
    std::span<const std::string> recipients) const {
  return local_routes(recipients, names_);
}

std::vector<std::string> LocalSubmission::tags(
    const std::string& from, std::vector<std::string> own) const {
  const auto& rules = config_.sendmail.tags;
  // Who called is looked up only where somebody asks.
  const bool asks =
      std::any_of(rules.begin(), rules.end(),
                  [](const auto& rule) { return !rule.caller.empty(); });
  const std::string caller =
      asks ? calling_program("/proc", ::getpid()) : std::string();
  for (const std::string& tag : tags_by_rule(rules, caller, from))
    add_once(own, tag);
  if (own.size() > k_most_tags) own.resize(k_most_tags);
  return own;
}

Result<std::vector<std::string>> LocalSubmission::submit(
    std::string_view mail, std::vector<LocalEnvelope> envelopes,
    Recipients recipients) {
  const std::string& sender = envelopes.front().sender;
  Submission submission;
  submission.origin = names_.origin;
  submission.author = sender.empty() ? own_address_ : sender;
  submission.author_name = full_name_;
  submission.now = context_.clock().now();
  submission.message_id =
      "<" + new_message_id(submission.now) + "@" + names_.origin + ">";
  auto fit = fit_for_sending(mail, submission);
  if (!fit) return tl::unexpected(fit.error());
  for (const auto& warning : fit->warnings)
    context_.warn("warning: " + warning);
  if (recipients == Recipients::of_header_too) {
    auto& all = envelopes.front().recipients;
    all.insert(all.end(), fit->recipients.begin(), fit->recipients.end());
  }

  Message common;
  common.tags = tags(fit->from, std::move(fit->tags));
  append_base64_run(common.raw, fit->mail);
  fit->mail = std::string();  // it may be large
  if (!sender.empty()) common.from = Address{"", sender};
  const auto parts = parts_of(envelopes, common);
  if (!parts) return tl::unexpected(parts.error());
  return accept(*parts);
}

// Errors: bad_data when nobody can be reached because all are no addresses.
Result<LocalSubmission::Parts> LocalSubmission::parts_of(
    std::span<const LocalEnvelope> envelopes, const Message& common) const {
  Parts parts;
  std::vector<Problem> no_addresses;
  std::vector<Address> held;
  for (const LocalEnvelope& envelope : envelopes) {
    auto found = routes(envelope.recipients);
    if (!found) return tl::unexpected(found.error());
    std::vector<Address> reached;
    for (const LocalRoute& route : *found) {
      if (route.reason.empty()) {
        reached.push_back({"", route.email});
        continue;
      }
      if (route.is_no_address)
        no_addresses.push_back({"", route.reason, ""});
      else if (held.size() < k_most_recipients)
        held.push_back({"", route.email});
      if (parts.reasons.size() < k_reasons_counted)
        add_once(parts.reasons, route.reason + " (" + route.hint + ")");
    }
    if (reached.empty()) continue;
    Message& message = parts.to_send.emplace_back(common);
    message.to = std::move(reached);
    message.dsn = envelope.dsn;
  }
  if (parts.to_send.empty() && held.empty()) {
    if (no_addresses.empty())
      return fail(Error::Kind::bad_data, "the message has no recipient",
                  "name them as arguments, or use -t and a To, Cc or Bcc");
    std::string what = no_addresses.size() == 1
                           ? no_addresses.front().what
                           : "none of the recipients is an address";
    return fail(Error::Kind::bad_data, std::move(what),
                std::move(no_addresses));
  }
  if (parts.reasons.empty()) return parts;
  // What is to nobody at all waits for a person in its author's name.
  if (held.empty()) held.push_back({"", own_address_});
  parts.to_hold = common;
  parts.to_hold->to = std::move(held);
  return parts;
}

// First what is held: should the disk fail in between, and the caller try
// again, then only a copy that waits for a person is there twice.
Result<std::vector<std::string>> LocalSubmission::accept(const Parts& parts) {
  auto spool = context_.spool();
  if (!spool) return tl::unexpected(spool.error());
  std::vector<std::string> ids;
  if (parts.to_hold) {
    const std::string reason = in_a_line(parts.reasons);
    auto accepted = (*spool)->accept_held(*parts.to_hold, reason, note_);
    if (!accepted) return tl::unexpected(accepted.error());
    if (context_.options.verbose || context_.io().err_is_terminal())
      context_.warn(accepted->id + " is held: " + reason);
    ids.push_back(accepted->id);
  }
  for (auto& accepted : (*spool)->accept(parts.to_send, note_)) {
    if (!accepted) return tl::unexpected(accepted.error());
    ids.insert(ids.begin(), accepted->id);
  }
  return ids;
}

}  // namespace pony
