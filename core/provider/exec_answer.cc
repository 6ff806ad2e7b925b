// What the program of an exec provider is told, and what its answer means.
//
//   the program                                     | outcome
//   ------------------------------------------------|-------------------------
//   printed a valid answer                          | the answer's, whatever
//                                                   | the exit code
//   … accepted, but was not given the whole message | unknown
//   else: was not started, exited with 75, 126, 127 | unavailable
//   else: exited with 65 or 69                      | rejected
//   else (another code, a signal, too slow, silent, | unknown if it may have
//   nonsense)                                       | had the whole message,
//                                                   | else unavailable
//
// A valid answer is one JSON object with an `outcome`, or a list `recipients`,
// or both. A recipient that the list does not name gets the `outcome`, or is
// unknown without one. Unknown is also who is named with an outcome that there
// is not, or twice with two different ones; and, if some entry of the list
// cannot be read, who is not named, for it may be the one that was meant.
// Others than the attempt's recipients are passed over. Nothing that was not
// understood is accepted or rejected.
#include "core/provider/exec_answer.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <optional>
#include <unordered_map>
#include <utility>

#include "core/address.h"
#include "core/mime/body_encoding.h"
#include "core/mime/mail_parser.h"
#include "core/mime/raw_mail.h"
#include "core/provider/attempt.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_error = 1000;
constexpr std::size_t k_longest_id = 500;
// sh(1): what it could not run, and what it did not find.
constexpr int k_cannot_run = 126;
constexpr int k_not_found = 127;

Json json_of(const Address& address) {
  Json json = Json::object();
  if (!address.name.empty()) json.set("name", Json::string(address.name));
  json.set("email", Json::string(address.email));
  return json;
}

Json json_of(const std::vector<Address>& addresses) {
  Json list = Json::array();
  list.items.reserve(addresses.size());
  for (const Address& address : addresses) {
    list.items.push_back(json_of(address));
  }
  return list;
}

// The message with its parts beside its bytes, as far as it can be read.
RenderedMessage with_parts(const RenderedMessage& finished) {
  RenderedMessage mail;
  if (auto parts = parsed_mail(finished)) {
    mail = **parts;
  } else {
    mail.from = finished.from;
    mail.to = finished.to;
    mail.cc = finished.cc;
    mail.bcc = finished.bcc;
    mail.tags = finished.tags;
    mail.metadata = finished.metadata;
  }
  mail.dsn = finished.dsn;
  return mail;
}

// In the spelling of pony-message(5), but each address an object: nobody
// should have to take "Ann <ann@example.com>" apart in a shell.
Json json_of(const RenderedMessage& rendered) {
  Message message;
  if (!rendered.from.email.empty()) message.from = rendered.from;
  message.to = rendered.to;
  message.cc = rendered.cc;
  message.bcc = rendered.bcc;
  message.reply_to = rendered.reply_to;
  message.template_id = rendered.template_id;
  message.lang = rendered.lang;
  message.subject = rendered.subject;
  message.text = rendered.text;
  message.html = rendered.html;
  message.headers = rendered.headers;
  message.attachments = rendered.attachments;
  message.tags = rendered.tags;
  message.dsn = rendered.dsn;
  message.metadata = rendered.metadata;
  Json json = to_json(message);
  for (auto& [key, value] : json.members) {
    if (key == "from") value = json_of(rendered.from);
    if (key == "to") value = json_of(rendered.to);
    if (key == "cc") value = json_of(rendered.cc);
    if (key == "bcc") value = json_of(rendered.bcc);
    if (key == "reply_to") value = json_of(*rendered.reply_to);
  }
  return json;
}

// The message's own key if it has one; a part of the recipients is another
// request and has another key, as in idempotency_key_of().
std::string key_of(const Attempt& attempt) {
  const RenderedMessage& message = *attempt.message;
  std::string key = idempotency_key_of(attempt);
  if (message.idempotency_key.empty()) return key;
  return message.idempotency_key + key.substr(message.id.size());
}

Outcome outcome_without_answer(const ChildResult& result) {
  switch (result.exit_code.value_or(EX_OK)) {
    case EX_TEMPFAIL:
    case k_cannot_run:
    case k_not_found:
      return Outcome::unavailable;
    case EX_DATAERR:
    case EX_UNAVAILABLE:
      return Outcome::rejected;
    default:
      return result.in_written_whole ? Outcome::unknown : Outcome::unavailable;
  }
}

Verdict without_answer(const ChildResult& result, std::string_view program) {
  Verdict verdict;
  verdict.outcome = outcome_without_answer(result);
  std::string why = (result.exit_code ? " " : ": ") + ending_in_words(result);
  if (result.out_was_cut) {
    why += " after a far too long answer";
  } else if (result.exit_code == 0) {
    why += result.out.empty() ? " without an answer"
                              : " without an answer that can be understood";
  }
  const std::string words = first_line(result.err, k_longest_error);
  verdict.error = printable(
      fmt::format("'{}'{}{}{}", program, why, words.empty() ? "" : ": ", words),
      k_longest_error);
  return verdict;
}

