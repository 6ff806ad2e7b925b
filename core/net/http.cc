#include "core/net/http.h"

#include <strings.h>

namespace pony {

std::string_view HttpReply::header(std::string_view name) const {
  for (const HttpHeader& header : headers)
    if (header.name.size() == name.size() &&
        ::strncasecmp(header.name.data(), name.data(), name.size()) == 0)
      return header.value;
  return {};
}

}  // namespace pony
