// A mail address: how it is read, what is refused, how its domain is spelled
// on the wire.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

// Both UTF-8; `name` may be empty. `email` is local-part@domain as given:
// the domain may be non-ASCII (see ascii_domain).
struct Address {
  std::string name;
  std::string email;

  bool operator==(const Address&) const = default;
};

// Reads "a@b", "Name <a@b>" or "\"Quoted, name\" <a@b>". Refused with
// bad_data: an empty address, groups and lists, comments, source routes,
// anything with a control character, local parts over 64 bytes (RFC 5321,
// 4.5.3.1.1), domains that are no host names (address literals too).
Result<Address> parse_address(std::string_view text);
// Checks a bare local-part@domain by the same rules.
Result<> check_email(std::string_view email);

// "Ann <ann@example.com>", for people and JSON; not for a mail header (that
// is mime/header_encoding's work).
std::string to_text(const Address& address);

std::string_view local_part(std::string_view email);
std::string_view domain_of(std::string_view email);
// local-part@A-label domain (RFC 5891), lower-cased domain. bad_data when the
// domain has no A-label form. A non-ASCII local part stays as it is.
Result<std::string> wire_email(std::string_view email);
// The spelling by which two addresses are compared where it is about a person:
// all of it in lower case (what the standard leaves to the receiver, no
// receiver uses), the domain as its A-label. What is no address is only put
// in lower case.
std::string comparable_email(std::string_view email);

}  // namespace pony
