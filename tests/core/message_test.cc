// Messages in JSON: what is understood, what is refused, and how it is said.
#include "core/message.h"

#include <doctest/doctest.h>

#include "tests/support/require_ok.h"

namespace pony {
namespace {

using namespace std::string_view_literals;

Result<Message> read(std::string_view text, bool whole = true) {
  const auto json = parse_json(text);
  if (!json) return tl::unexpected<Error>(json.error());
  return message_from(*json, whole);
}

// A valid message with `members` added.
std::string with(std::string_view members) {
  return R"({"to":"a@b.example","subject":"s","text":"t",)" +
         std::string(members) + "}";
}

// All problems, one a line: "place: what | hint".
std::string problems_of(std::string_view text) {
  const auto message = read(text);
  if (message) return "(was read)";
  std::string out;
  for (const Problem& problem : message.error().problems) {
    if (!out.empty()) out += '\n';
    out += problem.place + ": " + problem.what;
    if (!problem.hint.empty()) out += " | " + problem.hint;
  }
  return out.empty() ? message.error().what : out;
}

std::string problems_with(std::string_view members) {
  return problems_of(with(members));
}

// The one key of a message that is `value` as a JSON string.
std::string string_member(std::string_view key, std::string_view value) {
  std::string out;
  append_json_string(out, key);
  out += ':';
  append_json_string(out, value);
  return out;
}

std::string many(std::string_view item, std::size_t count) {
  std::string list = "[";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) list += ',';
    list += item;
  }
  return list + "]";
}

const std::vector<std::string>& controls() {
  static const std::vector<std::string> k_controls = {
      "\r",   "\n",   "\r\n",   "\t",     std::string(1, '\0'),
      "\x1b", "\x7f", "\u0085", "\u2028", "\u2029"};
  return k_controls;
}

constexpr std::string_view k_full = R"({
  "from": "Widget Team <team@widgets.example>",
  "to": ["Ann <ann@example.com>", {"name": "Bob, Jr", "email": "bob@example.com"}],
  "cc": "c@example.com", "bcc": [{"email": "d@example.com"}],
  "reply_to": "help@widgets.example",
  "subject": "Grüße", "text": "a\nb\u0000", "html": "<p>",
  "headers": {"X-Campaign": "spring", "X-Many": ["1", "2"]},
  "list_unsubscribe": "https://widgets.example/u?id=42",
  "attachments": [{"filename": "a.pdf", "content_type": "application/pdf",
                   "content": "aGk=", "cid": "logo@x"},
                  {"filename": "b", "content": ""}],
  "tags": ["signup", "eu"], "metadata": {"user_id": "42", "n": 1.50, "b": true},
  "replacements": {"name": "Ann", "balance": 19.90, "list": [{"a": null}]},
  "lang": "es-MX", "priority": "bulk",
  "send_at": "2026-12-01T09:00:00Z", "expires_at": "2026-12-01T12:00:00+02:00",
  "pool": "p", "idempotency_key": "order-1", "on_unknown": "hold"})";

TEST_SUITE_BEGIN("core");

TEST_CASE("every part of a message is read") {
  const auto message = read(k_full);
  REQUIRE_OK(message);
  CHECK(message->from == Address{"Widget Team", "team@widgets.example"});
  CHECK(message->to == std::vector<Address>{{"Ann", "ann@example.com"},
                                            {"Bob, Jr", "bob@example.com"}});
  CHECK(message->cc == std::vector<Address>{{"", "c@example.com"}});
  CHECK(message->bcc == std::vector<Address>{{"", "d@example.com"}});
  CHECK(message->reply_to == Address{"", "help@widgets.example"});
  CHECK(message->subject == "Grüße");
  CHECK(message->text == "a\nb\0"sv);
  CHECK(message->html == "<p>");
  REQUIRE(message->headers.size() == 3);
  CHECK(message->headers[2].name == "X-Many");
  CHECK(message->headers[2].value == "2");
  REQUIRE(message->attachments.size() == 2);
  CHECK(message->attachments[0].content == "aGk=");
  CHECK(message->attachments[0].cid == "logo@x");
  CHECK(message->attachments[1].content_type == "application/octet-stream");
  CHECK(message->tags == std::vector<std::string>{"signup", "eu"});
  REQUIRE(message->metadata.size() == 3);
  CHECK(message->metadata[1].value == "1.50");
  CHECK(message->metadata[2].value == "true");
  CHECK(message->replacements.text_of("balance") == "19.90");
  CHECK(message->lang == "es-MX");
  CHECK(message->priority == Priority::bulk);
  CHECK(format_time(*message->send_at) == "2026-12-01T09:00:00.000Z");
  CHECK(format_time(*message->expires_at) == "2026-12-01T10:00:00.000Z");
  CHECK(message->pool == "p");
  CHECK(message->idempotency_key == "order-1");
  CHECK(message->on_unknown == OnUnknown::hold);
}

