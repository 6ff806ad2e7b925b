// Tests core/template/language_fallback.cc.
#include "core/template/language_fallback.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("template");

namespace pony {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("a language falls back to its base, then to the defaults") {
  CHECK(language_chain("es-MX", "de", "en") ==
        Words{"es-MX", "es", "de", "en"});
  CHECK(language_chain("zh-Hant-TW", "", "en-GB") ==
        Words{"zh-Hant-TW", "zh-Hant", "zh", "en-GB", "en"});
  CHECK(language_chain("de-x-formal", "", "") == Words{"de-x-formal", "de"});
  CHECK(language_chain("", "", "").empty());
}

TEST_CASE("languages are compared without case, es_MX is es-MX, once each") {
  CHECK(language_chain("ES_mx", "es-MX", "EN") == Words{"ES-mx", "ES", "EN"});
  CHECK(is_same_language("pt-BR", "PT_br"));
  CHECK_FALSE(is_same_language("pt-BR", "pt"));
}

TEST_CASE(
    "numbers take the form that was asked for, if the text's is its base") {
  CHECK(locale_of("es-MX", "es") == "es-MX");
  CHECK(locale_of("ES_mx", "es") == "ES_mx");
  CHECK(locale_of("es", "es-MX") == "es-MX");
  CHECK(locale_of("de-CH", "en") == "en");
  CHECK(locale_of("", "en") == "en");
  CHECK(locale_of("est", "es") == "es");
}

TEST_CASE("no odd language makes the chain endless") {
  for (const auto* odd : {"-", "--", "a-", "-a", "x-a-b", "../..", "a-b-c-d-e"})
    CHECK(language_chain(odd, odd, odd).size() < 8);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
