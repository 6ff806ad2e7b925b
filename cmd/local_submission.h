// Mail of this machine's programs on its way into the spool: who it is from,
// where each recipient's mail goes, which tags it gets; then made durable.
// `pony sendmail` hands it over from its arguments or from an SMTP dialogue.
//
// Promises: what is answered with ids is safe, for every recipient; a
// recipient that nobody stands for is held with the reason, never dropped.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/calling_program.h"
#include "cmd/context.h"
#include "core/aliases.h"
#include "core/local_routes.h"
#include "core/message.h"
#include "core/result.h"

namespace pony {

// Does `text` fit `pattern`, in which "*" stands for anything? The case is
// ignored.
bool fits_pattern(const std::string& pattern, const std::string& text);

// The tags that the rules give to mail of this caller and this From.
std::vector<std::string> tags_by_rule(const std::vector<SendmailTagRule>& rules,
                                      const std::string& caller,
                                      const std::string& from);

// Those recipients of one mail that want the same notifications.
struct LocalEnvelope {
  std::string sender;  // of sender_for(); empty: the null sender
  std::vector<std::string> recipients;
  std::optional<Dsn> dsn;
};

class LocalSubmission {
 public:
  // `problem`: what is wrong with the configuration, if anything is; it is
  // noted with every message. `full_name`: of a From that has to be made; the
  // user's own unless given.
  LocalSubmission(Context& context, const Config& config,
                  const std::optional<Error>& problem,
                  const std::optional<std::string>& full_name);
  LocalSubmission(const LocalSubmission&) = delete;
  LocalSubmission& operator=(const LocalSubmission&) = delete;

  const std::string& host() const { return names_.host; }
  // The sender in full: the caller's own address when none is `given`, a bare
  // name completed, "" the null sender. bad_data (no address), no_permission
  // (not one of allow_senders).
  Result<std::string> sender_for(const std::optional<std::string>& given) const;
  // Where mail to them would go.
  Result<std::vector<LocalRoute>> routes(
      std::span<const std::string> recipients) const;

  // Makes `mail` fit to be sent and durable; `from_header` adds the header's
  // recipients to the envelope, which then is one alone. Answers with the ids
  // of the messages that it became: one for those who can be reached, one
  // more for the others, which is held.
  // Errors: bad_data (no recipient, no address, too large); the spool's.
  enum class Recipients { of_envelope, of_header_too };
  Result<std::vector<std::string>> submit(std::string_view mail,
                                          std::vector<LocalEnvelope> envelopes,
                                          Recipients recipients);

 private:
  struct Parts;
  Result<Parts> parts_of(std::span<const LocalEnvelope> envelopes,
                         const Message& common) const;
  Result<std::vector<std::string>> accept(const Parts& parts);
  std::vector<std::string> tags(const std::string& from,
                                std::vector<std::string> own) const;

  Context& context_;
  const Config& config_;
  std::string note_;
  CallingUser user_;
  std::string full_name_;
  Aliases aliases_;
  LocalNames names_;
  std::string own_address_;
};

}  // namespace pony
