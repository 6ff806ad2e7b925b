#include "core/mime/carried_form.h"

#include <fmt/format.h>

#include <utility>

#include "core/json.h"
#include "core/mime/gmime_bounds.h"
#include "core/mime/gmime_objects.h"
#include "core/mime/raw_mail.h"
#include "core/raw_message.h"

namespace pony {
namespace {

// Encodes parts so that 7-bit lines of usual length carry them. What is signed
// is left alone.
void encode_parts(const GmimeLibrary& gmime, GMimeObject* object, int depth) {
  if (object == nullptr || depth > k_deepest_part) return;
  if (is_a(gmime, object, gmime.multipart_signed_type())) return;
  if (is_a(gmime, object, gmime.multipart_type())) {
    auto* multipart = reinterpret_cast<GMimeMultipart*>(object);
    const int count = gmime.multipart_get_count(multipart);
    for (int i = 0; i < count; ++i)
      encode_parts(gmime, gmime.multipart_get_part(multipart, i), depth + 1);
  } else if (is_a(gmime, object, gmime.part_type())) {
    auto* part = reinterpret_cast<GMimePart*>(object);
    if (gmime.part_get_content(part) == nullptr) return;
    const auto best =
        gmime.part_best_encoding(part, GMIME_ENCODING_CONSTRAINT_7BIT);
    if (best != GMIME_CONTENT_ENCODING_7BIT &&
        best != GMIME_CONTENT_ENCODING_DEFAULT) {
      gmime.part_set_encoding(part, best);
    }
  }
}

std::string written(const GmimeLibrary& gmime, GMimeObject* object) {
  const GmimeOwned<GMimeStream> stream(gmime, gmime.stream_mem_new());
  GMimeFormatOptions* options = gmime.format_options_new();
  gmime.format_set_newline(options, GMIME_NEWLINE_FORMAT_DOS);
  (void)gmime.object_write_to_stream(object, options, stream.get());
  gmime.format_options_free(options);
  return bytes_in(gmime, stream.get());
}

// `wire` as 7-bit mail without long lines; its header stays as it is.
Result<std::string> encoded_otherwise(std::string_view wire) {
  const auto gmime = gmime_library();
  if (!gmime) return tl::unexpected<Error>(gmime.error());
  if (auto checked = check_for_gmime(wire); !checked)
    return tl::unexpected<Error>(checked.error());
  // GMime counts a CR as content where it encodes.
  std::string lines(wire);
  std::erase(lines, '\r');
  const GmimeOwned<GMimeMessage> message(**gmime,
                                         parsed_by_gmime(**gmime, lines));
  if (!message) return fail(Error::Kind::bad_data, "it is no message");
  encode_parts(**gmime, (*gmime)->message_get_mime_part(message.get()), 0);
  std::string mail =
      written(**gmime, reinterpret_cast<GMimeObject*>(message.get()));
  if (header_text(mail, "mime-version").empty())
    prepend_field(mail, "MIME-Version", "1.0");
  return mail;
}

bool is_carried(const WireNeeds& needs, std::string_view wire, Takes takes) {
  if (needs.nul || needs.longest_body_line > k_longest_line) return false;
  switch (takes) {
    case Takes::eight_bit:
      return true;
    case Takes::utf8:
      return !needs.eight_bit() || is_utf8(wire);
    case Takes::seven_bit:
      break;
  }
  return !needs.eight_bit();
}

}  // namespace

Result<std::string> carried_form(const RenderedMessage& message, Takes takes) {
  std::string wire = wire_form(message.raw);
  const WireNeeds needs = needs_of(wire);
  if (needs.longest_header_line > k_longest_line)
    return fail(Error::Kind::bad_data,
                fmt::format("a line of its header has {} bytes, over {}",
                            needs.longest_header_line, k_longest_line));
  if (header_of(wire).find('\0') != std::string_view::npos)
    return fail(Error::Kind::bad_data, "its header holds a NUL byte");
  if (is_carried(needs, wire, takes)) return wire;

  std::string once;
  std::string& kept = message.parsed ? message.parsed->seven_bit : once;
  if (kept.empty()) {
    auto encoded = encoded_otherwise(wire);
    if (!encoded) return encoded;
    kept = std::move(*encoded);
  }
  if (is_carried(needs_of(kept), kept, takes)) return kept;
  return fail(Error::Kind::refused,
              needs.eight_bit_header
                  ? "its header is not as this provider takes it, and is kept "
                    "as it is"
                  : "it holds bytes or lines that this provider does not "
                    "take, in a part that cannot be encoded otherwise");
}

}  // namespace pony
