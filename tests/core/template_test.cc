// Tests core/template/template_store.cc, template_folder.cc and
// template_settings.cc, and that the sample templates keep their promises.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem.hpp>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/message.h"
#include "core/template/template_store.h"
#include "tests/support/require_ok.h"
#include "tests/support/templates_folder.h"

TEST_SUITE_BEGIN("template");

namespace pony {
namespace {

namespace fs = boost::filesystem;
using Words = std::vector<std::string>;

class Root : public TemplatesFolder {
 public:
  Root& with(const std::string& file, std::string_view text) {
    write(file, text);
    return *this;
  }
  // The language `lang` of the template `id`, with text only.
  Root& with_text(const std::string& id, const std::string& lang,
                  std::string_view subject, std::string_view text) {
    with(id + "/" + lang + "/subject.txt", subject);
    return with(id + "/" + lang + "/body.txt", text);
  }
};

Message a_message(std::string id, std::string lang,
                  std::string_view replacements = "{}") {
  Message message;
  message.template_id = std::move(id);
  message.lang = std::move(lang);
  auto values = parse_json(replacements);
  REQUIRE_OK(values);
  message.replacements = std::move(*values);
  return message;
}

// What check() says about `message`: its problems, then its warnings.
struct Said {
  std::vector<Problem> problems;
  Words warnings;
};

Said said_of(TemplateStore& store, const Message& message) {
  Said said;
  const auto checked = store.check(message, said.warnings);
  if (!checked) said.problems = checked.error().problems;
  return said;
}

std::string lang_of(TemplateStore& store, std::string_view lang) {
  const auto of = store.find("welcome");
  REQUIRE_OK(of);
  const auto text = store.text(**of, lang);
  return text ? (*text)->lang : "none: " + text.error().hint;
}

// --- finding -----------------------------------------------------------

TEST_CASE("a template is a folder of languages; template.yaml may be missing") {
  Root root;
  root.with_text("welcome", "en", "Hello $name\n", "Hi $name!\n")
      .with("welcome/es/subject.txt", "Hola")
      .with("welcome/es/body.html", "<p>$name</p>");
  TemplateStore store(root.path(), "en");

  const auto found = store.find("welcome");

  REQUIRE_OK(found);
  CHECK((*found)->id == "welcome");
  CHECK((*found)->languages == Words{"en", "es"});
  const auto rendered =
      store.render(a_message("welcome", "es", R"({"name": "Ann"})"));
  REQUIRE_OK(rendered);
  CHECK(rendered->lang == "es");
  CHECK(rendered->subject == "Hola");
  CHECK(rendered->text.empty());
  CHECK(rendered->html == "<p>Ann</p>");
}

TEST_CASE("an unknown template is not found, and the nearest is named") {
  Root root;
  root.with_text("welcome", "en", "s", "t");
  TemplateStore store(root.path(), "en");

  const auto found = store.find("wellcome");

  CHECK_FAILS(found, not_found);
  CHECK(found.error().what == "no template 'wellcome'");
  CHECK(found.error().hint == "did you mean 'welcome'?");
}

TEST_CASE("without a folder there are no templates") {
  TemplateStore store("/nonexistent/templates", "en");
  const auto ids = store.list();
  REQUIRE_OK(ids);
  CHECK(ids->empty());
  CHECK_FAILS(store.find("welcome"), not_found);
}

TEST_CASE("the list is sorted and leaves out what is no template") {
  Root root;
  root.with_text("receipt", "en", "s", "t")
      .with_text("alert", "en", "s", "t")
      .with("_partials/en/header.html", "x")
      .with(".git/config", "x")
      .with("README", "x");
  TemplateStore store(root.path(), "en");
  const auto ids = store.list();
  REQUIRE_OK(ids);
  CHECK(*ids == Words{"alert", "receipt"});
}

TEST_CASE("what was read is kept until refresh") {
  Root root;
  root.with_text("welcome", "en", "old", "t");
  TemplateStore store(root.path(), "en");
  REQUIRE_OK(store.render(a_message("welcome", "en")));
  root.with_text("welcome", "en", "new", "t");

  CHECK(store.render(a_message("welcome", "en"))->subject == "old");
  store.refresh();
  CHECK(store.render(a_message("welcome", "en"))->subject == "new");
}

// --- languages ---------------------------------------------------------

TEST_CASE("the language is the asked one, its base, or a default") {
  Root root;
  for (const auto* lang : {"en", "es", "es-MX", "de"})
    root.with_text("welcome", lang, "s", "t");
  root.with("welcome/template.yaml", "default_lang: de\n");
  TemplateStore store(root.path(), "en");

  CHECK(lang_of(store, "es-MX") == "es-MX");
  CHECK(lang_of(store, "es_mx") == "es-MX");
  CHECK(lang_of(store, "es-AR") == "es");
  CHECK(lang_of(store, "ES") == "es");
  CHECK(lang_of(store, "fr") == "de");
  CHECK(lang_of(store, "") == "de");
  CHECK(lang_of(store, "../de") == "de");
}

TEST_CASE("the configuration's language comes last; none at all is told") {
  Root root;
  root.with_text("welcome", "es", "s", "t")
      .with_text("welcome", "fr", "s", "t");
  TemplateStore spanish(root.path(), "es-ES");
  CHECK(lang_of(spanish, "ja") == "es");

  TemplateStore english(root.path(), "en");
  const auto of = english.find("welcome");
  REQUIRE_OK(of);
  const auto text = english.text(**of, "ja");
  CHECK_FAILS(text, not_found);
  CHECK(text.error().what ==
        "template 'welcome' has none of the languages ja, en");
  CHECK(text.error().hint ==
        "it has es, fr; default_lang in its template.yaml chooses one");
}

// --- checking and filling in -------------------------------------------

// The very example of PonyExpress's manual, with its misspelt key.
TEST_CASE("a misspelt key is told with the name that was meant") {
  Root root;
  root.with_text("receipt", "en", "Your $purchase",
                 "Dear $name,\n\nthank you for buying $purchase.\n$signature");
  TemplateStore store(root.path(), "en");

  const auto said = said_of(store, a_message("receipt", "en", R"({
      "name": "Ann", "puchase": "$25 gift card", "signature": "Bye\nBob"})"));

  REQUIRE(said.problems.size() == 1);
  CHECK(said.problems[0].place == "template 'receipt', en/subject.txt:1");
  CHECK(said.problems[0].what == "'$purchase' has no value");
  CHECK(said.problems[0].hint ==
        "you gave 'puchase': did you mean 'purchase'?");
  CHECK(said.warnings == Words{"template 'receipt' does not use 'puchase' "
                               "(did you mean 'purchase'?)"});
}

TEST_CASE("all that is missing is told at once, each with its first line") {
  Root root;
  root.with_text("receipt", "en", "Order $order", "Dear $name\n\n$order $sum")
      .with("receipt/en/body.html", "<p>\n$name $sum\n$total</p>")
      .with("receipt/template.yaml",
            "headers: {X-Shop: \"$shop\"}\nfrom: $team <a@widgets.example>\n");
  TemplateStore store(root.path(), "en");

  const auto said =
      said_of(store, a_message("receipt", "en", R"({"sum": null})"));

  Words places;
  for (const auto& problem : said.problems)
    places.push_back(problem.place + " " + problem.what);
  const std::string of = "template 'receipt', ";
  CHECK(places == Words{of + "en/subject.txt:1 '$order' has no value",
                        of + "en/body.txt:1 '$name' has no value",
                        of + "en/body.txt:3 '$sum' has no value",
                        of + "en/body.html:3 '$total' has no value",
                        of + "template.yaml, from '$team' has no value",
                        of + "template.yaml, headers.X-Shop "
                             "'$shop' has no value"});
}

TEST_CASE("only the chosen language is checked") {
  Root root;
  root.with_text("welcome", "en", "Hi", "$name")
      .with_text("welcome", "de", "Hallo", "$vorname");
  TemplateStore store(root.path(), "en");
  CHECK(said_of(store, a_message("welcome", "de", R"({"vorname": "A"})"))
            .problems.empty());
  CHECK(said_of(store, a_message("welcome", "en", R"({"vorname": "A"})"))
            .problems.size() == 1);
}

TEST_CASE("an optional name may be missing and is empty then") {
  Root root;
  root.with_text("welcome", "en", "Hi", "[$note][$name]")
      .with("welcome/template.yaml", "optional: [note, other]\n");
  TemplateStore store(root.path(), "en");

  const auto message = a_message("welcome", "en", R"({"name": "A"})");
  CHECK(said_of(store, message).problems.empty());
  CHECK(store.render(message)->text == "[][A]");
  const auto misspelt =
      said_of(store, a_message("welcome", "en", R"({"name":"","notes":"x"})"));
  CHECK(misspelt.problems.empty());
  CHECK(misspelt.warnings == Words{"template 'welcome' does not use 'notes' "
                                   "(did you mean 'note'?)"});
  CHECK(said_of(store, a_message("welcome", "en", R"({"name":"","other":1})"))
            .warnings.empty());
}

TEST_CASE("strings, numbers and booleans are values; lists and objects not") {
  Root root;
  root.with_text("welcome", "en", "Hi", "$a $b $c $d");
  TemplateStore store(root.path(), "en");

  const auto rendered = store.render(a_message(
      "welcome", "en", R"({"a": "x", "b": 19.90, "c": true, "d": 0})"));
  REQUIRE_OK(rendered);
  CHECK(rendered->text == "x 19.90 true 0");

  const auto said = said_of(
      store,
      a_message("welcome", "en", R"({"a": [1], "b": {}, "c": "", "d": ""})"));
  REQUIRE(said.problems.size() == 2);
  CHECK(said.problems[0].place == "replacements.a");
  CHECK(said.problems[0].what == "is a list");
  CHECK(said.problems[1].what == "is an object");
  CHECK(said_of(store, a_message("welcome", "en",
                                 R"({"a":1,"b":1,"c":1,"d":1,"e":[1]})"))
            .problems.empty());
}

TEST_CASE("a value is never looked at again, and escaped in HTML only") {
  Root root;
  root.with_text("welcome", "en", "$v", "$v|$markup")
      .with("welcome/en/body.html", "<p title=\"$v\">$v|$markup</p>")
      .with("welcome/template.yaml", "raw: [markup]\n");
  TemplateStore store(root.path(), "en");

  const auto rendered = store.render(
      a_message("welcome", "en",
                R"({"v": "$25 ${v} $$ <b>\"&'", "markup": "<i>$v</i>"})"));

  REQUIRE_OK(rendered);
  CHECK(rendered->subject == "$25 ${v} $$ <b>\"&'");
  CHECK(rendered->text == "$25 ${v} $$ <b>\"&'|<i>$v</i>");
  const std::string escaped = "$25 ${v} $$ &lt;b&gt;&quot;&amp;&#39;";
  CHECK(rendered->html ==
        "<p title=\"" + escaped + "\">" + escaped + "|<i>$v</i></p>");
}

TEST_CASE("line breaks stay in the body and are refused in a header line") {
  Root root;
  root.with_text("welcome", "en", "Hi $name", "$signature")
      .with("welcome/template.yaml", "headers: {X-Shop: \"a $shop\"}\n");
  TemplateStore store(root.path(), "en");

  const auto fine = store.render(a_message(
      "welcome", "en", R"({"name":"A","shop":"S","signature":"Bye\nBob"})"));
  REQUIRE_OK(fine);
  CHECK(fine->text == "Bye\nBob");
  REQUIRE(fine->headers.size() == 1);
  CHECK(fine->headers[0].value == "a S");

  for (const auto* bad : {R"(A\r\nBcc: b@example.com)", R"(A\nB)", R"(A\u0000)",
                          R"(A\u2028)", R"(A\u001b)"}) {
    CAPTURE(bad);
    const std::string values = std::string(R"({"signature":"","name":")") +
                               bad + R"(","shop":")" + bad + R"("})";
    const auto said = said_of(store, a_message("welcome", "en", values));
    REQUIRE(said.problems.size() == 2);
    CHECK(said.problems[0].place == "replacements.name");
    CHECK(said.problems[1].place == "replacements.shop");
    CHECK_FAILS(store.render(a_message("welcome", "en", values)), bad_data);
  }
}

