// A library that is opened when it is first needed, so that no start pays for
// it (HACKING.md, Start-up): libcurl, libcrypto, GMime.
#pragma once

#include <dlfcn.h>

#include <string_view>

#include "core/result.h"

namespace pony {

class SharedLibrary {
 public:
  // config, with `hint`, when there is none of that name. It is never closed:
  // such libraries leave exit handlers, threads and types behind that would be
  // without code. Both texts outlive this.
  static Result<SharedLibrary> open(const char* soname, const char* hint);

  // Sets `function` to the library's of this name; false if it has none.
  template <class Function>
  bool find(const char* symbol, Function& function) const {
    function = reinterpret_cast<Function>(::dlsym(handle_, symbol));
    return function != nullptr;
  }
  // "'libcurl.so.4' " + `what`, as an error with the hint.
  tl::unexpected<Error> unfit(std::string_view what) const;

 private:
  SharedLibrary(void* handle, const char* soname, const char* hint)
      : handle_(handle), soname_(soname), hint_(hint) {}

  void* handle_;
  const char* soname_;
  const char* hint_;
};

}  // namespace pony