TEST_CASE("a message in its own spelling is the same message") {
  const auto message = read(k_full);
  REQUIRE_OK(message);
  const std::string text = to_text(to_json(*message));
  const auto again = read(text);
  REQUIRE_OK(again);
  CHECK(to_text(to_json(*again)) == text);
  CHECK(text.starts_with(
      R"({"from":"Widget Team <team@widgets.example>",)"
      R"("to":["Ann <ann@example.com>","\"Bob, Jr\" <bob@example.com>"],)"));
  CHECK(text.find(R"("headers":{"X-Campaign":"spring","X-Many":["1","2"]})") !=
        std::string::npos);
}

TEST_CASE("a message's own spelling has the contract's order, nothing empty") {
  auto message = read(k_full);
  REQUIRE_OK(message);
  message->template_id = "x";
  message->raw = "YQ==";
  message->dsn = Dsn{{"never"}, "", ""};
  std::vector<std::string_view> keys;
  const Json json = to_json(*message);
  for (const JsonMember& member : json.members) keys.push_back(member.key);
  CHECK(keys == message_keys());
  CHECK(to_text(to_json(Message{})) == "{}");
}

TEST_CASE("null is not given") {
  const auto message = read(
      R"({"to":"a@b.example","subject":"s","text":"t","from":null,"cc":null,)"
      R"("headers":null,"tags":null,"send_at":null,"sender_name":null,)"
      R"("attachments":[{"filename":"f","content":"","cid":null}],)"
      R"("bcc":[{"name":null,"email":"c@d.example"}],)"
      R"("metadata":{"a":null},"id":null,"template":null})");
  REQUIRE_OK(message);
  CHECK(message->metadata.empty());
  CHECK(problems_of(R"({"to":null,"template":"x"})") ==
        "to: no recipient is given");
}

constexpr std::string_view k_raw =
    R"({"from":"a@b.example","to":["c@d.example"],"raw":"U3ViamVjdDogaGkKCmhpCg==",)"
    R"("dsn":{"notify":["success","delay"],"return":"headers",)"
    R"("envelope_id":"QQ314159"},"tags":["t"]})";

TEST_CASE("a finished message is read, and needs no subject and no sender") {
  const auto message = read(k_raw);
  REQUIRE_OK(message);
  CHECK(message->raw == "U3ViamVjdDogaGkKCmhpCg==");
  REQUIRE(message->dsn.has_value());
  CHECK(message->dsn->notify == std::vector<std::string>{"success", "delay"});
  CHECK(message->dsn->return_part == "headers");
  CHECK(message->dsn->envelope_id == "QQ314159");
  CHECK(to_text(to_json(*message)) == k_raw);

  const auto wrapped =
      read(R"({"to":"c@d.example","raw":"U3Vi\namVj dA==\n"})");
  REQUIRE_OK(wrapped);
  CHECK(wrapped->raw == "U3ViamVjdA==");
  CHECK_FALSE(wrapped->from.has_value());
}

TEST_CASE("a finished message is no base64, or has all else in itself") {
  const auto problems = [](std::string_view members) {
    return problems_of(R"({"to":"c@d.example",)" + std::string(members) + "}");
  };
  CHECK(problems(R"("raw":"U3Vi*mVj")") == "raw: is not base64 at byte 5");
  CHECK(problems(R"("raw":"U3ViamV")") ==
        "raw: is not whole base64: its length or padding is wrong");
  CHECK(problems(R"("raw":"")") == "raw: is empty");
  CHECK(problems(R"("raw":["YQ=="])") == "raw: is an array, must be base64");
  for (const std::string_view other :
       {R"("subject":"s")", R"("text":"t")", R"("html":"h")",
        R"("template":"t")", R"("lang":"en")", R"("replacements":{"a":1})",
        R"("reply_to":"a@b.example")", R"("headers":{"X-A":"1"})",
        R"("attachments":[{"filename":"f","content":""}])"}) {
    CAPTURE(other);
    const std::string told = problems(R"("raw":"YQ==",)" + std::string(other));
    CHECK(told.find("'raw' is a finished message, which has its own") !=
          std::string::npos);
  }
  CHECK(problems_of(R"({"raw":"YQ=="})") == "to: no recipient is given");
}

