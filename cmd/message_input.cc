#include "cmd/message_input.h"

#include <utility>

#include "cmd/message_flags.h"
#include "core/template/render_message.h"

namespace pony {

Result<> check_message(Message& message, const Config& config,
                       TemplateStore& templates,
                       std::vector<std::string>& warnings) {
  if (!message.pool.empty() && config.pool(message.pool) == nullptr) {
    std::vector<std::string_view> names;
    for (const auto& pool : config.pools) names.push_back(pool.name);
    return fail(Error::Kind::bad_data,
                "pool: there is no pool '" + printable(message.pool, 80) +
                    "' in the configuration",
                did_you_mean(message.pool, names));
  }
  return check_renderable(message, templates, config.default_from, warnings);
}

MessageInput::MessageInput(Context& context, const Config& config, Json flags)
    : context_(context),
      config_(config),
      flags_(std::move(flags)),
      templates_(config.templates, config.default_lang) {}

Result<Message> MessageInput::read(std::string_view record, std::size_t line,
                                   const std::string& source) {
  auto json = parse_json(record, line);
  if (!json) {
    if (source.empty()) return tl::unexpected(json.error());
    return wrap(json.error(), source);
  }
  if (!flags_.members.empty()) complete(*json, flags_);
  auto message = check(std::move(*json));
  if (!message)
    return wrap(message.error(), (source.empty() ? "" : source + ", ") +
                                     "line " + std::to_string(line));
  return message;
}

Result<Message> MessageInput::from_flags() {
  return check(std::move(flags_));
}

Result<Message> MessageInput::check(Json json) {
  auto message = message_from(json);
  if (!message) return message;
  std::vector<std::string> warnings;
  if (auto checked = check_message(*message, config_, templates_, warnings);
      !checked)
    return tl::unexpected(checked.error());
  for (const auto& warning : warnings) context_.say("warning: " + warning);
  return message;
}

}  // namespace pony
