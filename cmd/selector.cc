#include "cmd/selector.h"

#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/address.h"
#include "core/json.h"
#include "spool/message_id.h"

namespace pony {
namespace {

constexpr std::string_view k_group = "Which messages";

template <class T>
bool is_any_of(const T& value, const std::vector<T>& wanted) {
  return wanted.empty() ||
         std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool is_address_like(const std::string& email,
                     const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) {
                       return ::fnmatch(pattern.c_str(), email.c_str(),
                                        FNM_CASEFOLD | FNM_NOESCAPE) == 0;
                     });
}

bool holds_ignoring_case(std::string_view text, std::string_view part) {
  return part.empty() ||
         std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](unsigned char a, unsigned char b) {
                       return std::tolower(a) == std::tolower(b);
                     }) != text.end();
}

bool has_recipient(const Message& message,
                   const std::vector<std::string>& patterns) {
  if (patterns.empty()) return true;
  for (const auto* list : {&message.to, &message.cc, &message.bcc})
    for (const auto& address : *list)
      if (is_address_like(address.email, patterns)) return true;
  return false;
}

bool has_domain(const Message& message,
                const std::vector<std::string>& patterns) {
  if (patterns.empty()) return true;
  for (const auto* list : {&message.to, &message.cc, &message.bcc})
    for (const auto& address : *list)
      if (is_address_like(std::string(domain_of(address.email)), patterns))
        return true;
  return false;
}

bool has_tag(const Message& message, const std::vector<std::string>& tags) {
  return tags.empty() ||
         std::any_of(message.tags.begin(), message.tags.end(),
                     [&](const auto& tag) { return is_any_of(tag, tags); });
}

// The pool that was used, if it was tried; else the one it asks for.
std::string pool_of(const MessageFile& file) {
  for (auto event = file.events.rbegin(); event != file.events.rend(); ++event)
    if (!event->pool.empty()) return event->pool;
  return file.message.pool;
}

bool is_aged(Time arrived, const Selector& selector, Time now) {
  const Milliseconds age = now - arrived;
  if (selector.older && age < *selector.older) return false;
  return !selector.newer || age < *selector.newer;
}

[[noreturn]] void refuse(const std::string& option, const Error& error) {
  throw CLI::ValidationError(
      option, error.what + (error.hint.empty() ? "" : " (" + error.hint + ")"));
}

std::vector<State> states_from(const std::string& text) {
  const std::vector<State> all = {State::fresh, State::deferred,
                                  State::held,  State::claimed,
                                  State::sent,  State::failed};
  if (text == "all") return all;
  if (const auto state = state_from(text)) return {*state};
  std::vector<std::string_view> known = {"all"};
  for (const State state : all) known.push_back(to_text(state));
  std::string list;
  for (const auto name : known)
    list += (list.empty() ? "" : ", ") + std::string(name);
  refuse("--state", {Error::Kind::usage,
                     "there is no state '" + printable(text, 40) + "'",
                     "states: " + list,
                     {}});
}

Milliseconds duration_from(const std::string& option, const std::string& text) {
  auto duration = parse_duration(text);
  if (!duration) refuse(option, duration.error());
  return *duration;
}

// An option that may be given several times, each time with one value: the
// word after the value is not its own (`retry --tag a 01J…`).
void add_list(CLI::App& app, const std::string& name,
              std::vector<std::string>& values, const std::string& help,
              const std::string& type) {
  app.add_option(name, values, help)
      ->allow_extra_args(false)
      ->type_name(type)
      ->group(std::string(k_group));
}

void add_bound(CLI::App& app, const std::string& name,
               std::optional<Bound>& bound, Unit unit,
               const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [&bound, name, unit](const std::string& text) {
           auto read = parse_bound(text, unit);
           if (!read) refuse(name, read.error());
           bound = *read;
         },
         help)
      ->type_name("BOUND")
      ->group(std::string(k_group));
}

}  // namespace

bool Bound::holds(std::uint64_t number) const {
  switch (is) {
    case Is::above:
      return number > value;
    case Is::at_least:
      return number >= value;
    case Is::below:
      return number < value;
    case Is::at_most:
      return number <= value;
    case Is::equal:
      break;
  }
  return number == value;
}

Result<Bound> parse_bound(std::string_view text, Unit unit) {
  constexpr std::array<std::pair<std::string_view, Bound::Is>, 5> k_signs = {{
      {">=", Bound::Is::at_least},
      {"<=", Bound::Is::at_most},
      {">", Bound::Is::above},
      {"<", Bound::Is::below},
      {"=", Bound::Is::equal},
  }};
  const auto refused = [&] {
    return fail(Error::Kind::bad_data,
                "'" + printable(text, 40) + "' is no bound",
                unit == Unit::bytes ? "such as '>1M', '<=300K' or '2048'"
                                    : "such as '>3', '<=3' or '3'");
  };
  Bound bound;
  std::string_view rest = text;
  for (const auto& [sign, is] : k_signs) {
    if (!rest.starts_with(sign)) continue;
    bound.is = is;
    rest.remove_prefix(sign.size());
    break;
  }
  const auto [end, error] =
      std::from_chars(rest.data(), rest.data() + rest.size(), bound.value);
  if (error != std::errc()) return refused();
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (rest.empty()) return bound;
  constexpr std::string_view k_units = "KMG";
  const auto at = k_units.find(rest.front());
  if (unit != Unit::bytes || rest.size() != 1 || at == std::string_view::npos)
    return refused();
  const auto shift = 10 * (at + 1);
  if (bound.value > (UINT64_MAX >> shift)) return refused();
  bound.value <<= shift;
  return bound;
}

