// How the body is given decides what can happen to it. libcurl repeats a
// request by itself when a kept connection dies before the first byte of an
// answer; it can do so only if it can have the body again. So the body comes
// through a read callback, and the seek callback refuses: what would have been
// a silent second copy becomes an error (CURLE_SEND_FAIL_REWIND).
//
// A kept connection may also have died while it idled. When the request cannot
// have arrived whole there, it is begun once more on a fresh one, and nobody
// hears of it.
#include "core/net/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/json.h"
#include "core/net/curl_easy.h"
#include "core/net/curl_library.h"
#include "core/trimmed.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_body = std::size_t{256} << 10;
constexpr std::size_t k_longest_headers = std::size_t{64} << 10;
// Servers close idle connections after 60 s and more, some sooner. Debian's
// 7.88 does not see that a TLS connection was closed (curl/curl#10646), so one
// that idled this long is not used again.
constexpr long k_longest_idle_seconds = 20;
// A large body may take this much longer than `timeout`: 32 KiB a second.
constexpr std::size_t k_slowest_bytes_per_ms = 32;

bool is_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

// "api.sendgrid.com" of "https://api.sendgrid.com/v3/…".
std::string place_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != url.npos) url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find_first_of("/?")));
}

}  // namespace

// One request on its way, and the handle that carries it. Used again for the
// next one: making a handle costs more than all its options.
struct HttpClient::Transfer {
  explicit Transfer(const CurlLibrary& library) : curl(library) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    if (easy != nullptr) curl.easy_cleanup(easy);
    curl.slist_free_all(headers);
  }

  bool prepare(const HttpOptions& options);
  bool set_request(const HttpOptions& options);
  void on_header(std::string_view line);
  bool may_have_left_whole(int code) const;

  static std::size_t give_body(char* into, std::size_t, std::size_t room,
                               void* transfer);
  static int refuse_seek(void*, curl_off_t, int) { return CURL_SEEKFUNC_FAIL; }
  static std::size_t take_body(char* data, std::size_t, std::size_t size,
                               void* transfer);
  static std::size_t take_header(char* data, std::size_t, std::size_t size,
                                 void* transfer);

  const CurlLibrary& curl;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  char words[CURL_ERROR_SIZE] = {};
  HttpRequest request;
  Done done;
  std::size_t given = 0;  // bytes of the body that libcurl has taken
  bool repeated = false;  // on a fresh connection, after a stale one
  HttpReply reply;
  std::size_t header_bytes = 0;
  bool headers_whole = false;
};

bool HttpClient::Transfer::prepare(const HttpOptions& options) {
  easy = curl.easy_init();
  if (easy == nullptr) return false;
  bool fine = true;
  auto set = [this, &fine](CURLoption option, auto value) {
    fine = curl.easy_setopt(easy, option, value) == CURLE_OK && fine;
  };
  set(CURLOPT_PROTOCOLS_STR, options.allow_http ? "http,https" : "https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_USERAGENT, "pony/" PONY_VERSION);
  set(CURLOPT_PROXY, options.proxy.c_str());
  set(CURLOPT_NOPROXY, "");
  // A proxy's answer to CONNECT must not be taken for the server's.
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_OPENSOCKETFUNCTION, open_socket_cloexec);
  set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(options.connect_timeout.count()));
  set(CURLOPT_MAXAGE_CONN, k_longest_idle_seconds);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, options.insecure_tls ? 0L : 1L);
  set(CURLOPT_SSL_VERIFYHOST, options.insecure_tls ? 0L : 2L);
  if (!options.ca_file.empty()) {
    // Those authorities and no others: the system's folder is switched off.
    set(CURLOPT_CAINFO, options.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  set(CURLOPT_READFUNCTION, &Transfer::give_body);
  set(CURLOPT_READDATA, static_cast<void*>(this));
  set(CURLOPT_SEEKFUNCTION, &Transfer::refuse_seek);
  set(CURLOPT_WRITEFUNCTION, &Transfer::take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &Transfer::take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(words));
  return fine;
}

// Tells the handle what to send. Everything that an earlier request set is set
// again.
bool HttpClient::Transfer::set_request(const HttpOptions& options) {
  given = 0;
  reply = HttpReply{};
  header_bytes = 0;
  headers_whole = false;
  words[0] = '\0';
  bool fine = true;
  auto set = [this, &fine](CURLoption option, auto value) {
    fine = curl.easy_setopt(easy, option, value) == CURLE_OK && fine;
  };
  curl.slist_free_all(std::exchange(headers, nullptr));
  auto add = [this, &fine](const std::string& line) {
    auto* longer = curl.slist_append(headers, line.c_str());
    if (longer == nullptr) fine = false;
    if (longer != nullptr) headers = longer;
  };
  // libcurl would wait a second for a 100 that many servers never send.
  add("Expect:");
  for (const HttpHeader& header : request.headers)
    add(header.name + ": " + header.value);
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_URL, request.url.c_str());
  const bool posts = request.method == "POST";
  if (posts) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE,
        static_cast<curl_off_t>(request.body.size()));
  } else {
    set(CURLOPT_HTTPGET, 1L);
  }
  set(CURLOPT_FRESH_CONNECT, repeated ? 1L : 0L);
  const auto more = request.body.size() / k_slowest_bytes_per_ms;
  set(CURLOPT_TIMEOUT_MS,
      static_cast<long>(options.timeout.count() + static_cast<long>(more)));
  return fine;
}