TEST_CASE("the template's sender is filled in by its display name") {
  Root root;
  root.with_text("welcome", "en", "Hi", "t")
      .with("welcome/template.yaml",
            "from: $team <team@widgets.example>\n"
            "reply_to: help@widgets.example\n");
  TemplateStore store(root.path(), "en");
  const auto rendered =
      store.render(a_message("welcome", "en", R"({"team": "Widgets, Inc."})"));
  REQUIRE_OK(rendered);
  CHECK(rendered->from == Address{"Widgets, Inc.", "team@widgets.example"});
  CHECK(rendered->reply_to == Address{"", "help@widgets.example"});
}

// --- template.yaml -----------------------------------------------------

// --- partials and preheaders ---------------------------------------------

TEST_CASE("a partial is that of the language, or of what stands in for it") {
  Root root;
  root.with("welcome/template.yaml", "engine: mustache\ndefault_lang: de\n")
      .with("_partials/en/foot.txt", "Bye")
      .with("_partials/de/foot.txt", "Tsch\u00fc\u00df")
      .with("_partials/es-MX/foot.txt", "Adi\u00f3s");
  for (const auto* lang : {"es-MX", "de", "fr"})
    root.with_text("welcome", lang, "s", "{{> foot}}");
  TemplateStore store(root.path(), "en");
  const auto text_in = [&](const char* lang) {
    const auto made = store.render(a_message("welcome", lang));
    return made ? made->text : made.error().what;
  };
  CHECK(text_in("es-MX") == "Adi\u00f3s");
  CHECK(text_in("de") == "Tsch\u00fc\u00df");
  CHECK_MESSAGE(text_in("fr") == "Tsch\u00fc\u00df", "the template's default");

  root.with("_partials/rule.txt", "---")
      .with_text("welcome", "it", "s", "{{> rule}}{{lang}}");
  store.refresh();
  CHECK_MESSAGE(text_in("it") == "---it", "in no language: good for all");
}

