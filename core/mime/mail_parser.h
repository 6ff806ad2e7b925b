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

}  // namespace pony