TEST_CASE("what is no wish about delivery notifications is refused") {
  const auto problems = [](std::string_view dsn) {
    return problems_of(R"({"to":"c@d.example","raw":"YQ==","dsn":)" +
                       std::string(dsn) + "}");
  };
  CHECK(problems(R"({"notify":"never"})") == "(was read)");
  CHECK(problems("{}") == "(was read)");
  CHECK(problems(R"({"notify":"success"})") ==
        "dsn.notify: 'success' is not known | one of 'never'");
  CHECK(problems(R"({"notify":["never"]})") ==
        "dsn.notify[0]: 'never' is not known | one of 'success' 'failure' "
        "'delay'");
  CHECK(problems(R"({"return":"all"})") ==
        "dsn.return: 'all' is not known | one of 'full' 'headers'");
  CHECK(problems(R"({"envelope_id":"a b"})") ==
        "dsn.envelope_id: 'a b' is no envelope id | ASCII without spaces, "
        "'+' and '='");
  CHECK(
      problems(R"({"envelope_id":"a\r\nRCPT TO:<x@y>"})").find("line break") !=
      std::string::npos);
  CHECK(problems(R"({"envelop_id":"a"})") ==
        "dsn.envelop_id: unknown key 'envelop_id' | did you mean "
        "'envelope_id'?");
  CHECK(problems(R"("never")") == "dsn: is a string, must be an object");
}

TEST_CASE("PonyExpress messages are understood as they stand") {
  const auto message =
      read(R"({"id":"welcome","replacements":{"name":"Ann"},"tags":["a"],)"
           R"("recipient_name":"Ann","recipient_address":"ann@example.com",)"
           R"("sender_name":"Team","sender_address":"team@widgets.example",)"
           R"("lang":"en","doc_type":"PonyExpressMessage","status":"queued"})");
  REQUIRE_OK(message);
  CHECK(message->template_id == "welcome");
  CHECK(message->from == Address{"Team", "team@widgets.example"});
  CHECK(message->to == std::vector<Address>{{"Ann", "ann@example.com"}});
}

TEST_CASE("the spellings of Lita's service and M3rcury are understood") {
  const auto lita = read(
      R"({"to":"a@b.example","from_email":"c@d.example","subject":"s","text":"t"})");
  REQUIRE_OK(lita);
  CHECK(lita->from == Address{"", "c@d.example"});
  const auto mercury = read(
      R"({"sender":"c@d.example","recipient":"a@b.example","subject":"s","content":"t"})");
  REQUIRE_OK(mercury);
  CHECK(mercury->from == Address{"", "c@d.example"});
  CHECK(mercury->to == std::vector<Address>{{"", "a@b.example"}});
  CHECK(mercury->text == "t");
}

TEST_CASE("id names a template only where nothing else is the content") {
  CHECK(problems_with(R"("id":"01J")") ==
        "id: unknown key 'id' | it names the template only where there is no "
        "'subject'");
  CHECK(problems_of(R"({"to":"a@b.example","template":"x","id":"y"})") ==
        "id: unknown key 'id' | it names the template only where there is no "
        "'template'");
  CHECK(problems_of(R"({"to":"a@b.example","id":"../x"})")
            .starts_with("id: '../x' cannot name a template"));
  CHECK(problems_of(R"({"to":"a@b.example","id":7})") ==
        "id: is a number, must be a string");
  CHECK(read(R"({"to":"a@b.example","id":"x","subject":"","text":null})"));
}

TEST_CASE("two spellings of one thing are one too many") {
  CHECK(problems_with(R"("recipient":"c@d.example")") ==
        "recipient: 'to' says the same already | leave out one of them");
  CHECK(problems_with(R"("content":"c")") ==
        "content: 'text' says the same already | leave out one of them");
  CHECK(
      problems_with(
          R"("from":"a@b.example","sender_name":"A","sender_address":"c@d.example")") ==
      "sender_address: 'from' says the same already | leave out one of them");
  CHECK(problems_with(R"("sender_name":"A")") ==
        "sender_name: is there without 'sender_address'");
  CHECK(problems_with(R"("recipient_name":"A")") ==
        "recipient_name: is there without 'recipient_address'");
}

TEST_CASE("an unknown key is refused with the nearest known one") {
  CHECK(problems_with(R"("subjet":"x")") ==
        "subjet: unknown key 'subjet' | did you mean 'subject'?");
  CHECK(problems_with(R"("sender_adress":"x")") ==
        "sender_adress: unknown key 'sender_adress' | did you mean "
        "'sender_address'?");
  CHECK(problems_with(R"("__proto__":null)") ==
        "__proto__: unknown key '__proto__'");
  CHECK(problems_with(R"("cc":{"mail":"x","email":"a@b.example"})") ==
        "cc.mail: unknown key 'mail' | did you mean 'email'?");
  const std::string huge =
      problems_with("\"" + std::string(1'000'000, 'k') + "\":1");
  CHECK(huge.size() < 300);
}

