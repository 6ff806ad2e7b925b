// libcurl by dlopen; see curl_library.h for why. The one process-wide object
// of this room: a library can be opened and initialised only once.
#include "core/net/curl_library.h"

#include <dlfcn.h>

#include <string>

namespace pony {
namespace {

constexpr const char* k_soname = "libcurl.so.4";
// CURLOPT_PROTOCOLS_STR came with 7.85.0; without it we could not limit what
// libcurl speaks.
constexpr unsigned k_oldest_version = 0x075500;

template <class Function>
bool find(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, symbol));
  return function != nullptr;
}

bool find_all(void* library, CurlLibrary& curl) {
  return find(library, "curl_global_init", curl.global_init) &&
         find(library, "curl_version_info", curl.version_info) &&
         find(library, "curl_easy_init", curl.easy_init) &&
         find(library, "curl_easy_setopt", curl.easy_setopt) &&
         find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
         find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
         find(library, "curl_easy_reset", curl.easy_reset) &&
         find(library, "curl_easy_send", curl.easy_send) &&
         find(library, "curl_easy_recv", curl.easy_recv) &&
         find(library, "curl_easy_strerror", curl.easy_strerror) &&
         find(library, "curl_multi_init", curl.multi_init) &&
         find(library, "curl_multi_cleanup", curl.multi_cleanup) &&
         find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
         find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
         find(library, "curl_multi_socket_action", curl.multi_socket_action) &&
         find(library, "curl_multi_info_read", curl.multi_info_read) &&
         find(library, "curl_multi_setopt", curl.multi_setopt) &&
         find(library, "curl_slist_append", curl.slist_append) &&
         find(library, "curl_slist_free_all", curl.slist_free_all);
}

// The library is never closed: its threads and OpenSSL's exit handlers would
// be left without code.
Result<CurlLibrary> open_library() {
  const char* hint = "install libcurl 7.85 or later (Debian: libcurl4)";
  void* library = ::dlopen(k_soname, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    return fail(Error::Kind::config,
                "cannot open '" + std::string(k_soname) +
                    "': " + (why != nullptr ? why : "unknown error"),
                hint);
  }
  CurlLibrary curl{};
  if (!find_all(library, curl)) {
    return fail(Error::Kind::config,
                "'" + std::string(k_soname) + "' lacks a function", hint);
  }
  if (curl.version_info(CURLVERSION_NOW)->version_num < k_oldest_version) {
    return fail(Error::Kind::config,
                "'" + std::string(k_soname) + "' is too old", hint);
  }
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return fail(Error::Kind::config,
                "cannot initialise '" + std::string(k_soname) + "'", hint);
  }
  return curl;
}

}  // namespace

Result<const CurlLibrary*> curl_library() {
  static const Result<CurlLibrary> library = open_library();
  if (!library) return tl::unexpected<Error>(library.error());
  return &*library;
}

}  // namespace pony