TEST_CASE("HTML and text have partials of their own, and a subject has none") {
  Root root;
  root.with("welcome/template.yaml", "engine: mustache\n")
      .with("_partials/en/head.html", "<b>{{x}}</b>")
      .with("welcome/en/body.html", "{{> head}}")
      .with_text("welcome", "en", "s", "{{> head}}");
  TemplateStore store(root.path(), "en");
  auto made = store.render(a_message("welcome", "en", R"({"x": "&"})"));
  CHECK_FAILS(made, config);
  CHECK(made.error().problems[0].place == "en/body.txt:1");

  root.with("_partials/en/head.txt", "{{x}}");
  store.refresh();
  made = store.render(a_message("welcome", "en", R"({"x": "&"})"));
  REQUIRE_OK(made);
  CHECK(made->text == "&");
  CHECK(made->html == "<b>&amp;</b>");

  root.with("welcome/en/subject.txt", "{{> head}}");
  store.refresh();
  CHECK_FAILS(store.render(a_message("welcome", "en", R"({"x": 1})")), config);
}

TEST_CASE("no partial's name leads out of the folder") {
  Root root;
  root.with("welcome/template.yaml", "engine: mustache\n")
      .with("secret.txt", "no");
  for (const auto* name : {"../secret", "../../secret", "/etc/passwd", ".x"}) {
    CAPTURE(name);
    root.with_text("welcome", "en", "s", "{{> " + std::string(name) + "}}");
    TemplateStore store(root.path(), "en");
    CHECK_FAILS(store.render(a_message("welcome", "en")), config);
  }
}

