// A hash of 64 bits that nobody can compute, or guess the input of, without
// the key: SipHash-2-4 (Aumasson and Bernstein, 2012), made for short inputs.
// Not for signatures, whose forms others prescribe: those are net/crypto's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pony {

// 128 bits, each half in the order of the machine's numbers.
using HashKey = std::array<std::uint64_t, 2>;

std::uint64_t keyed_hash(const HashKey& key, std::string_view text);

// The hash as 16 hexadecimal digits, lower case.
std::string keyed_hash_text(const HashKey& key, std::string_view text);

// A key as 32 hexadecimal digits, and the way back; nothing when `text` is
// none.
std::string to_text(const HashKey& key);
std::optional<HashKey> hash_key_from(std::string_view text);

}  // namespace pony
