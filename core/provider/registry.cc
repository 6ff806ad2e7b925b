// The list of provider types, sorted by name.
#include "core/provider/registry.h"

#include <fmt/format.h>

#include <array>

#include "core/json.h"
#include "core/provider/brevo.h"
#include "core/provider/exec.h"
#include "core/provider/http_provider.h"
#include "core/provider/maildir.h"
#include "core/provider/mailgun.h"
#include "core/provider/mandrill.h"
#include "core/provider/postmark.h"
#include "core/provider/resend.h"
#include "core/provider/sendgrid.h"
#include "core/provider/sendmail.h"
#include "core/provider/ses.h"
#include "core/provider/smtp.h"

namespace pony {
namespace {

struct ProviderType {
  std::string_view name;
  Result<std::unique_ptr<Provider>> (*make)(const ProviderConfig& config,
                                            Reactor& reactor,
                                            const Clock& clock);
};

// A type that speaks HTTP is its two pure functions and a line below.
template <MakeApi make_api>
Result<std::unique_ptr<Provider>> http(const ProviderConfig& config,
                                       Reactor& reactor, const Clock& clock) {
  return make_http_provider(config, make_api, reactor, clock);
}

constexpr std::array k_types = {
    ProviderType{"brevo", http<make_brevo_api>},
    ProviderType{"exec", make_exec_provider},
    ProviderType{"maildir", make_maildir_provider},
    ProviderType{"mailgun", http<make_mailgun_api>},
    ProviderType{"mandrill", http<make_mandrill_api>},
    ProviderType{"postmark", http<make_postmark_api>},
    ProviderType{"resend", http<make_resend_api>},
    ProviderType{"sendgrid", http<make_sendgrid_api>},
    ProviderType{"sendmail", make_sendmail_provider},
    ProviderType{"ses", http<make_ses_api>},
    ProviderType{"smtp", make_smtp_provider},
};

}  // namespace

Result<std::unique_ptr<Provider>> make_provider(const ProviderConfig& config,
                                                Reactor& reactor,
                                                const Clock& clock) {
  for (const ProviderType& type : k_types) {
    if (type.name == config.type) return type.make(config, reactor, clock);
  }
  return fail(Error::Kind::config,
              fmt::format("{}: provider '{}' has the unknown type '{}'",
                          config.place, config.name, printable(config.type)),
              did_you_mean(config.type, provider_types()));
}

const std::vector<std::string_view>& provider_types() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const ProviderType& type : k_types) all.push_back(type.name);
    return all;
  }();
  return names;
}

}  // namespace pony
