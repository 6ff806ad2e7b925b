// Tests core/template/translation.cc.
#include "core/template/translation.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("translation");

namespace pony {
namespace {

const LanguageFiles k_source = {{"subject.txt", "Hello $name\n"},
                                {"body.txt", "One\nTwo\n"},
                                {"body.html", "<p>One</p>\n"}};

Translation recorded(const LanguageFiles& source) {
  auto read = read_translation(record("en", source), "translation.yaml");
  REQUIRE_OK(read);
  return *read;
}

std::string lag_text(const LanguageFiles& now) {
  const auto found = lags(recorded(k_source), now);
  return found.empty() ? "" : to_text(StaleTranslation{"es", "en", found});
}

TEST_CASE("what was just recorded is not stale") {
  CHECK(recorded(k_source).from == "en");
  CHECK(recorded(k_source).hashes.size() == 3);
  CHECK_FALSE(is_stale(recorded(k_source), k_source));
}

TEST_CASE("which files of the source have changed since is told, and how") {
  auto now = k_source;
  now["subject.txt"] = "Hi $name\n";
  CHECK(lag_text(now) == "es lags behind en: subject.txt changed since");
  now["preheader.txt"] = "More\n";
  now.erase("body.html");
  CHECK(lag_text(now) ==
        "es lags behind en: subject.txt changed since, preheader.txt added "
        "since, body.html removed since");
  CHECK(is_stale(recorded(k_source), now));
}

TEST_CASE("line ends and the file's end are nothing to translate") {
  CHECK(lag_text({{"subject.txt", "Hello $name"},
                  {"body.txt", "One\r\nTwo\r\n\r\n"},
                  {"body.html", "<p>One</p>"},
                  {"preheader.txt", ""},
                  {"translation.yaml", "from: de\n"}})
            .empty());
  // Line breaks within are.
  auto now = k_source;
  now["body.txt"] = "OneTwo";
  CHECK_FALSE(lag_text(now).empty());
}

TEST_CASE("a record that a person has touched is read, or refused in words") {
  const auto read = read_translation(
      "# by hand\nfrom: pt-BR\nnote: {a: [b]}\nsubject.txt: abc\n", "f");
  REQUIRE_OK(read);
  CHECK(read->from == "pt-BR");
  CHECK(read->hashes.at("subject.txt") == "abc");
  CHECK(read->hashes.size() == 1);
  for (const char* bad : {"", "from: ../x\n", "- a\n", "from: [en]\n",
                          "from: en\nfrom: de\n", "\xff", "a: 'b\n", "text"}) {
    const auto refused = read_translation(bad, "es/translation.yaml");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == Error::Kind::config);
    CHECK(refused.error().what.find("es/translation.yaml") !=
          std::string::npos);
  }
}

TEST_CASE("of a template, the languages whose source has changed are stale") {
  TemplateFiles files;
  files.languages["en"] = k_source;
  files.languages["en"]["subject.txt"] = "New\n";
  files.languages["es"] = {{"translation.yaml", record("en", k_source)}};
  files.languages["fr"] = {
      {"translation.yaml", record("en", files.languages["en"])}};
  files.languages["de"] = {{"subject.txt", "nobody recorded this one"}};
  // Its source is gone.
  files.languages["nl"] = {{"translation.yaml", record("xx", k_source)}};

  const auto stale = stale_translations(files, "welcome");

  REQUIRE_OK(stale);
  REQUIRE(stale->size() == 1);
  CHECK(to_text(stale->front()) ==
        "es lags behind en: subject.txt changed since");
}

TEST_CASE("a wrong record is told with its file") {
  TemplateFiles files;
  files.languages["es"] = {{"translation.yaml", "form: en\n"}};
  const auto stale = stale_translations(files, "T/welcome");
  REQUIRE_FALSE(stale);
  CHECK(stale.error().what.find("T/welcome/es/translation.yaml") !=
        std::string::npos);
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
