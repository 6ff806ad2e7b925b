#include "cmd/message_flags.h"

#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <array>
#include <utility>

#include "core/fs.h"
#include "core/mime/body_encoding.h"
#include "spool/message_file.h"

namespace pony {
namespace {

// What common endings mean to a mail program; anything else is bytes.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14>
    k_types = {{
        {".pdf", "application/pdf"},
        {".txt", "text/plain"},
        {".csv", "text/csv"},
        {".html", "text/html"},
        {".ics", "text/calendar"},
        {".json", "application/json"},
        {".xml", "application/xml"},
        {".zip", "application/zip"},
        {".gz", "application/gzip"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".svg", "image/svg+xml"},
    }};

std::string type_of(std::string_view file) {
  for (const auto& [ending, type] : k_types)
    if (file.ends_with(ending)) return std::string(type);
  return "application/octet-stream";
}

Json list_of(const std::vector<std::string>& values) {
  Json list = Json::array();
  for (const auto& value : values) list.items.push_back(Json::string(value));
  return list;
}

Result<Json> attachment(const std::string& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    auto error = fail_errno(errno, "cannot attach '" + file + "'");
    if (error.value().kind == Error::Kind::no_permission)
      error.value().kind = Error::Kind::not_found;
    return error;
  }
  auto bytes = read_all(fd.get(), k_message_limit, file);
  if (!bytes) return wrap(bytes.error(), "cannot attach '" + file + "'");
  std::string content;
  append_base64_run(content, *bytes);
  Json one = Json::object();
  one.set("filename", Json::string(file.substr(file.rfind('/') + 1)));
  one.set("content_type", Json::string(type_of(file)));
  one.set("content", Json::string(std::move(content)));
  return one;
}

}  // namespace

bool MessageFlags::is_whole() const {
  const bool addressed = !to.empty() || !cc.empty() || !bcc.empty();
  return addressed && (!template_id.empty() || !subject.empty());
}

void add_message_flags(CLI::App& app, MessageFlags& flags) {
  const std::string group = "The message";
  const auto text = [&](const char* name, std::string& value, const char* help,
                        const char* type) {
    app.add_option(name, value, help)->type_name(type)->group(group);
  };
  const auto list = [&](const char* name, std::vector<std::string>& value,
                        const char* help, const char* type) {
    app.add_option(name, value, help)
        ->type_name(type)
        ->group(group)
        ->allow_extra_args(false);  // one value each time it is given
  };
  list("--to", flags.to, "A recipient (may be repeated, as cc and bcc)",
       "ADDRESS");
  list("--cc", flags.cc, "A copy's recipient", "ADDRESS");
  list("--bcc", flags.bcc, "A blind copy's recipient", "ADDRESS");
  text("--from", flags.from, "The sender", "ADDRESS");
  text("--reply-to", flags.reply_to, "Where answers go", "ADDRESS");
  text("--subject", flags.subject, "The subject", "TEXT");
  text("--text", flags.text, "The text part", "TEXT");
  text("--html", flags.html, "The HTML part", "HTML");
  text("--template", flags.template_id, "The template", "ID");
  text("--lang", flags.lang, "The recipient's language", "LANG");
  list("--set", flags.set, "A value for the template (may be repeated)",
       "NAME=VALUE");
  list("--tag", flags.tags, "A tag for reports (may be repeated)", "TAG");
  list("--attach", flags.attach, "A file to attach (may be repeated)", "FILE");
  list("--header", flags.headers, "A header (may be repeated)",
       "'NAME: VALUE'");
  text("--priority", flags.priority, "high, normal or bulk", "PRIORITY");
  text("--at", flags.at, "Not before this time (RFC 3339, or 2h from now)",
       "TIME");
  text("--expires", flags.expires, "Not after this time: 10m, RFC 3339",
       "TIME");
  text("--key", flags.key, "The idempotency key", "KEY");
  text("--pool", flags.pool, "The pool of providers", "NAME");
}

Result<Json> json_from(const MessageFlags& flags, Time now) {
  Json message = Json::object();
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) message.set(key, Json::string(value));
  };
  const auto list = [&](const char* key,
                        const std::vector<std::string>& values) {
    if (!values.empty()) message.set(key, list_of(values));
  };
  text("from", flags.from);
  list("to", flags.to);
  list("cc", flags.cc);
  list("bcc", flags.bcc);
  text("reply_to", flags.reply_to);
  text("template", flags.template_id);
  text("lang", flags.lang);
  text("subject", flags.subject);
  text("text", flags.text);
  text("html", flags.html);
  list("tags", flags.tags);
  text("priority", flags.priority);
  text("pool", flags.pool);
  text("idempotency_key", flags.key);

  if (!flags.set.empty()) {
    auto values = values_from(flags.set);
    if (!values) return values;
    message.set("replacements", std::move(*values));
  }
  if (!flags.headers.empty()) {
    Json& headers = message.set("headers", Json::object());
    for (const auto& one : flags.headers) {
      const auto colon = one.find(':');
      if (colon == std::string::npos || colon == 0)
        return fail(Error::Kind::usage, "--header wants 'Name: value', not '" +
                                            printable(one, 80) + "'");
      const auto value = one.find_first_not_of(' ', colon + 1);
      headers.set(one.substr(0, colon),
                  Json::string(value == std::string::npos ? std::string()
                                                          : one.substr(value)));
    }
  }
  for (const auto& [key, value] : {std::pair("send_at", &flags.at),
                                   std::pair("expires_at", &flags.expires)}) {
    if (value->empty()) continue;
    // Mail lies ahead: a duration is from now on, with a plus or without.
    const bool ahead = parse_duration(*value).has_value();
    auto moment = parse_moment(ahead ? "+" + *value : *value, now);
    if (!moment)
      return fail(Error::Kind::usage, moment.error().what, moment.error().hint);
    message.set(key, Json::string(format_time(*moment)));
  }
  if (!flags.attach.empty()) {
    Json list_of_files = Json::array();
    for (const auto& file : flags.attach) {
      auto one = attachment(file);
      if (!one) return one;
      list_of_files.items.push_back(std::move(*one));
    }
    message.set("attachments", std::move(list_of_files));
  }
  return message;
}

Result<Json> values_from(const std::vector<std::string>& set) {
  Json values = Json::object();
  for (const auto& one : set) {
    const auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(Error::Kind::usage,
                  "--set wants NAME=VALUE, not '" + printable(one, 80) + "'");
    values.set(one.substr(0, equals), Json::string(one.substr(equals + 1)));
  }
  return values;
}

void complete(Json& message, const Json& more) {
  if (!message.is_object()) return;  // message_from says what is wrong
  for (const auto& [key, value] : more.members) {
    auto it = message.members.begin();
    while (it != message.members.end() && it->key != key) ++it;
    if (it == message.members.end() || it->value.is(Json::Kind::null)) {
      if (it != message.members.end()) message.members.erase(it);
      message.set(key, value);
    } else if (it->value.is_object() && value.is_object()) {
      for (const auto& [name, inner] : value.members)
        if (it->value.find(name) == nullptr) it->value.set(name, inner);
    }
  }
}

}  // namespace pony
