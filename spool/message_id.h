// A message's id: a ULID, 26 characters that sort by the time of acceptance.
//
//   id        = 10 time characters, 16 random characters
//   alphabet  = 0123456789ABCDEFGHJKMNPQRSTVWXYZ (Crockford's base 32)
//   time      = milliseconds since 1970, 48 bits
//
// The time is for people and for sorting; uniqueness rests on the 80 random
// bits alone, so a clock that jumps back makes no two ids equal.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"

namespace pony {

inline constexpr std::size_t k_message_id_size = 26;

// A new id. Within a process and a millisecond each is larger than the last,
// so messages of one batch stay in their order.
std::string new_message_id(Time now);

// Is `text` an id? Asked of everything that becomes part of a path.
bool is_message_id(std::string_view text);

// When the id was made, by its maker's clock.
Time time_of_message_id(std::string_view id);

}  // namespace pony