std::size_t HttpClient::Transfer::give_body(char* into, std::size_t,
                                            std::size_t room, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  const auto count = std::min(room, self.request.body.size() - self.given);
  std::memcpy(into, self.request.body.data() + self.given, count);
  self.given += count;
  return count;
}

// Less than all of it ends the transfer: the limit is reached.
std::size_t HttpClient::Transfer::take_body(char* data, std::size_t,
                                            std::size_t size, void* transfer) {
  auto& reply = static_cast<Transfer*>(transfer)->reply;
  const auto room = k_longest_body - reply.body.size();
  reply.body.append(data, std::min(room, size));
  return std::min(room, size);
}

std::size_t HttpClient::Transfer::take_header(char* data, std::size_t,
                                              std::size_t size,
                                              void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  self.header_bytes += size;
  if (self.header_bytes > k_longest_headers) return 0;
  self.on_header({data, size});
  return size;
}

void HttpClient::Transfer::on_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // after a 100 Continue there is another
    reply.headers.clear();
    reply.status = 0;
    const auto blank = line.find(' ');
    for (std::size_t i = blank + 1;
         blank != line.npos && i < line.size() && i < blank + 4; ++i) {
      if (line[i] < '0' || line[i] > '9') break;
      reply.status = reply.status * 10 + (line[i] - '0');
    }
    return;
  }
  if (trimmed(line).empty()) {
    headers_whole = reply.status >= 200;
    return;
  }
  const auto colon = line.find(':');
  if (colon == line.npos) return;
  reply.headers.push_back({std::string(line.substr(0, colon)),
                           std::string(trimmed(line.substr(colon + 1)))});
}

// May all of the body have gone out? libcurl counts what it wrote to the
// socket, but begins to count anew when it goes to a fresh connection after a
// dead one (and then fails there, as it cannot have the body again, or cannot
// even connect). What it took from us tells, then. After an error of the
// socket itself there was no second connection, and its count is right.
bool HttpClient::Transfer::may_have_left_whole(int code) const {
  curl_off_t sent = 0;
  curl.easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  const std::size_t size = request.body.size();
  if (static_cast<std::size_t>(sent) >= size) return true;
  return given >= size && code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR;
}

HttpClient::HttpClient(HttpOptions options, Reactor& reactor)
    : options_(std::move(options)), reactor_(reactor) {
  reactor_.keep_connections(options_.connections);
}

HttpClient::~HttpClient() {
  for (const auto& transfer : active_) reactor_.detach(transfer->easy);
}

std::unique_ptr<HttpClient::Transfer> HttpClient::idle_transfer(
    std::string& error) {
  if (!idle_.empty()) {
    auto transfer = std::move(idle_.back());
    idle_.pop_back();
    return transfer;
  }
  auto curl = curl_library();
  if (!curl) {
    error = curl.error().what;
    return nullptr;
  }
  auto transfer = std::make_unique<Transfer>(**curl);
  if (transfer->prepare(options_)) return transfer;
  error = "libcurl refuses an option for HTTP";
  return nullptr;
}

void HttpClient::send(HttpRequest request, Done done) {
  HttpResult failed;
  // libcurl passes a line break on as a second header.
  const bool lines =
      is_line(request.url) &&
      std::all_of(request.headers.begin(), request.headers.end(),
                  [](const HttpHeader& header) {
                    return is_line(header.name) && is_line(header.value);
                  });
  if (!lines) {
    failed.error = "a line break in the request's header";
    return done(std::move(failed));
  }
  auto transfer = idle_transfer(failed.error);
  if (transfer == nullptr) return done(std::move(failed));
  transfer->request = std::move(request);
  transfer->repeated = false;
  if (!transfer->set_request(options_)) {
    failed.error = "libcurl refuses the request";
    return done(std::move(failed));
  }
  transfer->done = std::move(done);
  begin(std::move(transfer));
}

