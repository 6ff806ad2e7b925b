#include "core/provider/credential_mask.h"

#include "core/mime/body_encoding.h"
#include "core/secret.h"

namespace pony {
namespace {

// Shorter base64 is in any text by chance.
constexpr std::size_t k_shortest_base64 = 4;

}  // namespace

void mask_credential(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  mask_secret(text, secret);
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
    mask_secret(text, std::string_view(encoded).substr(first, end - first));
  }
}

}  // namespace pony
