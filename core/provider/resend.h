// Delivery by Resend's HTTP API: what its requests and replies look like.
#pragma once

#include <memory>

#include "core/provider/http_api.h"

namespace pony {

// Secret: `api_key`.
std::unique_ptr<HttpApi> make_resend_api(const ApiConfig& api);

}  // namespace pony
