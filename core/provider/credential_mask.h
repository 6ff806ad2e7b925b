// Keeps what a server says from repeating what it was sent. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pony {

// mask_secret(), and the same for its base64, wherever in a longer text it
// was encoded ("user:secret" of HTTP Basic, AUTH PLAIN of SMTP): but for the
// characters at its ends that hold bits of its neighbours too.
void mask_credential(std::string& text, std::string_view secret);

}  // namespace pony
