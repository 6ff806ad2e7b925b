// A finished message in bytes that a route takes: as it is where that will do,
// its parts encoded otherwise where it will not.
//
// Promises: the header stays as it is, and so does what is signed; no line is
// longer than mail allows. A message is encoded once, however many ask.
// Doesn't know: which provider is such a route.
#pragma once

#include <string>

#include "core/rendered_message.h"
#include "core/result.h"

namespace pony {

// What a route takes between header and end.
enum class Takes {
  eight_bit,  // any bytes but NUL
  utf8,
  seven_bit,
};

// The bytes of `message`, which is a raw one, for a route that takes `takes`:
// wire_form() where that will do, else the same message with its parts encoded
// otherwise. No line is over k_longest_line. bad_data when no route can carry
// it as it is, refused when this one cannot, config when it would have to be
// encoded and GMime is not on this machine.
Result<std::string> carried_form(const RenderedMessage& message, Takes takes);

}  // namespace pony