TEST_CASE("a missing value in a partial is told with the partial's place") {
  Root root;
  root.with("welcome/template.yaml", "engine: mustache\n")
      .with("_partials/en/foot.txt", "\n{{team}}")
      .with_text("welcome", "en", "s", "{{> foot}}");
  TemplateStore store(root.path(), "en");
  const auto said =
      said_of(store, a_message("welcome", "en", R"({"teem": "x"})"));
  REQUIRE(said.problems.size() == 1);
  CHECK(said.problems[0].place ==
        "template 'welcome', _partials/en/foot.txt:2");
  CHECK(said.problems[0].hint == "you gave 'teem': did you mean 'team'?");
}

TEST_CASE("a preheader comes first in the HTML, hidden, and not in the text") {
  Root root;
  root.with_text("welcome", "en", "s", "t")
      .with("welcome/en/body.html", "<html><body><p>Hi</p></body></html>")
      .with("welcome/en/preheader.txt", "For $name\n");
  TemplateStore store(root.path(), "en");
  const auto made =
      store.render(a_message("welcome", "en", R"({"name": "<Ann>"})"));
  REQUIRE_OK(made);
  CHECK(made->text == "t");
  CHECK(made->html.starts_with("<html><body><div style=\""));
  CHECK(made->html.find("For &lt;Ann&gt;") < made->html.find("<p>Hi"));

  root.with("welcome/en/preheader.txt", "two\nlines");
  store.refresh();
  CHECK_FAILS(store.render(a_message("welcome", "en")), config);
}

