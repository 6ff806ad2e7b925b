// Tests core/template/pony_express.cc.
#include "core/template/pony_express.h"

#include <doctest/doctest.h>

#include <boost/filesystem.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/template/template_writer.h"
#include "tests/support/require_ok.h"
#include "tests/support/templates_folder.h"

TEST_SUITE_BEGIN("PonyExpress's templates");

namespace pony {
namespace {

namespace fs = boost::filesystem;

Result<TemplateDocument> read(std::string_view json, std::string_view id = {}) {
  auto parsed = parse_json(json);
  REQUIRE_OK(parsed);
  return from_pony_express(*parsed, id);
}

// "place: what" of every problem, one a line.
std::string problems_of(std::string_view json) {
  const auto document = read(json);
  REQUIRE_FALSE(document);
  CHECK(document.error().kind == Error::Kind::bad_data);
  std::string text;
  for (const auto& problem : document.error().problems)
    text += problem.place + ": " + problem.what + "\n";
  return text.empty() ? document.error().what : text;
}

TEST_CASE("a document as PonyExpress keeps it becomes a template") {
  const auto document = read(R"({
    "_id": "welcome", "_rev": "2-7051cbe5", "doc_type": "PonyExpressTemplate",
    "name": "Welcome", "format": "html",
    "contents": [
      {"doc_type": "LocalTemplate", "lang": "EN", "subject": "Hello $name",
       "body": "<p>$name, $$25</p>\r\n"},
      {"doc_type": "LocalTemplate", "lang": "PT_BR", "subject": "Olá",
       "body": "<p>ç</p>"}]})");

  REQUIRE_OK(document);
  CHECK(document->id == "welcome");
  CHECK(document->files.settings == "name: Welcome\ndefault_lang: en\n");
  CHECK(document->files.languages.at("en") ==
        LanguageFiles{{"subject.txt", "Hello $name\n"},
                      {"body.html", "<p>$name, $$25</p>\r\n"}});
  CHECK(document->files.languages.at("pt-BR").at("body.html") == "<p>ç</p>");
}

TEST_CASE("the other spellings mean the same") {
  const auto document = read(R"({
    "id": "welcome", "content_type": "text/plain", "default_language": "es",
    "lang": "es", "subject": "Hola", "body": "Hola.",
    "translations": {"en": {"subject": "Hello", "body": "Hello."},
                     "de_AT": {"subject": "Servus", "text": "Servus."}}})");

  REQUIRE_OK(document);
  CHECK(document->files.settings == "default_lang: es\n");
  CHECK(document->files.languages.size() == 3);
  CHECK(document->files.languages.at("es").at("body.txt") == "Hola.");
  CHECK(document->files.languages.at("de-AT").at("body.txt") == "Servus.");
  const auto named =
      read(R"({"format": "text", "lang": "en", "subject": "s", "body": "b"})",
           "other");
  REQUIRE_OK(named);
  CHECK(named->id == "other");
}

TEST_CASE("settings beside PonyExpress's own become template.yaml's") {
  const auto document = read(R"({
    "_id": "w", "_rev": "1", "_attachments": {}, "format": "text",
    "from": "Ann <ann@example.com>", "tags": ["a", "b: c"],
    "headers": {"X-A": "$b"}, "raw": ["note"], "optional": null,
    "contents": [{"lang": "en", "subject": "s", "body": "b"}]})");

  REQUIRE_OK(document);
  CHECK(document->files.settings ==
        "default_lang: en\n"
        "\"from\": \"Ann <ann@example.com>\"\n"
        "\"tags\": [\"a\",\"b: c\"]\n"
        "\"headers\": {\"X-A\":\"$b\"}\n"
        "\"raw\": [\"note\"]\n");
}

TEST_CASE("every problem of a document is told at once") {
  CHECK(problems_of(R"({
    "_id": "../x", "format": "pdf", "name": 7, "contents": [
      {"lang": "en", "body": 1}, {"lang": "EN", "subject": "s"}, 7,
      {"lang": "a/b"}, {"subject": "s"}]})") ==
        "_id: '../x' cannot name a template\n"
        "format: unknown content type 'pdf'\n"
        "contents[0].subject: is missing\n"
        "contents[0].body: must be a text\n"
        "contents[1].lang: 'en' is given twice\n"
        "contents[2]: must be an object\n"
        "contents[3].lang: 'a/b' is no language\n"
        "contents[4].lang: is missing\n"
        "name: must be a text\n");
  CHECK(problems_of(R"({"contents": 1})") ==
        "_id: is missing\ncontents: must be a list\n");
  CHECK(problems_of(R"({"_id": "x"})") == "contents: has no language\n");
  CHECK(problems_of(R"({"_id": "x", "lang": "en", "subject": "s",
                        "body": "b"})") ==
        "format: is missing, so nobody knows what 'body' is\n");
  CHECK(problems_of("[]") == "a template must be an object");
}

TEST_CASE("any JSON gives a template or an error") {
  for (const char* json :
       {"null", "7", "\"x\"", "{}", R"({"_id": null, "contents": null})",
        R"({"_id": [], "pony": [], "contents": {"": null}})",
        R"({"_id": "x", "pony": {"template.yaml": 1}, "contents": [[]]})",
        R"({"_id": "x", "format": {}, "contents": {"en": {"body": {}}}})",
        R"({"_id":"x","default_lang":"]]","pony":{"template.yaml":"\u0000"},
            "format":"text","contents":[{"lang":"en","subject":"s"}]})"})
    (void)read(json).has_value();
}

