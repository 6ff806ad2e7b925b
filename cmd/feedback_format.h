// What `pony feedback` answers: a sentence for people, an object for programs,
// a response for a web server.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace pony {

// What became of one request.
struct FeedbackTally {
  std::string provider;
  bool taken_before = false;   // the same request: nothing was done
  std::size_t added = 0;       // events that their messages have got now
  std::size_t known = 0;       // that they had already
  std::size_t no_message = 0;  // whose message is not in this spool
  std::size_t too_many = 0;    // whose message takes no more
  std::size_t suppressed = 0;  // addresses that get no mail from now on
  std::map<std::string, std::size_t> ignored;  // by the provider's name for it
  std::string confirm_url;
};

// "3 events taken; 1 of no message here; ignored: 2 processed".
std::string feedback_sentence(const FeedbackTally& tally);
// One object, one line, with its '\n'.
std::string feedback_json(const FeedbackTally& tally);

// Why a request was not taken, as a web server has to know it.
enum class NotTaken { no, refused, not_ours, try_again, misconfigured };

// The response of a CGI program (RFC 3875, 6), with a body that tells a
// stranger nothing. `asks_password`: who is refused has to give one (401, and
// not 403, after which Postmark does not try again).
enum class Challenge { none, password };
std::string cgi_response(NotTaken why, Challenge challenge);
// To a method other than POST: to HEAD, with which Mandrill looks whether
// there is anybody, that there is.
std::string cgi_response_to(std::string_view method);

}  // namespace pony
