// Keeps what a server says from repeating what it was sent. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/secret.h"

namespace pony {

// A secret and what to look for where it may be quoted, made once and applied
// to every answer.
class CredentialMask {
 public:
  explicit CredentialMask(std::string_view secret);

  // mask_secret(), and the same for its base64, wherever in a longer text it
  // was encoded ("user:secret" of HTTP Basic, AUTH PLAIN of SMTP): but for
  // the characters at its ends that hold bits of its neighbours too.
  void apply(std::string& text) const;
  // The secret's own length.
  std::size_t size() const;

 private:
  std::vector<Secret> spellings_;  // the secret itself first
};

// The same, for a text that comes seldom.
void mask_credential(std::string& text, std::string_view secret);

}  // namespace pony
