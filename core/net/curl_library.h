// libcurl, opened when the first delivery needs it and not before.
//
// Linking libcurl would cost every `pony enqueue` some 3 ms of dynamic linking
// (33 libraries); so its functions are looked up by dlopen in libcurl.so.4.
// The table holds just what pony calls. Types and constants come from
// <curl/curl.h>.
#pragma once

#include <curl/curl.h>

#include "core/result.h"

namespace pony {

struct CurlLibrary {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_version_info) version_info;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_reset) easy_reset;
  decltype(&::curl_easy_send) easy_send;
  decltype(&::curl_easy_recv) easy_recv;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_socket_action) multi_socket_action;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_multi_setopt) multi_setopt;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
};

// The library, opened and initialised at the first call; config, saying which
// package to install, when it is not on this machine.
Result<const CurlLibrary*> curl_library();

}  // namespace pony
