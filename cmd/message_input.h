// Messages as commands get them: records of JSON from files or stdin, filled
// in from flags, checked against templates and configuration.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/context.h"
#include "core/message.h"
#include "core/result.h"
#include "core/template/template_store.h"

namespace pony {

class MessageInput {
 public:
  // `flags` are members that fill in what a record leaves out.
  MessageInput(Context& context, const Config& config, Json flags);

  // One record, read and checked whole: what `pony run` will need is there.
  // Errors: bad_data with every problem, not_found (the template).
  // `place` ("line 3", "orders.json, line 3") is put before an error that
  // has no line of its own.
  Result<Message> read(std::string_view record, std::size_t line,
                       const std::string& source);
  // The message that the flags are by themselves. Asked once, and alone: it
  // takes the flags, which may hold large files.
  Result<Message> from_flags();

  TemplateStore& templates() { return templates_; }

 private:
  Result<Message> check(Json json);

  Context& context_;
  const Config& config_;
  Json flags_;
  TemplateStore templates_;
};

// The checks of an accepted message that need templates and configuration;
// completes its tags. Warnings are for the sender of the message.
Result<> check_message(Message& message, const Config& config,
                       TemplateStore& templates,
                       std::vector<std::string>& warnings);

}  // namespace pony
