// Tests core/template/template_writer.cc and template_files.cc.
#include "core/template/template_writer.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/template/template_store.h"
#include "tests/support/require_ok.h"
#include "tests/support/templates_folder.h"

TEST_SUITE_BEGIN("template writer");

namespace pony {
namespace {

namespace fs = boost::filesystem;

class Root : public TemplatesFolder {
 public:
  // Others of a group may read it: what is written follows the root.
  Root() { fs::permissions(path(), fs::perms(0750)); }

  // How many entries the root has, hidden ones too.
  std::size_t entries() const {
    std::size_t count = 0;
    for (fs::directory_iterator at(path()), end; at != end; ++at) ++count;
    return count;
  }
  TemplateWriter writer() const { return {path(), "en"}; }
};

TemplateFiles a_template(const std::string& subject = "Hello\n") {
  TemplateFiles files;
  files.settings = "name: Welcome\n";
  files.languages["en"] = {{"subject.txt", subject}, {"body.txt", "Hi $name"}};
  files.languages["es"] = {{"subject.txt", "Hola\n"}, {"body.html", "<p>"}};
  return files;
}

Error error_of(const Result<>& result) {
  REQUIRE_FALSE(result);
  return result.error();
}

// Everything that an error says.
std::string said(const Error& error) {
  std::string text = error.what + "\n" + error.hint + "\n";
  for (const auto& problem : error.problems)
    text += problem.place + ": " + problem.what + "\n";
  return text;
}

bool says(const Error& error, std::string_view what) {
  return said(error).find(what) != std::string::npos;
}

TEST_CASE("a template that was added is there with all its files") {
  const Root root;

  REQUIRE_OK(root.writer().add("welcome", a_template()));

  CHECK(root.read("welcome/template.yaml") == "name: Welcome\n");
  CHECK(root.read("welcome/en/body.txt") == "Hi $name");
  CHECK(root.read("welcome/es/body.html") == "<p>");
  CHECK(root.entries() == 1);
  TemplateFolder folder(root.path());
  const auto files = read_template_files(folder, "welcome");
  REQUIRE_OK(files);
  CHECK(*files == a_template());
}

TEST_CASE("what is made can be read by whoever can read the root") {
  const Root root;
  const auto old = ::umask(0077);
  REQUIRE_OK(root.writer().add("welcome", a_template()));
  ::umask(old);

  const auto mode = [&](const char* name) {
    struct stat info {};
    REQUIRE(::stat(root.path(name).c_str(), &info) == 0);
    return info.st_mode & 07777;
  };
  CHECK(mode("welcome") == 0750);
  CHECK(mode("welcome/en") == 0750);
  CHECK(mode("welcome/en/body.txt") == 0640);
}

TEST_CASE("a template that is there is not overwritten") {
  const Root root;
  REQUIRE_OK(root.writer().add("welcome", a_template()));

  const auto error = error_of(root.writer().add("welcome", a_template("X\n")));

  CHECK(error.kind == Error::Kind::cannot_create);
  CHECK(root.read("welcome/en/subject.txt") == "Hello\n");
  CHECK(root.entries() == 1);
}

TEST_CASE("a template that could not be loaded is refused whole, with all") {
  const Root root;
  auto files = a_template("two\nlines\n");
  files.settings = "nmae: Welcome\n";
  files.languages["es"].erase("body.html");
  const auto settings = error_of(root.writer().add("welcome", files));
  files.settings.clear();
  const auto texts = error_of(root.writer().add("welcome", files));

  CHECK(settings.kind == Error::Kind::bad_data);
  // Told as if it lay where it was to lie.
  CHECK(says(settings, root.path("welcome/template.yaml") + ":1"));
  CHECK(
      says(texts, root.path("welcome/en/subject.txt") + "' has a line break"));
  CHECK(says(texts, root.path("welcome/es") + "' has no body"));
  CHECK_FALSE(says(texts, ".pony-"));
  CHECK(root.entries() == 0);
}

TEST_CASE("a template without a language is refused") {
  const Root root;
  CHECK(says(error_of(root.writer().add("welcome", {})), "has no language"));
  CHECK(root.entries() == 0);
}

TEST_CASE("names that lead elsewhere are refused before anything is written") {
  const Root root;
  auto writer = root.writer();
  for (const char* id : {"", ".", "..", "../x", "a/b", "_partials", ".git"})
    CHECK(error_of(writer.add(id, a_template())).kind == Error::Kind::bad_data);
  for (const char* lang : {"", "..", "a/b", "_x"}) {
    TemplateFiles files;
    files.languages[lang] = {{"subject.txt", "S"}, {"body.txt", "B"}};
    CHECK(error_of(writer.add("welcome", files)).kind == Error::Kind::bad_data);
  }
  for (const char* name : {"../body.txt", "x", "/etc/passwd", ""}) {
    auto files = a_template();
    files.languages["en"][name] = "x";
    CHECK(says(error_of(writer.add("welcome", files)),
               "is no file of a template"));
  }
  CHECK(error_of(writer.remove("..")).kind == Error::Kind::bad_data);
  CHECK(error_of(writer.remove_language("welcome", "..")).kind ==
        Error::Kind::bad_data);
  CHECK(root.entries() == 0);
}

TEST_CASE("what the reader would refuse is refused: size, bytes, twice") {
  const Root root;
  auto files = a_template();
  files.languages["en"]["body.txt"] = std::string((1U << 20) + 1, 'x');
  files.languages["es"]["body.html"] = "caf\xe9";
  files.languages["ES"] = files.languages["es"];

  const auto error = error_of(root.writer().add("welcome", files));

  CHECK(says(error, "en/body.txt: is larger than a template may be"));
  CHECK(says(error, "es/body.html: is not UTF-8"));
  CHECK(says(error, "is the language 'ES' again"));
}

TEST_CASE("check says what add would, and leaves nothing") {
  const Root root;
  REQUIRE_OK(root.writer().check("welcome", a_template()));
  CHECK_FALSE(root.writer().check("welcome", a_template("\n")));
  CHECK(root.entries() == 0);
}

TEST_CASE("a root that is missing is made, and its parent is not") {
  const Root root;
  TemplateWriter inside(root.path("templates"), "en");
  REQUIRE_OK(inside.check("welcome", a_template()));
  CHECK(root.entries() == 0);
  REQUIRE_OK(inside.add("welcome", a_template()));
  CHECK(root.read("templates/welcome/en/subject.txt") == "Hello\n");

  TemplateWriter deep(root.path("no/such"), "en");
  CHECK(error_of(deep.add("welcome", a_template())).kind ==
        Error::Kind::cannot_create);
}

TEST_CASE("nothing is written where anyone can write") {
  const Root root;
  fs::permissions(root.path(), fs::perms(0777));
  CHECK(error_of(root.writer().add("welcome", a_template())).kind ==
        Error::Kind::no_permission);
  CHECK(root.entries() == 0);
}

TEST_CASE("a language is added to a template, once, whatever its case") {
  const Root root;
  auto writer = root.writer();
  REQUIRE_OK(writer.add("welcome", a_template()));
  const LanguageFiles french = {{"subject.txt", "Salut\n"},
                                {"body.txt", "Salut"}};

  REQUIRE_OK(writer.add_language("welcome", "fr", french));

  CHECK(root.read("welcome/fr/subject.txt") == "Salut\n");
  CHECK(error_of(writer.add_language("welcome", "FR", french)).kind ==
        Error::Kind::cannot_create);
  CHECK(error_of(writer.add_language("nobody", "fr", french)).kind ==
        Error::Kind::not_found);
  CHECK(says(error_of(writer.add_language("welcome", "de", {})),
             "has no subject.txt"));
  CHECK_FALSE(fs::exists(root.path("welcome/de")));
}

TEST_CASE("a change replaces the file only while it is what it was") {
  const Root root;
  auto writer = root.writer();
  REQUIRE_OK(writer.add("welcome", a_template()));
  REQUIRE_OK(writer.change("welcome", {{"en/body.txt", "Hi $name", "Ho"}}));
  CHECK(root.read("welcome/en/body.txt") == "Ho");

  const auto late = error_of(
      writer.change("welcome", {{"es/subject.txt", "Hola\n", "Buenas\n"},
                                {"en/body.txt", "Hi $name", "mine"}}));

  CHECK(late.kind == Error::Kind::busy);
  CHECK(root.read("welcome/en/body.txt") == "Ho");
  CHECK(root.read("welcome/es/subject.txt") == "Hola\n");
  // Neither is a file that has come meanwhile overwritten.
  CHECK(
      error_of(writer.change("welcome", {{"en/body.txt", std::nullopt, "new"}}))
          .kind == Error::Kind::busy);
  REQUIRE_OK(writer.change("welcome", {{"en/body.html", std::nullopt, "<b>"}}));
  CHECK(root.read("welcome/en/body.html") == "<b>");
}

TEST_CASE("a bad change changes nothing, not even its good files") {
  const Root root;
  auto writer = root.writer();
  REQUIRE_OK(writer.add("welcome", a_template()));

  const auto error =
      error_of(writer.change("welcome", {{"en/body.txt", "Hi $name", "Ho"},
                                         {"en/subject.txt", "Hello\n", "\n"}}));

  CHECK(says(error, root.path("welcome/en/subject.txt") + "' is empty"));
  CHECK(root.read("welcome/en/body.txt") == "Hi $name");
  CHECK(root.read("welcome/en/subject.txt") == "Hello\n");
}

TEST_CASE("a broken template can be mended one language after the other") {
  const Root root;
  auto writer = root.writer();
  REQUIRE_OK(writer.add("welcome", a_template()));
  root.write("welcome/en/subject.txt", "");
  root.write("welcome/es/subject.txt", "");

  REQUIRE_OK(writer.change("welcome", {{"en/subject.txt", "", "Hello\n"}}));
  // What is broken must not be left so by who changes it, nor be broken anew.
  CHECK_FALSE(writer.change("welcome", {{"es/body.html", "<p>", "<b>"}}));
  CHECK_FALSE(writer.change(
      "welcome", {{"template.yaml", "name: Welcome\n", "nmae: x\n"}}));
  REQUIRE_OK(writer.change("welcome", {{"es/subject.txt", "", "Hola\n"}}));
}

TEST_CASE("an emptied template.yaml is gone") {
  const Root root;
  auto writer = root.writer();
  REQUIRE_OK(writer.add("welcome", a_template()));
  REQUIRE_OK(
      writer.change("welcome", {{"template.yaml", "name: Welcome\n", ""}}));
  CHECK_FALSE(fs::exists(root.path("welcome/template.yaml")));
}

TEST_CASE("a replaced template is the new one, and keeps what pony knows not") {
  const Root root;
  auto writer = root.writer();
  REQUIRE_OK(writer.add("welcome", a_template()));
  root.write("welcome/NOTES", "mine");
  root.write("welcome/en/glossary.txt", "mine too");
  auto files = a_template("New\n");
  files.settings.clear();
  files.languages.erase("es");

  REQUIRE_OK(writer.replace("welcome", files));

  CHECK(root.read("welcome/en/subject.txt") == "New\n");
  CHECK_FALSE(fs::exists(root.path("welcome/es")));
  CHECK_FALSE(fs::exists(root.path("welcome/template.yaml")));
  CHECK(root.read("welcome/NOTES") == "mine");
  CHECK(root.read("welcome/en/glossary.txt") == "mine too");
  CHECK(root.entries() == 1);
  CHECK(error_of(writer.replace("nobody", files)).kind ==
        Error::Kind::not_found);
  CHECK_FALSE(writer.replace("welcome", a_template("\n")));
  CHECK(root.read("welcome/en/subject.txt") == "New\n");
}

TEST_CASE("links are refused, and what they point to stays") {
  const Root root;
  const Root outside;
  outside.write("en/subject.txt", "secret");
  outside.write("en/body.txt", "secret");
  REQUIRE(::symlink(outside.path().c_str(), root.path("linked").c_str()) == 0);
  auto writer = root.writer();

  CHECK_FALSE(writer.add("linked", a_template()));
  CHECK_FALSE(writer.replace("linked", a_template()));
  CHECK_FALSE(writer.change("linked", {{"en/body.txt", "secret", "x"}}));
  CHECK_FALSE(writer.add_language("linked", "fr", {}));
  CHECK_FALSE(writer.remove("linked"));
  CHECK_FALSE(writer.remove_language("linked", "en"));

  CHECK(outside.read("en/body.txt") == "secret");
  CHECK(fs::is_symlink(root.path("linked")));
  // Nor by a link within a template.
  REQUIRE_OK(writer.add("welcome", a_template()));
  REQUIRE(::symlink(outside.path("en").c_str(),
                    root.path("welcome/fr").c_str()) == 0);
  CHECK_FALSE(writer.change("welcome", {{"fr/body.txt", "secret", "x"}}));
  CHECK(outside.read("en/body.txt") == "secret");
}

TEST_CASE("what is removed is gone with all that lies in it") {
  const Root root;
  auto writer = root.writer();
  REQUIRE_OK(writer.add("welcome", a_template()));
  root.write("welcome/en/NOTES", "x");

  REQUIRE_OK(writer.remove_language("welcome", "en"));
  CHECK_FALSE(fs::exists(root.path("welcome/en")));
  CHECK(fs::exists(root.path("welcome/es/body.html")));
  CHECK(error_of(writer.remove_language("welcome", "en")).kind ==
        Error::Kind::not_found);
  REQUIRE_OK(writer.remove("welcome"));
  CHECK(root.entries() == 0);
  CHECK(error_of(writer.remove("welcome")).kind == Error::Kind::not_found);
}

TEST_CASE("what a killed writer left behind goes, what is somebody's stays") {
  const Root root;
  root.write(".pony-notes/todo", "mine");
  root.write(".pony-0123456789abcdef/welcome/en/subject.txt", "half");
  REQUIRE_OK(root.writer().add("welcome", a_template()));
  CHECK(root.entries() == 2);
  CHECK(root.read(".pony-notes/todo") == "mine");
}

TEST_CASE("partials do not stand in the way, nor do links among them") {
  const Root root;
  const Root outside;
  outside.write("secret", "s");
  root.write("_partials/en/header.html", "<h1>");
  REQUIRE(::symlink(outside.path().c_str(),
                    root.path("_partials/fr").c_str()) == 0);
  REQUIRE(::symlink(outside.path("secret").c_str(),
                    root.path("_partials/en/secret.html").c_str()) == 0);

  REQUIRE_OK(root.writer().add("welcome", a_template()));

  CHECK(root.read("_partials/en/header.html") == "<h1>");
  CHECK(fs::is_symlink(root.path("_partials/fr")));
  CHECK(outside.read("secret") == "s");
  CHECK(root.entries() == 2);
}

TEST_CASE("settings are written so that they are read again") {
  CHECK(settings_line("name", "A warm welcome") == "name: A warm welcome\n");
  CHECK(settings_line("from", "Ann <ann@example.com>") ==
        "from: Ann <ann@example.com>\n");
  const Root root;
  for (const char* name : {"null", "~",   "a: b", "a #b",  "- x", "[x", "'",
                           "\"",   "yes", "1.0",  "Grüße", "*a",  "&a", "!t",
                           "%x",   "@x",  "a,b",  "{x}",   "\\n", "$x"}) {
    auto files = a_template();
    files.settings = settings_line("name", name) +
                     settings_line("tags", std::vector<std::string>{name});
    auto writer = root.writer();
    REQUIRE_OK(writer.add("welcome", files));
    TemplateStore store(root.path(), "en");
    const auto found = store.find("welcome");
    REQUIRE_OK(found);
    CHECK((*found)->name == name);
    CHECK((*found)->tags == std::vector<std::string>{name});
    REQUIRE_OK(writer.remove("welcome"));
  }
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
