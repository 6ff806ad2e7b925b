// Amazon's Simple Email Service by its HTTP API, version 2.
#pragma once

#include <memory>

#include "core/provider/http_api.h"

namespace pony {

// From `region`, `configuration_set`, `base_url` and the secrets
// `access_key_id`, `secret_access_key`, `session_token` (which may be empty).
std::unique_ptr<HttpApi> make_ses_api(const ApiConfig& api);

}  // namespace pony
