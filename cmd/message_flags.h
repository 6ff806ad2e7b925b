// A message from the command line: `pony enqueue --to … --template …`.
// Flags fill in what the JSON leaves out.
#pragma once

#include <string>
#include <vector>

#include "cmd/cli.h"
#include "core/json.h"
#include "core/result.h"

namespace pony {

struct MessageFlags {
  std::vector<std::string> to, cc, bcc;
  std::string from, reply_to, subject, text, html;
  std::string template_id, lang;
  std::vector<std::string> set;  // NAME=VALUE
  std::vector<std::string> tags;
  std::vector<std::string> attach;   // files, read with the caller's rights
  std::vector<std::string> headers;  // "Name: value"
  std::string priority, at, expires, key, pool;

  // Are they a message by themselves, so that stdin need not be read?
  bool is_whole() const;
};

void add_message_flags(CLI::App& app, MessageFlags& flags);

// The flags as members of a message. bad_data (a time, NAME=VALUE),
// not_found (an attachment).
Result<Json> json_from(const MessageFlags& flags, Time now);

// NAME=VALUE, each a member. usage for anything else.
Result<Json> values_from(const std::vector<std::string>& set);

// Adds to `message` those members of `more` that it has not; replacements
// and headers name by name.
void complete(Json& message, const Json& more);

}  // namespace pony
