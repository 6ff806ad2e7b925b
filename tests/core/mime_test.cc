// core/mime: what a mail looks like on the wire. The golden files show whole
// messages; `PONY_REFRESH_GOLDEN=1 build/release/tests/pony_unit_tests
// -ts=mime` writes them anew. Whether strangers read them right is asked by
// tests/mime_python_test.sh and mime_gmime_test.sh.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/json.h"
#include "core/mime/body_encoding.h"
#include "core/mime/builder.h"
#include "core/mime/header_encoding.h"
#include "tests/support/random_message.h"
#include "tests/support/require_ok.h"

namespace pony {
namespace {

RenderedMessage a_message() {
  RenderedMessage message;
  message.id = "01JD6Z3K8Q0000000000000001";
  message.accepted_at = Time(Milliseconds(1795255200000));
  message.from = {"Shop", "shop@example.com"};
  message.to = {{"Ann", "ann@example.org"}};
  message.subject = "Hello";
  message.text = "Hello Ann\n";
  return message;
}

std::string composed(const RenderedMessage& message) {
  auto mime = compose_mime(message);
  REQUIRE_OK(mime);
  return *mime;
}

std::string refusal(const RenderedMessage& message) {
  const auto mime = compose_mime(message);
  CHECK_FAILS(mime, bad_data);
  return mime.error().what;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find("\r\n"), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return lines;
}

std::string_view header_of(std::string_view mime) {
  return mime.substr(0, mime.find("\r\n\r\n") + 2);
}

// The header `name`, unfolded; "(none)" if it is not there.
std::string header(std::string_view mime, std::string_view name) {
  auto rest = std::string("\r\n") + std::string(header_of(mime));
  const auto begin = rest.find(fmt::format("\r\n{}:", name));
  if (begin == std::string::npos) return "(none)";
  rest.erase(0, begin + 2);
  std::string value;
  for (const auto& line : lines_of(rest)) {
    if (!value.empty() && !line.starts_with(' ')) break;
    value += line;
  }
  return value.substr(std::min(name.size() + 2, value.size()));
}

std::string subject_lines(std::string_view subject) {
  std::string out;
  append_text_header(out, "Subject", subject);
  return out;
}

std::string address_line(std::string_view name) {
  std::string out;
  HeaderLine line(out, "To");
  line.address(name, "a@b.example", "");
  line.end();
  return out;
}

std::string file_name_lines(std::string_view name) {
  std::string out = "Content-Disposition: attachment";
  append_file_name(out, name);
  return out + "\r\n";
}

std::string base64(std::string_view bytes) {
  std::string out;
  append_base64_run(out, bytes);
  return out;
}

std::string encoded(std::string_view text, BodyEncoding encoding) {
  std::string out;
  append_encoded(out, text, encoding);
  return out;
}

std::string quoted_printable(std::string_view text) {
  return encoded(text, BodyEncoding::quoted_printable);
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string unbase64(std::string_view text) {
  constexpr std::string_view k_digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6U | static_cast<std::uint32_t>(k_digits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFFU);
  }
  return bytes;
}

std::string unquoted(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      bytes += text[i];
      continue;
    }
    bytes += static_cast<char>(
        std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return bytes;
}

// Every encoded-word: at most 75 characters, on a line of at most 76, and its
// content whole characters.
void check_encoded_words(std::string_view header) {
  for (const auto& line : lines_of(header)) {
    auto begin = line.find("=?utf-8?");
    if (begin != std::string::npos) CHECK(line.size() <= 76);
    while (begin != std::string::npos) {
      const auto end = line.find("?=", begin + 10);
      REQUIRE(end != std::string::npos);
      CHECK(end + 2 - begin <= 75);
      const auto content = line.substr(begin + 10, end - begin - 10);
      CHECK(is_utf8(line[begin + 8] == 'Q' ? unquoted(content)
                                           : unbase64(content)));
      begin = line.find("=?utf-8?", end);
    }
  }
}

// What holds for every mail.
void check_wire(std::string_view mime, const MimeOptions& options = {}) {
  const auto seven_bit =
      mime.substr(options.utf8_addresses ? header_of(mime).size() : 0);
  CHECK(is_ascii(seven_bit));
  CHECK(mime.ends_with("\r\n"));
  CHECK_FALSE(contains(mime, std::string_view("\0", 1)));
  for (const auto& line : lines_of(mime)) {
    CHECK(line.size() <= 998);
    CHECK(line.find_first_of("\r\n") == std::string::npos);
  }
  for (const auto& line : lines_of(header_of(mime))) {
    CHECK(line.find_first_not_of(' ') != std::string::npos);
    // Beyond 78 only where there is no space to fold at: behind the name, and
    // in the spaces that begin a folded line.
    if (line.size() <= 78) continue;
    const auto name_or_spaces = line.starts_with(' ')
                                    ? line.find_first_not_of(' ')
                                    : line.find(' ') + 1;
    CHECK(line.find(' ', name_or_spaces) == std::string::npos);
  }
  check_encoded_words(header_of(mime));
}

void compare_with_golden(const std::string& name, const std::string& mime) {
  const auto path =
      fmt::format("{}/tests/golden/{}.eml", PONY_SOURCE_DIR, name);
  if (std::getenv("PONY_REFRESH_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << mime;
  }
  std::ostringstream golden;
  golden << std::ifstream(path, std::ios::binary).rdbuf();
  CHECK(golden.str() == mime);
}

}  // namespace

TEST_SUITE_BEGIN("mime");

// --- whole messages ---

TEST_CASE("golden: a plain text") {
  auto message = a_message();
  message.reply_to = Address{"", "help@example.com"};
  message.cc = {{"Bob, the builder", "bob@example.org"}, {"", "c@example.org"}};
  message.headers = {{"X-Campaign", "spring"},
                     {"List-Unsubscribe", "<https://example.com/u?t=1>"}};
  compare_with_golden("plain", composed(message));
}

TEST_CASE("golden: text and HTML, in German") {
  auto message = a_message();
  message.from = {"Bücher & Mehr", "laden@bücher.example"};
  message.to = {{"Jürgen Müller", "j.mueller@example.org"}};
  message.subject =
      "Ihre Bestellung 4711 ist unterwegs – sie kommt am Dienstag";
  message.text = "Grüße aus dem Laden,\n\nIhr Buch kostet 19,90 €.\n";
  message.html = "<p>Grüße aus dem Laden,</p>\n<p>Ihr Buch kostet 19,90 €.</p>";
  compare_with_golden("alternative", composed(message));
}

TEST_CASE("golden: a text with a file, mixed") {
  auto message = a_message();
  message.attachments = {
      {"order.csv", "text/csv; charset=utf-8", base64("id,price\n1,2\n"), ""}};
  compare_with_golden("mixed", composed(message));
}

TEST_CASE("golden: HTML with a picture, related") {
  auto message = a_message();
  message.text.clear();
  message.html = "<img src=\"cid:logo\" alt=\"Shop\">\n";
  message.attachments = {
      {"logo.png", "image/png", base64("not really a picture"), "logo"}};
  compare_with_golden("related", composed(message));
}

TEST_CASE("golden: mixed around related around alternative") {
  auto message = a_message();
  message.subject = "你好，您的订单已经发货，请注意查收。感谢您的惠顾！";
  message.html = "<img src=\"cid:logo\">";
  message.text = "你好，您的订单已经发货。\n";
  message.attachments = {
      {"logo.png", "image/png", base64("not really a picture"), "logo"},
      {"报告.pdf", "application/pdf", base64(repeated("0123456789", 12)), ""}};
  compare_with_golden("nested", composed(message));
}

TEST_CASE("golden: a long subject in many scripts") {
  auto message = a_message();
  message.subject =
      "Your order, Ihre Bestellung, ваш заказ, 您的订单, ご注文, 주문하신 "
      "상품, "
      "طلبك, הזמנה 🎉 – Größe 42 =?utf-8?Q?=3F?= \"x\", ok";
  compare_with_golden("subject", composed(message));
}

TEST_CASE("golden: domains and local parts that are not ASCII") {
  auto message = a_message();
  message.from = {"Bücher", "laden@bücher.example"};
  message.to = {{"", "почта@пример.example"}, {"李", "用户@例子.example"}};
  message.reply_to = Address{"", "help@MÜNCHEN.example"};
  const auto mime = compose_mime(message, {.utf8_addresses = true});
  REQUIRE_OK(mime);
  compare_with_golden("addresses", *mime);
}

TEST_CASE("golden: file names of every kind") {
  auto message = a_message();
  for (const auto* name :
       {"plain name.pdf", "what?.txt", "März.pdf", "with \"quotes\" and \\.txt",
        "a;b=c%20'd'.csv", "👩‍👩‍👧‍👦.png",
        "Протокол заседания правления от 21 ноября.tar.gz", "=?utf-8?Q?x?=.bin",
        ""}) {
    message.attachments.push_back(
        {name, "application/octet-stream", base64("x"), ""});
  }
  compare_with_golden("file_names", composed(message));
}

TEST_CASE("golden: names with quotes, commas and more") {
  auto message = a_message();
  message.from = {"Shop, \"the best\"", "shop@example.com"};
  message.to.clear();
  for (const auto* name :
       {"", "Ann Lee", "Lee, Ann", "Ann \"Q\" Lee \\", "O'Brien", "J. R. (Bob)",
        "ann@example.org", "Müller, Jürgen \"JM\"", "Иван Иванов", "李小龙",
        "=?utf-8?Q?x?=", "two  spaces",
        "A very long name of a company, which has a comma and more than one "
        "line, Ltd."}) {
    message.to.push_back({name, "a@example.org"});
  }
  compare_with_golden("names", composed(message));
}

TEST_CASE("the headers stand in their order") {
  auto message = a_message();
  message.reply_to = Address{"", "help@example.com"};
  message.cc = {{"", "c@example.org"}};
  message.headers = {{"X-A", "1"}};

  const auto mime = composed(message);

  std::vector<std::string> names;
  for (const auto& line : lines_of(header_of(mime))) {
    names.push_back(line.substr(0, line.find(':')));
  }
  const std::vector<std::string> expected = {"Date",
                                             "From",
                                             "Reply-To",
                                             "To",
                                             "Cc",
                                             "Subject",
                                             "Message-ID",
                                             "X-A",
                                             "MIME-Version",
                                             "Content-Type",
                                             "Content-Transfer-Encoding"};
  CHECK(names == expected);
}

TEST_CASE("the same message gives the same bytes") {
  const auto message = random_message(7);
  CHECK(composed(message) == composed(message));
}

TEST_CASE("boundaries and Message-ID follow from the message's id alone") {
  auto message = a_message();
  message.html = "<p>Hello</p>";
  message.attachments = {{"a.pdf", "application/pdf", "QUJD", ""},
                         {"i.png", "image/png", "QUJD", "i@shop"}};
  auto other = message;
  other.id = "01JD6Z3K8Q0000000000000002";

  auto mime = composed(message);
  for (auto at = mime.find(message.id); at != std::string::npos;
       at = mime.find(message.id, at)) {
    mime.replace(at, message.id.size(), other.id);
  }
  CHECK(mime == composed(other));
  CHECK(header(mime, "Message-ID") == "<" + other.id + "@example.com>");
}

TEST_CASE("the date is when the message was accepted, in UTC") {
  auto message = a_message();
  message.accepted_at = Time(Milliseconds(1795255200999));
  CHECK(header(composed(message), "Date") == "Sat, 21 Nov 2026 10:00:00 +0000");
}

TEST_CASE("nothing is ever written in 8bit") {
  auto message = random_message(7);
  message.text = "Grüße, 你好\n";
  message.html = "<p>\xC2\xA0</p>";
  const auto mime = composed(message);
  CHECK(is_ascii(mime));
  CHECK_FALSE(contains(mime, "8bit"));
}

TEST_CASE("random messages keep to the limits of the wire") {
  for (unsigned number = 0; number < 400; ++number) {
    CAPTURE(number);
    auto message = random_message(number);
    // What only looks encoded is kept as it is, also where it is too long.
    std::erase_if(message.headers, [](const Header& custom) {
      return is_ascii(custom.value) && contains(custom.value, "=?");
    });
    const auto options = options_for(message);
    const auto mime = compose_mime(message, options);
    REQUIRE_OK(mime);
    check_wire(*mime, options);
    CHECK_FALSE(contains(*mime, "hidden.example"));
  }
}

// --- addresses ---

TEST_CASE(
    "Bcc is never written; with nobody else the recipients are undisclosed") {
  auto message = a_message();
  message.bcc = {{"Spy", "spy@hidden.example"}};
  CHECK_FALSE(contains(composed(message), "hidden.example"));
  CHECK(header(composed(message), "Bcc") == "(none)");

  message.to.clear();
  CHECK(header(composed(message), "To") == "undisclosed-recipients:;");
  CHECK_FALSE(contains(composed(message), "hidden.example"));

  message.cc = {{"", "c@example.org"}};
  CHECK(header(composed(message), "To") == "(none)");
  CHECK(header(composed(message), "Cc") == "c@example.org");
}

TEST_CASE("metadata, tags and keys are not written") {
  auto message = a_message();
  message.metadata = {{"order", "secret-4711"}};
  message.tags = {"secret-tag"};
  message.idempotency_key = "secret-key";
  message.template_id = "secret-template";
  CHECK_FALSE(contains(composed(message), "secret"));
}

TEST_CASE("display names are atoms, quoted or encoded as they need") {
  CHECK(address_line("") == "To: a@b.example\r\n");
  CHECK(address_line("Ann Lee") == "To: Ann Lee <a@b.example>\r\n");
  CHECK(address_line("Lee, Ann") == "To: \"Lee, Ann\" <a@b.example>\r\n");
  CHECK(address_line("Dr. \"A\" \\") ==
        "To: \"Dr. \\\"A\\\" \\\\\" <a@b.example>\r\n");
  CHECK(address_line("Jürgen from the Shop, M.") ==
        "To: =?utf-8?Q?J=C3=BCrgen_from_the_Shop=2C_M=2E?= <a@b.example>\r\n");
  CHECK(address_line("Иван") ==
        "To: =?utf-8?B?0JjQstCw0L0=?= <a@b.example>\r\n");
}

TEST_CASE("a display name that would read as something else is encoded") {
  CHECK(address_line("=?utf-8?Q?x?=") ==
        "To: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?= <a@b.example>\r\n");
  CHECK(address_line("two  spaces") ==
        "To: =?utf-8?Q?two__spaces?= <a@b.example>\r\n");
  CHECK(address_line(" Ann") == "To: =?utf-8?Q?_Ann?= <a@b.example>\r\n");
}

TEST_CASE("a display name is on one line or encoded") {
  // GMime leaves a line break in a name.
  CHECK(address_line(repeated("x", 77)) ==
        "To:\r\n " + repeated("x", 77) + "\r\n <a@b.example>\r\n");
  CHECK(contains(address_line(repeated("x", 78)), "=?utf-8?Q?xxx"));
  CHECK(contains(address_line(repeated("x", 74) + ","), "\r\n \"xxx"));
  CHECK(contains(address_line(repeated("x", 75) + ","), "=?utf-8?Q?xxx"));
}

TEST_CASE("long display names are split") {
  for (const auto& name : {repeated("Müller ", 40) + "x",
                           repeated("a, ", 90) + "x", repeated("x", 2000)}) {
    const auto line = address_line(name);
    for (const auto& part : lines_of(line)) CHECK(part.size() <= 78);
    check_encoded_words(line);
  }
}

TEST_CASE("domains are written in A-labels") {
  auto message = a_message();
  message.from.email = "Info@Bücher.example";
  const auto mime = composed(message);
  CHECK(header(mime, "From") == "Shop <Info@xn--bcher-kva.example>");
  CHECK(header(mime, "Message-ID") ==
        "<01JD6Z3K8Q0000000000000001@xn--bcher-kva.example>");
  CHECK(message_id_header(message) == header(mime, "Message-ID"));
}

TEST_CASE("a non-ASCII local part needs a route with SMTPUTF8") {
  auto message = a_message();
  message.to = {{"", "ann@example.org"}, {"Jörg", "jörg@bücher.example"}};
  CHECK(contains(refusal(message), "'to[1]'"));

  MimeOptions options;
  options.utf8_addresses = true;
  const auto mime = compose_mime(message, options);
  REQUIRE_OK(mime);
  CHECK(header(*mime, "To") ==
        "ann@example.org, =?utf-8?B?SsO2cmc=?= <jörg@xn--bcher-kva.example>");
}

TEST_CASE("many recipients are folded between addresses") {
  auto message = a_message();
  message.to.assign(200, {"Ann Lee", "ann@example.org"});
  const auto mime = composed(message);
  check_wire(mime);
  CHECK(contains(mime, "\r\n Ann Lee <ann@example.org>, Ann Lee"));
}

// --- text in headers ---

TEST_CASE("an ASCII subject is written as it is, folded at its spaces") {
  CHECK(subject_lines("Hello") == "Subject: Hello\r\n");
  CHECK(subject_lines("") == "Subject:\r\n");
  CHECK(subject_lines(repeated("twelve chars ", 10) + "end") ==
        "Subject: twelve chars twelve chars twelve chars twelve chars twelve "
        "chars\r\n twelve chars twelve chars twelve chars twelve chars twelve "
        "chars end\r\n");
  // Spaces are kept where it is folded.
  CHECK(subject_lines(repeated("x", 68) + "   y") ==
        "Subject: " + repeated("x", 68) + "\r\n   y\r\n");
}

TEST_CASE("a subject becomes Q or base64, whichever is shorter") {
  CHECK(subject_lines("Die Größe: 5, also gut (?)") ==
        "Subject: =?utf-8?Q?Die_Gr=C3=B6=C3=9Fe:_5,_also_gut_(=3F)?=\r\n");
  CHECK(subject_lines("Привет") == "Subject: =?utf-8?B?0J/RgNC40LLQtdGC?=\r\n");
}

TEST_CASE("a subject that would not read back as it is gets encoded") {
  CHECK(subject_lines("=?utf-8?Q?x?=") ==
        "Subject: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?=\r\n");
  CHECK(subject_lines(" x ") == "Subject: =?utf-8?Q?_x_?=\r\n");
  const auto endless = subject_lines(repeated("x", 3000));
  check_encoded_words(endless);
  CHECK(contains(endless, "=?utf-8?Q?xxx"));
}

TEST_CASE("encoded-words are short and split between whole characters") {
  for (std::string_view character : {"ü", "я", "好", "🎉"}) {
    for (std::size_t offset = 0; offset < 5; ++offset) {
      const auto text = repeated("a", offset) + repeated(character, 100);
      const auto lines = subject_lines(text);
      check_encoded_words(lines);
      CHECK(lines_of(lines).size() > 3);
    }
  }
}

TEST_CASE("of adjacent base64 words only the last is padded") {
  // GMime loses one of two that are (jstedfast/gmime#133).
  for (std::string_view character : {"я", "好", "🎉", "я好", "好🎉я"}) {
    for (std::size_t offset = 0; offset < 5; ++offset) {
      const auto text = repeated("a", offset) + repeated(character, 100);
      const auto lines = lines_of(subject_lines(text));
      CHECK(contains(lines.back(), "?B?"));
      for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
        const bool padded =
            contains(lines[i], "?B?") && lines[i].ends_with("=?=");
        CHECK_FALSE(padded);
      }
    }
  }
}

TEST_CASE("a subject is never folded right behind its name") {
  // Python's email has a space at its beginning then.
  CHECK(subject_lines(repeated("x", 69)) ==
        "Subject: " + repeated("x", 69) + "\r\n");
  CHECK(subject_lines(repeated("x", 70)).starts_with("Subject: =?utf-8?Q?xx"));
  CHECK(subject_lines(repeated("x", 70) + " y").starts_with("Subject: =?"));
}

TEST_CASE("a long header name leaves the encoded-words their room") {
  std::string out;
  append_text_header(out, "X-" + repeated("n", 70), "Grüße");
  CHECK(out == "X-" + repeated("n", 70) + ":\r\n =?utf-8?B?R3LDvMOfZQ==?=\r\n");
}

// --- custom headers ---

TEST_CASE("custom headers are encoded only if they are not ASCII") {
  auto message = a_message();
  message.headers = {{"X-Note", "Grüße"}, {"X-Was", "=?utf-8?Q?x?="}};
  const auto mime = composed(message);
  CHECK(header(mime, "X-Note") == "=?utf-8?B?R3LDvMOfZQ==?=");
  CHECK(header(mime, "X-Was") == "=?utf-8?Q?x?=");
}

TEST_CASE("a word that cannot be folded stays whole") {
  const auto url = "<https://example.com/" + repeated("u", 300) + ">";
  auto message = a_message();
  message.headers = {
      {"List-Unsubscribe", "<mailto:u@example.com>, " + url},
      {"X-SMTPAPI", "{\"category\":\"" + repeated("c", 200) + "\"}"},
      {"References", repeated("<0123456789@example.com> ", 10)}};
  const auto mime = composed(message);
  CHECK(contains(
      mime, "List-Unsubscribe: <mailto:u@example.com>,\r\n " + url + "\r\n"));
  CHECK(contains(mime, "X-SMTPAPI: {\"category\":\"ccc"));
  CHECK(contains(mime, "<0123456789@example.com>\r\n <0123456789"));
  check_wire(mime);
}

TEST_CASE("headers are folded at 78 wherever they have a space") {
  auto message = a_message();
  message.headers = {{"X-Words", repeated("word ", 100) + "end"},
                     {"X-Fits", repeated("x", 70)},
                     {"X-Fills", repeated("y", 70)}};
  const auto mime = composed(message);
  check_wire(mime);
  CHECK(contains(mime, "X-Words: word"));
  CHECK(contains(mime, "X-Fits: xx"));
  CHECK(contains(mime, "X-Fills:\r\n yy"));
  CHECK(header(mime, "X-Words") == repeated("word ", 100) + "end");
}

TEST_CASE("a long List-Unsubscribe is folded between its addresses only") {
  const auto link = "<https://example.com/" + repeated("u", 500) + ">";
  const std::string mail = "<mailto:u@example.com?subject=unsubscribe>";
  auto message = a_message();
  message.headers = {
      {"List-Unsubscribe", mail + ", " + link},
      {"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"},
      // Nowhere to fold: a space would be one that was not there.
      {"List-Help", mail + "," + link}};
  const auto mime = composed(message);
  check_wire(mime);
  CHECK(contains(mime, "List-Unsubscribe: " + mail + ",\r\n " + link + "\r\n"));
  CHECK(contains(mime,
                 "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
  CHECK(contains(mime, "\r\nList-Help: " + mail + "," + link + "\r\n"));
}

TEST_CASE("encoded-words stand only in names and in texts") {
  auto message = a_message();
  message.from = {"Jörg", "jörg@bücher.example"};
  message.to = {{"李", "用户@例子.example"}};
  message.subject = "Grüße";
  message.headers = {{"Auto-Submitted", "auto-generated"},
                     {"List-Id", "=?utf-8?Q?x?= <news.example.com>"}};
  const auto mime = compose_mime(message, {.utf8_addresses = true});
  REQUIRE_OK(mime);
  CHECK(header(*mime, "From") ==
        "=?utf-8?B?SsO2cmc=?= <jörg@xn--bcher-kva.example>");
  CHECK(header(*mime, "To") == "=?utf-8?B?5p2O?= <用户@xn--fsqu00a.example>");
  CHECK(header(*mime, "Message-ID") ==
        "<01JD6Z3K8Q0000000000000001@xn--bcher-kva.example>");
  CHECK(header(*mime, "Auto-Submitted") == "auto-generated");
  CHECK(header(*mime, "List-Id") == "=?utf-8?Q?x?= <news.example.com>");
}

TEST_CASE("structured headers are refused rather than encoded") {
  for (const auto* name :
       {"List-Id", "list-unsubscribe", "In-Reply-To", "references",
        "X-Original-Message-ID", "X-SMTPAPI", "Auto-Submitted",
        "List-Unsubscribe-Post", "Feedback-ID", "Precedence"}) {
    auto message = a_message();
    message.headers = {{name, "Größe"}};
    CHECK(refusal(message) ==
          fmt::format("'headers.{}' cannot be written in a mail: this header "
                      "takes only ASCII",
                      name));
  }
}

TEST_CASE("a header word longer than any line is refused") {
  auto message = a_message();
  message.headers = {{"X-Long", repeated("x", 990)}};
  check_wire(composed(message));
  message.headers = {{"X-Long", repeated("x", 991)}};
  CHECK(contains(refusal(message), "'headers.X-Long'"));
}

// --- refusals ---

TEST_CASE("a line break is refused wherever it would reach a header") {
  const std::string evil = "x\r\nBcc: evil@example.com";
  const auto refused = [&](std::string_view field, auto change) {
    auto message = a_message();
    change(message);
    CAPTURE(field);
    CHECK(contains(refusal(message), fmt::format("'{}'", field)));
  };
  using M = RenderedMessage&;
  refused("subject", [&](M m) { m.subject = evil; });
  refused("subject", [&](M m) { m.subject = "one\u2028two"; });
  refused("from", [&](M m) { m.from.name = evil; });
  refused("from", [&](M m) { m.from.email = evil; });
  refused("to", [&](M m) { m.to[0].name = "a\nb"; });
  refused("to",
          [&](M m) { m.to[0].email = "a@b.example>\r\nX: <c@d.example"; });
  refused("to", [&](M m) { m.to[0].email = "a@b.example>, <c@d.example"; });
  refused("cc", [&](M m) { m.cc = {{evil, "a@b.example"}}; });
  refused("reply_to", [&](M m) { m.reply_to = Address{evil, "a@b.example"}; });
  refused("id", [&](M m) { m.id = evil; });
  refused("headers.X-A", [&](M m) { m.headers = {{"X-A", evil}}; });
  refused("headers.Bcc", [&](M m) { m.headers = {{"Bcc", "x"}}; });
  refused("attachments[0].filename", [&](M m) {
    m.attachments = {{evil, "a/b", "", ""}};
  });
  refused("attachments[0].content_type", [&](M m) {
    m.attachments = {{"a", "a/b\r\nX: y", "", ""}};
  });
  refused("attachments[0].cid", [&](M m) {
    m.attachments = {{"a", "a/b", "", evil}};
  });
  refused("attachments[0].content", [&](M m) {
    m.attachments = {{"a", "a/b", "AA\r\n", ""}};
  });
}

TEST_CASE("what is no content type is refused") {
  for (const auto* type : {"", "pdf", "/pdf", "text/", "text/ ", "te xt/a"}) {
    auto message = a_message();
    message.attachments = {{"a", type, "", ""}};
    CHECK(contains(refusal(message), "'attachments[0].content_type'"));
  }
}

TEST_CASE("text that is not UTF-8 is refused") {
  auto message = a_message();
  message.subject = "\xff";
  CHECK(contains(refusal(message), "'subject'"));
  message = a_message();
  message.html = "\xc3";
  CHECK(contains(refusal(message), "'html'"));
}

// --- bodies ---

TEST_CASE("every kind of line end becomes CRLF, and the last line has one") {
  const auto seven_bit = [](std::string_view text) {
    return encoded(text, BodyEncoding::seven_bit);
  };
  CHECK(seven_bit("a\nb\r\nc\rd") == "a\r\nb\r\nc\r\nd\r\n");
  CHECK(seven_bit("a\n\r\n\r\r\n") == "a\r\n\r\n\r\n\r\n");
  CHECK(seven_bit("").empty());
  CHECK(seven_bit("\n") == "\r\n");
  CHECK(seven_bit("\r") == "\r\n");
  CHECK(seven_bit("a\r\r") == "a\r\n\r\n");
  CHECK(seven_bit("a") == "a\r\n");
  CHECK(quoted_printable("a\rb\n\r\nc") == "a\r\nb\r\n\r\nc\r\n");
  CHECK(encoded("a\nb", BodyEncoding::base64) == base64("a\r\nb\r\n") + "\r\n");
}

TEST_CASE("the shortest encoding that carries a text is chosen") {
  const auto chosen = [](std::string_view text) {
    return to_text(choose_encoding(text));
  };
  CHECK(chosen("") == "7bit");
  CHECK(chosen("plain = text\twith a tab") == "7bit");
  CHECK(chosen(repeated("x", 78)) == "7bit");
  CHECK(chosen(repeated("x", 79)) == "quoted-printable");
  CHECK(chosen(std::string("a\0b and some more text", 22)) ==
        "quoted-printable");
  CHECK(chosen("Größe und noch etwas Text") == "quoted-printable");
  CHECK(chosen("Привет, мир") == "base64");
}

TEST_CASE("quoted-printable keeps its lines to 76 and blanks at their ends") {
  CHECK(quoted_printable("a=b ü\n") == "a=3Db =C3=BC\r\n");
  CHECK(quoted_printable("a \nb\t\n c") == "a=20\r\nb=09\r\n c\r\n");
  CHECK(quoted_printable(repeated("x", 80)) ==
        repeated("x", 75) + "=\r\nxxxxx\r\n");
  CHECK(quoted_printable(repeated("x", 74) + "üy") ==
        repeated("x", 74) + "=\r\n=C3=BCy\r\n");
  for (const auto& line : lines_of(quoted_printable(repeated("aü ", 200)))) {
    CHECK(line.size() <= 76);
  }
}

TEST_CASE("base64 is padded and wrapped at 76") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  std::string out;
  append_base64_lines(out, repeated("QUJD", 20));
  CHECK(out == repeated("QUJD", 19) + "\r\nQUJD");
}

TEST_CASE("an attachment is written in base64 lines of 76") {
  for (const std::size_t bytes :
       {0, 1, 56, 57, 58, 114, 57 * 32, 57 * 64, 57 * 70 + 1}) {
    CAPTURE(bytes);
    const auto content = base64(repeated("x", bytes));
    std::string lines;
    for (std::size_t at = 0; at < content.size(); at += 76) {
      lines += (at == 0 ? "" : "\r\n") + content.substr(at, 76);
    }
    auto message = a_message();
    message.attachments = {{"", "image/png", content, ""}};
    CHECK(
        contains(composed(message), "attachment\r\n\r\n" + lines + "\r\n--=_"));
  }
}

TEST_CASE("a text in base64 is whole lines of 76") {
  const auto text = repeated("Привет, ", 40);
  std::string joined;
  for (const auto& line : lines_of(encoded(text, BodyEncoding::base64))) {
    CHECK(line.size() <= 76);
    joined += line;
  }
  CHECK(joined == base64(text + "\r\n"));
}

TEST_CASE("every byte that is not base64 is found, wherever it stands") {
  const auto text = repeated("QUJD", 50);
  CHECK(is_base64_text(text));
  CHECK(is_base64_text(""));
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    const bool is_one = std::isalnum(byte) != 0 || contains("+/=", {&c, 1});
    for (const std::size_t at : {0, 63, 64, 130, 199}) {
      auto changed = text;
      changed[at] = c;
      CHECK(is_base64_text(changed) == is_one);
    }
  }
}

TEST_CASE("every byte but printable ASCII keeps a text from being 7bit") {
  for (int byte = 0; byte < 256; ++byte) {
    const bool plain = (byte >= ' ' && byte < 0x7F) || byte == '\t' ||
                       byte == '\n' || byte == '\r';
    for (const std::size_t at : {0, 63, 64, 130}) {
      auto text = repeated(repeated("x", 70) + "\n", 3);
      text[at] = static_cast<char>(byte);
      CHECK((choose_encoding(text) == BodyEncoding::seven_bit) == plain);
    }
  }
}

TEST_CASE("a text that holds the boundary is not written as it is") {
  auto message = a_message();
  message.html = "<p>Hello</p>";
  message.text = "--=_" + message.id + "_a\nContent-Type: text/html\n\nevil\n";
  const auto mime = composed(message);
  CHECK(contains(mime, "--=3D_" + message.id));
}

// --- parts ---

TEST_CASE("mixed holds related holds alternative, plain text first") {
  auto message = a_message();
  message.html = "<p>Hello</p>";
  message.attachments = {{"a.pdf", "application/pdf", "QUJD", ""},
                         {"i.png", "image/png", "QUJD", "i@shop"}};
  const auto mime = composed(message);
  std::size_t at = 0;
  for (std::string_view step :
       {"multipart/mixed",
        "multipart/related;\r\n type=\"multipart/alternative\"",
        "multipart/alternative", "text/plain", "text/html", "image/png",
        "Content-Disposition: inline;\r\n filename=\"i.png\"",
        "Content-ID: <i@shop>", "_r--", "application/pdf",
        "Content-Disposition: attachment;\r\n filename=\"a.pdf\"", "_m--"}) {
    CAPTURE(step);
    at = mime.find(step, at);
    REQUIRE(at != std::string::npos);
  }
}

TEST_CASE("HTML alone with a picture is related to it") {
  auto message = a_message();
  message.text.clear();
  message.html = "<img src=\"cid:i\">";
  message.attachments = {{"i.png", "image/png", "QUJD", "i"}};
  const auto mime = composed(message);
  CHECK(header(mime, "Content-Type") ==
        "multipart/related; type=\"text/html\";"
        " boundary=\"=_01JD6Z3K8Q0000000000000001_r\"");
  CHECK_FALSE(contains(mime, "text/plain"));
}

TEST_CASE("an inline attachment without HTML is an ordinary one") {
  auto message = a_message();
  message.attachments = {{"i.png", "image/png", "QUJD", "i"}};
  const auto mime = composed(message);
  CHECK(contains(header(mime, "Content-Type"), "multipart/mixed"));
  CHECK(contains(mime, "Content-Disposition: attachment"));
}

TEST_CASE("a message with nothing but a subject has an empty text") {
  auto message = a_message();
  message.text.clear();
  CHECK(
      composed(message).ends_with("Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Transfer-Encoding: 7bit\r\n\r\n"));
}

TEST_CASE("an attached mail arrives as the bytes it was") {
  auto message = a_message();
  message.attachments = {{"old.eml", "message/rfc822", "QUJD", ""}};
  const auto mime = composed(message);
  CHECK(contains(mime,
                 "Content-Type: application/octet-stream\r\n"
                 "Content-Transfer-Encoding: base64\r\n"
                 "Content-Disposition: attachment;\r\n"
                 " filename=\"old.eml\"\r\n\r\nQUJD\r\n"));
}

TEST_CASE("a file name is plain if it can be, else RFC 2231 and a likeness") {
  const std::string begin = "Content-Disposition: attachment";
  CHECK(file_name_lines("") == begin + "\r\n");
  CHECK(file_name_lines("a b.pdf") == begin + ";\r\n filename=\"a b.pdf\"\r\n");
  CHECK(file_name_lines("why?.pdf") ==
        begin + ";\r\n filename=\"why?.pdf\"\r\n");
  CHECK(file_name_lines("März 5.pdf") ==
        begin +
            ";\r\n filename*=utf-8''M%C3%A4rz%205.pdf"
            ";\r\n filename=\"M_rz 5.pdf\"\r\n");
  CHECK(file_name_lines("a\"\\.txt") ==
        begin +
            ";\r\n filename*=utf-8''a%22%5C.txt;\r\n filename=\"a__.txt\"\r\n");
}

TEST_CASE("a long file name is cut into sections and keeps its ending") {
  const auto lines = lines_of(file_name_lines(repeated("報", 40) + ".tar"));
  REQUIRE(lines.size() > 4);
  for (const auto& line : lines) CHECK(line.size() <= 78);
  CHECK(lines[1].starts_with(" filename*0*=utf-8''%E5%A0%B1"));
  CHECK(lines[2].starts_with(" filename*1*=%E5%A0%B1"));
  CHECK(lines.back().ends_with("_.tar\""));

  const auto ascii = lines_of(file_name_lines(repeated("n", 200) + ".tar"));
  for (const auto& line : ascii) CHECK(line.size() <= 78);
  CHECK(ascii.back().ends_with("n.tar\""));
}

TEST_SUITE_END();

}  // namespace pony