// An answer, or one entry of its recipients, as a verdict. Nothing when it has
// no outcome that there is.
std::optional<Verdict> verdict_in(const Json& json, const ChildResult& result,
                                  std::string_view program) {
  const Json* outcome = json.find("outcome");
  if (outcome == nullptr || !outcome->is_string()) return std::nullopt;
  const auto known = outcome_from(outcome->text);
  if (!known) return std::nullopt;
  Verdict verdict;
  verdict.outcome = *known;
  verdict.provider_id = printable(json.text_of("provider_id"), k_longest_id);
  if (*known == Outcome::accepted) {
    if (result.in_written_whole) return verdict;
    verdict.outcome = Outcome::unknown;
    verdict.error = fmt::format(
        "'{}' said accepted before it had read the message", program);
    return verdict;
  }
  verdict.error = printable(json.text_of("error"), k_longest_error);
  if (verdict.error.empty()) {
    verdict.error = first_line(result.err, k_longest_error);
  }
  if (verdict.error.empty()) {
    verdict.error = fmt::format("'{}' said {}, and not why", program,
                                to_text(verdict.outcome));
  }
  return verdict;
}

Verdict unknown(std::string error) {
  Verdict verdict;
  verdict.outcome = Outcome::unknown;
  verdict.error = printable(error, k_longest_error);
  return verdict;
}

std::optional<std::chrono::seconds> rest_in(const Json& answer) {
  const std::int64_t seconds = answer.number_of("retry_after");
  if (seconds <= 0) return std::nullopt;
  return clamped_rest(std::chrono::seconds(seconds));
}

// An address as it is compared: programs may change the domain's spelling.
std::string comparable(std::string_view email) {
  auto wire = wire_email(email);
  return wire ? std::move(*wire) : std::string(email);
}

// What an answer says of each recipient.
class Answer {
 public:
  // False when `out` is no answer at all.
  bool read(const ChildResult& result, std::string_view program);
  std::vector<Verdict> verdicts(const Attempt& attempt,
                                std::string_view program) const;

 private:
  void add(const Json& entry, const ChildResult& result,
           std::string_view program);

  std::optional<Verdict> all_;
  std::unordered_map<std::string, Verdict> named_;
  bool some_are_unreadable_ = false;
  std::optional<std::chrono::seconds> rest_;
};

bool Answer::read(const ChildResult& result, std::string_view program) {
  if (result.out_was_cut) return false;
  const auto json = parse_json(result.out);
  if (!json || !json->is_object()) return false;
  all_ = verdict_in(*json, result, program);
  if (!all_ && json->find("outcome") != nullptr) return false;
  const Json* list = json->find("recipients");
  if (list == nullptr && !all_) return false;
  if (list != nullptr && !list->is_array()) return false;
  rest_ = rest_in(*json);
  if (list == nullptr) return true;
  for (const Json& entry : list->items) add(entry, result, program);
  return true;
}

void Answer::add(const Json& entry, const ChildResult& result,
                 std::string_view program) {
  const Json* email = entry.find("email");
  if (email == nullptr || !email->is_string()) {
    some_are_unreadable_ = true;
    return;
  }
  Verdict verdict =
      verdict_in(entry, result, program)
          .value_or(unknown(fmt::format(
              "'{}' gave no outcome that there is for this recipient",
              program)));
  auto [place, is_new] = named_.emplace(comparable(email->text), verdict);
  if (is_new || place->second.outcome == verdict.outcome) return;
  place->second = unknown(
      fmt::format("'{}' gave this recipient two different outcomes", program));
}

std::vector<Verdict> Answer::verdicts(const Attempt& attempt,
                                      std::string_view program) const {
  Verdict others =
      unknown(fmt::format("'{}' gave no outcome for this recipient", program));
  if (all_ && !some_are_unreadable_) others = *all_;
  std::vector<Verdict> all;
  all.reserve(attempt.recipients.size());
  for (const std::string& email : attempt.recipients) {
    const auto found = named_.find(comparable(email));
    all.push_back(found == named_.end() ? others : found->second);
    all.back().rest = rest_;
    if (all.back().outcome != Outcome::accepted || !all_) continue;
    // The message's own id, where the recipient has none.
    if (all.back().provider_id.empty())
      all.back().provider_id = all_->provider_id;
  }
  return all;
}

}  // namespace

Json exec_request(const Attempt& attempt) {
  Json json = Json::object();
  json.set("id", Json::string(attempt.message->id));
  json.set("attempt", Json::number(attempt.number));
  json.set("idempotency_key", Json::string(key_of(attempt)));
  Json& recipients = json.set("recipients", Json::array());
  for (const std::string& email : attempt.recipients) {
    recipients.items.push_back(Json::string(email));
  }
  const RenderedMessage& message = *attempt.message;
  if (message.raw.empty()) {
    json.set("message", json_of(message));
    return json;
  }
  json.set("sender", Json::string(message.from.email));
  Json& mail = json.set("message", json_of(with_parts(message)));
  std::string raw;
  append_base64_run(raw, wire_form(message.raw));
  mail.set("raw", Json::string(std::move(raw)));
  return json;
}

std::size_t exec_answer_limit(std::size_t recipients) {
  constexpr std::size_t k_for_all = 64 * 1024;
  constexpr std::size_t k_for_each = 512;
  return k_for_all + recipients * k_for_each;
}

std::vector<Verdict> exec_verdicts(const Attempt& attempt,
                                   const ChildResult& result,
                                   std::string_view program) {
  Answer answer;
  if (answer.read(result, program)) return answer.verdicts(attempt, program);
  return for_all(attempt, without_answer(result, program));
}

std::vector<Verdict> exec_not_started(const Attempt& attempt,
                                      const Error& error) {
  Verdict verdict;
  verdict.error = printable(error.what, k_longest_error);
  return for_all(attempt, verdict);
}

}  // namespace pony
