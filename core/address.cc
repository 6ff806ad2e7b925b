// Addresses by the strict half of RFC 5322: what every provider understands
// and no relay reads in two ways. Quoted local parts, comments, groups, source
// routes and address literals are legal there and refused here.
//
// Promises: an address that was accepted holds no control character, no space
// and none of <>()[]:;,"\ outside of its name. Doesn't know: whether anybody
// lives there.
#include "core/address.h"

#include <idn2.h>

#include <algorithm>
#include <memory>

#include "core/json.h"
#include "core/lower_case.h"

namespace pony {
namespace {

constexpr std::size_t k_max_local_part = 64;  // RFC 5321, 4.5.3.1.1
constexpr std::size_t k_max_domain = 253;     // RFC 1035, 2.3.4
constexpr std::size_t k_max_label = 63;       // RFC 1035, 2.3.4
// RFC 5321, 4.5.3.1.3 has 256 for a path, with its angle brackets.
constexpr std::size_t k_max_email = 254;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// atext of RFC 5322, 3.2.3, and UTF-8 as RFC 6532, 3.2 adds it.
bool is_atext(char c) {
  constexpr std::string_view k_others = "!#$%&'*+-/=?^_`{|}~";
  return is_letter_or_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
         k_others.find(c) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

tl::unexpected<Error> no_address(std::string_view text, std::string_view why,
                                 std::string hint = {}) {
  return fail(
      Error::Kind::bad_data,
      "'" + printable(text, 100) + "' is no address: " + std::string(why),
      std::move(hint));
}

// What is wrong with a local part; empty: nothing.
std::string_view trouble_with_local_part(std::string_view local) {
  if (local.empty()) return "nothing is before the '@'";
  if (local.size() > k_max_local_part) {
    return "more than 64 bytes are before the '@'";
  }
  if (local.front() == '.' || local.back() == '.' ||
      local.find("..") != std::string_view::npos) {
    return "a dot is out of place before the '@'";
  }
  if (!std::all_of(local.begin(), local.end(),
                   [](char c) { return is_atext(c) || c == '.'; })) {
    return "a character that may not be before the '@'";
  }
  return {};
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= k_max_label &&
         label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

// RFC 1123, 2.1: and the last label is not a number, or it is an IP address.
bool is_host_name(std::string_view domain) {
  if (domain.empty() || domain.size() > k_max_domain) return false;
  while (true) {
    const std::size_t dot = domain.find('.');
    const std::string_view label = domain.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) {
      return !std::all_of(label.begin(), label.end(), is_digit);
    }
    domain.remove_prefix(dot + 1);
  }
}

// The domain as DNS knows it, in lower case. Most are ASCII: those never get
// to libidn2. The result is checked whichever way it came: full-width forms of
// '@' or '<' become the ASCII ones in libidn2 (UTS #46).
Result<std::string> ascii_domain(std::string_view domain) {
  const auto no_domain = [&](std::string_view why) {
    return fail(Error::Kind::bad_data, "'" + printable(domain, 100) +
                                           "' is no domain name" +
                                           std::string(why));
  };
  std::string name;
  if (is_ascii(domain)) {
    name = in_lower_case(domain);
  } else {
    char* output = nullptr;
    const int code = idn2_to_ascii_8z(std::string(domain).c_str(), &output,
                                      IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    const std::unique_ptr<char, void (*)(void*)> owned(output, idn2_free);
    if (code != IDN2_OK) {
      return no_domain(std::string(": ") + idn2_strerror(code));
    }
    name = in_lower_case(output);
  }
  if (!is_host_name(name)) return no_domain("");
  return name;
}

// The name before the '<': a quoted string or plain words.
Result<std::string> read_name(std::string_view text, std::string_view whole) {
  if (!text.starts_with('"')) {
    // With these the rest may be a list, a group, a comment or an address.
    if (text.find_first_of(",;:()<>@\"\\") != std::string_view::npos) {
      return no_address(whole, "the name holds one of ,;:()<>@\"\\",
                        "put the name in double quotes, or give an object "
                        "with 'name' and 'email'");
    }
    return std::string(text);
  }
  std::string name;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool is_last = i + 1 == text.size();
    if (text[i] == '"' && is_last) return name;
    if (text[i] == '"') break;
    if (text[i] == '\\' && !is_last) ++i;
    name += text[i];
  }
  return no_address(whole, "the quotes around the name do not match");
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  if (!is_utf8(text)) return no_address(text, "it is not UTF-8");
  if (has_control(text)) {
    return no_address(text, "it holds a line break or control character");
  }
  const std::string_view trimmed = trim(text);
  if (trimmed.empty()) {
    return fail(Error::Kind::bad_data, "the address is empty");
  }
  if (!trimmed.ends_with('>')) {
    if (auto checked = check_email(trimmed); !checked) {
      return tl::unexpected<Error>(checked.error());
    }
    return Address{"", std::string(trimmed)};
  }

  // The last one: a quoted name may hold others.
  const std::size_t bracket = trimmed.rfind('<');
  if (bracket == std::string_view::npos) {
    return no_address(text, "a '>' without its '<'");
  }
  const std::string_view email =
      trimmed.substr(bracket + 1, trimmed.size() - bracket - 2);
  auto name = read_name(trim(trimmed.substr(0, bracket)), trimmed);
  if (!name) return tl::unexpected<Error>(name.error());
  if (auto checked = check_email(email); !checked) {
    return tl::unexpected<Error>(checked.error());
  }
  return Address{std::move(*name), std::string(email)};
}

Result<> check_email(std::string_view email) {
  if (email.empty()) {
    return fail(Error::Kind::bad_data, "the address is empty");
  }
  if (!is_utf8(email)) return no_address(email, "it is not UTF-8");
  if (has_control(email)) {
    return no_address(email, "it holds a line break or control character");
  }
  if (email.size() > k_max_email) {
    return no_address(email, "it has more than 254 bytes");
  }
  if (email.find('@') == std::string_view::npos) {
    return no_address(email, "it has no '@'");
  }
  const std::string_view trouble = trouble_with_local_part(local_part(email));
  if (!trouble.empty()) return no_address(email, trouble);
  if (domain_of(email).empty()) {
    return no_address(email, "nothing is after the '@'");
  }
  if (domain_of(email).starts_with('[')) {
    return no_address(email, "the domain is an address literal");
  }
  if (const auto domain = ascii_domain(domain_of(email)); !domain) {
    return no_address(email, domain.error().what);
  }
  return {};
}

std::string to_text(const Address& address) {
  if (address.name.empty()) return address.email;
  const std::string_view name = address.name;
  const bool quote =
      name.find_first_of(",;:()<>@\"\\") != std::string_view::npos ||
      name.front() == ' ' || name.back() == ' ';
  if (!quote) return address.name + " <" + address.email + ">";
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\" <" + address.email + ">";
}

std::string_view local_part(std::string_view email) {
  const std::size_t at = email.rfind('@');
  return email.substr(0, at);
}

std::string_view domain_of(std::string_view email) {
  const std::size_t at = email.rfind('@');
  return at == std::string_view::npos ? std::string_view()
                                      : email.substr(at + 1);
}

Result<std::string> wire_email(std::string_view email) {
  auto domain = ascii_domain(domain_of(email));
  if (!domain) return tl::unexpected<Error>(domain.error());
  return std::string(local_part(email)) + '@' + *domain;
}

std::string comparable_email(std::string_view email) {
  if (is_ascii(email)) return in_lower_case(email);
  return in_lower_case(wire_email(email).value_or(std::string(email)));
}

}  // namespace pony
