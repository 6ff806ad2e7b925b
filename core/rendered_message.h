// A message as it will be sent: the template's copy filled in, the sender
// decided, the language chosen. Made anew from the stored message for each
// round, and always the same for the same message and templates.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/message.h"

namespace pony {

struct ParsedRaw;

// What leads from a provider's events back to the message: the name of an
// entry among the metadata or the tags, whose value is the message's id.
inline constexpr std::string_view k_id_name = "pony_id";

// With `raw` the message is finished: what is on the wire is in it, from, to,
// cc and bcc are the envelope, and subject to attachments are empty.
struct RenderedMessage {
  std::string id;    // the message's id; Message-ID and boundaries follow it
  Time accepted_at;  // becomes Date:, so a retry has the same bytes
  Address from;      // an empty email: the null sender, only with `raw`
  std::vector<Address> to;
  std::vector<Address> cc;
  std::vector<Address> bcc;  // for the envelope; never written
  std::optional<Address> reply_to;
  std::string subject;
  std::string text;  // empty: no text part
  std::string html;  // empty: no HTML part
  std::vector<Header> headers;
  std::vector<Attachment> attachments;
  std::string raw;  // the bytes of a finished message, as they were given
  // Where core/mime/mail_parser keeps what it made of `raw`, for the next
  // provider that asks; copies share it. There with `raw`.
  std::shared_ptr<ParsedRaw> parsed;
  std::optional<Dsn> dsn;
  std::vector<std::string> tags;
  std::vector<Header> metadata;
  std::string template_id;
  std::string lang;  // the language that was used; empty without a template
  std::string idempotency_key;
};

struct ParsedRaw {
  std::shared_ptr<const RenderedMessage> mail;
  std::string problem;  // why there is none; both empty: not asked for yet
  std::vector<std::string> reduced;  // what the parts cannot say of it
  std::string seven_bit;  // on the wire, where only 7-bit mail can be sent
};

// Whom it goes to, each once, as Message::recipients() has them.
std::vector<std::string> recipients_of(const RenderedMessage& message);

}  // namespace pony
