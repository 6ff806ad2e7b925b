// Mailgun's HTTP API, version 3 (documentation.mailgun.com, "Messages").
#pragma once

#include <memory>

#include "core/provider/http_api.h"

namespace pony {

// From `domain`, `region` (us or eu), `base_url` and the secret `api_key`.
std::unique_ptr<HttpApi> make_mailgun_api(const ApiConfig& api);

}  // namespace pony
