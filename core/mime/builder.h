// A rendered message to the bytes of RFC 5322 mail.
//
// Promises: CRLF line ends only; no line over 998 bytes, header lines folded
// at 78; 7-bit unless `utf8_addresses`; Bcc never written; the same message
// gives the same bytes. mixed > related > alternative, plain text first.
// Attached message/* and multipart/* are declared as application/octet-stream:
// their own types must not be base64 (RFC 2046, 5).
#pragma once

#include <string>

#include "core/rendered_message.h"
#include "core/result.h"

namespace pony {

struct MimeOptions {
  // The route speaks SMTPUTF8 (RFC 6531): non-ASCII local parts may be
  // written as they are. Without it they are bad_data.
  bool utf8_addresses = false;
};

// The whole message: header, empty line, body. bad_data, naming the field,
// when something in `message` cannot be said in a header (a line break, a
// non-ASCII local part without utf8_addresses): the last line of defence
// behind message_from(). A finished message is its wire_form() (raw_mail.h).
Result<std::string> compose_mime(const RenderedMessage& message,
                                 const MimeOptions& options = {});

// "<ID@domain>", the domain being the sender's ("localhost" if that has no
// wire form, which compose_mime() refuses): stable over retries.
std::string message_id_header(const RenderedMessage& message);

}  // namespace pony
