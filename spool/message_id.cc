#include "spool/message_id.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <mutex>

namespace pony {
namespace {

constexpr std::string_view k_alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t k_time_characters = 10;

using Random = std::array<std::uint8_t, 16>;  // five bits of each byte count

Random fresh_random() {
  Random bytes{};
  std::size_t have = 0;
  // getrandom gives up to 256 bytes whole; the loop is for early boot.
  while (have < bytes.size()) {
    const ssize_t n = ::getrandom(bytes.data() + have, bytes.size() - have, 0);
    if (n > 0) have += static_cast<std::size_t>(n);
  }
  for (auto& byte : bytes) byte &= 31;
  return bytes;
}

// Adds one to the number that the 16 five-bit digits are.
void increment(Random& digits) {
  for (auto it = digits.rbegin(); it != digits.rend(); ++it) {
    if (*it < 31) {
      ++*it;
      return;
    }
    *it = 0;
  }
}

}  // namespace

std::string new_message_id(Time now) {
  static std::mutex mutex;
  static std::int64_t last_ms = -1;
  static Random digits{};

  const std::lock_guard lock(mutex);
  const std::int64_t ms = now.time_since_epoch().count();
  if (ms == last_ms) {
    increment(digits);
  } else {
    digits = fresh_random();
    last_ms = ms;
  }

  std::string id(k_message_id_size, '0');
  std::uint64_t time = static_cast<std::uint64_t>(ms) & 0xFFFFFFFFFFFFULL;
  for (std::size_t i = k_time_characters; i-- > 0; time >>= 5)
    id[i] = k_alphabet[time & 31];
  for (std::size_t i = 0; i < digits.size(); ++i)
    id[k_time_characters + i] = k_alphabet[digits[i]];
  return id;
}

bool is_message_id(std::string_view text) {
  if (text.size() != k_message_id_size) return false;
  return text.find_first_not_of(k_alphabet) == std::string_view::npos;
}

Time time_of_message_id(std::string_view id) {
  std::int64_t ms = 0;
  for (const char c : id.substr(0, k_time_characters))
    ms = ms * 32 + static_cast<std::int64_t>(k_alphabet.find(c));
  return Time(Milliseconds(ms));
}

}  // namespace pony
