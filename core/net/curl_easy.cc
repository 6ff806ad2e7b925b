#include "core/net/curl_easy.h"

#include <sys/socket.h>

#include <cstring>

namespace pony {
namespace {

// "Connection refused" → "connection refused", but "SSL: …" as it is.
std::string lower_first(std::string text) {
  auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (text.size() > 1 && is_upper(text[0]) && !is_upper(text[1])) {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

}  // namespace

curl_socket_t open_socket_cloexec(void*, curlsocktype, curl_sockaddr* address) {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

std::string curl_words(const CurlLibrary& curl, CURL* easy, CURLcode code,
                       const char* error_buffer) {
  long number = 0;
  curl.easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
  if (code == CURLE_COULDNT_CONNECT && number != 0)
    return lower_first(std::strerror(static_cast<int>(number)));
  return lower_first(error_buffer[0] != '\0' ? error_buffer
                                             : curl.easy_strerror(code));
}

}  // namespace pony
