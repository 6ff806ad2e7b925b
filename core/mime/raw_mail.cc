#include "core/mime/raw_mail.h"

#include <algorithm>

#include "core/base64.h"
#include "core/mime/body_encoding.h"
#include "core/mime/header_decoding.h"
#include "core/raw_message.h"

namespace pony {
namespace {

// A header larger than this has its subject elsewhere than a person looks.
constexpr std::size_t k_looked_at = std::size_t{64} << 10;
constexpr std::size_t k_longest_text = 16'384;  // as the subject of any message

bool is_secret(const RawField& field) {
  return is_called(field, "bcc") || is_called(field, "resent-bcc") ||
         is_called(field, "x-pony-tags");
}

bool is_eight_bit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x80;
  });
}

}  // namespace

std::string wire_form(std::string_view raw) {
  std::string wire = with_crlf(raw);
  remove_fields(wire, is_secret);
  return wire;
}

std::size_t longest_line(std::string_view text) {
  std::size_t longest = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const bool has_cr = end > 0 && end < text.size() && text[end - 1] == '\r';
    longest = std::max(longest, has_cr ? end - 1 : end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return longest;
}

WireNeeds needs_of(std::string_view wire) {
  const std::string_view header = header_of(wire);
  const std::string_view body = wire.substr(header.size());
  WireNeeds needs;
  needs.eight_bit_header = is_eight_bit(header);
  needs.eight_bit_body = is_eight_bit(body);
  needs.nul = wire.find('\0') != std::string_view::npos;
  needs.longest_header_line = longest_line(header);
  needs.longest_body_line = longest_line(body);
  return needs;
}

std::string header_text(std::string_view raw, std::string_view name) {
  std::string_view header = header_of(raw);
  RawField field;
  while (next_field(header, field))
    if (is_called(field, name))
      return decoded_header(field.value.substr(0, k_longest_text));
  return {};
}

std::string raw_subject(std::string_view base64) {
  return header_text(decode_base64(base64, k_looked_at), "subject");
}

}  // namespace pony
