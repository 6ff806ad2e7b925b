#include "core/shared_library.h"

#include <string>

namespace pony {

Result<SharedLibrary> SharedLibrary::open(const char* soname,
                                          const char* hint) {
  void* handle = ::dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) return SharedLibrary(handle, soname, hint);
  const char* why = ::dlerror();
  return fail(Error::Kind::config,
              "cannot open '" + std::string(soname) +
                  "': " + (why != nullptr ? why : "unknown error"),
              hint);
}

tl::unexpected<Error> SharedLibrary::unfit(std::string_view what) const {
  return fail(Error::Kind::config,
              "'" + std::string(soname_) + "' " + std::string(what), hint_);
}

}  // namespace pony
