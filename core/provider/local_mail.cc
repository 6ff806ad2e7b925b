// LF line ends for what stays on this machine; see local_mail.h.
#include "core/provider/local_mail.h"

#include <utility>

#include "core/mime/builder.h"

namespace pony {

Result<std::string> local_mail(const RenderedMessage& message) {
  auto mime = compose_mime(message, {.utf8_addresses = true});
  if (!mime) return mime;
  // There is no other CR than that of CRLF.
  std::erase(*mime, '\r');
  return mime;
}

}  // namespace pony