TEST_CASE("a section that is not closed is told with the template's file") {
  Root root;
  root.with("welcome/template.yaml", "engine: mustache\n")
      .with_text("welcome", "en", "s", "\n{{#items}}");
  TemplateStore store(root.path(), "en");
  const auto of = store.find("welcome");
  REQUIRE_OK(of);
  const auto text = store.text(**of, "en");
  CHECK_FAILS(text, config);
  CHECK(text.error().what ==
        "template 'welcome' cannot be used: en/body.txt:2: '{{#items}}' is "
        "never closed");
}

TEST_CASE("template.yaml gives name, language, sender, tags and headers") {
  Root root;
  root.with_text("welcome", "de", "s", "t")
      .with("welcome/template.yaml",
            "# a comment\n"
            "name: Welcome, all\n"
            "default_lang: de\n"
            "from: Widget Team <team@widgets.example>\n"
            "reply_to: help@widgets.example\n"
            "tags: [signup, eu]\n"
            "headers: {X-Campaign: spring}\n"
            "engine: simple\n"
            "content_type: text/html\n"
            "raw: [markup]\n"
            "optional: [note]\n");
  TemplateStore store(root.path(), "en");
  const auto found = store.find("welcome");
  REQUIRE_OK(found);
  const Template& of = **found;
  CHECK(of.name == "Welcome, all");
  CHECK(of.default_lang == "de");
  CHECK(of.from == Address{"Widget Team", "team@widgets.example"});
  CHECK(of.reply_to == Address{"", "help@widgets.example"});
  CHECK(of.tags == Words{"signup", "eu"});
  REQUIRE(of.headers.size() == 1);
  CHECK(of.headers[0].name == "X-Campaign");
  CHECK(of.headers[0].value == "spring");
  CHECK(of.rules.raw == Words{"markup"});
  CHECK(of.rules.optional == Words{"note"});
}

TEST_CASE("every problem of template.yaml is told, with its line") {
  Root root;
  root.with_text("welcome", "en", "s", "t")
      .with("welcome/template.yaml",
            "nmae: Welcome\n"
            "default_lang: \"*\"\n"
            "from: nobody\n"
            "tags: signup\n"
            "headers: {Subject: x}\n"
            "engine: handlebars\n"
            "raw: [\"$a\"]\n"
            "content_type: text/rtf\n");
  TemplateStore store(root.path(), "en");

  const auto found = store.find("welcome");

  CHECK_FAILS(found, config);
  const auto& problems = found.error().problems;
  REQUIRE(problems.size() == 8);
  for (std::size_t i = 0; i < problems.size(); ++i)
    CHECK(problems[i].place ==
          root.path("welcome/template.yaml:") + std::to_string(i + 1));
  CHECK(problems[0].what == "unknown key 'nmae'");
  CHECK(problems[0].hint == "did you mean 'name'?");
  CHECK(problems[5].what == "unknown engine 'handlebars'");
}

