#include "core/rendered_message.h"

namespace pony {

std::vector<std::string> recipients_of(const RenderedMessage& message) {
  Message addressed;
  addressed.to = message.to;
  addressed.cc = message.cc;
  addressed.bcc = message.bcc;
  std::vector<std::string> emails;
  for (Address& address : addressed.recipients())
    emails.push_back(std::move(address.email));
  return emails;
}

}  // namespace pony
