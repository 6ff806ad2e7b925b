// Which kind of Error an errno is. Knows nothing of what was being done.
#include "core/result.h"

#include <cerrno>
#include <system_error>

namespace pony {
namespace {

Error::Kind kind_of(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
      return Error::Kind::no_permission;
    case ENOENT:
      return Error::Kind::not_found;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return Error::Kind::temporary;
    default:
      return Error::Kind::disk;
  }
}

}  // namespace

tl::unexpected<Error> fail_errno(int error_number, std::string_view doing) {
  return fail(kind_of(error_number),
              std::string(doing) + ": " +
                  std::generic_category().message(error_number));
}

}  // namespace pony
