// What this machine calls itself (gethostname(2)). What may stand where such
// a name goes is known there: here nothing about it is checked.
#pragma once

#include <string>

namespace pony {

// "localhost" when it does not say.
std::string host_name();

}  // namespace pony
