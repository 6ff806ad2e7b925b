#include "cmd/feedback_format.h"

#include "core/json.h"
#include "core/words.h"

namespace pony {
namespace {

std::string response(std::string_view status, std::string_view header,
                     std::string_view text) {
  return std::string("Status: ")
      .append(status)
      .append("\r\n")
      .append(header)
      .append(
          "Content-Type: text/plain; charset=utf-8\r\n"
          "Cache-Control: no-store\r\n\r\n")
      .append(text);
}

}  // namespace

std::string feedback_sentence(const FeedbackTally& tally) {
  if (tally.taken_before) return "already taken";
  std::string text = counted(tally.added, "event") + " taken";
  if (tally.known > 0)
    text += "; " + std::to_string(tally.known) + " already known";
  if (tally.no_message > 0)
    text += "; " + std::to_string(tally.no_message) + " of no message here";
  if (tally.too_many > 0)
    text += "; " + std::to_string(tally.too_many) +
            " of messages that have 10000 events";
  if (tally.suppressed > 0)
    text += "; " + counted(tally.suppressed, "address", "addresses") +
            " suppressed";
  std::string ignored;
  for (const auto& [kind, count] : tally.ignored)
    ignored += (ignored.empty() ? "; ignored: " : ", ") +
               std::to_string(count) + " " + kind;
  return text + ignored;
}

std::string feedback_json(const FeedbackTally& tally) {
  std::string ignored;
  JsonWriter kinds(ignored);
  for (const auto& [kind, count] : tally.ignored)
    kinds.field(kind, static_cast<std::int64_t>(count));
  kinds.end();
  std::string line;
  JsonWriter json(line);
  json.field("provider", tally.provider)
      .boolean("taken_before", tally.taken_before)
      .field("added", static_cast<std::int64_t>(tally.added))
      .field("known", static_cast<std::int64_t>(tally.known))
      .field("no_message", static_cast<std::int64_t>(tally.no_message))
      .field("too_many", static_cast<std::int64_t>(tally.too_many))
      .field("suppressed", static_cast<std::int64_t>(tally.suppressed))
      .raw("ignored", ignored);
  if (!tally.confirm_url.empty()) json.field("confirm_url", tally.confirm_url);
  json.end();
  return line + "\n";
}

std::string cgi_response(NotTaken why, Challenge challenge) {
  switch (why) {
    case NotTaken::no:
      return response("200 OK", {}, "taken\n");
    case NotTaken::refused:
      if (challenge == Challenge::password)
        return response("401 Unauthorized",
                        "WWW-Authenticate: Basic realm=\"pony\"\r\n",
                        "refused\n");
      return response("403 Forbidden", {}, "refused\n");
    case NotTaken::not_ours:
      return response("400 Bad Request", {}, "not understood\n");
    case NotTaken::try_again:
      return response("503 Service Unavailable", "Retry-After: 60\r\n",
                      "not now\n");
    case NotTaken::misconfigured:
      break;
  }
  return response("500 Internal Server Error", {}, "not configured\n");
}

std::string cgi_response_to(std::string_view method) {
  if (method == "HEAD") return response("200 OK", {}, {});
  return response("405 Method Not Allowed", "Allow: POST, HEAD\r\n",
                  "POST only\n");
}

}  // namespace pony
