// A string that must not be shown: there is no way to print one by accident,
// and it is wiped when it goes. Where it comes from (file, command,
// environment) is a SecretSource, read only by who delivers.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace pony {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) noexcept = default;
  ~Secret();

  // The only way to the value: look for callers of reveal() in review.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

// How the configuration gives a secret: `value` (with ${NAME} not yet
// expanded), `file` (absolute; when it is not there or not ours to read, the
// file of the same name in $CREDENTIALS_DIRECTORY, systemd's) or `command`
// (argv, no shell).
struct SecretSource {
  std::string key;    // "password", for errors
  std::string place;  // "pony.yaml:14"
  std::string value;
  std::string file;
  std::vector<std::string> command;
};

// Reads the secret; one trailing line break of a file or a command's output
// is dropped. Blocks while a command runs, for `command_limit` at most; it is
// killed then, and what it said on stdout is never shown. Errors: config when
// the secret cannot be had, is empty, longer than 64 KiB, holds a control
// character, or lies in a file below /etc that everyone can read. The error
// never holds the value.
Result<Secret> resolve(const SecretSource& source,
                       Milliseconds command_limit = std::chrono::seconds(10));

// Replaces each occurrence of `secret` in `text` by "***": what an outsider
// says may quote what it was sent, as it is or as JSON, HTML or a URL spell it
// (JSON in JSON too). What was valid JSON stays so, as long as `secret` is in
// none of its names. An empty secret is nowhere.
void mask_secret(std::string& text, std::string_view secret);

// `text` with the environment's value for each ${NAME}; "$${" stands for "${".
// config when a variable is not set or a "${" is no ${NAME}: the error names
// the variable, never a value.
Result<std::string> expand_environment(std::string_view text);

}  // namespace pony
