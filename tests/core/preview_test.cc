// Tests core/template/preview.cc and preview_page.cc.
#include "core/template/preview.h"

#include <doctest/doctest.h>

#include <boost/filesystem.hpp>
#include <fstream>
#include <string>

#include "core/template/preview_page.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("template");

namespace pony {
namespace {

namespace fs = boost::filesystem;

// Templates in a folder of their own.
class Templates {
 public:
  Templates() { fs::create_directories(root_); }
  ~Templates() {
    boost::system::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  void write(const std::string& path, std::string_view text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream((root_ / path).string(), std::ios::binary) << text;
  }
  Result<TemplatePreview> preview(const PreviewRequest& request) {
    TemplateStore store(root_.string(), "en");
    return preview_template(store, request);
  }

 private:
  fs::path root_ = fs::temp_directory_path() / fs::unique_path();
};

Json json(std::string_view text) {
  auto parsed = parse_json(text);
  REQUIRE_OK(parsed);
  return *parsed;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size()))
    ++found;
  return found;
}

TEST_CASE("a preview has every language, with the same values in each") {
  Templates templates;
  templates.write("a/en/subject.txt", "Hello $name");
  templates.write("a/en/body.txt", "Text for $name");
  templates.write("a/es/subject.txt", "Hola $name");
  templates.write("a/es/body.html", "<p>Para $name de $team</p>");
  auto made = templates.preview({"a",
                                 {},
                                 json(R"({"team":"T","taem":1})"),
                                 parse_address("d@x.example").value()});
  REQUIRE_OK(made);
  REQUIRE(made->languages.size() == 2);
  const auto& en = made->languages[0];
  CHECK(en.lang == "en");
  CHECK(en.from == "d@x.example");
  CHECK(en.subject == "Hello ‹name›");
  CHECK(en.preheader == "Text for ‹name›");
  CHECK(en.html.empty());
  CHECK_FALSE(en.text_is_made);
  const auto& es = made->languages[1];
  CHECK(es.subject == "Hola ‹name›");
  CHECK(es.html == "<p>Para ‹name› de T</p>");
  CHECK(es.preheader == "Para ‹name› de T");
  CHECK(es.text_is_made);
  CHECK(made->made_up == std::vector<std::string>{"name"});
  REQUIRE(made->warnings.size() == 1);
  CHECK(has(made->warnings[0], "'taem'"));
}

TEST_CASE("a language that cannot be shown costs only itself") {
  Templates templates;
  templates.write("a/template.yaml", "engine: mustache\n");
  templates.write("a/en/subject.txt", "Hello");
  templates.write("a/en/body.txt", "Hello {{name}}");
  templates.write("a/de/subject.txt", "Hallo {{#x}}");
  templates.write("a/de/body.txt", "Hallo");
  auto made = templates.preview({"a", {}, Json::object(), {}});
  REQUIRE_OK(made);
  REQUIRE(made->languages.size() == 2);
  CHECK_FALSE(made->languages[1].error);
  CHECK(made->languages[1].from.empty());
  REQUIRE(made->languages[0].error);
  CHECK(made->languages[0].error->kind == Error::Kind::config);
  const auto page = preview_page(*made);
  CHECK(has(page, "is never closed"));
  CHECK(has(page, "no sender"));
}

TEST_CASE("a language stands in for one that is asked for, as in a message") {
  Templates templates;
  templates.write("a/es/subject.txt", "Hola");
  templates.write("a/es/body.txt", "Hola");
  auto made = templates.preview({"a", {"es-MX", "ja"}, Json::object(), {}});
  REQUIRE_OK(made);
  CHECK(made->languages[0].lang == "es");
  CHECK(made->languages[0].asked == "es-MX");
  REQUIRE(made->languages[1].error);
  CHECK(made->languages[1].error->kind == Error::Kind::not_found);
  CHECK(has(preview_page(*made), "<h2>es-MX<small>gets es</small></h2>"));
  auto none = templates.preview({"b", {}, Json::object(), {}});
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == Error::Kind::not_found);
}

TEST_CASE("nothing from a template or a value breaks out of its place") {
  TemplatePreview preview;
  const std::string bad =
      "\"'></iframe></textarea></pre></style><script>bad()</script>&quot;";
  preview.id = preview.name = bad;
  preview.made_up = {bad};
  preview.languages.resize(2);
  auto& one = preview.languages[0];
  one.asked = one.lang = one.from = one.subject = bad;
  one.preheader = one.text = one.html = bad;
  preview.languages[1].asked = bad;
  preview.languages[1].error =
      Error{Error::Kind::config, bad, bad, {{bad, bad, bad}, {bad, bad, bad}}};
  const auto page = preview_page(preview);
  CHECK(count(page, "<script") == 0);
  CHECK(count(page, "</iframe>") == 1);
  CHECK(count(page, "</pre>") == 1);
  CHECK(count(page, "</style>") == 1);
  CHECK(count(page, "</textarea>") == 0);
  CHECK(count(page, "&amp;quot;") > 10);
}

TEST_CASE("a mail is framed without any right, below a policy of its own") {
  TemplatePreview preview;
  preview.languages.resize(1);
  preview.languages[0].html = "<p>x</p>";
  const auto page = preview_page(preview);
  CHECK(has(page, "<iframe sandbox=\"\" "));
  const auto policy = page.find("default-src 'none'");
  CHECK(policy < page.find("<style>"));
  const auto frame = page.find("srcdoc=\"");
  CHECK(page.find("default-src &#39;none&#39;", frame) <
        page.find("&lt;p&gt;x&lt;/p&gt;", frame));
}

TEST_CASE("links and frames in a mail connect to nothing") {
  const auto framed = [](const std::string& html) {
    const auto page = framed_html("<p>" + html);
    return page.substr(page.rfind("<p>") + 3);
  };
  CHECK(framed("<link rel=preconnect href=x>") ==
        "<basefont rel=preconnect href=x>");
  CHECK(framed("<LINK\nrel=preconnect>") == "<basefont\nrel=preconnect>");
  CHECK(framed("<Link/>") == "<basefont/>");
  CHECK(framed("<iframe src=x></iframe>") ==
        "<iframe srcdoc=\"\" src=x></iframe>");
  CHECK(framed("<frame src=x>") == "<frame src=\"about:blank\" src=x>");
  CHECK(framed("<a href=x>y</a><area\thref=x>") ==
        "<a target=\"_blank\" href=x>y</a><area target=\"_blank\"\thref=x>");
  for (const std::string html : {"<", "<<", "<a", "a <lin", "", "</link>",
                                 "<abbr>", "<frameset>", "< a>", "<links>"})
    CHECK(framed(html) == html);
}

TEST_CASE("a text without HTML needs no switches") {
  TemplatePreview preview;
  preview.languages.resize(1);
  preview.languages[0].text = "\nfirst line is blank";
  const auto page = preview_page(preview);
  CHECK_FALSE(has(page, "<nav>"));
  CHECK_FALSE(has(page, "<input"));
  CHECK(has(page, "\">\n\nfirst line is blank</pre>"));
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
