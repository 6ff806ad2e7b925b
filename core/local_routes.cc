#include "core/local_routes.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "core/address.h"
#include "core/json.h"
#include "core/lower_case.h"

namespace pony {
namespace {

constexpr std::size_t k_most_routes = 10'000;  // pony-message(5): recipients
constexpr std::size_t k_deepest = 20;          // aliases of aliases
constexpr std::string_view k_no_alias =
    "no alias and no local_recipient says who gets its mail";
constexpr std::string_view k_circle =
    "its aliases lead back to it, and there is no local_recipient";
constexpr std::string_view k_all = "*";  // the alias for all other names
constexpr std::string_view k_retry = "pony retry ID --to ADDRESS";

// How a recipient's domain makes it local.
enum class Domain { none, ours_alone, ours, elsewhere };

class Router {
 public:
  explicit Router(const LocalNames& names) : names_(names) {}

  void route(const std::string& recipient);
  bool is_full() const { return routes_.size() > k_most_routes; }
  std::vector<LocalRoute> take() { return std::move(routes_); }

 private:
  Domain domain_of_target(std::string_view target) const;
  void follow(const std::string& target);
  void follow_all(const std::string& name, const Aliases::Targets& targets);
  void follow_local(const std::string& target, const std::string& name,
                    Domain domain);
  void nobody(const std::string& name, std::string_view why);
  void deliver(const std::string& email);
  void hold(const std::string& name, std::string reason, std::string hint);
  void hold_as_others();
  void add(LocalRoute route);
  bool is_in_chain(const std::string& name) const {
    return std::find(chain_.begin(), chain_.end(), name) != chain_.end();
  }

  const LocalNames& names_;
  std::vector<LocalRoute> routes_;
  std::unordered_set<std::string> seen_;      // emails, and held ones
  std::unordered_set<std::string> followed_;  // names whose aliases were
  std::string recipient_;                     // the one that is routed
  std::vector<std::string> chain_;            // aliases on the way to here
  std::optional<LocalRoute> held_by_all_;     // of the alias for all names
};

void Router::route(const std::string& recipient) {
  recipient_ = recipient;
  const bool is_name = recipient.find('@') == std::string::npos;
  const std::string_view kind = alias_target_kind(recipient);
  const auto checked =
      check_email(is_name ? recipient + "@" + names_.origin : recipient);
  if (kind.empty() && checked) return follow(recipient);
  LocalRoute bad;
  bad.recipient = recipient;
  bad.is_no_address = true;
  if (!kind.empty())
    bad.reason = "'" + printable(recipient, 100) + "' is " + std::string(kind) +
                 ", not a recipient";
  else if (is_name)
    bad.reason =
        "'" + printable(recipient, 100) + "' is neither an address nor a name";
  else
    bad.reason = checked.error().what;
  bad.hint = k_retry;
  add(std::move(bad));
}

Domain Router::domain_of_target(std::string_view target) const {
  if (target.find('@') == std::string_view::npos) return Domain::none;
  const std::string domain = in_lower_case(domain_of(target));
  const std::string host = in_lower_case(names_.host);
  const bool is_host = domain == host;
  if (domain == "localhost" || domain == "localhost.localdomain" ||
      (is_host && host.find('.') == std::string::npos))
    return Domain::ours_alone;
  return is_host || domain == in_lower_case(names_.origin) ? Domain::ours
                                                           : Domain::elsewhere;
}

void Router::follow(const std::string& target) {
  if (is_full()) return;
  if (const auto kind = alias_target_kind(target); !kind.empty()) {
    return hold(chain_.empty() ? recipient_ : chain_.back(),
                "an alias names " + std::string(kind) + ", '" +
                    printable(target, 100) +
                    "', which pony never runs, opens or writes",
                "name an address in the aliases; for this mail: " +
                    std::string(k_retry));
  }
  // "\root": the mailbox itself, whatever the aliases say.
  if (target.starts_with('\\')) return nobody(target.substr(1), k_no_alias);
  const Domain domain = domain_of_target(target);
  if (domain == Domain::elsewhere) return deliver(target);
  follow_local(target, std::string(local_part(target)), domain);
}

void Router::follow_local(const std::string& target, const std::string& name,
                          Domain domain) {
  const std::string key = in_lower_case(name);
  const auto* targets = names_.aliases->find(name);
  if (targets != nullptr && !is_in_chain(key)) return follow_all(key, *targets);
  if (domain == Domain::ours) return deliver(target);
  const auto* all = names_.aliases->catch_all();
  const bool is_own = targets != nullptr;
  if (all != nullptr && !is_own && !is_in_chain(std::string(k_all)))
    return follow_all(std::string(k_all), *all);
  nobody(name, is_own ? k_circle : k_no_alias);
}

void Router::follow_all(const std::string& name,
                        const Aliases::Targets& targets) {
  if (chain_.size() == k_deepest)
    return hold(chain_.front(), "its aliases are nested more than 20 deep",
                "mend the aliases; for this mail: " + std::string(k_retry));
  // Outside of a circle, a second visit would only find the same.
  if (!followed_.insert(name).second) {
    if (name == k_all) hold_as_others();
    return;
  }
  chain_.push_back(name);
  for (const auto& target : targets) follow(target);
  chain_.pop_back();
}

// A local name that stands for nobody: `why`.
void Router::nobody(const std::string& name, std::string_view why) {
  if (!names_.local_recipient.empty()) return deliver(names_.local_recipient);
  hold(name,
       "'" + printable(name, 100) + "' is a local name: " + std::string(why),
       "set local_recipient in pony.yaml, or name it in the aliases; for "
       "this mail: " +
           std::string(k_retry));
}

void Router::deliver(const std::string& email) {
  if (const auto checked = check_email(email); !checked)
    return hold(chain_.empty() ? recipient_ : chain_.back(),
                "of an alias, " + checked.error().what,
                "mend the aliases; for this mail: " + std::string(k_retry));
  LocalRoute route;
  route.recipient = recipient_;
  route.email = email;
  add(std::move(route));
}

void Router::hold(const std::string& name, std::string reason,
                  std::string hint) {
  LocalRoute route;
  route.recipient = recipient_;
  route.email = name + "@" + names_.origin;
  // An alias of a name that is no address's, or the one for all: whom it was
  // to is then what can be said.
  if (name == k_all || !check_email(route.email))
    route.email = std::string(local_part(recipient_)) + "@" + names_.origin;
  route.reason = std::move(reason);
  route.hint = std::move(hint);
  if (name == k_all) held_by_all_ = route;
  add(std::move(route));
}

// What the alias for all names leads to was found for another recipient; who
// is held has to be said of each.
void Router::hold_as_others() {
  if (!held_by_all_) return;
  LocalRoute route = *held_by_all_;
  route.recipient = recipient_;
  route.email = std::string(local_part(recipient_)) + "@" + names_.origin;
  add(std::move(route));
}

void Router::add(LocalRoute route) {
  const std::string_view who =
      route.is_no_address ? route.recipient : route.email;
  const std::string key = (route.reason.empty() ? "" : "held ") +
                          std::string(local_part(who)) + "@" +
                          in_lower_case(domain_of(who));
  if (seen_.insert(key).second) routes_.push_back(std::move(route));
}

}  // namespace

Result<std::vector<LocalRoute>> local_routes(
    std::span<const std::string> recipients, const LocalNames& names) {
  Router router(names);
  for (const auto& recipient : recipients) {
    router.route(recipient);
    if (router.is_full())
      return fail(Error::Kind::bad_data,
                  "the message has more than 10,000 recipients");
  }
  return router.take();
}

}  // namespace pony
