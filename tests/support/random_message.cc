// See random_message.h.
#include "tests/support/random_message.h"

#include <fmt/format.h>

#include <array>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "core/address.h"
#include "core/lower_case.h"
#include "core/mime/body_encoding.h"

namespace pony {
namespace {

using Words = std::span<const std::string_view>;

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  std::size_t below(std::size_t limit) { return engine_() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::string_view one_of(Words choices) {
    return choices[below(choices.size())];
  }

 private:
  std::mt19937 engine_;
};

constexpr std::array<std::string_view, 30> k_ascii_words = {"hello",
                                                            "a",
                                                            "Receipt,",
                                                            "\"quoted\"",
                                                            "back\\slash",
                                                            "50%",
                                                            "a=b",
                                                            "(comment)",
                                                            "=?utf-8?Q?x?=",
                                                            "=?utf-8?b?eA==?=",
                                                            "=?",
                                                            "?=",
                                                            "<angle>",
                                                            "x@y",
                                                            "semi;colon",
                                                            "tilde~",
                                                            "''",
                                                            "O'Brien",
                                                            "#1",
                                                            ".dot.",
                                                            "Dr.",
                                                            "_under_",
                                                            "=3D",
                                                            "[brackets]",
                                                            "group:",
                                                            "{json}",
                                                            "a/b+c-d!*",
                                                            "\\",
                                                            "\"",
                                                            ",,,"};

constexpr std::array<std::string_view, 36> k_other_words = {
    "Größe",      "naïve",      "€5",
    "Привет",     "заказ",      "你好世界",
    "ご注文",     "안녕하세요", "مرحبا",
    "שלום",       "🎉",          "👩‍👩‍👧‍👦",
    "🇩🇪",         "e\u0301",    "a\u0308\u0323",
    "नमस्ते",       "สวัสดี",       "ខ្មែរ",
    "ქართული",    "Հայերեն",    "አማርኛ",
    "Ελληνικά",   "ﷺ",          "\u200f",
    "\u200bzero", "\u00a0nb",   "\u3000wide",
    "\ufeffbom",  "𝔘𝔫𝔦",        "\U0010ffff",
    "ﬁ",          "ß",          "ı",
    "Ü,ü;",       "«»",         "ü\"ü"};

void append_utf8(std::string& out, char32_t c) {
  const auto byte = [&](char32_t value) { out += static_cast<char>(value); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | c >> 6);
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3F));
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

// Any characters at all that may stand in a header.
std::string random_characters(Random& random) {
  constexpr std::array<char32_t, 4> k_ends = {0x7F, 0x800, 0x10000, 0x110000};
  std::string text;
  for (auto n = random.below(12) + 1; n > 0; --n) {
    const auto c =
        static_cast<char32_t>(random.below(k_ends[random.below(4)] - ' ')) +
        ' ';
    const bool is_surrogate = c >= 0xD800 && c < 0xE000;
    const bool is_control = c >= 0x7F && c < 0xA0;
    const bool ends_line = c == 0x2028 || c == 0x2029;
    if (!is_surrogate && !is_control && !ends_line) append_utf8(text, c);
  }
  return text;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string random_word(Random& random, bool ascii) {
  std::string word(
      random.one_of(ascii ? Words(k_ascii_words) : Words(k_other_words)));
  if (random.one_in(40)) return repeated(word, random.below(60));
  if (!ascii && random.one_in(8)) return random_characters(random);
  return word;
}

// Up to `most` words. A third of the texts are ASCII, and a third are all of
// one script's words: long runs, not a change at every word.
std::string random_words(Random& random, std::size_t most) {
  const auto kind = random.below(3);
  const auto repeat = random.below(k_other_words.size());
  std::string text;
  if (random.one_in(20)) text += ' ';
  const auto count = random.below(most + 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += random.one_in(12) ? "  " : " ";
    text += kind == 1 ? std::string(k_other_words[repeat])
                      : random_word(random, kind == 0 || random.one_in(2));
  }
  if (random.one_in(20)) text += ' ';
  return text;
}

// --- bodies ---

std::string random_line(Random& random, std::string_view id) {
  switch (random.below(12)) {
    case 0:
      return std::string(random.one_in(2) ? "." : "..");
    case 1:
      return "From " + random_words(random, 3);
    case 2:
      return fmt::format("--=_{}_{}{}", id, "amr"[random.below(3)],
                         random.one_in(2) ? "--" : "");
    case 3:
      return "--" + random_words(random, 2);
    case 4:
      return repeated("long", random.below(1200));
    case 5:
      return repeated("plain = text. ", random.below(7));
    case 6:
      return random_words(random, 5) + std::string("\0\x01\x7f\v\f", 5);
    case 7:
      return random_words(random, 3) + (random.one_in(2) ? " \t" : "   ");
    case 8:
      return "";
    default:
      return random_words(random, 30);
  }
}

// A text whose lines all end in one way, or each in its own.
std::string random_text(Random& random, std::string_view id) {
  constexpr std::array<std::string_view, 4> k_ends = {"\n", "\r\n", "\r",
                                                      "\n\n"};
  const auto kind = random.below(6);
  const bool plain = random.one_in(3);
  std::string text;
  for (auto lines = random.below(10) + 1; lines > 0; --lines) {
    text +=
        plain ? repeated("plain. ", random.below(9)) : random_line(random, id);
    if (lines == 1 && random.one_in(2)) break;
    text += kind < 3 ? k_ends[kind] : random.one_of(k_ends);
  }
  return text;
}

// --- addresses ---

std::string random_email(Random& random) {
  constexpr std::array<std::string_view, 8> k_emails = {
      "ann@example.org",
      "o'brien+tag@mail.example.com",
      "info@bücher.example",
      "X@MÜNCHEN.example",
      "почта@пример.example",
      "a.b-c_d@sub.example.net",
      "!#$%&'*+/=?^_`{|}~@example.com",
      "very.long.local.part.of.an.address.that.goes.on.and.on@example.com"};
  // Few have a local part for SMTPUTF8: most mails must do without.
  const bool needs_utf8 = random.one_in(150);
  const auto email = random.one_of(k_emails);
  if (!needs_utf8 && !is_ascii(local_part(email))) return "b@example.org";
  return std::string(email);
}

Address random_address(Random& random) {
  return {random.one_in(4) ? "" : random_words(random, 6),
          random_email(random)};
}

std::vector<Address> random_addresses(Random& random, std::size_t most) {
  if (random.one_in(100)) most = 60;
  std::vector<Address> addresses;
  for (auto n = random.below(most + 1); n > 0; --n) {
    addresses.push_back(random_address(random));
  }
  return addresses;
}

// --- headers ---

Header random_header(Random& random, std::size_t number) {
  switch (random.below(6)) {
    case 0:
      return {fmt::format("X-SMTPAPI-{}", number),
              "{\"category\":\"" + repeated("c", random.below(300)) + "\"}"};
    case 1:
      return {fmt::format("List-X{}", number),
              fmt::format("<mailto:u@example.com?subject={}>, "
                          "<https://example.com/{}>",
                          number, repeated("u", random.below(400)))};
    case 2:
      return {
          fmt::format("X-{}{}", repeated("Long-", random.below(15)), number),
          "x" + random_words(random, 4) + "x"};
    default:
      return {fmt::format("X-Note-{}", number),
              "x" + random_words(random, 9) + "x"};
  }
}

std::vector<Header> random_headers(Random& random) {
  std::vector<Header> headers;
  const auto count = random.below(random.one_in(50) ? 60 : 4);
  for (std::size_t i = 0; i < count; ++i) {
    headers.push_back(random_header(random, i));
  }
  return headers;
}

// --- attachments ---

std::string random_file_name(Random& random) {
  constexpr std::array<std::string_view, 14> k_names = {
      "a.pdf",
      "",
      "Rechnung März 2026.pdf",
      "résumé.tar.gz",
      "报告.xlsx",
      "with \"quotes\" and \\.txt",
      "semi;colon=.c",
      "100%.txt",
      "%41%42.txt",
      "=?utf-8?Q?x?=.bin",
      "👩‍👩‍👧‍👦 family.png",
      "utf-8''a.txt",
      " spaces at both ends ",
      "it's (a) [name], <really>.txt"};
  switch (random.below(8)) {
    case 0:
      return repeated(random_word(random, random.one_in(2)),
                      random.below(30) + 1) +
             ".dat";
    case 1:
      return random_words(random, 8);
    case 2:
      return random_characters(random);
    default:
      return std::string(random.one_of(k_names));
  }
}

std::string random_base64(Random& random) {
  std::string bytes;
  if (random.one_in(8)) return bytes;
  for (auto n = random.below(300); n > 0; --n) {
    bytes += static_cast<char>(random.below(256));
  }
  std::string out;
  append_base64_run(out, bytes);
  return out;
}

Attachment random_attachment(Random& random, std::size_t number) {
  constexpr std::array<std::string_view, 7> k_types = {
      "application/pdf",
      "text/csv; charset=utf-8",
      "image/png",
      "text/plain",
      "message/rfc822",
      "multipart/mixed; boundary=x",
      "application/octet-stream"};
  Attachment attachment;
  attachment.filename = random_file_name(random);
  attachment.content_type = random.one_of(k_types);
  attachment.content = random_base64(random);
  if (random.one_in(2)) attachment.cid = fmt::format("image{}@shop", number);
  return attachment;
}

// --- what is expected ---

Json json_of(const Address& address) {
  auto json = Json::object();
  json.set("name", Json::string(address.name));
  json.set("email", Json::string(wire_email(address.email).value()));
  return json;
}

Json json_of(std::span<const Address> addresses) {
  auto json = Json::array();
  for (const auto& address : addresses) {
    json.items.push_back(json_of(address));
  }
  return json;
}

// Whole lines that end in LF: what a mail can say of a text.
std::string with_lf(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_pair =
        text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!is_pair) out += text[i] == '\r' ? '\n' : text[i];
  }
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out;
}

