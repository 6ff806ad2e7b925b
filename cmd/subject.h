// The subject of a message as its readers see it.
#pragma once

#include <string>

#include "cmd/context.h"
#include "core/rendered_message.h"
#include "core/result.h"
#include "spool/message_file.h"

namespace pony {

// The message filled in from today's templates. Errors: as render_message().
Result<RenderedMessage> rendered(const MessageFile& file, Context& context);

// Its template's subject filled in, or its own. What stops that stops nobody
// who only shows the message: empty then.
std::string subject_of(const MessageFile& file, Context& context);

}  // namespace pony
