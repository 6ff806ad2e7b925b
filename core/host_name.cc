#include "core/host_name.h"

#include <unistd.h>

#include <array>

namespace pony {

std::string host_name() {
  // Linux allows 64 bytes, POSIX 255; one more ends a name that was cut.
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0')
    return "localhost";
  return name.data();
}

}  // namespace pony
