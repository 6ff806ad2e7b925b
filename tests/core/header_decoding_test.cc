// Tests core/mime/header_decoding.cc.
#include "core/mime/header_decoding.h"

#include <doctest/doctest.h>

#include <string>

#include "core/json.h"

TEST_SUITE_BEGIN("core");

namespace pony {

TEST_CASE("encoded-words are decoded, of any charset") {
  CHECK(decoded_header(" Hello world\r\n") == "Hello world");
  CHECK(decoded_header("=?utf-8?Q?Gr=C3=BC=C3=9Fe?= an alle") ==
        "Grüße an alle");
  CHECK(decoded_header("=?UTF-8?b?R3LDvMOfZQ==?=") == "Grüße");
  CHECK(decoded_header("=?iso-8859-1?q?Gr=FC=DFe_you?=") == "Grüße you");
  CHECK(decoded_header("=?windows-1252?Q?=80?=") == "€");
  CHECK(decoded_header("=?koi8-r?B?8NLJ18XU?=") == "Привет");
  CHECK(decoded_header("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=") == "日本");
  CHECK(decoded_header("=?utf-8*de?Q?a?=") == "a");
}

TEST_CASE("spaces between two words are dropped, others are kept") {
  CHECK(decoded_header("=?utf-8?Q?a?= =?utf-8?Q?b?=") == "ab");
  CHECK(decoded_header("=?utf-8?Q?a?=\r\n  =?iso-8859-1?Q?b?= c") == "ab c");
  CHECK(decoded_header("=?utf-8?Q?a?= b =?utf-8?Q?c?=") == "a b c");
  CHECK_MESSAGE(decoded_header("=?utf-8?B?w4E=?= =?utf-8?B?w4E=?=") == "ÁÁ",
                "also where the first ends in padding");
  CHECK_MESSAGE(decoded_header("=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=") == "ü",
                "a character may be cut in two");
}

TEST_CASE("what is no encoded-word stays as it is") {
  for (const char* text : {"=?utf-8?X?a?=", "=?utf-8?Q?a", "=?", "a=?b?=c",
                           "=?../../x?Q?a?=", "=?utf-8?Q?a b?="}) {
    CAPTURE(text);
    CHECK(decoded_header(text) == text);
  }
}

TEST_CASE("bytes without an encoding are UTF-8, or ISO 8859-1") {
  CHECK(decoded_header("Grüße") == "Grüße");
  CHECK(decoded_header("Gr\xFC\xDF"
                       "e") == "Grüße");
  CHECK(to_utf8("\xFF", "no-such-charset") == "ÿ");
  CHECK(to_utf8("a\xFF", "utf-8") == "a\uFFFD");
}

TEST_CASE("no header text breaks a line, whatever is in it") {
  CHECK(decoded_header("=?utf-8?Q?a=0D=0ABcc:_x?=") == "a  Bcc: x");
  CHECK(decoded_header("a\x1b[31m") == "a [31m");
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  for (const char* charset : {"", "utf-8", "utf-7", "iso-2022-jp", "utf-16",
                              "utf-32", "gb18030", "ibm037"}) {
    CAPTURE(charset);
    const std::string text = on_one_line(to_utf8(all, charset));
    CHECK(is_utf8(text));
    CHECK_FALSE(has_control(text));
  }
}

TEST_CASE("words that GMime reads wrong are rewritten as it reads them right") {
  CHECK(with_q_words("=?utf-8?B?w4E=?= x =?utf-8?Q?=C3=81?=") ==
        "=?utf-8?Q?=C3=81?= x =?utf-8?Q?=C3=81?=");
  CHECK(with_q_words("Subject: plain =? ?= text") ==
        "Subject: plain =? ?= text");
  CHECK_FALSE(has_b_words("=?utf-8?Q?=62?="));
}

TEST_CASE("a header of nothing but beginnings is read in time") {
  std::string header;
  for (int i = 0; i < 100'000; ++i) header += "=?a?q?x";
  CHECK(decoded_header(header).size() == header.size());
  CHECK(with_q_words(header) == header);
}

}  // namespace pony

TEST_SUITE_END();
