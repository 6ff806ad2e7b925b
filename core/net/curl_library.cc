// libcurl by dlopen; see curl_library.h for why. The one process-wide object
// of this room: a library can be opened and initialised only once.
#include "core/net/curl_library.h"

#include <string>

#include "core/shared_library.h"

namespace pony {
namespace {

constexpr const char* k_soname = "libcurl.so.4";
// CURLOPT_PROTOCOLS_STR came with 7.85.0; without it we could not limit what
// libcurl speaks.
constexpr unsigned k_oldest_version = 0x075500;

bool find_all(const SharedLibrary& library, CurlLibrary& curl) {
  return library.find("curl_global_init", curl.global_init) &&
         library.find("curl_version_info", curl.version_info) &&
         library.find("curl_easy_init", curl.easy_init) &&
         library.find("curl_easy_setopt", curl.easy_setopt) &&
         library.find("curl_easy_getinfo", curl.easy_getinfo) &&
         library.find("curl_easy_cleanup", curl.easy_cleanup) &&
         library.find("curl_easy_reset", curl.easy_reset) &&
         library.find("curl_easy_send", curl.easy_send) &&
         library.find("curl_easy_recv", curl.easy_recv) &&
         library.find("curl_easy_strerror", curl.easy_strerror) &&
         library.find("curl_multi_init", curl.multi_init) &&
         library.find("curl_multi_cleanup", curl.multi_cleanup) &&
         library.find("curl_multi_add_handle", curl.multi_add_handle) &&
         library.find("curl_multi_remove_handle", curl.multi_remove_handle) &&
         library.find("curl_multi_socket_action", curl.multi_socket_action) &&
         library.find("curl_multi_info_read", curl.multi_info_read) &&
         library.find("curl_multi_setopt", curl.multi_setopt) &&
         library.find("curl_slist_append", curl.slist_append) &&
         library.find("curl_slist_free_all", curl.slist_free_all);
}

Result<CurlLibrary> open_library() {
  const auto library = SharedLibrary::open(
      k_soname, "install libcurl 7.85 or later (Debian: libcurl4)");
  if (!library) return tl::unexpected(library.error());
  CurlLibrary curl{};
  if (!find_all(*library, curl)) {
    return library->unfit("lacks a function");
  }
  if (curl.version_info(CURLVERSION_NOW)->version_num < k_oldest_version) {
    return library->unfit("is too old");
  }
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return library->unfit("cannot be initialised");
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
