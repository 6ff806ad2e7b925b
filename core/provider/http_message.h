// What HTTP APIs are asked for: who an attempt is for, what an API can carry,
// and how what it cannot is said. Pure.
//
// Doesn't know: replies (http_reply.h), and what files are called
// (attachment_name.h).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/json.h"
#include "core/net/http.h"
#include "core/provider/provider.h"
#include "core/result.h"

namespace pony {

// The recipients of an attempt in the roles that the message gives them, with
// their names; each domain as A-labels.
struct Addressees {
  std::vector<Address> to;
  std::vector<Address> cc;
  std::vector<Address> bcc;
};

// Most APIs demand somebody in `to`. When nobody is left there, cc moves up
// (they see each other anyway), else a single bcc (who sees only himself).
// Several bcc alone stay: limits below say whether the API can say that.
Addressees addressees_of(const Attempt& attempt);

// With the domain as A-labels; the local part as it is.
Address wire_address(const Address& address);
// attempt.recipients as the requests spell them.
std::vector<std::string> wire_recipients(const Attempt& attempt);
// "ann@example.com" or "Ann Smith <ann@example.com>", the name quoted where
// RFC 5322 asks for it, in UTF-8.
std::string mailbox(const Address& address);

// What it can carry -----------------------------------------------------------

// What an API can carry of the essentials.
struct ApiLimits {
  std::string_view name;           // "Postmark": whose limit it is
  std::size_t recipients = 1000;   // to, cc and bcc together
  std::size_t bytes = 10'000'000;  // of the whole mail, attachments as base64
  bool inline_images = true;       // attachments with a cid
  bool bcc_alone = false;          // several bcc without to and cc
};

// Why an API with these limits cannot carry `attempt`; nothing when it can.
// None of them takes a non-ASCII local part dependably, so that is refused
// for all.
std::optional<std::string> beyond(const ApiLimits& limits,
                                  const Attempt& attempt);

// A message without text and without HTML, which almost nobody takes. `name`
// is the API's.
std::optional<std::string> lacks_text(std::string_view name,
                                      const RenderedMessage& message);
// What SendGrid, Postmark, Resend and Brevo do not take: a message without a
// subject or without a text, an empty file.
std::optional<std::string> lacks(std::string_view name,
                                 const RenderedMessage& message);

// bad_data when a control character is in a header of `request`, or in what
// becomes a header of the mail. message_from() lets none in: this is the last
// line of defence against a header that ends where nobody meant it to.
Result<> check_lines(const RenderedMessage& message,
                     const HttpRequest& request);

// How it is said in `reduced`, by all of them alike ---------------------------

// Something was left out: "metadata 'note' (over 80 characters)".
std::string left_out(std::string_view what, std::string_view name,
                     std::string_view why);
// Reasons for it.
inline constexpr std::string_view k_name_is_taken = "the name is taken";
// "over 50 characters", "over 50 tags in all".
std::string over(std::size_t limit, std::string_view of);
std::string over_in_all(std::size_t limit, std::string_view of);
// Something is carried, but spelled otherwise: "tag 'a b' as 'a_b'".
std::string carried_as(std::string_view what, std::string_view given,
                       std::string_view used);
// "10 of 12 tags"
std::string some_tags(std::size_t carried, std::size_t all);
// Says in `reduced` that the file is called `used`, unless it is anyway.
void say_renamed(const Attachment& attachment, std::string_view used,
                 std::vector<std::string>& reduced);
// The file's name, of an inline image that the API calls by its cid. Nothing
// to say when it has no name, or no other one.
void say_called_by_cid(const Attachment& attachment,
                       std::vector<std::string>& reduced);

// What fits -------------------------------------------------------------------

// What a phrase has to be quoted for (RFC 5322, 3.2.3).
inline constexpr std::string_view k_specials = "()<>[]:;@\\,.\"";

// The custom headers without those that are `taken` (in lower case: ours, and
// those that the API keeps for itself), and each name once, as an object holds
// it: the first value wins. What is left out is said in `reduced`.
std::vector<Header> headers_once(const RenderedMessage& message,
                                 const std::vector<std::string_view>& taken,
                                 std::vector<std::string>& reduced);

// `text` with each non-ASCII character replaced by "_".
std::string ascii_form(std::string_view text);
// The first `limit` characters of `text` (UTF-8).
std::string_view first_characters(std::string_view text, std::size_t limit);

// Where tags may have letters, digits, '_' and '-': is `c` one of them, and
// `text` with a '_' for each other character.
bool is_tag_character(char c);
std::string tag_form(std::string_view text);

// JSON ------------------------------------------------------------------------

// The value of `write(item)` for each item, as a JSON array.
template <class Items, class Write>
std::string json_array(const Items& items, const Write& write) {
  std::string json = "[";
  for (const auto& item : items) {
    if (json.size() > 1) json += ',';
    json += write(item);
  }
  return json + "]";
}
std::string json_string(std::string_view text);
// A GET that is answered in JSON.
HttpRequest json_question(std::string url, HttpHeader authorization);
Json json_text(std::string_view text);
// {"name":"value",…}
std::string json_object(const std::vector<Header>& members);
// {"email":…,"name":…}, without an empty name; and a list of them.
std::string json_address(const Address& address);
std::string json_addresses(const std::vector<Address>& addresses);

}  // namespace pony