TEST_CASE("every problem is named at once") {
  CHECK(problems_of(R"({"to":["ann"],"subject":"a\nb","sbject":1,)"
                    R"("priority":"hihg","tags":[1]})") ==
        "to[0]: 'ann' is no address: it has no '@'\n"
        "subject: 'a\\x0ab' holds a line break or control character\n"
        "sbject: unknown key 'sbject' | did you mean 'subject'?\n"
        "priority: 'hihg' is not known | did you mean 'high'?\n"
        "tags[0]: is a number, must be a string\n"
        "text: neither text nor html is given");
  const auto message = read(R"({"to":["ann"],"subjet":1,"template":"x"})");
  REQUIRE_FALSE(message);
  CHECK(message.error().what ==
        "not a valid message: to[0]: 'ann' is no address: it has no '@' (and 1 "
        "more)");
}

TEST_CASE("what is missing is named, unless flags may still give it") {
  CHECK(problems_of("{}") ==
        "to: no recipient is given\n"
        "template: neither a template nor a subject is given | give "
        "'template', or 'subject' with 'text' or 'html'");
  CHECK(problems_of(R"({"to":[],"text":"t"})") ==
        "to: no recipient is given\nsubject: no subject is given");
  CHECK(problems_of(R"({"bcc":"a@b.example","subject":"s"})") ==
        "text: neither text nor html is given");
  CHECK(problems_of(R"({"to":"a@b.example","template":"x","html":"h"})") ==
        "template: a template and a subject, text or html are given | leave "
        "out one or the other");
  CHECK(read("{}", false));
  CHECK_FALSE(read(R"({"to":"ann"})", false));
}

TEST_CASE("what was refused is not called missing as well") {
  CHECK(problems_of(R"({"to":"ann","template":"../x"})") ==
        "to: 'ann' is no address: it has no '@'\n"
        "template: '../x' cannot name a template | letters, digits, '_', '-' "
        "and '.', not first; at most 100 bytes");
  CHECK(problems_of(R"({"to":"a@b.example","template":1})") ==
        "template: is a number, must be a string");
  CHECK(problems_of(R"({"to":"a@b.example","subject":1,"text":2})") ==
        "subject: is a number, must be a string\n"
        "text: is a number, must be a string");
}

