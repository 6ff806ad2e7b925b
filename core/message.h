// A message, as an application asked for it: pony-message(5).
//
// What is here was checked: addresses are addresses, no header holds a line
// break, base64 decodes. What needs the outside to be checked (does the
// template exist, has it all its names) is core/template's work.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"

namespace pony {

enum class Priority { high, normal, bulk };
enum class OnUnknown { retry, hold, fail };

std::string_view to_text(Priority priority);
std::optional<Priority> priority_from(std::string_view text);
std::string_view to_text(OnUnknown policy);
std::optional<OnUnknown> on_unknown_from(std::string_view text);

struct Header {
  std::string name;
  std::string value;
};

struct Attachment {
  std::string filename;
  std::string content_type;  // "application/octet-stream" when not given
  std::string content;       // base64, checked, without white space
  std::string cid;           // not empty: shown inline as cid:…
};

// What the sender wants to be told of the delivery (RFC 3461). Only SMTP can
// say it. Words as in JSON, checked.
struct Dsn {
  // "never" alone, or some of "success", "failure", "delay"; empty: not said.
  std::vector<std::string> notify;
  std::string return_part;  // "full", "headers", or empty: not said
  std::string envelope_id;  // at most 100 bytes that need no xtext, or empty

  bool operator==(const Dsn&) const = default;
};

struct Message {
  // With `raw` the envelope's sender; none is then the null sender.
  std::optional<Address> from;
  std::vector<Address> to;
  std::vector<Address> cc;
  std::vector<Address> bcc;
  std::optional<Address> reply_to;
  std::string template_id;
  std::string lang;
  Json replacements = Json::object();  // values as given, order kept
  std::string subject;
  std::string text;
  std::string html;
  std::vector<Header> headers;
  std::vector<std::string> list_unsubscribe;  // https:// or mailto:
  std::vector<Attachment> attachments;
  // A finished message (RFC 5322) in base64, checked, without white space; it
  // has all that is said above, and to, cc and bcc are only its envelope.
  std::string raw;
  std::optional<Dsn> dsn;
  std::vector<std::string> tags;
  std::vector<Header> metadata;  // name and value, as text
  Priority priority = Priority::normal;
  std::optional<Time> send_at;
  std::optional<Time> expires_at;
  std::string pool;
  std::string idempotency_key;
  std::optional<OnUnknown> on_unknown;

  // to, cc and bcc in that order, each address once (compared with the
  // domain's case ignored).
  std::vector<Address> recipients() const;
};

// The keys of a message in JSON, for nearest() and the documentation's test.
const std::vector<std::string_view>& message_keys();

// Makes a message of `json`. Accepts the contract's spellings and those of
// the five replaced services. bad_data names every problem with its place
// ("to[1]", "headers.X-A") and the nearest known key.
// Limits: 10,000 recipients with names of 1 KiB, a subject and 100 headers of
// 16 KiB, 50 tags of 200 bytes, 100 attachments with names of 255 bytes, 100
// metadata values of 4 KiB, keys and pools of 255 bytes, 50 MiB of base64 for
// a finished message; at most 100 problems are named. Does not ask for a
// sender: templates and the configuration may give one. `whole` false leaves
// out the checks for what may still be filled in by flags (recipients,
// content).
Result<Message> message_from(const Json& json, bool whole = true);

// The checks that message_from(json, true) adds: recipients are there, and
// one of a finished message, a template, or a subject with text or html.
std::vector<Problem> missing_parts(const Message& message);

// The message in the contract's own spelling, members in its order, no empty
// ones. message_from(to_json(m)) == m.
Json to_json(const Message& message);

// Is `id` fit to name a template ([A-Za-z0-9_.-]+, no leading dot, at most
// 100 bytes) or a language (BCP 47: letters, digits and hyphens)?
bool is_template_id(std::string_view id);
bool is_language(std::string_view tag);

// May an ENVID be `id` (RFC 3461, 4.4: 1 to 100 bytes), that needs no xtext?
bool is_envelope_id(std::string_view id);

// May a custom header be called `name`? Refused: what pony writes itself
// (From, To, Cc, Bcc, Subject, Date, Message-ID, MIME-Version, Content-*,
// Return-Path, Received, DKIM-Signature, ARC-*, …) and what is no header name
// (RFC 5322, 3.6.8).
bool is_free_header_name(std::string_view name);

}  // namespace pony