TEST_CASE("a template.yaml that is no map of known shapes is refused") {
  for (const auto* yaml :
       {"name: a\nname: b\n", "[]", "text", "name: [a]", "tags: {a: b}",
        "headers: [a]", "headers: {X-A: [b]}", "name: \"a\\nb\"", "name: 'a",
        "a: b: c", "name: a\n---\nname: b\n", "name: \xFF", "{{{{"}) {
    CAPTURE(yaml);
    Root root;
    root.with_text("welcome", "en", "s", "t")
        .with("welcome/template.yaml", yaml);
    TemplateStore store(root.path(), "en");
    CHECK_FAILS(store.find("welcome"), config);
  }
}

// --- files -------------------------------------------------------------

TEST_CASE("a subject is one line; the files' ends may be any system's") {
  Root root;
  root.with_text("welcome", "en", "\xEF\xBB\xBFHello\r\n", "t")
      .with_text("welcome", "de", "two\nlines\n", "t")
      .with_text("welcome", "es", "\n", "t")
      .with_text("welcome", "fr", "Bonjour", "")
      .with("welcome/ja/body.txt", "t");
  TemplateStore store(root.path(), "en");
  const auto english = store.render(a_message("welcome", "en"));
  REQUIRE_OK(english);
  CHECK(english->subject == "Hello");
  for (const auto* lang : {"de", "es", "fr", "ja"}) {
    CAPTURE(lang);
    CHECK_FAILS(store.render(a_message("welcome", lang)), config);
  }
}

TEST_CASE("a file over 1 MiB or not in UTF-8 is refused") {
  Root root;
  root.with_text("welcome", "en", "s", std::string(1024UL * 1024, 'x'))
      .with_text("welcome", "de", "s", std::string(1024UL * 1024 + 1, 'x'))
      .with_text("welcome", "es", "s",
                 "ma\xF1"
                 "ana");
  TemplateStore store(root.path(), "en");
  REQUIRE_OK(store.render(a_message("welcome", "en")));
  CHECK_FAILS(store.render(a_message("welcome", "de")), config);
  CHECK_FAILS(store.render(a_message("welcome", "es")), config);
}

TEST_CASE("no name leads out of the templates' folder") {
  Root root;
  root.with_text("templates/welcome", "en", "s", "t")
      .with_text("secret", "en", "s", "t");
  TemplateStore store(root.path("templates"), "en");
  for (const std::string& id :
       {std::string("../secret"), std::string("/etc"), std::string("."),
        std::string(".."), std::string(""), std::string("welcome/../welcome"),
        std::string("welcome\0x", 9), std::string("a\nb"),
        std::string(1000, 'a')}) {
    CAPTURE(id);
    CHECK_FAILS(store.find(id), bad_data);
  }
}

TEST_CASE("symbolic links below the templates' folder are not followed") {
  Root root;
  root.with("secret", "the key")
      .with_text("outside", "en", "s", "t")
      .with_text("templates/welcome", "en", "s", "t");
  TemplateStore store(root.path("templates"), "en");

  fs::create_directory_symlink(root.path("outside"),
                               root.path("templates/linked"));
  // config, or not_found on kernels without openat2.
  CHECK_FALSE(store.find("linked").has_value());
  CHECK(*store.list() == Words{"welcome"});

  fs::create_directory_symlink(root.path("outside/en"),
                               root.path("templates/welcome/de"));
  CHECK(lang_of(store, "de") == "en");

  store.refresh();
  fs::remove(root.path("templates/welcome/en/body.txt"));
  fs::create_symlink(root.path("secret"),
                     root.path("templates/welcome/en/body.txt"));
  CHECK_FAILS(store.render(a_message("welcome", "en")), config);
}

