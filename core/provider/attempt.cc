#include "core/provider/attempt.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pony {

std::vector<Verdict> for_all(const Attempt& attempt, const Verdict& verdict) {
  return std::vector<Verdict>(attempt.recipients.size(), verdict);
}

std::string idempotency_key_of(const Attempt& attempt) {
  const RenderedMessage& message = *attempt.message;
  const std::size_t all =
      message.to.size() + message.cc.size() + message.bcc.size();
  if (attempt.recipients.size() == all) return message.id;
  // A part of them is another request: who has it already is left out.
  std::string joined;
  for (const std::string& email : attempt.recipients) joined += email + '\n';
  return fmt::format("{}-{:016x}", message.id,
                     XXH3_64bits(joined.data(), joined.size()));
}

}  // namespace pony
