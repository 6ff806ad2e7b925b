// Delivery by Brevo's HTTP API: what its requests and replies look like.
#pragma once

#include <memory>

#include "core/provider/http_api.h"

namespace pony {

// Secret: `api_key`.
std::unique_ptr<HttpApi> make_brevo_api(const ApiConfig& api);

}  // namespace pony
