// Where mail goes that a local program hands over: recipients with a domain to
// the providers, local names (`root`) to those whom the aliases name, to
// local_recipient, or, where nobody is named, nowhere: held, never dropped.
//
// Which domains are local:
//   - `localhost`, `localhost.localdomain`, and the host's name if it has no
//     dot: always. Nobody outside could be reached there.
//   - the origin and the host's name with a dot: only for names that the
//     aliases have. Their other mailboxes may well be elsewhere, so mail to
//     them goes out.
//
// Promises: every recipient ends in exactly one place; aliases that name each
// other in a circle, or without end, end too. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/aliases.h"
#include "core/result.h"

namespace pony {

struct LocalNames {
  const Aliases* aliases = nullptr;
  std::string local_recipient;  // empty: there is none
  std::string origin;
  std::string host;
};

// What becomes of one recipient, or of one whom its aliases name.
struct LocalRoute {
  std::string recipient;  // as it was given
  std::string email;      // who gets it; held: the name at the origin
  std::string reason;     // held: why. Empty: it is delivered.
  std::string hint;       // held: the way out
  // Held because `recipient` itself is no address; `email` is empty then.
  bool is_no_address = false;
};

// The routes of all recipients, in their order. One who is reached twice (the
// domain's case ignored) is there once. bad_data: more than 10,000 of them.
Result<std::vector<LocalRoute>> local_routes(
    std::span<const std::string> recipients, const LocalNames& names);

}  // namespace pony