TEST_CASE("a FIFO or a folder in a file's place is refused, not waited for") {
  Root root;
  root.with("fifo/en/subject.txt", "s").with("folder/en/subject.txt", "s");
  REQUIRE(::mkfifo(root.path("fifo/en/body.txt").c_str(), 0600) == 0);
  fs::create_directory(root.path("folder/en/body.txt"));
  TemplateStore store(root.path(), "en");
  CHECK_FAILS(store.render(a_message("fifo", "en")), config);
  CHECK_FAILS(store.render(a_message("folder", "en")), config);
}

TEST_CASE("a templates' folder that anyone can write is refused") {
  Root root;
  root.with_text("welcome", "en", "s", "t");
  fs::permissions(root.path(), fs::add_perms | fs::others_write);
  TemplateStore store(root.path(), "en");
  CHECK_FAILS(store.find("welcome"), no_permission);
  CHECK_FAILS(store.list(), no_permission);
}

// --- the sample templates ----------------------------------------------

struct Sample {
  std::string id;
  std::string values;
  std::string without_optional;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = {
      {"welcome",
       R"({"name": "Ann", "team": "Widget Team",
           "action_url": "https://widgets.example/start?u=42&t=8f3a"})",
       {}},
      {"receipt",
       R"({"name": "Ann", "team": "Widget Team", "order": "W-10482",
           "date": "2026-11-21", "total": "30.40", "currency": "EUR",
           "items": [{"name": "Blue widget", "quantity": 2, "price": 18},
                     {"name": "Widget oil", "price": "12.40"}],
           "support_email": "help@widgets.example",
           "note": "It leaves our workshop on Monday."})",
       "note"},
      {"password_reset",
       R"({"name": "Ann", "team": "Widget Team", "valid_for": "60 min",
           "reset_url": "https://widgets.example/reset/8f3a77c1"})",
       {}},
      {"alert",
       R"({"service": "Checkout", "status": "down",
           "since": "2026-11-21 14:05 UTC",
           "details": "3 of 3 probes failed.\n502 Bad Gateway",
           "dashboard_url": "https://status.widgets.example/checkout"})",
       "details"},
  };
  return all;
}

bool has_text(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("each sample template is complete in each language") {
  TemplateStore store(PONY_SOURCE_DIR "/templates", "en");
  for (const auto& sample : samples()) {
    CAPTURE(sample.id);
    const auto of = store.find(sample.id);
    REQUIRE_OK(of);
    for (const auto* wanted : {"de", "en", "es", "ja"})
      CHECK(std::count((*of)->languages.begin(), (*of)->languages.end(),
                       wanted) == 1);
    for (const auto& lang : (*of)->languages) {
      CAPTURE(lang);
      auto message = a_message(sample.id, lang, sample.values);
      const auto said = said_of(store, message);
      CHECK(said.problems.empty());
      CHECK(said.warnings.empty());
      std::erase_if(message.replacements.members, [&](const JsonMember& each) {
        return each.key == sample.without_optional;
      });
      CHECK(said_of(store, message).problems.empty());
    }
  }
  CHECK(store.list()->size() == samples().size());
}

TEST_CASE("each sample mail has text and HTML, and fetches nothing") {
  TemplateStore store(PONY_SOURCE_DIR "/templates", "en");
  for (const auto& sample : samples()) {
    for (const auto* lang : {"de", "en", "es", "ja"}) {
      CAPTURE(sample.id);
      CAPTURE(lang);
      const auto mail = store.render(a_message(sample.id, lang, sample.values));
      REQUIRE_OK(mail);
      CHECK(mail->lang == lang);
      CHECK_FALSE(mail->text.empty());
      CHECK(has_text(mail->html, "<html lang=\"" + std::string(lang) + "\""));
      CHECK(has_text(mail->html, "name=\"color-scheme\""));
      for (const auto* unwanted :
           {"<script", "<img", "<link", "src=", "url(", "@import", "$"}) {
        CAPTURE(unwanted);
        CHECK_FALSE(has_text(mail->html, unwanted));
      }
      CHECK_FALSE(has_text(mail->text, "$"));
      // Gmail clips what is longer.
      CHECK(mail->html.size() < 102UL * 1000);
    }
  }
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
