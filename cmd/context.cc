#include "cmd/context.h"

#include <unistd.h>

#include <utility>

#include "cmd/sample_templates.h"

namespace pony {
namespace {

std::string_view code_of(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::usage:
      return "usage";
    case Error::Kind::bad_data:
      return "bad_data";
    case Error::Kind::not_found:
      return "not_found";
    case Error::Kind::refused:
      return "refused";
    case Error::Kind::cannot_create:
      return "cannot_create";
    case Error::Kind::disk:
      return "disk";
    case Error::Kind::temporary:
      return "temporary";
    case Error::Kind::no_permission:
      return "no_permission";
    case Error::Kind::config:
      return "config";
    case Error::Kind::busy:
      return "busy";
  }
  return "bug";
}

std::string as_json(const Error& error) {
  std::string problems = "[";
  for (const auto& problem : error.problems) {
    if (problems.size() > 1) problems.push_back(',');
    JsonWriter(problems)
        .field("field", problem.place)
        .field("message", problem.what)
        .field("hint", problem.hint)
        .end();
  }
  problems.push_back(']');
  std::string inner;
  JsonWriter(inner)
      .field("code", code_of(error.kind))
      .field("message", error.what)
      .field("hint", error.hint)
      .raw("problems", problems)
      .end();
  std::string line;
  JsonWriter(line).raw("error", inner).end();
  return line + "\n";
}

}  // namespace

Result<const Config*> Context::config() {
  if (!config_) {
    if (auto loaded = reload_config(); !loaded)
      return tl::unexpected(loaded.error());
  }
  return &*config_;
}

const Config& Context::readable_config(std::optional<Error>& problem) {
  if (!config_) {
    auto readable = load_readable_config(config_path(options.config));
    problem = std::move(readable.problem);
    config_ = std::move(readable.config);
    if (!options.spool.empty()) use_spool(*config_, options.spool);
  }
  return *config_;
}

Result<> Context::reload_config() {
  auto loaded = load_config(config_path(options.config));
  if (!loaded) return tl::unexpected(loaded.error());
  if (!options.spool.empty()) use_spool(*loaded, options.spool);
  for (const auto& warning : loaded->warnings) warn(warning);
  // Nothing is configured: the samples are the templates, so that every
  // command works before anything is set up.
  if (loaded->file.empty() && ::access(loaded->templates.c_str(), F_OK) != 0) {
    loaded->templates = loaded->spool + "/templates";
    if (::access(loaded->templates.c_str(), F_OK) != 0) {
      auto unpacked = unpack_sample_templates(loaded->templates);
      if (!unpacked) return tl::unexpected(unpacked.error());
    }
  }
  config_ = std::move(*loaded);
  return {};
}

Result<Spool*> Context::spool() {
  if (!spool_) {
    auto loaded = config();
    if (!loaded) return tl::unexpected(loaded.error());
    const Config& is = **loaded;
    auto opened = Spool::open(
        {is.spool, is.spool_group, is.idempotency_window, is.log_addresses},
        clock_);
    if (!opened) return tl::unexpected(opened.error());
    spool_ = std::move(*opened);
  }
  return spool_.get();
}

void Context::say(std::string_view text) {
  if (!options.quiet) warn(text);
}

void Context::warn(std::string_view text) {
  io_.err("pony" + (command.empty() ? "" : " " + command) + ": " +
          std::string(text) + "\n");
}

void Context::tell(const Error& error) {
  if (options.json) {
    io_.err(as_json(error));
    return;
  }
  std::string text = error.what;
  // A single problem is in the sentence already.
  const bool said = error.problems.size() == 1 &&
                    error.what.ends_with(error.problems.front().what);
  if (said && error.hint.empty() && !error.problems.front().hint.empty())
    text += "\n  " + error.problems.front().hint;
  for (const auto& problem : error.problems) {
    if (said) break;
    text += "\n  ";
    if (!problem.place.empty()) text += problem.place + ": ";
    text += problem.what;
    if (!problem.hint.empty()) text += " - " + problem.hint;
  }
  if (!error.hint.empty()) text += "\n  " + error.hint;
  warn(text);
}

}  // namespace pony
