// The list of provider types, sorted by name.
#include "core/provider/registry.h"

#include <fmt/format.h>

#include <array>

#include "core/json.h"
#include "core/provider/exec.h"
#include "core/provider/maildir.h"
#include "core/provider/sendmail.h"
#include "core/provider/smtp.h"

namespace pony {
namespace {

struct ProviderType {
  std::string_view name;
  Result<std::unique_ptr<Provider>> (*make)(const ProviderConfig& config,
                                            Reactor& reactor,
                                            const Clock& clock);
};

constexpr std::array k_types = {
    ProviderType{"exec", make_exec_provider},
    ProviderType{"maildir", make_maildir_provider},
    ProviderType{"sendmail", make_sendmail_provider},
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
