// From a stored message to the mail as it will be sent: copy filled in,
// sender decided, tags and headers of the template added.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/message.h"
#include "core/rendered_message.h"
#include "core/result.h"
#include "core/template/template_store.h"

namespace pony {

// The sender is the message's, else the template's, else `default_from`.
// bad_data when there is none, or as TemplateStore::render. A finished message
// is passed on as it is, and its sender is its own or the null sender.
Result<RenderedMessage> render_message(
    const Message& message, std::string_view id, Time accepted_at,
    TemplateStore& templates, const std::optional<Address>& default_from);

// What render_message would refuse, without rendering: asked when a message
// is accepted. Adds the template's tags to the message's, so that its events
// carry them from the first. `warnings` as TemplateStore::check.
Result<> check_renderable(Message& message, TemplateStore& templates,
                          const std::optional<Address>& default_from,
                          std::vector<std::string>& warnings);

}  // namespace pony
