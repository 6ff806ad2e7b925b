// What a provider that speaks HTTP is to us: pure functions between messages
// and requests, replies and verdicts. No I/O, no clock, no state: one object
// answers for any number of attempts at once, and most of its tests need no
// server. provider/http_provider.h does the rest for all of them alike.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/config.h"
#include "core/net/http.h"
#include "core/outcome.h"
#include "core/provider/provider.h"
#include "core/result.h"
#include "core/secret.h"

namespace pony {

class HttpApi {
 public:
  virtual ~HttpApi() = default;

  // The type in the configuration: "sendgrid".
  virtual std::string_view type() const = 0;

  // Does it take a finished message's bytes? Else it gets such a message in
  // parts, as core/mime/mail_parser reads them.
  virtual bool takes_finished() const { return false; }

  // As Provider::cannot_carry: an essential (a recipient's address, a body,
  // an attachment, the size) that this API has no way to say.
  virtual std::optional<std::string> cannot_carry(
      const Attempt& attempt) const = 0;

  // The request that asks for `attempt`: only its recipients, in the roles
  // (to, cc, bcc) that the message gives them. Trimmings that the API cannot
  // carry are left out or shortened, each named in `reduced` for a person:
  // "2 of 3 tags", "metadata 'note' (over 500 bytes)". `now` is for
  // signatures. bad_data when cannot_carry() should have said so.
  virtual Result<HttpRequest> request(
      const Attempt& attempt, Time now,
      std::vector<std::string>& reduced) const = 0;

  // What `reply` means for each of attempt.recipients, in their order. Total:
  // any status and any bytes give an answer, and what is not understood is
  // never `rejected`. Decides on the body's error name first, the status
  // second. `now` is for a Retry-After that is a date.
  virtual std::vector<Verdict> verdicts(const Attempt& attempt,
                                        const HttpReply& reply,
                                        Time now) const = 0;

  // A request that sends no mail and shows whether the credentials work (an
  // error: what this machine lacks to ask); and what its reply means.
  virtual Result<HttpRequest> check_request(Time now) const = 0;
  virtual ProviderCheck check_result(const HttpReply& reply) const = 0;

  // As Provider::remembers_key_for.
  virtual std::chrono::seconds remembers_key_for() const {
    return std::chrono::seconds(0);
  }
};

// Everything an API is made of: its part of pony.yaml, and its secrets.
struct ApiConfig {
  const ProviderConfig& config;
  // The resolved secret of this key ("api_key"); empty when it has none.
  std::function<Secret(std::string_view key)> secret;

  // `base_url`, or `usual` when the configuration gives none.
  std::string base_url(std::string_view usual) const {
    return config.setting("base_url", usual);
  }
};

}  // namespace pony