Json exported(const std::string& root, const std::string& id) {
  TemplateStore store(root, "en");
  const auto found = store.find(id);
  REQUIRE_OK(found);
  TemplateFolder folder(root);
  const auto files = read_template_files(folder, id);
  REQUIRE_OK(files);
  auto json = parse_json(to_text(to_pony_express(**found, *files, "en")));
  REQUIRE_OK(json);
  return std::move(*json);
}

TEST_CASE("a template that was exported is imported as the same files") {
  const TemplatesFolder root;
  TemplateFiles files;
  files.settings =
      "# Comments stay.\nname: 'Über \"uns\"'   # really\nreply_to: "
      "a@b.example\n"
      "tags: [x]\nraw: [note]\n";
  files.languages["en"] = {{"subject.txt", "Hello\n"},
                           {"body.html", "<p>\t\u2028</p>\n"},
                           {"body.txt", "Hello\r\n"},
                           {"preheader.txt", "More inside\n"}};
  files.languages["es"] = {{"subject.txt", "Hola\n"},
                           {"body.txt", "no line end"},
                           {"body.html", ""},
                           {"translation.yaml", "from: en\n"}};
  TemplateWriter writer(root.path(), "en");
  REQUIRE_OK(writer.add("welcome", files));

  const auto document = from_pony_express(exported(root.path(), "welcome"));

  REQUIRE_OK(document);
  CHECK(document->id == "welcome");
  CHECK(document->files == files);
  // Also one that has no template.yaml.
  files.settings.clear();
  REQUIRE_OK(writer.replace("welcome", files));
  const auto bare = from_pony_express(exported(root.path(), "welcome"));
  REQUIRE_OK(bare);
  CHECK(bare->files == files);
}

TEST_CASE("what PonyExpress changes in an exported document counts") {
  const TemplatesFolder root;
  TemplateFiles files;
  files.settings = "# About\nname: Old   # name\ntags: [x]\n";
  files.languages["en"] = {{"subject.txt", "s\n"}, {"body.html", "old"}};
  TemplateWriter writer(root.path(), "en");
  REQUIRE_OK(writer.add("welcome", files));
  Json json = exported(root.path(), "welcome");
  for (auto& [key, value] : json.members) {
    if (key == "name") value.text = "New: 1";
    if (key != "contents") continue;
    for (auto& [part, text] : value.items[0].members)
      if (part == "body") text.text = "new";
  }

  const auto document = from_pony_express(json);

  REQUIRE_OK(document);
  CHECK(document->files.settings == "# About\nname: \"New: 1\"\ntags: [x]\n");
  CHECK(document->files.languages.at("en").at("body.html") == "new");
}

TEST_CASE("an export is what PonyExpress reads: one format, one body") {
  const TemplatesFolder root;
  TemplateFiles files;
  files.settings = "default_lang: es\n";
  files.languages["en"] = {{"subject.txt", "s\n"}, {"body.txt", "text"}};
  files.languages["es"] = {{"subject.txt", "s\n"}, {"body.txt", "texto"}};
  TemplateWriter writer(root.path(), "en");
  REQUIRE_OK(writer.add("welcome", files));
  const Json text = exported(root.path(), "welcome");
  CHECK(text.text_of("doc_type") == "PonyExpressTemplate");
  CHECK(text.text_of("format") == "text");
  CHECK(text.find("contents")->items[0].text_of("lang") == "es");
  CHECK(text.find("contents")->items[0].text_of("body") == "texto");
  files.languages["es"]["body.html"] = "<p>";
  REQUIRE_OK(writer.replace("welcome", files));
  const Json html = exported(root.path(), "welcome");
  CHECK(html.text_of("format") == "html");
  CHECK(html.find("contents")->items[0].text_of("body") == "<p>");
  CHECK(html.find("contents")->items[0].text_of("text") == "texto");
  // Text is never sent as HTML.
  CHECK(html.find("contents")->items[1].find("body") == nullptr);
}

std::string ids_in(std::string_view text, std::size_t expect_passed_over = 0) {
  std::size_t passed_over = 0;
  std::string ids;
  for (const auto& document : documents_in(text, passed_over))
    ids += (ids.empty() ? "" : " ") + std::to_string(document.line) + ":" +
           (document.json ? std::string(document.json->text_of("_id", "?"))
                          : std::string("wrong"));
  CHECK(passed_over == expect_passed_over);
  return ids;
}

TEST_CASE("an object, an array, JSON Lines and CouchDB's answers are read") {
  CHECK(ids_in(R"({"_id": "a"})") == "1:a");
  CHECK(ids_in(R"([{"_id": "a"}, {"_id": "b"}])") == "1:a 1:b");
  CHECK(ids_in("{\"_id\": \"a\"}\r\n\n{\"_id\": \"b\"}") == "1:a 3:b");
  CHECK(ids_in("{\"_id\": \"a\"}\n{\"_id\": \n{\"_id\": \"c\"}\n") ==
        "1:a 2:wrong 3:c");
  CHECK(ids_in("{\n \"_id\": \"a\"") == "1:wrong");
  CHECK(ids_in("") == "1:wrong");
  CHECK(ids_in(R"({"rows": [{"id": "a", "value": {"_id": "a"}},
                            {"id": "b", "value": {"rev": "1"},
                             "doc": {"_id": "b"}},
                            {"id": "_design/x", "value": {"rev": "1"},
                             "doc": {"_id": "_design/x"}}]})",
               1) == "1:a 1:b");
  CHECK(ids_in(R"({"docs": [{"_id": "a"},
                            {"_id": "m", "doc_type": "PonyExpressMessage"}]})",
               1) == "1:a");
  CHECK(ids_in(R"([7, [{"_id": "a"}]])") == "1:? 1:?");
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
