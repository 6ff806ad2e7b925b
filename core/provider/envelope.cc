// The envelope's making and its check; see envelope.h.
#include "core/provider/envelope.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/address.h"
#include "core/json.h"

namespace pony {
namespace {

// Would `c` end an SMTP path or its command? Quoted local parts with such
// characters are legal mail and refused all the same.
bool is_unsafe(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f || c == '<' || c == '>';
}

Result<std::string> wire_address(const std::string& email) {
  auto wire = wire_email(email);
  if (!wire) return wire;
  if (wire->empty() || std::any_of(wire->begin(), wire->end(), is_unsafe)) {
    return fail(Error::Kind::bad_data, "address '" + printable(email) +
                                           "' cannot be said in an envelope");
  }
  return wire;
}

bool has_utf8_local_part(const Address& address) {
  return !is_ascii(local_part(address.email));
}

bool has_utf8_local_part(const std::vector<Address>& addresses) {
  return std::any_of(
      addresses.begin(), addresses.end(),
      [](const Address& address) { return has_utf8_local_part(address); });
}

}  // namespace

Result<Envelope> envelope_of(const Attempt& attempt) {
  const RenderedMessage& message = *attempt.message;
  Envelope envelope;
  const bool is_finished = !message.raw.empty();
  if (!is_finished || !message.from.email.empty()) {
    auto sender = wire_address(message.from.email);
    if (!sender) return tl::unexpected<Error>(sender.error());
    envelope.sender = std::move(*sender);
  }
  // A finished message's header names whom it likes.
  envelope.needs_utf8 =
      !is_ascii(envelope.sender) ||
      (!is_finished &&
       (has_utf8_local_part(message.to) || has_utf8_local_part(message.cc) ||
        (message.reply_to && has_utf8_local_part(*message.reply_to))));
  envelope.recipients.reserve(attempt.recipients.size());
  for (const std::string& email : attempt.recipients) {
    auto wire = wire_address(email);
    if (!wire) return tl::unexpected<Error>(wire.error());
    envelope.needs_utf8 = envelope.needs_utf8 || !is_ascii(*wire);
    envelope.recipients.push_back(std::move(*wire));
  }
  return envelope;
}

}  // namespace pony