Json expected_texts(const RenderedMessage& message) {
  auto json = Json::array();
  const auto add = [&](std::string_view type, std::string_view text) {
    auto& item = json.items.emplace_back(Json::object());
    item.set("type", Json::string(std::string(type)));
    item.set("text", Json::string(with_lf(text)));
  };
  if (!message.text.empty()) add("text/plain", message.text);
  if (!message.html.empty()) add("text/html", message.html);
  if (json.items.empty() && message.attachments.empty()) add("text/plain", "");
  return json;
}

bool is_inline(const RenderedMessage& message, const Attachment& attachment) {
  return !attachment.cid.empty() && !message.html.empty();
}

std::string expected_type(const Attachment& attachment) {
  const std::string_view type = attachment.content_type;
  // These are not written as what they are (RFC 2046, 5).
  if (type.starts_with("message/") || type.starts_with("multipart/")) {
    return "application/octet-stream";
  }
  return std::string(type.substr(0, type.find(';')));
}

Json json_of(const RenderedMessage& message, const Attachment& attachment) {
  auto json = Json::object();
  const bool shown = is_inline(message, attachment);
  json.set("filename", Json::string(attachment.filename));
  json.set("type", Json::string(expected_type(attachment)));
  json.set("disposition", Json::string(shown ? "inline" : "attachment"));
  json.set("cid", Json::string(attachment.cid));
  json.set("content", Json::string(attachment.content));
  return json;
}