void HttpClient::begin(std::unique_ptr<Transfer> transfer) {
  Transfer& begun = *transfer;
  active_.push_back(std::move(transfer));
  reactor_.perform(begun.easy,
                   [this, &begun](int code) { ended(begun, code); });
}

void HttpClient::ended(Transfer& transfer, int code) {
  if (is_stale(transfer, code)) {
    auto again = release(transfer);
    again->repeated = true;
    if (again->set_request(options_)) return begin(std::move(again));
    HttpResult failed;
    failed.error = "libcurl refuses the request";
    return again->done(std::move(failed));
  }
  HttpResult result = result_of(transfer, code);
  auto done = std::move(transfer.done);
  auto free = release(transfer);
  free->request = HttpRequest{};  // credentials are not kept for nothing
  if (idle_.size() <
      static_cast<std::size_t>(std::max(1, options_.connections)))
    idle_.push_back(std::move(free));
  done(std::move(result));
}

// Was it lost on a kept connection that was dead already?
bool HttpClient::is_stale(Transfer& transfer, int code) const {
  if (code == CURLE_OK || transfer.repeated || transfer.header_bytes > 0)
    return false;
  if (code == CURLE_OPERATION_TIMEDOUT || code == CURLE_COULDNT_CONNECT)
    return false;
  if (transfer.may_have_left_whole(code)) return false;
  // libcurl went to a fresh connection by itself, to begin the body again,
  // which it cannot.
  if (code == CURLE_SEND_FAIL_REWIND) return true;
  long opened = 0;
  transfer.curl.easy_getinfo(transfer.easy, CURLINFO_NUM_CONNECTS, &opened);
  return opened == 0;
}

std::unique_ptr<HttpClient::Transfer> HttpClient::release(Transfer& transfer) {
  reactor_.detach(transfer.easy);
  const auto found = std::find_if(
      active_.begin(), active_.end(),
      [&transfer](const auto& one) { return one.get() == &transfer; });
  auto released = std::move(*found);
  *found = std::move(active_.back());
  active_.pop_back();
  return released;
}

HttpResult HttpClient::result_of(Transfer& transfer, int code) const {
  HttpResult result;
  if (transfer.headers_whole) {
    transfer.reply.whole = code == CURLE_OK;
    result.reply = std::move(transfer.reply);
    return result;
  }
  const std::string place = place_of(transfer.request.url);
  curl_off_t connected = 0;
  transfer.curl.easy_getinfo(transfer.easy, CURLINFO_PRETRANSFER_TIME_T,
                             &connected);
  const bool begun = !transfer.request.body.empty() || connected > 0;
  result.may_have_arrived = begun && transfer.may_have_left_whole(code);
  const std::string why =
      code == CURLE_OK ? "the answer broke off inside its header"
                       : curl_words(transfer.curl, transfer.easy,
                                    static_cast<CURLcode>(code),
                                    static_cast<const char*>(transfer.words));
  if (code == CURLE_OPERATION_TIMEDOUT && connected == 0) {
    result.error =
        fmt::format("cannot connect to '{}': no connection within {}", place,
                    format_duration(options_.connect_timeout));
  } else if (code == CURLE_OPERATION_TIMEDOUT) {
    result.error = fmt::format("no answer from '{}' within {}", place,
                               format_duration(options_.timeout));
  } else if (code == CURLE_SEND_FAIL_REWIND || code == CURLE_GOT_NOTHING) {
    result.error =
        fmt::format("'{}' closed the connection without an answer", place);
  } else if (connected == 0) {
    result.error = fmt::format("cannot connect to '{}': {}", place, why);
  } else {
    result.error = fmt::format("no answer from '{}': {}", place, why);
  }
  result.error = printable(result.error, 1000);
  return result;
}

void HttpClient::shut_down() {
  while (!active_.empty()) {
    Transfer& transfer = *active_.back();
    HttpResult result = result_of(transfer, CURLE_ABORTED_BY_CALLBACK);
    if (!result.reply) result.error = "given up";
    auto released = release(transfer);
    released->done(std::move(result));
  }
}

}  // namespace pony