bool Selector::given() const {
  return !states.empty() || !ids.empty() || older || newer || needs_content();
}

bool Selector::asks_of_message() const {
  return !to.empty() || !from.empty() || !tags.empty() || !templates.empty() ||
         !langs.empty() || !providers.empty() || !pools.empty() ||
         !domains.empty() || !keys.empty() || !priorities.empty() || attempts ||
         size;
}

bool Selector::needs_content() const {
  return asks_of_message() || !reason.empty();
}

bool Selector::may_match(std::string_view id, State state) const {
  return is_any_of(state, states) && is_any_of(std::string(id), ids);
}

// Whoever made the id may have taken the time a moment before or after.
bool Selector::may_be_aged(Time id_made, Time now) const {
  constexpr Milliseconds k_slack = std::chrono::minutes(1);
  const Milliseconds age = now - id_made;
  if (older && age + k_slack < *older) return false;
  return !newer || age - k_slack < *newer;
}

// Nothing ends before it was accepted; clocks may be a day apart.
bool Selector::may_have_ended_on(std::string_view day, Time now) const {
  constexpr Milliseconds k_for_ever = std::chrono::hours(24 * 365 * 100);
  if (!newer || *newer > k_for_ever) return true;
  return day >= format_day(now - *newer - std::chrono::hours(24));
}

bool Selector::matches(const MessageFile& file, State state, Time now,
                       const std::optional<Address>& sender) const {
  const Message& message = file.message;
  const std::optional<Address>& by = message.from ? message.from : sender;
  const History& history = file.history;
  return may_match(file.id, state) && is_aged(file.accepted_at, *this, now) &&
         has_recipient(message, to) &&
         (from.empty() || (by && is_address_like(by->email, from))) &&
         has_domain(message, domains) && has_tag(message, tags) &&
         is_any_of(message.template_id, templates) &&
         is_any_of(message.idempotency_key, keys) &&
         (!attempts ||
          attempts->holds(static_cast<std::uint64_t>(history.attempts))) &&
         (!size || size->holds(file.size)) && is_any_of(message.lang, langs) &&
         is_any_of(history.last_provider, providers) &&
         is_any_of(pool_of(file), pools) &&
         is_any_of(message.priority, priorities) &&
         (holds_ignoring_case(history.last_error, reason) ||
          holds_ignoring_case(history.reason, reason));
}

bool Selector::matches_unreadable(std::string_view id, State state,
                                  Time arrived, std::string_view problem,
                                  Time now) const {
  return !asks_of_message() && may_match(id, state) &&
         is_aged(arrived, *this, now) && holds_ignoring_case(problem, reason);
}

void add_selectors(CLI::App& app, Selector& selector) {
  const std::string group(k_group);
  app.add_option_function<std::vector<std::string>>(
         "--state",
         [&selector](const std::vector<std::string>& values) {
           for (const auto& value : values)
             for (const State state : states_from(value))
               selector.states.push_back(state);
         },
         "new, deferred, held, cur, sent, failed or all; several with commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("STATE")
      ->group(group);
  add_list(app, "--id", selector.ids, "The message of this id", "ID");
  add_list(app, "--to", selector.to,
           "Has this recipient; '*@example.com' is any of a domain", "ADDRESS");
  add_list(app, "--from", selector.from, "Has this sender", "ADDRESS");
  add_list(app, "--domain", selector.domains,
           "Has a recipient of this domain; '*.example.com' with '*' as above",
           "DOMAIN");
  add_list(app, "--tag", selector.tags, "Has this tag", "TAG");
  add_list(app, "--template", selector.templates, "Made from this template",
           "TEMPLATE");
  add_list(app, "--lang", selector.langs, "In this language", "LANG");
  add_list(app, "--provider", selector.providers, "Last tried by this provider",
           "PROVIDER");
  add_list(app, "--pool", selector.pools, "Of this pool", "POOL");
  add_list(app, "--key", selector.keys, "Has this idempotency key", "KEY");
  app.add_option_function<std::vector<std::string>>(
         "--priority",
         [&selector](const std::vector<std::string>& values) {
           for (const auto& value : values) {
             const auto priority = priority_from(value);
             if (!priority)
               refuse("--priority",
                      {Error::Kind::usage,
                       "there is no priority '" + printable(value, 40) + "'",
                       "high, normal or bulk",
                       {}});
             selector.priorities.push_back(*priority);
           }
         },
         "high, normal or bulk")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("PRIORITY")
      ->group(group);
  app.add_option_function<std::string>(
         "--older",
         [&selector](const std::string& text) {
           selector.older = duration_from("--older", text);
         },
         "Accepted at least that long ago: 90s, 30m, 4h, 2d")
      ->type_name("AGE")
      ->group(group);
  app.add_option_function<std::string>(
         "--newer",
         [&selector](const std::string& text) {
           selector.newer = duration_from("--newer", text);
         },
         "Accepted less than that long ago")
      ->type_name("AGE")
      ->group(group);
  add_bound(app, "--attempts", selector.attempts, Unit::times,
            "So many providers were tried: '>3', '<=3', '0'");
  add_bound(app, "--size", selector.size, Unit::bytes,
            "Its file has so many bytes: '>1M', '<=300K'");
  app.add_option("--reason", selector.reason,
                 "Part of its last error or of the reason for its state")
      ->type_name("TEXT")
      ->group(group);
  app.add_option("--limit", selector.limit, "No more than so many messages")
      ->type_name("N")
      ->group(group);
}

}  // namespace pony
