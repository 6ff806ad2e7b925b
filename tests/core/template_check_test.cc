// Tests core/template/template_check.cc and its checks (check_*.cc),
// template_source.cc, replay_check.cc, finding.cc and pattern_layout.cc: a
// broken template for each finding.
#include "core/template/template_check.h"

#include <doctest/doctest.h>

#include <boost/filesystem.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/template/pattern_layout.h"
#include "core/template/replay_check.h"
#include "tests/support/require_ok.h"
#include "tests/support/templates_folder.h"

TEST_SUITE_BEGIN("template check");

namespace pony {
namespace {

namespace fs = boost::filesystem;
using Words = std::vector<std::string>;

// A folder of templates with one, "t", that has nothing wrong with it: English
// and Spanish, HTML and text.
class Templates : public TemplatesFolder {
 public:
  Templates() {
    with("t/template.yaml", "engine: mustache\n");
    for (const std::string lang : {"en", "es"}) {
      with("t/" + lang + "/subject.txt", "Hello {{name}}\n");
      with("t/" + lang + "/body.txt", "{{name}}, see {{url}}\n");
      with_html(lang, "<p>{{name}}, <a href=\"{{url}}\">see</a></p>\n");
    }
  }

  Templates& with(const std::string& file, std::string_view text) {
    write(file, text);
    return *this;
  }
  // `inside` as the body of a page that is all right.
  Templates& with_html(const std::string& lang, std::string_view inside) {
    return with("t/" + lang + "/body.html",
                "<!doctype html><html lang=\"" + lang +
                    "\"><head><title>t</title></head><body>\n" +
                    std::string(inside) + "</body></html>\n");
  }
  Templates& without(const std::string& file) {
    fs::remove_all(path(file));
    return *this;
  }
  // The same text for `file` of both languages.
  Templates& with_both(const std::string& file, std::string_view text) {
    return with("t/en/" + file, text).with("t/es/" + file, text);
  }
};

// As a person reads it.
std::string line_of(const TemplateFinding& finding) {
  std::string text = finding.file;
  if (finding.line > 0) text += ":" + std::to_string(finding.line);
  text += ": " + std::string(to_text(finding.severity)) + ": " + finding.what;
  if (!finding.hint.empty()) text += " | " + finding.hint;
  return text;
}

Words lines_of(TemplateFindings& findings) {
  Words lines;
  for (const auto& finding : findings.take()) lines.push_back(line_of(finding));
  return lines;
}

Words found_in(const Templates& templates, const std::string& lang = {}) {
  TemplateFolder folder(templates.path());
  TemplateFindings findings(lang);
  REQUIRE_OK(check_template(folder, "t", "en", findings));
  return lines_of(findings);
}

// Is there one line, and does it begin so?
#define CHECK_ONLY(found, beginning)                             \
  do {                                                           \
    const Words pony_found = (found);                            \
    REQUIRE_MESSAGE(pony_found.size() == 1, joined(pony_found)); \
    CHECK_MESSAGE(pony_found.front().starts_with(beginning),     \
                  pony_found.front());                           \
  } while (false)

std::string joined(const Words& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

TEST_CASE("a template with nothing wrong has no findings") {
  CHECK(joined(found_in(Templates())).empty());
}

TEST_CASE("a template that is not there is not found") {
  const Templates templates;
  TemplateFolder folder(templates.path());
  TemplateFindings findings;
  CHECK_FAILS(check_template(folder, "none", "en", findings), not_found);
}

// --- files -----------------------------------------------------------------

TEST_CASE("every problem of template.yaml is told with its line") {
  const auto found = found_in(Templates().with(
      "t/template.yaml", "engine: mustache\nnmae: x\nreply_to: nobody\n"));
  REQUIRE_MESSAGE(found.size() == 2, joined(found));
  CHECK(found[0] ==
        "t/template.yaml:2: error: unknown key 'nmae' | did you mean 'name'?");
  CHECK(found[1].starts_with("t/template.yaml:3: error: 'reply_to': "));
}

TEST_CASE("what cannot be parsed in template.yaml is told") {
  CHECK_ONLY(
      found_in(Templates().with(
          "t/template.yaml", "engine: mustache\nheaders: {X-A: \"{{#a}}\"}\n")),
      "t/template.yaml: error: headers.X-A: '{{#a}}' is never closed");
}

TEST_CASE("all texts of all languages that cannot be parsed are told") {
  const auto found = found_in(Templates()
                                  .with("t/en/body.txt", "a\n{{#b}}\n")
                                  .with("t/en/body.html", "{{>no}}\n{{> nay}}")
                                  .with("t/es/subject.txt", "{{c"));
  REQUIRE_MESSAGE(found.size() == 4, joined(found));
  CHECK(found[0].starts_with(
      "t/en/body.html:1: error: there is no partial 'no'"));
  CHECK(found[1].starts_with(
      "t/en/body.html:2: error: there is no partial 'nay'"));
  CHECK(found[2].starts_with("t/en/body.txt:2: error: '{{#b}}' is never"));
  CHECK(found[3].starts_with("t/es/subject.txt:1: error: '{{' is never"));
}

TEST_CASE("what is wrong in a partial is told once, at its place") {
  const std::string body =
      "<p>{{name}} <a href=\"{{url}}\">x</a></p>\n{{>p}}\n";
  Templates templates;
  templates.with_html("en", body)
      .with_html("es", body)
      .with("_partials/en/p.html", "<p>ok</p>\n<b>never\n");
  const auto found = found_in(templates);
  CHECK_ONLY(found, "_partials/en/p.html:2: error: ");
  CHECK_ONLY(found_in(templates.with("_partials/en/p.html", "\n{{/x}}")),
             "_partials/en/p.html:2: error: '{{/x}}' closes nothing");
}

TEST_CASE("what one partial opens another may close") {
  const std::string body =
      "{{>head}}\n{{name}} <a href=\"{{url}}\">x</a>\n{{>foot}}\n";
  CHECK(joined(found_in(Templates()
                            .with_html("en", body)
                            .with_html("es", body)
                            .with("_partials/en/head.html", "<div><b>\n")
                            .with("_partials/en/foot.html", "</b></div>\n")))
            .empty());
}

TEST_CASE("a file that is no text is told, and nothing is missed for it") {
  CHECK_ONLY(found_in(Templates().with("t/es/body.txt", "\xFF\xFE")),
             "t/es/body.txt: error: ");
  CHECK_ONLY(found_in(Templates().with("t/es/subject.txt", "\xFF\xFE")),
             "t/es/subject.txt: error: ");
}

TEST_CASE("a subject that is missing, empty or of two lines is an error") {
  CHECK_ONLY(found_in(Templates().without("t/es/subject.txt")),
             "t/es/subject.txt: error: there is no subject");
  const auto two = found_in(
      Templates().with("t/es/subject.txt", "Hello {{name}}\nand more\n"));
  CHECK_ONLY(two, "t/es/subject.txt:2: error: has a line break");
  CHECK_ONLY(found_in(Templates().with("t/es/subject.txt", " \n")),
             "t/es/subject.txt: error: is empty");
}

TEST_CASE("a subject of which nothing may be left is a warning") {
  Templates templates;
  templates.with("t/template.yaml", "engine: mustache\noptional: [name]\n");
  CHECK(joined(found_in(templates)).empty());
  templates.with("t/en/subject.txt", "{{name}}");
  CHECK_ONLY(found_in(templates),
             "t/en/subject.txt: warning: nothing is left of it without 'name'");
  templates.with("t/en/subject.txt", "{{#name}}Dear {{name}}{{/name}}");
  CHECK_ONLY(found_in(templates),
             "t/en/subject.txt: warning: nothing is left of it without 'name'");
}

TEST_CASE("a subject of over 150 characters is a warning, not bytes") {
  std::string eyes;
  for (int i = 0; i < 145; ++i) eyes += "\xE7\x9B\xAE";
  CHECK(
      joined(found_in(Templates().with("t/es/subject.txt", eyes + "{{name}}")))
          .empty());
  CHECK_ONLY(found_in(Templates().with("t/es/subject.txt",
                                       std::string(147, 'a') + "{{name}}")),
             "t/es/subject.txt: warning: is about 151 characters long");
}

TEST_CASE("a language without a body, or without one that the default has") {
  CHECK_ONLY(found_in(Templates()
                          .without("t/es/body.txt")
                          .without("t/es/body.html")
                          .with("t/es/subject.txt", "Hola {{name}} {{url}}")),
             "t/es: error: there is no body");
  CHECK_ONLY(found_in(Templates().without("t/es/body.html")),
             "t/es/body.html: error: is missing, and en has it");
  CHECK_ONLY(found_in(Templates().without("t/es/body.txt")),
             "t/es/body.txt: warning: is missing, and en has it");
  CHECK_ONLY(found_in(Templates()
                          .without("t/es/body.html")
                          .without("t/en/body.html")
                          .with("t/es/preheader.txt", "psst")),
             "t/es/preheader.txt: warning: a preheader goes into HTML");
}

TEST_CASE("a folder that is no language is told, with the one it may mean") {
  CHECK_ONLY(found_in(Templates().with("t/pt_BR/subject.txt", "Oi")),
             "t/pt_BR: error: 'pt_BR' is no language: nothing in it is used | "
             "did you mean 'pt-BR'?");
  CHECK_ONLY(found_in(Templates().with("t/a b/x", "")),
             "t/a b: warning: 'a b' is no language");
}

TEST_CASE("the default language, and any at all, must be there") {
  CHECK_ONLY(found_in(Templates().with("t/template.yaml",
                                       "engine: mustache\ndefault_lang: fr\n")),
             "t/fr: error: there is no 'fr', the default language");
  CHECK_ONLY(found_in(Templates().without("t/en").without("t/es")),
             "t: error: there is no language");
}

TEST_CASE("two folders of the same language are told") {
  CHECK_ONLY(found_in(Templates()
                          .with("t/ES/subject.txt", "Hola {{name}}")
                          .with("t/ES/body.txt", "{{url}}")
                          .without("t/es/body.html")
                          .without("t/en/body.html")),
             "t/es: error: is the same language as 'ES'");
}

TEST_CASE("files that nothing reads are told, with what they may mean") {
  const auto found = found_in(Templates()
                                  .with("t/en/body.htm", "")
                                  .with("t/en/Subject.txt", "")
                                  .with("t/en/text.txt", "")
                                  .with("t/en/README.md", "")
                                  .with("t/en/.gitkeep", "")
                                  .with("t/en/logo.png", "")
                                  .with("t/template.yml", "")
                                  .with("t/body.html", "")
                                  .with("t/notes.md", ""));
  CHECK(joined(found) ==
        "t/body.html: warning: nothing reads 'body.html' here | copy stands in "
        "a language's folder: 't/en/body.html'\n"
        "t/en/Subject.txt: warning: nothing reads 'Subject.txt' | did you mean "
        "'subject.txt'?\n"
        "t/en/body.htm: warning: nothing reads 'body.htm' | did you mean "
        "'body.html'?\n"
        "t/en/logo.png: warning: nothing reads 'logo.png'\n"
        "t/en/text.txt: warning: nothing reads 'text.txt' | did you mean "
        "'body.txt'?\n"
        "t/template.yml: warning: nothing reads 'template.yml' here | did you "
        "mean 'template.yaml'?\n");
}

TEST_CASE("a translation whose source has changed is a warning") {
  const std::string made_then = "from: en\nsubject.txt: \"0000000000000000\"\n";
  CHECK_ONLY(found_in(Templates().with("t/es/translation.yaml", made_then)),
             "t/es/translation.yaml: warning: es lags behind en: subject.txt "
             "changed since");
  CHECK(
      joined(found_in(Templates().with("t/es/translation.yaml", "from: fr\n")))
          .empty());
  CHECK_ONLY(found_in(Templates().with("t/es/translation.yaml", "a: [")),
             "t/es/translation.yaml: error: ");
}

TEST_CASE("a language that other templates have is missed") {
  Templates templates;
  templates.with("u/en/subject.txt", "s")
      .with("u/en/body.txt", "t")
      .with("u/fr/subject.txt", "s")
      .with("u/fr/body.txt", "t");
  TemplateFolder folder(templates.path());
  TemplateFindings findings;
  std::vector<TemplateSource> all;
  for (const auto* id : {"t", "u"}) {
    auto source = check_template(folder, id, "en", findings);
    REQUIRE_OK(source);
    all.push_back(std::move(*source));
  }
  check_translations(all, findings);
  CHECK(joined(lines_of(findings)) ==
        "t/fr: warning: there is no fr, which other templates have | pony "
        "template translate t fr\n"
        "u/es: warning: there is no es, which other templates have | pony "
        "template translate u es\n");
}

TEST_CASE("folders that are no template, and partials of no language") {
  Templates templates;
  templates.with("a b/x", "").with("_partials/pt_BR/p.html", "");
  TemplateFolder folder(templates.path());
  TemplateFindings findings;
  const auto names = folder.folders(".");
  REQUIRE_OK(names);
  CHECK(check_root(folder, *names, findings) == Words{"t"});
  CHECK(joined(lines_of(findings)) ==
        "_partials/pt_BR: warning: 'pt_BR' is no language: no partial in it is "
        "used\n"
        "a b: warning: 'a b' cannot name a template\n");
}

TEST_CASE("with a language only what concerns it is told") {
  Templates templates;
  templates.with("t/en/subject.txt", " ")
      .with("t/es/subject.txt", " ")
      .with("t/template.yml", "");
  CHECK(found_in(templates).size() == 3);
  const auto found = found_in(templates, "ES");
  REQUIRE(found.size() == 2);
  CHECK(found[0].starts_with("t/es/subject.txt"));
  CHECK(found[1].starts_with("t/template.yml"));
}

// --- names -----------------------------------------------------------------

TEST_CASE("a name that only one language uses is an error, misspelt or not") {
  Templates templates;
  templates.without("t/en/body.html").without("t/es/body.html");
  templates.with("t/es/body.txt", "\n{{nmae}} {{url}}")
      .with("t/es/subject.txt", "Hola");
  CHECK(joined(found_in(templates)) ==
        "t/es/body.txt:2: error: en has no 'nmae', which is used here | did "
        "you mean 'name'?\n");
  templates.with("t/es/body.txt", "{{url}}");
  CHECK(joined(found_in(templates)) ==
        "t/es/subject.txt: error: does not use 'name', which en has | see "
        "t/en/subject.txt:1\n");
  templates.with("t/es/body.txt", "{{url}} {{name}} {{extra}} {{lang}}");
  CHECK(joined(found_in(templates)) ==
        "t/es/body.txt:1: error: en has no 'extra', which is used here\n");
  templates.with("t/template.yaml", "engine: mustache\noptional: [extra]\n");
  CHECK_ONLY(found_in(templates),
             "t/es/body.txt:1: warning: en has no 'extra'");
}

TEST_CASE("a name in another section is a warning") {
  Templates templates;
  templates.without("t/en/body.html").without("t/es/body.html");
  templates.with("t/en/body.txt", "{{url}}{{#items}}{{price}}{{/items}}")
      .with("t/es/body.txt", "{{url}}{{#items}}x{{/items}}{{price}}");
  CHECK(joined(found_in(templates)) ==
        "t/es/body.txt:1: warning: 'price' is used outside of all sections, in "
        "en only within 'items' | see t/en/body.txt:1\n");
  // Formatters and what only asks whether there is a value are no sections.
  templates.with("t/es/body.txt",
                 "{{url}}{{#items}}{{#price}}{{#money}}{{price}}{{/money}}"
                 "{{/price}}{{/items}}");
  CHECK(joined(found_in(templates)).empty());
}

TEST_CASE("what one language lists and another prints is a warning") {
  Templates templates;
  templates.without("t/en/body.html").without("t/es/body.html");
  templates.with("t/en/body.txt", "{{url}}{{#items}}x{{/items}}")
      .with("t/es/body.txt", "{{url}}{{items}}");
  CHECK_ONLY(found_in(templates),
             "t/es/body.txt:1: warning: 'items' is put into the text, in en it "
             "only opens a section");
}

TEST_CASE("HTML and text of one language use the same names") {
  Templates one;
  one.without("t/es");
  CHECK_ONLY(found_in(one.with("t/en/body.txt", "\nsee {{url}}\n")),
             "t/en/body.html:2: warning: the text part does not use 'name'");
  CHECK_ONLY(found_in(one.with("t/en/body.txt", "{{name}} {{url}}\n{{more}}")),
             "t/en/body.txt:2: warning: the HTML does not use 'more'");
  // Pictures, colours, the title and values that are HTML have no place there.
  const std::string html =
      "<p style=\"color: {{colour}}\">{{name}}{{{html}}} <img alt=\"\" "
      "src=\"{{logo}}\"><a href=\"{{url}}\">x</a></p>\n";
  CHECK(
      joined(found_in(Templates().with_html("en", html).with_html("es", html)))
          .empty());
  one.with("t/en/body.txt", "{{name}} {{url}}")
      .with("t/en/body.html",
            "<!doctype html><html lang=\"en\"><head><title>{{title}}</title>"
            "</head><body>{{name}} <a href=\"{{url}}\">x</a></body></html>");
  CHECK(joined(found_in(one)).empty());
}

TEST_CASE("names that template.yaml lists and nothing uses are a warning") {
  CHECK(joined(found_in(Templates().with(
            "t/template.yaml",
            "engine: mustache\noptional: [nmae]\nraw: [x]\nline_breaks: "
            "[y]\n"))) ==
        "t/template.yaml:2: warning: optional: no language uses 'nmae' | did "
        "you mean 'name'?\n"
        "t/template.yaml:3: warning: raw: no language uses 'x'\n"
        "t/template.yaml:4: warning: line_breaks: no language uses 'y'\n");
}

TEST_CASE("a formatter with other text in it is an error") {
  const auto found = [](std::string_view text) {
    Templates templates;
    templates.without("t/en/body.html").without("t/es/body.html");
    return found_in(templates.with_both(
        "body.txt", "{{name}} {{url}}" + std::string(text)));
  };
  CHECK(joined(found("{{#money}}{{total}} EUR{{/money}}{{#date}} {{date}} "
                     "{{/date}}{{#number}}-{{n}}.00{{/number}}"))
            .empty());
  const auto own = found("\n{{#date}}on {{date}}{{/date}}");
  REQUIRE_MESSAGE(own.size() == 2, joined(own));
  CHECK(own[0] ==
        "t/en/body.txt:2: error: '{{#date}}' formats what is in it, and there "
        "is other text | 'date' is a formatter's name: give the value another, "
        "to ask whether it is there");
  const auto other = found("{{#money}}<b>{{total}}</b>{{/money}}");
  REQUIRE(other.size() == 2);
  CHECK(other[0].ends_with("put only the value into it"));
  const auto inverted = found("{{^time}}none{{/time}}");
  REQUIRE(inverted.size() == 2);
  CHECK(inverted[0].starts_with(
      "t/en/body.txt:1: warning: '{{^time}}' asks for a value"));
}

TEST_CASE("formatters in a language without a form are a warning, once") {
  Templates templates;
  templates.without("t/en/body.html").without("t/es");
  templates
      .with("t/en/body.txt",
            "{{name}}{{#money}}{{a}}{{/money}}{{#date}}{{b}}{{/date}}")
      .with("t/en/subject.txt", "{{#number}}{{c}}{{/number}}")
      .with("t/tlh/subject.txt", "{{#number}}{{c}}{{/number}}")
      .with("t/tlh/body.txt",
            "{{name}}{{#money}}{{a}}{{/money}}{{#date}}{{b}}{{/date}}");
  CHECK_ONLY(
      found_in(templates),
      "t/tlh/subject.txt:1: warning: no form of numbers and dates is known "
      "for 'tlh'");
}

// --- HTML ------------------------------------------------------------------

Words found_with_html(const std::string& html) {
  const std::string body = "{{name}} <a href=\"{{url}}\">x</a>\n" + html + "\n";
  Templates templates;
  templates.without("t/es").with_html("en", body);
  return found_in(templates.without("t/en/body.txt"));
}

TEST_CASE("what is wrong with the HTML is told with its line") {
  CHECK_ONLY(found_with_html("<div>"), "t/en/body.html:3: error: ");
  CHECK_ONLY(found_with_html("{{! a\nb\n}}\n<i>never"),
             "t/en/body.html:6: error: ");
}

TEST_CASE("what one section opens another may close") {
  CHECK(joined(found_with_html("{{#a}}<div>{{/a}}{{^a}}<div id=\"x\">{{/a}}\n"
                               "{{name}}</div>"))
            .empty());
}

TEST_CASE("a name without quotes around it in an attribute is an error") {
  CHECK_ONLY(found_with_html("<p><b class={{c}}>x</b></p>"),
             "t/en/body.html:3: error: 'c' stands in the attribute 'class' "
             "without quotes");
  CHECK_ONLY(found_with_html("<p><b class=a{{c}} id='{{i}}'>x</b></p>"),
             "t/en/body.html:3: error: 'c' stands in the attribute 'class' "
             "without quotes");
  CHECK(joined(found_with_html("<p><b class='{{c}}' id=\"a{{c}}\">x</b></p>"))
            .empty());
}

TEST_CASE("a name within a tag is an error") {
  CHECK_ONLY(found_with_html("<p><b {{c}}>x</b></p>"),
             "t/en/body.html:3: error: 'c' stands within a tag");
}

TEST_CASE("HTML put into an attribute is an error") {
  CHECK_ONLY(found_with_html("<p><b class=\"{{{c}}}\">{{{c}}}</b></p>"),
             "t/en/body.html:3: error: 'c' is put into the attribute 'class' "
             "as HTML");
}

TEST_CASE("a name in a comment or in style is a warning") {
  CHECK_ONLY(found_with_html("<!-- {{c}} -->"),
             "t/en/body.html:3: warning: 'c' stands in a comment");
  CHECK_ONLY(found_with_html("<style>p { color: {{c}} }</style>"),
             "t/en/body.html:3: warning: 'c' stands in <style>");
  // Outlook reads these.
  CHECK(joined(found_with_html("<!--[if mso]>{{c}}<![endif]-->")).empty());
}

TEST_CASE("HTML and text have the same links") {
  Templates templates;
  templates.without("t/es");
  templates.with_html("en",
                      "{{name}} <a href=\"{{url}}?a=1&amp;b=2\">a</a>\n<a "
                      "href=\"https://widgets.example/help\">b</a>\n<a "
                      "href=\"mailto:team@widgets.example?subject=x\">c</a><a "
                      "href=\"#top\">d</a>\n");
  CHECK(joined(found_in(templates.with(
                   "t/en/body.txt",
                   "{{name}} {{url}}?a=1&b=2\n(https://widgets.example/help), "
                   "team@widgets.example\n")))
            .empty());
  CHECK(joined(found_in(templates.with(
            "t/en/body.txt",
            "{{name}} {{url}}\nhttps://widgets.example/halp.\n"))) ==
        "t/en/body.html:2: warning: the text part lacks the link to "
        "'{{url}}?a=1&b=2' | see t/en/body.txt\n"
        "t/en/body.html:3: warning: the text part lacks the link to "
        "'https://widgets.example/help' | see t/en/body.txt\n"
        "t/en/body.html:4: warning: the text part lacks the link to "
        "'team@widgets.example' | see t/en/body.txt\n"
        "t/en/body.txt:2: warning: the HTML lacks the link to "
        "'https://widgets.example/halp' | see t/en/body.html\n");
}

TEST_CASE("an address that the HTML shows needs no link there") {
  Templates templates;
  templates.without("t/es")
      .with("t/en/body.txt", "{{name}} {{url}} https://a.example/b")
      .with_html("en",
                 "{{name}} <a href=\"{{url}}\">x</a> https://a.example/b\n");
  CHECK(joined(found_in(templates)).empty());
}

TEST_CASE("a layout shows each name once, and where each line is from") {
  const Pattern::Partials partials =
      [](std::string_view) -> Result<std::optional<Pattern::Partial>> {
    return std::optional(Pattern::Partial{"p", "in {{b}}\nout\n"});
  };
  const auto pattern =
      Pattern::parse({"one $a\n{{#s}}\n{{>p}}\n{{/s}}\nend", "f",
                      Engine::mustache, nullptr, &partials});
  REQUIRE_OK(pattern);

  const auto shown = layout_of(*pattern, SectionTags::shown);
  CHECK(shown.text == "one {{a}}\n{{#s}}in {{b}}\nout\n{{/s}}end");
  Words places;
  for (std::size_t line = 1; line <= shown.lines.size(); ++line)
    places.push_back(shown.place_of(line));
  CHECK(places == Words{"f:1", "p:1", "p:2", "f:5"});

  const auto plain = layout_of(*pattern, SectionTags::left_out);
  CHECK(plain.text == "one {{a}}\nin {{b}}\nout\nend");
  CHECK(plain.place_of(3) == "p:2");
  CHECK(plain.place_of(99) == "f:5");
  REQUIRE(plain.names.size() == 2);
  CHECK(plain.text.substr(plain.names[1].begin,
                          plain.names[1].end - plain.names[1].begin) ==
        "{{b}}");
  CHECK(layout_of(Pattern(), SectionTags::shown).place_of(1).empty());
}

// --- messages --------------------------------------------------------------

// The template "t" with messages.
class Replay {
 public:
  explicit Replay(const Templates& templates) : folder_(templates.path()) {
    auto read = read_template_source(folder_, "t", "en", findings_);
    REQUIRE_OK(read);
    source_ = std::move(*read);
    check_ = std::make_unique<ReplayCheck>(source_);
  }
  Replay& with(std::string_view values, std::string_view lang,
               std::string_view example = "one") {
    auto json = parse_json(values);
    REQUIRE_OK(json);
    if (lang == "*")
      check_->add_to_all(*json, example);
    else
      check_->add(*json, lang, example);
    return *this;
  }
  std::string found() {
    check_->report(findings_);
    return joined(lines_of(findings_));
  }

 private:
  TemplateFolder folder_;
  TemplateFindings findings_;
  TemplateSource source_;
  std::unique_ptr<ReplayCheck> check_;
};

TEST_CASE("values that fit are no finding in any language") {
  CHECK(Replay(Templates())
            .with(R"({"name": "Ann", "url": "https://a.example"})", "*")
            .found()
            .empty());
}

TEST_CASE("one message's holes are told at their places, with what was meant") {
  CHECK(Replay(Templates())
            .with(R"({"nmae": "Ann", "url": ["x"]})", "es-MX")
            .found() ==
        "t/es/body.txt:1: error: 'url' is a list, and a text is wanted\n"
        "t/es/subject.txt:1: error: 'name' has no value | you gave 'nmae': did "
        "you mean 'name'?\n"
        "t/template.yaml: warning: nothing uses 'nmae', which was given | did "
        "you mean 'name'?\n");
}

TEST_CASE("a message in every language has its holes in each") {
  CHECK(Replay(Templates()).with(R"({"url": "x"})", "*").found() ==
        "t/en/subject.txt:1: error: 'name' has no value\n"
        "t/es/subject.txt:1: error: 'name' has no value\n");
}

TEST_CASE("what many messages lack is counted by language, with an example") {
  Replay replay{Templates()};
  for (int i = 0; i < 1200; ++i)
    replay.with(R"({"name": "Ann", "url": "x"})", "en");
  for (int i = 0; i < 4000; ++i)
    replay.with(
        i % 100 == 7 ? R"({"name": "Ann"})" : R"({"name": "Ann", "url": "x"})",
        "es", "M" + std::to_string(i));
  CHECK(replay.found() ==
        "t/es/body.txt:1: error: 40 of 4,000 messages lack 'url' in es (M7)\n");
}

TEST_CASE("a line break for a subject, and a bad form, are told") {
  Templates templates;
  templates.without("t/es").without("t/en/body.html");
  templates.with("t/en/body.txt", "\n{{#money}}{{url}}{{/money}}");
  const auto found =
      Replay(templates).with(R"({"name": "a\nb", "url": "x"})", "en").found();
  CHECK(found.find("t/en/body.txt:2: error: '{{#money}}': ") !=
        std::string::npos);
  CHECK(found.find("t/en/subject.txt:1: error: 'name' has a line break") !=
        std::string::npos);
}

TEST_CASE("a subject that comes out empty or long, and HTML that is cut off") {
  Templates templates;
  templates.with_both("subject.txt", "{{name}}");
  CHECK(Replay(templates).with(R"({"name": " ", "url": "x"})", "en").found() ==
        "t/en/subject.txt: error: the subject is empty\n");
  const auto found = Replay(templates)
                         .with("{\"name\": \"" + std::string(103'000, 'a') +
                                   "\", \"url\": \"x\"}",
                               "en")
                         .found();
  CHECK(found ==
        "t/en/body.html: warning: the HTML is larger than 102,400 bytes: Gmail "
        "cuts it off there\n"
        "t/en/subject.txt: warning: the subject has more than 150 "
        "characters\n");
}

TEST_CASE("a list_unsubscribe that is no address is told") {
  Templates templates;
  templates.with("t/template.yaml",
                 "engine: mustache\nlist_unsubscribe: \"{{url}}\"\n");
  const auto found = Replay(templates)
                         .with(R"({"name": "a", "url": "http://x"})", "en")
                         .found();
  CHECK(found.starts_with("t/template.yaml: error: list_unsubscribe: "));
}

TEST_CASE("keys that one message each gives don't fill the memory") {
  Replay replay{Templates()};
  for (int i = 0; i < 3000; ++i)
    replay.with(
        "{\"name\":\"a\",\"url\":\"b\",\"k" + std::to_string(i) + "\":1}",
        "en");
  const auto found = replay.found();
  CHECK(std::count(found.begin(), found.end(), '\n') == 1000);
}

TEST_CASE("findings are bounded, and it is said how many are left out") {
  TemplateFindings findings;
  for (int i = 0; i < 10'005; ++i) {
    TemplateFinding one;
    one.severity = Severity::error;
    one.what = std::to_string(i);
    findings.add(one);
    findings.add(one);  // said once
  }
  CHECK(findings.errors() >= 10'005);
  const auto all = findings.take();
  REQUIRE(all.size() == 10'001);
  CHECK(all.back().what.ends_with("findings more"));
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
