// Base64 (RFC 4648, 4) to bytes. Knows no mail; that it is base64 was checked
// when it came in (core/message_reader.cc).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pony {

// The bytes that `base64` stands for, at most `limit` of them. It ends at the
// first character that is not of the alphabet, so padding is not needed.
std::string decode_base64(std::string_view base64,
                          std::size_t limit = std::string::npos);

}  // namespace pony
