// What every libcurl handle of ours has in common: how sockets are opened,
// and how its errors are said.
#pragma once

#include <curl/curl.h>

#include <string>

#include "core/net/curl_library.h"

namespace pony {

// For CURLOPT_OPENSOCKETFUNCTION: libcurl 7.88 opens its sockets without
// close-on-exec, so every hook and MTA that is started would hold live
// sessions.
curl_socket_t open_socket_cloexec(void*, curlsocktype, curl_sockaddr* address);

// Why `easy` ended with `code`, for a person: "connection refused".
// `error_buffer` is its CURLOPT_ERRORBUFFER. May quote what a server said.
std::string curl_words(const CurlLibrary& curl, CURL* easy, CURLcode code,
                       const char* error_buffer);

}  // namespace pony
