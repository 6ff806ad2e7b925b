// Tests core/template/render_message.cc.
#include "core/template/render_message.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/an_attempt.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("template");

namespace pony {
namespace {

using Words = std::vector<std::string>;

const std::string k_id = "01JD7Z3N8QW2E4R6T8Y0A1B2C3";
const Address k_site = {"Site", "site@a.example"};

Message a_message() {
  Message message;
  message.to = {{"Ann", "ann@b.example"}};
  message.subject = "Hello";
  message.text = "Hi";
  return message;
}

Message a_welcome() {
  Message message;
  message.to = {{"Ann", "ann@b.example"}};
  message.template_id = "welcome";
  message.lang = "es-MX";
  message.replacements.set("name", Json::string("Ann"));
  return message;
}

// A templates' root with one template.
struct Templates {
  TempFolder root;
  TemplateStore store{root.path().string(), "en"};

  Templates() {
    write("template.yaml",
          "from: Welcome <welcome@a.example>\n"
          "reply_to: help@a.example\n"
          "tags: [signup, eu]\n"
          "headers: {X-Kind: welcome, X-Of: '$name'}\n");
    write("es/subject.txt", "Hola $name");
    write("es/body.txt", "Bienvenida, $name");
  }
  void write(const std::string& file, std::string_view text) {
    const auto path = root.path() / "welcome" / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  Result<RenderedMessage> render(const Message& message,
                                 std::optional<Address> default_from = {}) {
    return render_message(message, k_id, Time(Milliseconds(5)), store,
                          default_from);
  }
};

TEST_CASE("a message without a template is rendered as it is") {
  Templates templates;
  Message message = a_message();
  message.from = Address{"Me", "me@a.example"};
  message.cc = {{"", "cc@b.example"}};
  message.bcc = {{"", "bcc@b.example"}};
  message.reply_to = Address{"", "reply@a.example"};
  message.headers = {{"X-A", "1"}};
  message.tags = {"t"};
  message.metadata = {{"user", "42"}};
  message.idempotency_key = "key";

  const auto mail = templates.render(message, k_site);

  REQUIRE_OK(mail);
  CHECK(mail->id == k_id);
  CHECK(mail->accepted_at == Time(Milliseconds(5)));
  CHECK(mail->from.email == "me@a.example");
  CHECK(mail->to.at(0).email == "ann@b.example");
  CHECK(mail->cc.at(0).email == "cc@b.example");
  CHECK(mail->bcc.at(0).email == "bcc@b.example");
  CHECK(mail->reply_to->email == "reply@a.example");
  CHECK(mail->subject == "Hello");
  CHECK(mail->text == "Hi");
  CHECK(mail->html.empty());
  CHECK(mail->headers.at(0).value == "1");
  CHECK(mail->tags == Words{"t"});
  CHECK(mail->metadata.at(0).value == "42");
  CHECK(mail->idempotency_key == "key");
}

TEST_CASE("a template gives copy, sender, reply address, tags and headers") {
  Templates templates;
  const auto mail = templates.render(a_welcome(), k_site);

  REQUIRE_OK(mail);
  CHECK(mail->subject == "Hola Ann");
  CHECK(mail->text == "Bienvenida, Ann");
  CHECK_MESSAGE(mail->lang == "es", "the language that was found");
  CHECK(mail->template_id == "welcome");
  CHECK(mail->from.email == "welcome@a.example");
  CHECK(mail->reply_to->email == "help@a.example");
  CHECK(mail->tags == Words{"signup", "eu"});
  REQUIRE(mail->headers.size() == 3);
  CHECK(mail->headers[1].value == "Ann");
}

// "name: value" of each header whose name begins with `name`.
Words headers_of(const RenderedMessage& mail, std::string_view name) {
  Words found;
  for (const auto& header : mail.headers)
    if (header.name.starts_with(name))
      found.push_back(header.name + ": " + header.value);
  return found;
}

TEST_CASE("a template's mail says that no person wrote it, unless it is told") {
  Templates templates;
  auto mail = templates.render(a_welcome(), k_site);
  REQUIRE_OK(mail);
  CHECK(headers_of(*mail, "Auto-") == Words{"Auto-Submitted: auto-generated"});

  Message message = a_welcome();
  message.headers = {{"Auto-Submitted", "no"}};
  mail = templates.render(message, k_site);
  REQUIRE_OK(mail);
  CHECK(headers_of(*mail, "Auto-") == Words{"Auto-Submitted: no"});

  mail = templates.render(a_message(), k_site);
  REQUIRE_OK(mail);
  CHECK_MESSAGE(mail->headers.empty(), "somebody may have written this one");
}

TEST_CASE("there is a way out of the list only when one is asked for") {
  Templates templates;
  Message message = a_message();
  auto mail = templates.render(message, k_site);
  REQUIRE_OK(mail);
  CHECK(headers_of(*mail, "List-").empty());

  message.list_unsubscribe = {"mailto:out@a.example"};
  mail = templates.render(message, k_site);
  REQUIRE_OK(mail);
  CHECK_MESSAGE((headers_of(*mail, "List-") ==
                 Words{"List-Unsubscribe: <mailto:out@a.example>"}),
                "one click needs https");

  message.list_unsubscribe.emplace_back("https://a.example/out?u=42");
  mail = templates.render(message, k_site);
  REQUIRE_OK(mail);
  CHECK(headers_of(*mail, "List-") ==
        Words{"List-Unsubscribe: <mailto:out@a.example>, "
              "<https://a.example/out?u=42>",
              "List-Unsubscribe-Post: List-Unsubscribe=One-Click"});
}

TEST_CASE("a template's way out has its values in it, percent-encoded") {
  Templates templates;
  templates.write("template.yaml",
                  "list_unsubscribe: 'https://a.example/out?u=$name'\n");
  Message message = a_welcome();
  message.replacements = Json::object();
  message.replacements.set("name", Json::string("Ann & <Bob>"));
  auto mail = templates.render(message, k_site);
  REQUIRE_OK(mail);
  CHECK(headers_of(*mail, "List-")[0] ==
        "List-Unsubscribe: <https://a.example/out?u=Ann%20%26%20%3CBob%3E>");

  message.list_unsubscribe = {"https://b.example/"};
  mail = templates.render(message, k_site);
  REQUIRE_OK(mail);
  CHECK_MESSAGE(
      headers_of(*mail, "List-")[0] == "List-Unsubscribe: <https://b.example/>",
      "the message's own wins");
}

TEST_CASE("a value that is no address cannot be the whole way out") {
  Templates templates;
  templates.write("template.yaml", "list_unsubscribe: $name\n");
  CHECK_FAILS(templates.render(a_welcome(), k_site), bad_data);
}

TEST_CASE("who wrote only HTML has a text part all the same") {
  Templates templates;
  Message message = a_message();
  message.text.clear();
  message.html = "<p>Hi <b>Ann</b></p>";
  const auto mail = templates.render(message, k_site);
  REQUIRE_OK(mail);
  CHECK(mail->text == "Hi Ann\n");
  CHECK(mail->html == message.html);
}

TEST_CASE("what the message says itself wins over its template") {
  Templates templates;
  Message message = a_welcome();
  message.from = Address{"Me", "me@a.example"};
  message.reply_to = Address{"", "reply@a.example"};
  message.tags = {"eu", "vip"};
  message.headers = {{"x-kind", "mine"}};

  const auto mail = templates.render(message, k_site);

  REQUIRE_OK(mail);
  CHECK(mail->from.email == "me@a.example");
  CHECK(mail->reply_to->email == "reply@a.example");
  CHECK_MESSAGE((mail->tags == Words{"eu", "vip", "signup"}), "each tag once");
  REQUIRE_MESSAGE(mail->headers.size() == 3, "header names have no case");
  CHECK(mail->headers[0].value == "mine");
  CHECK(mail->headers[1].name == "X-Of");
}

TEST_CASE(
    "the configuration's sender is the last resort, and there must be "
    "one") {
  Templates templates;
  CHECK(templates.render(a_message(), k_site)->from.email == k_site.email);
  CHECK_FAILS(templates.render(a_message()), bad_data);

  Message message = a_message();
  Words warnings;
  CHECK_FAILS(check_renderable(message, templates.store, {}, warnings),
              bad_data);
  CHECK(
      check_renderable(message, templates.store, k_site, warnings).has_value());
  Message welcome = a_welcome();
  CHECK_MESSAGE(
      check_renderable(welcome, templates.store, {}, warnings).has_value(),
      "its template has a sender");
}

TEST_CASE("what the check lets pass can be rendered, what it refuses cannot") {
  Templates templates;
  Words warnings;
  Message message = a_welcome();
  SUBCASE("a name without a value") {
    message.replacements = Json::object();
    CHECK_FAILS(check_renderable(message, templates.store, k_site, warnings),
                bad_data);
    CHECK_FAILS(templates.render(message, k_site), bad_data);
  }
  SUBCASE("a template that there is not") {
    message.template_id = "welcom";
    CHECK_FAILS(check_renderable(message, templates.store, k_site, warnings),
                not_found);
    CHECK_FAILS(templates.render(message, k_site), not_found);
  }
  SUBCASE("a key that nothing uses is told, not refused") {
    message.replacements.set("nmae", Json::string("x"));
    CHECK(check_renderable(message, templates.store, k_site, warnings)
              .has_value());
    CHECK(warnings.size() == 1);
    CHECK(templates.render(message, k_site).has_value());
  }
}

TEST_CASE("an accepted message has its template's tags from the first event") {
  Templates templates;
  Words warnings;
  Message message = a_welcome();
  message.tags = {"vip"};
  REQUIRE_OK(check_renderable(message, templates.store, k_site, warnings));
  CHECK(message.tags == Words{"vip", "signup", "eu"});
  REQUIRE_OK(check_renderable(message, templates.store, k_site, warnings));
  CHECK(message.tags.size() == 3);
}

TEST_CASE("a finished message is passed on as it is, its sender too") {
  Templates templates;
  Message message;
  message.to = {{"", "ann@b.example"}};
  message.raw = "U3ViamVjdDogaGkKCmjpCg==";
  message.dsn = Dsn{{"never"}, "", ""};
  const auto mail = templates.render(message, k_site);
  REQUIRE_OK(mail);
  CHECK(mail->raw == "Subject: hi\n\nh\xE9\n");
  CHECK_MESSAGE(mail->from.email.empty(), "the null sender, not the site's");
  CHECK(mail->dsn == message.dsn);
  CHECK(mail->subject.empty());
  CHECK(mail->parsed != nullptr);

  message.from = Address{"", "me@a.example"};
  const auto from_me = templates.render(message, k_site);
  REQUIRE_OK(from_me);
  CHECK(from_me->from.email == "me@a.example");

  Words warnings;
  CHECK(check_renderable(message, templates.store, {}, warnings).has_value());
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
