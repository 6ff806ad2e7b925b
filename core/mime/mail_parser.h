// A finished message in parts, for providers that take no finished messages:
// subject, text, HTML, files, addresses, as if an application had given them.
//
// Promises: any bytes give an answer or a reason; what comes out is as clean as
// a message_from(): UTF-8, no control character where a header will be, file
// names that are names. A message is read once, however many ask.
// Doesn't know: who takes what. GMime does the parsing (gmime_library.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/rendered_message.h"
#include "core/result.h"

namespace pony {

// Is there what parsing needs? config, saying what to install, when GMime is
// not on this machine.
Result<> can_parse_mail();

// `message`, which is a raw one, in parts. Its sender is the header's From
// (the envelope's without one); its recipients are the envelope's, by the names
// and in the roles that the header gives them, blind ones where it has none.
// What parts cannot say is in message.parsed->reduced. bad_data when it cannot
// be said in parts, config when GMime is not on this machine.
Result<std::shared_ptr<const RenderedMessage>> parsed_mail(
    const RenderedMessage& message);

// What a route takes between header and end.
enum class Takes {
  eight_bit,  // any bytes but NUL
  utf8,
  seven_bit,
};

// The bytes of `message`, which is a raw one, for a route that takes `takes`:
// wire_form() where that will do, else the same message with its parts encoded
// otherwise. No line is over k_longest_line. bad_data when no route can carry
// it as it is, refused when this one cannot, config when it would have to be
// encoded and GMime is not on this machine.
Result<std::string> carried_form(const RenderedMessage& message, Takes takes);

}  // namespace pony
