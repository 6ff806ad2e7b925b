// Delivery by SendGrid's HTTP API: what its requests and replies look like.
#pragma once

#include <memory>

#include "core/provider/http_api.h"

namespace pony {

// Settings: `region` ("global" or "eu"); secret: `api_key`.
std::unique_ptr<HttpApi> make_sendgrid_api(const ApiConfig& api);

}  // namespace pony