TEST_CASE("thousands of problems are counted, a hundred are listed") {
  std::string text = "{";
  for (int i = 0; i < 5'000; ++i) text += "\"u" + std::to_string(i) + "\":1,";
  const auto message = read(text + R"("to":"a@b.example","template":"x"})");
  REQUIRE_FALSE(message);
  CHECK(message.error().problems.size() == 100);
  CHECK(message.error().what ==
        "not a valid message: u0: unknown key 'u0' (and 4999 more)");
}

TEST_CASE("what is not an object is no message") {
  for (const std::string_view text : {"[]", "1", "\"a@b\"", "null", "true"}) {
    CHECK_FAILS(read(text), bad_data);
  }
  CHECK(problems_of("[]") ==
        "not a valid message: it is an array, must be an object");
}

TEST_CASE("to may be a string, an object or an array of them") {
  const auto emails = [](std::string_view to) {
    const auto message =
        read(R"({"template":"x","to":)" + std::string(to) + "}");
    std::string out;
    if (!message) return out;
    for (const Address& a : message->to) out += a.name + "/" + a.email + " ";
    return out;
  };
  CHECK(emails(R"("a@b.example")") == "/a@b.example ");
  CHECK(emails(R"({"name":"A","email":"a@b.example"})") == "A/a@b.example ");
  CHECK(emails(R"(["a@b.example","C <c@d.example>"])") ==
        "/a@b.example C/c@d.example ");
  CHECK(emails(R"("a@b.example, c@d.example")") ==
        "/a@b.example /c@d.example ");
  CHECK(emails(R"("\"Smith, Ann\" <a@b.example>")") ==
        "Smith, Ann/a@b.example ");
}

TEST_CASE("a list that takes a guess to read is refused") {
  for (const std::string_view to :
       {"Ann <a@b.example>, Bob <c@d.example>", "Smith, Ann <a@b.example>",
        "team: a@b.example, c@d.example;"}) {
    CAPTURE(to);
    const std::string problems =
        problems_of("{\"template\":\"x\"," + string_member("to", to) + "}");
    CHECK(problems.find("is no single address | give several addresses as an "
                        "array") != std::string::npos);
  }
  CHECK(problems_of(R"({"template":"x","to":"a@b.example,"})") ==
        "to: the address is empty");
  CHECK(problems_of(R"({"template":"x","to":["a@b.example, c@d.example"]})")
            .starts_with("to[0]: "));
}

TEST_CASE("an address of another kind is refused") {
  CHECK(problems_with(R"("cc":[1])").starts_with("cc[0]: is a number"));
  CHECK(problems_with(R"("cc":[null])").starts_with("cc[0]: is null"));
  CHECK(problems_with(R"("from":["a@b.example"])")
            .starts_with("from: is an array, must be an address"));
  CHECK(problems_with(R"("from":{"name":"x"})") == "from: has no 'email'");
  CHECK(problems_with(R"("from":{"email":1})") ==
        "from.email: is a number, must be a string");
  CHECK(problems_with(R"("from":{"email":"A <a@b.example>"})")
            .starts_with("from.email: "));
  CHECK(problems_with(R"("reply_to":"")") == "reply_to: the address is empty");
}

TEST_CASE("a control character is refused wherever it could reach a header") {
  for (const std::string& control : controls()) {
    std::string c;
    append_json_string(c, control);
    c = c.substr(1, c.size() - 2);
    CAPTURE(c);
    for (const std::string& members : std::vector<std::string>{
             "\"from\":\"A" + c + "B <a@b.example>\"",
             "\"from\":\"a" + c + "@b.example\"",
             "\"cc\":[\"a@b.example" + c + "\"]",
             "\"bcc\":{\"email\":\"a@b.example\",\"name\":\"x" + c + "\"}",
             "\"reply_to\":{\"email\":\"a@b.example" + c + "\"}",
             "\"sender_address\":\"a@b.example\",\"sender_name\":\"" + c + "\"",
             "\"lang\":\"e" + c + "s\"",
             "\"pool\":\"x" + c + "\"",
             "\"idempotency_key\":\"x" + c + "\"",
             "\"headers\":{\"X-A" + c + "\":\"x\"}",
             "\"headers\":{\"X-A\":\"x" + c + "\"}",
             "\"headers\":{\"X-A\":[\"x\",\"x" + c + "\"]}",
             "\"tags\":\"x" + c + "\"",
             "\"tags\":[\"x" + c + "\"]",
             "\"metadata\":{\"x" + c + "\":1}",
             "\"metadata\":{\"x\":\"" + c + "\"}",
             "\"replacements\":{\"x" + c + "\":1}",
             "\"replacements\":{\"x\":[{\"y" + c + "\":1}]}",
             "\"priority\":\"high" + c + "\"",
             "\"send_at\":\"2026-12-01T09:00:00Z" + c + "\"",
             "\"attachments\":[{\"filename\":\"a" + c + "\",\"content\":\"\"}]",
             "\"attachments\":[{\"filename\":\"a\",\"content\":\"\",\"cid\":"
             "\"x" +
                 c + "\"}]",
             "\"attachments\":[{\"filename\":\"a\",\"content\":\"\","
             "\"content_type\":\"a/b" +
                 c + "\"}]",
             "\"unknown" + c + "\":1"}) {
      CAPTURE(members);
      const auto message = read(with(members));
      REQUIRE_FALSE(message);
      CHECK(message.error().kind == Error::Kind::bad_data);
      CHECK(message.error().problems.size() == 1);
      CHECK_FALSE(has_control(problems_with(members)));
    }
    CHECK_FAILS(read("{\"to\":\"a@b.example\",\"text\":\"t\",\"subject\":\"x" +
                     c + "\"}"),
                bad_data);
    CHECK_FAILS(read("{\"to\":\"a@b.example\",\"template\":\"x" + c + "\"}"),
                bad_data);
    CHECK_FAILS(read("{\"to\":\"a@b.example\",\"id\":\"x" + c + "\"}"),
                bad_data);
  }
}

TEST_CASE("bodies and values may hold anything") {
  const auto message = read(
      R"({"to":"a@b.example","subject":"s","text":"\r\n.\r\n\u0000\u2028",)"
      R"("html":"\n.\n","replacements":{"a":"x\r\ny","b":{"c":[true]}}})");
  REQUIRE_OK(message);
  CHECK(message->text == "\r\n.\r\n\0\u2028"sv);
  CHECK(read(with("\"html\":\"" + std::string(1'000'000, 'x') + "\"")));
}

TEST_CASE("text that is not UTF-8 is refused, wherever it came from") {
  Json json = Json::object();
  json.set("to", Json::string("a@b.example"));
  json.set("subject", Json::string("\xff"));
  json.set("text", Json::string("\xff"));
  json.set("html", Json::string("\xff"));
  json.set("replacements", Json::object()).set("a", Json::string("\xff"));
  const auto message = message_from(json);
  REQUIRE_FALSE(message);
  CHECK(message.error().problems.size() == 4);
}

TEST_CASE("a way out of a list is https or mailto, and one whole URI") {
  const auto message =
      read(with(R"("list_unsubscribe":["mailto:u@a.example?subject=out",)"
                R"("https://a.example/u?id=42"])"));
  REQUIRE_OK(message);
  CHECK(message->list_unsubscribe.size() == 2);
  for (const auto* bad :
       {"", "http://a.example/", "https://", "a@b.example",
        "https://a.example/ b", "https://a.example/>, <https://b.example",
        "https://a.example/\\r\\nBcc: x", "https://a.example/\u00e9"}) {
    CAPTURE(bad);
    CHECK(problems_with("\"list_unsubscribe\":[\"" + std::string(bad) + "\"]")
              .starts_with("list_unsubscribe[0]: "));
  }
  CHECK(problems_with(R"("list_unsubscribe":true)") ==
        "list_unsubscribe: is a boolean, must be a string");
}

TEST_CASE("headers that are pony's to write are refused") {
  for (const std::string_view name :
       {"From", "to", "CC", "Bcc", "Subject", "Date", "Message-ID", "Sender",
        "Reply-To", "MIME-Version", "Content-Type", "content-x", "Return-Path",
        "Received", "DKIM-Signature", "ARC-Seal", "Resent-To",
        "Authentication-Results"}) {
    CAPTURE(name);
    CHECK_FALSE(is_free_header_name(name));
    CHECK_FAILS(read(with("\"headers\":{" + string_member(name, "x") + "}")),
                bad_data);
  }
  CHECK(problems_with(R"("headers":{"Reply-To":"a@b.example"})") ==
        "headers.Reply-To: 'Reply-To' cannot be a header of your own | use "
        "the key 'reply_to'");
}

TEST_CASE("a header name is one of RFC 5322") {
  for (const std::string_view name :
       {"X-A", "List-Unsubscribe", "In-Reply-To", "References", "a",
        "Auto-Submitted", "Tox", "X_b!"}) {
    CAPTURE(name);
    CHECK(is_free_header_name(name));
  }
  for (const std::string_view name :
       {"", " ", "X A", "X-A:", "X:A", "X-Ä", "X-A ", " From", "X\x7f"}) {
    CAPTURE(name);
    CHECK_FALSE(is_free_header_name(name));
  }
  CHECK(is_free_header_name(std::string(76, 'x')));
  CHECK_FALSE(is_free_header_name(std::string(77, 'x')));
}

TEST_CASE("header values are strings, repeated ones in one array") {
  CHECK(problems_with(R"("headers":{"X-A":1})") ==
        "headers.X-A: is a number, must be a string or an array of strings");
  CHECK(problems_with(R"("headers":{"X-A":["x",null]})")
            .starts_with("headers.X-A[1]: is null"));
  CHECK(problems_with(R"("headers":{"X-A":"1","x-a":"2"})") ==
        "headers.x-a: is there twice | give the values of a repeated header "
        "as an array");
  CHECK(problems_with(R"("headers":["X-A: 1"])") ==
        "headers: is an array, must be an object");
  CHECK(read(with(R"("headers":{"X-A":"Grüße","X-B":""})")));
}

TEST_CASE("an attachment is bytes in base64, never a path") {
  for (const std::string_view key : {"path", "file", "url"}) {
    const std::string k(key);
    CHECK(
        problems_with("\"attachments\":[{\"filename\":\"x\",\"content\":\"\"," +
                      string_member(key, "/etc/shadow") + "}]") ==
        "attachments[0]." + k + ": unknown key '" + k +
            "' | give the bytes, as base64, in 'content'");
  }
  CHECK(problems_with(R"("attachments":[{}])") ==
        "attachments[0]: has no 'filename'\nattachments[0]: has no 'content'");
  CHECK(problems_with(R"("attachments":["aGk="])") ==
        "attachments[0]: is a string, must be an object");
  CHECK(problems_with(R"("attachments":{})") ==
        "attachments: is an object, must be an array");
}

TEST_CASE("base64 is read strictly, white space aside") {
  const auto content_of = [](std::string_view content) -> std::string {
    const auto message = read(with("\"attachments\":[{\"filename\":\"x\"," +
                                   string_member("content", content) + "}]"));
    return message ? message->attachments[0].content : "refused";
  };
  CHECK(content_of("") == "");
  CHECK(content_of("aGk=") == "aGk=");
  CHECK(content_of("YQ==") == "YQ==");
  CHECK(content_of("+/+/") == "+/+/");
  CHECK(content_of("aG\r\nkh\n aG\tkh\n") == "aGkhaGkh");
  for (const std::string_view content : std::vector<std::string_view>{
           "a", "aG", "aGk", "aGk==", "=",
           "====", "aGk=aGk=", "YR==", "aGl=", "aGm=", "YI==", "a-_b", "aGk!",
           "YQ=a", "aG\u00a0k=", "a\0Gk"sv, "data:text/plain;base64,aGk="}) {
    CAPTURE(content);
    CHECK(content_of(content) == "refused");
  }
  CHECK(problems_with(R"("attachments":[{"filename":"x","content":"aG!="}])") ==
        "attachments[0].content: is not base64 at byte 3");
}

TEST_CASE("a file name is a name and no path") {
  for (const std::string_view name : {"", "../../x", "a/b", "/etc/passwd",
                                      "a\\b", ".", "..", "a\"; filename=b"}) {
    CAPTURE(name);
    const std::string problems =
        problems_with("\"attachments\":[{\"content\":\"\"," +
                      string_member("filename", name) + "}]");
    CHECK(problems.starts_with("attachments[0].filename: "));
    CHECK(problems.find('\n') == std::string::npos);
  }
  CHECK(read(with(
      R"("attachments":[{"filename":"Übersicht 1; a'b.pdf","content":""}])")));
}

TEST_CASE("a content type is a type, a subtype and plain parameters") {
  const auto is_read = [](std::string_view type) {
    return read(with("\"attachments\":[{\"filename\":\"x\",\"content\":\"\"," +
                     string_member("content_type", type) + "}]"))
        .has_value();
  };
  for (const std::string_view type :
       {"a/b", "application/vnd.x+json", "text/csv; charset=utf-8",
        "text/csv;charset=utf-8; header=present"}) {
    CAPTURE(type);
    CHECK(is_read(type));
  }
  for (const std::string_view type :
       {"", "pdf", "a/", "/b", "a/b/c", "a b/c", "a/b;", "a/b; x",
        "a/b; x=\"y\"", "a/b; x=y z", "a/b; =y", "a/b, c/d", "ä/b"}) {
    CAPTURE(type);
    CHECK_FALSE(is_read(type));
  }
}

TEST_CASE("a content id fits between brackets and is there once") {
  const auto with_cid = [](std::string_view cid) {
    return "{\"filename\":\"x\",\"content\":\"\"," + string_member("cid", cid) +
           "}";
  };
  for (const std::string_view cid : {"", "a b", "<a>", "a\"b", "ä"}) {
    CAPTURE(cid);
    CHECK(problems_with("\"attachments\":[" + with_cid(cid) + "]")
              .starts_with("attachments[0].cid: "));
  }
  CHECK(problems_with("\"attachments\":[" + with_cid("a") + "," +
                      with_cid("a") + "]") ==
        "attachments[1].cid: 'a' is there twice");
}

TEST_CASE("tags are one string or an array of strings") {
  const auto one = read(with(R"("tags":"signup")"));
  REQUIRE_OK(one);
  CHECK(one->tags == std::vector<std::string>{"signup"});
  CHECK(problems_with(R"("tags":{"a":1})") ==
        "tags: is an object, must be a string or an array of strings");
  CHECK(problems_with(R"("tags":["a",""])") == "tags[1]: is empty");
}

TEST_CASE("metadata is flat") {
  CHECK(problems_with(R"("metadata":{"a":{"b":1}})") ==
        "metadata.a: is an object, must be a string, number or boolean");
  CHECK(problems_with(R"("metadata":{"a":[1]})") ==
        "metadata.a: is an array, must be a string, number or boolean");
  CHECK(problems_with(R"("metadata":[1])") ==
        "metadata: is an array, must be an object");
  CHECK(problems_with(R"("metadata":{"":"x"})") ==
        "metadata.: has an empty name");
}

TEST_CASE("replacements are an object") {
  CHECK(problems_with(R"("replacements":[1])") ==
        "replacements: is an array, must be an object");
}

TEST_CASE("limits are named with what was given") {
  const auto count_problem = [](std::string_view key, std::string_view item,
                                std::size_t count) {
    return problems_with("\"" + std::string(key) + "\":" + many(item, count));
  };
  CHECK(count_problem("cc", "\"a@b.example\"", 9'999) == "(was read)");
  CHECK(count_problem("cc", "\"a@b.example\"", 10'000) ==
        "to, cc and bcc: has 10001 entries, the limit is 10000");
  CHECK(count_problem("cc", "\"a@b.example\"", 10'001) ==
        "cc: has 10001 entries, the limit is 10000");
  CHECK(count_problem("tags", "\"x\"", 50) == "(was read)");
  CHECK(count_problem("tags", "\"x\"", 51) ==
        "tags: has 51 entries, the limit is 50");
  CHECK(count_problem("attachments", "{\"filename\":\"x\",\"content\":\"\"}",
                      101) == "attachments: has 101 entries, the limit is 100");
  CHECK(problems_with("\"headers\":{\"X-A\":" + many("\"x\"", 100) + "}") ==
        "(was read)");
  CHECK(problems_with("\"headers\":{\"X-A\":" + many("\"x\"", 100) +
                      ",\"X-B\":\"x\"}") ==
        "headers: has 101 entries, the limit is 100");
}

TEST_CASE("what is too long is refused with its size and the limit") {
  const auto fits = [](const std::string& before, std::size_t limit,
                       const std::string& after) {
    return read(with(before + std::string(limit, 'x') + after)).has_value() &&
           !read(with(before + std::string(limit + 1, 'x') + after));
  };
  CHECK(fits("\"headers\":{\"X-A\":\"", 16'384, "\"}"));
  CHECK(fits("\"tags\":\"", 200, "\""));
  CHECK(fits("\"from\":\"", 1'024, " <a@b.example>\""));
  CHECK(fits("\"from\":{\"email\":\"a@b.example\",\"name\":\"", 1'024, "\"}"));
  CHECK(fits("\"metadata\":{\"a\":\"", 4'096, "\"}"));
  CHECK(fits("\"idempotency_key\":\"", 255, "\""));
  CHECK(fits("\"pool\":\"", 255, "\""));
  CHECK(problems_with("\"tags\":\"" + std::string(201, 'x') + "\"") ==
        "tags: has 201 bytes, the limit is 200");
  CHECK_FAILS(read(R"({"to":"a@b.example","text":"t","subject":")" +
                   std::string(16'385, 'x') + "\"}"),
              bad_data);
}

TEST_CASE("times are RFC 3339 and in their order") {
  CHECK(problems_with(R"("send_at":"tomorrow")")
            .starts_with("send_at: 'tomorrow' is no time | write it like"));
  CHECK(problems_with(R"("send_at":1795255200)") ==
        "send_at: is a number, must be a time");
  CHECK(
      problems_with(
          R"("send_at":"2026-12-01T09:00:00Z","expires_at":"2026-12-01T08:00:00Z")") ==
      "expires_at: is not after 'send_at'");
  CHECK(
      problems_with(
          R"("send_at":"2026-12-01T09:00:00Z","expires_at":"2026-12-01T09:00:00Z")") ==
      "expires_at: is not after 'send_at'");
  CHECK(read(with(
      R"("send_at":"2026-12-01T09:00:00Z","expires_at":"2026-12-01T09:00:01Z")")));
}

TEST_CASE("choices are named when one is not known") {
  CHECK(problems_with(R"("priority":"blk")") ==
        "priority: 'blk' is not known | did you mean 'bulk'?");
  CHECK(problems_with(R"("on_unknown":"whatever")") ==
        "on_unknown: 'whatever' is not known | one of 'retry' 'hold' 'fail'");
  CHECK(problems_with(R"("priority":1)") ==
        "priority: is a number, must be a string");
  for (const Priority p : {Priority::high, Priority::normal, Priority::bulk}) {
    CHECK(priority_from(to_text(p)) == p);
  }
  for (const OnUnknown p :
       {OnUnknown::retry, OnUnknown::hold, OnUnknown::fail}) {
    CHECK(on_unknown_from(to_text(p)) == p);
  }
}

TEST_CASE("a template id cannot leave the templates") {
  for (const std::string_view id : {"welcome", "a.b", "A-1_x", "x..y", "-x"}) {
    CHECK(is_template_id(id));
  }
  for (const std::string_view id :
       {""sv, "."sv, ".."sv, ".x"sv, "../../etc/passwd"sv, "/etc/shadow"sv,
        "a/b"sv, "a\0"sv, "ä"sv, "a b"sv}) {
    CHECK_FALSE(is_template_id(id));
  }
  CHECK(is_template_id(std::string(100, 'x')));
  CHECK_FALSE(is_template_id(std::string(101, 'x')));
}

TEST_CASE("a language is a BCP 47 tag") {
  for (const std::string_view tag :
       {"en", "es-MX", "zh-Hant-TW", "de-CH-1996", "x-pony"}) {
    CHECK(is_language(tag));
  }
  for (const std::string_view tag :
       {"", "-", "en-", "-en", "en--us", "../x", "en_US", "1en", "äö",
        "abcdefghi", "en-abcdefghi"}) {
    CHECK_FALSE(is_language(tag));
  }
  CHECK(problems_with(R"("lang":"es_MX")") ==
        "lang: 'es_MX' is no language | did you mean 'es-MX'?");
  CHECK(problems_with(R"("lang":"../x")")
            .starts_with("lang: '../x' is no language | a language tag"));
}

TEST_CASE("recipients are everybody, once") {
  const auto message =
      read(R"({"template":"x","to":["A <a@b.example>","c@d.example"],)"
           R"("cc":["a@B.Example","A@b.example"],"bcc":"c@d.example"})");
  REQUIRE_OK(message);
  CHECK(message->recipients() == std::vector<Address>{{"A", "a@b.example"},
                                                      {"", "c@d.example"},
                                                      {"", "A@b.example"}});
}

TEST_SUITE_END();

}  // namespace
}  // namespace pony
