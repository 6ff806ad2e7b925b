#include "core/provider/credential_mask.h"

#include "core/mime/body_encoding.h"

namespace pony {
namespace {

// Shorter base64 is in any text by chance.
constexpr std::size_t k_shortest_base64 = 4;

}  // namespace

CredentialMask::CredentialMask(std::string_view secret) {
  spellings_.emplace_back(std::string(secret));
  if (secret.empty()) return;
  // Three bytes are four characters: there are three ways to begin.
  for (std::size_t before = 0; before < 3; ++before) {
    std::string plain(before, '\0');
    plain += secret;
    std::string encoded;
    append_base64_run(encoded, plain);
    // A character is six bits: those that are the secret's alone.
    const std::size_t first = (before * 8 + 5) / 6;
    const std::size_t end = plain.size() * 8 / 6;
    if (end < first + k_shortest_base64) continue;
    spellings_.emplace_back(encoded.substr(first, end - first));
  }
}

void CredentialMask::apply(std::string& text) const {
  for (const Secret& spelling : spellings_)
    mask_secret(text, spelling.reveal());
}

std::size_t CredentialMask::size() const {
  return spellings_.front().reveal().size();
}

void mask_credential(std::string& text, std::string_view secret) {
  CredentialMask(secret).apply(text);
}

}  // namespace pony
