// Mail as local programs and mailboxes take it: the composed or finished
// message with the line ends of this system (LF).
#pragma once

#include <string>

#include "core/rendered_message.h"
#include "core/result.h"

namespace pony {

// `message` composed, with LF line ends; non-ASCII local parts as they are.
// A finished message as wire_form() has it. bad_data as compose_mime().
Result<std::string> local_mail(const RenderedMessage& message);

}  // namespace pony
