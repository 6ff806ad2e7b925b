// Mandrill's HTTP API, version 1.0 (Mailchimp Transactional).
#pragma once

#include <memory>

#include "core/provider/http_api.h"

namespace pony {

// From `base_url` and the secret `api_key`, which goes into the body: a
// request is not to be shown to anyone unmasked.
std::unique_ptr<HttpApi> make_mandrill_api(const ApiConfig& api);

}  // namespace pony