// The inline ones stand first.
Json expected_attachments(const RenderedMessage& message) {
  auto json = Json::array();
  for (const bool shown : {true, false}) {
    for (const auto& attachment : message.attachments) {
      if (is_inline(message, attachment) != shown) continue;
      json.items.push_back(json_of(message, attachment));
    }
  }
  return json;
}

std::string joined(std::string_view outer, std::string_view inner) {
  return fmt::format("multipart/{}({})", outer, inner);
}

std::string types_of(const RenderedMessage& message, bool shown) {
  std::string types;
  for (const auto& attachment : message.attachments) {
    if (is_inline(message, attachment) != shown) continue;
    types += ',' + expected_type(attachment);
  }
  return types;
}

std::string expected_structure(const RenderedMessage& message) {
  std::string texts;
  for (const auto& text : expected_texts(message).items) {
    if (!texts.empty()) texts += ',';
    texts += text.text_of("type");
  }
  if (texts.find(',') != std::string::npos)
    texts = joined("alternative", texts);
  const auto inlines = types_of(message, true);
  if (!inlines.empty()) texts = joined("related", texts + inlines);
  const auto others = types_of(message, false);
  if (others.empty()) return texts;
  const auto parts = texts + others;
  return joined("mixed", texts.empty() ? parts.substr(1) : parts);
}

Json expected_headers(const RenderedMessage& message) {
  auto json = Json::array();
  for (const auto& [name, value] : message.headers) {
    auto& item = json.items.emplace_back(Json::object());
    item.set("name", Json::string(name));
    item.set("value", Json::string(value));
  }
  return json;
}

}  // namespace

RenderedMessage random_message(unsigned number) {
  Random random(number);
  RenderedMessage message;
  message.id = fmt::format("01JD6Z3K8Q0000000000{:06}", number);
  message.accepted_at = Time(Milliseconds(
      static_cast<std::int64_t>(random.below(4'000'000'000)) * 1000));
  message.from = random_address(random);
  message.to = random_addresses(random, 5);
  message.cc = random_addresses(random, 2);
  message.bcc = {{"", "secret@hidden.example"}};
  if (random.one_in(3)) message.reply_to = random_address(random);
  message.subject = random_words(random, 20);
  if (!random.one_in(4)) message.text = random_text(random, message.id);
  if (random.one_in(2)) message.html = random_text(random, message.id);
  message.headers = random_headers(random);
  for (auto n = random.below(4); n > 0; --n) {
    message.attachments.push_back(random_attachment(random, n));
  }
  return message;
}

MimeOptions options_for(const RenderedMessage& message) {
  bool ascii = is_ascii(local_part(message.from.email));
  if (message.reply_to) ascii &= is_ascii(local_part(message.reply_to->email));
  for (const auto& address : message.to) {
    ascii &= is_ascii(local_part(address.email));
  }
  for (const auto& address : message.cc) {
    ascii &= is_ascii(local_part(address.email));
  }
  return {!ascii};
}

Json expected_content(const RenderedMessage& message) {
  auto json = Json::object();
  json.set("from", json_of({&message.from, 1}));
  json.set("to", json_of(message.to));
  json.set("cc", json_of(message.cc));
  auto& reply_to = json.set("reply_to", Json::array());
  if (message.reply_to) reply_to.items.push_back(json_of(*message.reply_to));
  json.set("undisclosed",
           Json::boolean(message.to.empty() && message.cc.empty()));
  json.set("subject", Json::string(message.subject));
  json.set("message_id", Json::string(message_id_header(message)));
  json.set("date",
           Json::number(message.accepted_at.time_since_epoch().count() / 1000));
  json.set("headers", expected_headers(message));
  json.set("structure", Json::string(expected_structure(message)));
  json.set("texts", expected_texts(message));
  json.set("attachments", expected_attachments(message));
  return json;
}

}  // namespace pony
