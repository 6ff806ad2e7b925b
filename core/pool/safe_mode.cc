#include "core/pool/safe_mode.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "core/address.h"
#include "core/lower_case.h"
#include "core/raw_message.h"

namespace pony {
namespace {

constexpr std::string_view k_original_to = "X-Pony-Original-To";
constexpr std::string_view k_mark = "[safe mode] ";
// A header is not the place for ten thousand addresses.
constexpr std::size_t k_longest_list = 900;

// As it goes over the wire, in lower case: so are addresses compared.
std::string comparable(std::string_view email) {
  auto wire = wire_email(email);
  return in_lower_case(wire ? *wire : email);
}

// "*@widgets.example", "*", "qa-*@widgets.example" or a whole address.
bool matches(const std::string& pattern, const std::string& email) {
  return ::fnmatch(comparable(pattern).c_str(), email.c_str(), FNM_NOESCAPE) ==
         0;
}

bool is_allowed(const std::string& email, const SafeModeConfig& config) {
  const std::string wanted = comparable(email);
  return std::any_of(
      config.allow.begin(), config.allow.end(),
      [&](const std::string& pattern) { return matches(pattern, wanted); });
}

bool has(const std::vector<Address>& list, const std::string& email) {
  return std::any_of(list.begin(), list.end(), [&](const Address& address) {
    return address.email == email;
  });
}

// Those of `redirected` whom the mail would have named; a Bcc is only counted.
std::string names_of(const std::vector<std::string>& redirected,
                     const Message& message) {
  std::string text;
  std::size_t more = 0;
  for (const std::string& email : redirected) {
    if ((!has(message.to, email) && !has(message.cc, email)) ||
        text.size() + email.size() > k_longest_list) {
      ++more;
      continue;
    }
    if (!text.empty()) text += ", ";
    text += email;
  }
  if (more == 0) return text;
  return text + (text.empty() ? "" : " and ") + std::to_string(more) +
         (text.empty() ? " in bcc" : " more");
}

// Headers by which a relay can be told to write to others.
bool is_an_order(std::string_view name) {
  const std::string lower = in_lower_case(name);
  return lower == "x-smtpapi" || lower.starts_with("x-mc-");
}

// A finished message has its header in its bytes: the orders come out there,
// and who it was meant for goes in.
void mark_finished(RenderedMessage& mail) {
  remove_fields(mail.raw,
                [](const RawField& field) { return is_an_order(field.name); });
  if (mail.headers.empty()) return;
  mark_subject(mail.raw, k_mark);
  for (const Header& header : std::exchange(mail.headers, {}))
    prepend_field(mail.raw, header.name, header.value);
}

}  // namespace

SafeMessage in_safe_mode(const Message& message, const SafeModeConfig& config) {
  SafeMessage safe{message, {}, {}};
  std::vector<std::string> redirected;
  for (const Address& recipient : message.recipients()) {
    if (is_allowed(recipient.email, config)) {
      safe.stands_for[recipient.email].push_back(recipient.email);
    } else if (config.redirect_to) {
      redirected.push_back(recipient.email);
    } else {
      safe.kept_back.push_back(recipient.email);
    }
  }
  for (auto* list : {&safe.message.to, &safe.message.cc, &safe.message.bcc})
    std::erase_if(*list, [&](const Address& address) {
      return !safe.stands_for.contains(address.email);
    });
  std::erase_if(safe.message.headers,
                [](const Header& header) { return is_an_order(header.name); });
  if (redirected.empty()) return safe;
  auto& stand_in = safe.stands_for[config.redirect_to->email];
  stand_in.insert(stand_in.end(), redirected.begin(), redirected.end());
  if (!has(safe.message.to, config.redirect_to->email))
    safe.message.to.push_back(*config.redirect_to);
  safe.message.headers.push_back(
      {std::string(k_original_to), names_of(redirected, message)});
  return safe;
}

void mark_redirected(RenderedMessage& mail) {
  if (!mail.raw.empty()) return mark_finished(mail);
  const bool was_redirected =
      std::any_of(mail.headers.begin(), mail.headers.end(),
                  [](const Header& h) { return h.name == k_original_to; });
  if (was_redirected) mail.subject.insert(0, k_mark);
}

void SafeModeDeliverer::take(std::shared_ptr<const Delivery> delivery) {
  SafeMessage safe = in_safe_mode(delivery->message, config_);
  Taken taken{std::move(safe.stands_for), {}, delivery->history.settled};
  for (std::string& email : safe.kept_back)
    if (!taken.settled.contains(email))
      taken.kept_back.push_back(std::move(email));

  auto changed = std::make_shared<Delivery>(*delivery);
  changed->message = std::move(safe.message);
  changed->history.settled.clear();
  bool anybody = false;
  for (const auto& [email, originals] : taken.stands_for) {
    const auto open = std::find_if(
        originals.begin(), originals.end(),
        [&](const auto& one) { return !taken.settled.contains(one); });
    if (open == originals.end())
      changed->history.settled[email] = taken.settled.at(originals.front());
    else
      anybody = true;
  }
  const std::string id = delivery->id;
  taken_.insert_or_assign(id, std::move(taken));
  if (anybody) return inner_.take(std::move(changed));
  Round round;
  round.id = id;
  round.attempt = delivery->history.attempts;
  decided_.push_back(std::move(round));
}

Happenings SafeModeDeliverer::poll(Milliseconds max_wait) {
  Happenings happened =
      inner_.poll(decided_.empty() ? max_wait : Milliseconds(0));
  for (Event& event : happened.events) translate(event);
  for (Round& round : std::exchange(decided_, {}))
    happened.rounds.push_back(std::move(round));
  for (Round& round : happened.rounds) translate(round);
  return happened;
}

// What was said of who got the mail is said of those whom it was meant for.
void SafeModeDeliverer::translate(Event& event) const {
  const auto found = taken_.find(event.id);
  if (found == taken_.end() || event.event != "attempted" || !event.outcome)
    return;
  const Taken& taken = found->second;
  std::vector<RecipientOutcome> told;
  for (const auto& [email, originals] : taken.stands_for) {
    RecipientOutcome outcome{email, *event.outcome, event.error};
    if (!event.recipients.empty()) {
      const auto said = std::find_if(
          event.recipients.begin(), event.recipients.end(),
          [&, &target = email](const auto& r) { return r.email == target; });
      if (said == event.recipients.end()) continue;
      outcome = *said;
    }
    for (const std::string& original : originals) {
      if (taken.settled.contains(original)) continue;
      outcome.email = original;
      told.push_back(outcome);
    }
  }
  // Without a list the outcome would be everybody's, theirs too.
  if (!event.recipients.empty() || !taken.kept_back.empty())
    event.recipients = std::move(told);
}

void SafeModeDeliverer::translate(Round& round) {
  const auto found = taken_.find(round.id);
  if (found == taken_.end()) return;
  const Taken taken = std::move(found->second);
  taken_.erase(found);
  std::vector<RecipientVerdict> verdicts;
  for (const RecipientVerdict& one : round.verdicts) {
    const auto originals = taken.stands_for.find(one.email);
    if (originals == taken.stands_for.end()) continue;
    for (const std::string& original : originals->second)
      if (!taken.settled.contains(original))
        verdicts.push_back({original, one.verdict});
  }
  const bool ended = !round.untouched && round.not_tried.empty();
  for (const std::string& email : taken.kept_back) {
    if (!ended) break;
    Verdict verdict;
    verdict.outcome = Outcome::rejected;
    verdict.error = "kept back by safe_mode";
    verdict.counts_against_provider = false;
    verdicts.push_back({email, std::move(verdict)});
  }
  round.verdicts = std::move(verdicts);
}

}  // namespace pony
