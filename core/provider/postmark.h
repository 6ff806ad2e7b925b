// Delivery by Postmark's HTTP API: what its requests and replies look like.
#pragma once

#include <memory>

#include "core/provider/http_api.h"

namespace pony {

// Settings: `message_stream`, if it is not the server's usual one; secret:
// `api_key`, the server's token.
std::unique_ptr<HttpApi> make_postmark_api(const ApiConfig& api);

}  // namespace pony
