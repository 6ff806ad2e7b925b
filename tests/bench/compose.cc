// How fast a message becomes a mail: core/template and core/mime alone, on one
// core, without disk or network.
//
//   compose [SECONDS]    how long each is measured; 1 unless given
//
// Prints a JSON object a line: what was done, how often a second ("rate"), and
// of large ones how many bytes of mail a second ("mb"). Each figure is the best
// of five slices: on a shared machine the others tell of the neighbours.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/mime/body_encoding.h"
#include "core/mime/builder.h"
#include "core/template/render_message.h"

namespace {

using pony::RenderedMessage;

// Keeps the compiler from leaving out what nobody looks at.
std::size_t seen = 0;

std::string repeated(std::string_view text, std::size_t size) {
  std::string out;
  while (out.size() < size) out += text;
  out.resize(size);
  return out;
}

// 2 KB in two parts: what an application's receipt is.
RenderedMessage two_parts(std::string_view line, std::string_view name,
                          std::string_view subject) {
  RenderedMessage message;
  message.id = "01JD6Z3K8Q0000000000000001";
  message.accepted_at = pony::Time(pony::Milliseconds(1795255200000));
  message.from = {"Widget Team", "team@widgets.example"};
  message.to = {{std::string(name), "ann@example.org"}};
  message.subject = subject;
  message.headers = {{"List-Unsubscribe", "<https://example.com/u?t=1>"},
                     {"Auto-Submitted", "auto-generated"}};
  message.text = repeated(line, 700);
  message.html = repeated("<p>" + std::string(line) + "</p>\n", 1350);
  return message;
}

RenderedMessage with_attachment(std::size_t bytes) {
  auto message = two_parts("Please find it attached.\n", "Ann", "Invoice 4711");
  std::string content;
  pony::append_base64_run(content, repeated("0123456789\xff\x00", bytes));
  message.attachments = {{"invoice.pdf", "application/pdf", content, ""}};
  return message;
}

double rate_of(double seconds, const std::function<std::size_t()>& work) {
  using Clock = std::chrono::steady_clock;
  constexpr int k_slices = 5;
  double best = 0;
  for (int slice = 0; slice < k_slices; ++slice) {
    const auto start = Clock::now();
    std::chrono::duration<double> elapsed{};
    long done = 0;
    while (elapsed.count() < seconds / k_slices) {
      for (int i = 0; i < 20; ++i, ++done) seen += work();
      elapsed = Clock::now() - start;
    }
    best = std::max(best, static_cast<double>(done) / elapsed.count());
  }
  return best;
}

void measure(double seconds, std::string_view name,
             const std::function<std::size_t()>& work) {
  const auto rate = rate_of(seconds, work);
  const auto mb = rate * static_cast<double>(work()) / 1e6;
  fmt::print("{{\"name\": \"{}\", \"rate\": {:.0f}, \"mb\": {:.0f}}}\n", name,
             rate, mb);
}

void measure_compose(double seconds, std::string_view name,
                     const RenderedMessage& message) {
  measure(seconds, name, [&] {
    const auto mime = pony::compose_mime(message);
    if (!mime) std::exit(70);
    return mime->size();
  });
}

// A template's folder, gone at the end.
class Templates {
 public:
  Templates() {
    std::filesystem::create_directory(root_);
    std::filesystem::permissions(root_, std::filesystem::perms::owner_all);
  }
  ~Templates() { std::filesystem::remove_all(root_); }
  Templates(const Templates&) = delete;
  Templates& operator=(const Templates&) = delete;

  void write(const std::string& file, std::string_view text) {
    const auto path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::string path() const { return root_.string(); }

 private:
  std::filesystem::path root_ = std::filesystem::temp_directory_path() /
                                ("pony-compose-" + std::to_string(::getpid()));
};

// The copy of a mail of 2 KB with six values in each part, and two lines of an
// order where `engine` knows lists.
void write_template(Templates& templates, const std::string& id,
                    bool is_mustache) {
  const std::string words =
      "Your order $order of $date is on its way to $street, $city.\n"
      "It comes to $total, and $name has nothing more to do.\n";
  const std::string lines =
      is_mustache ? "{{#items}}{{name}}: {{#money}}{{price}} EUR{{/money}}\n"
                    "{{/items}}"
                  : "Pen: 2,50\nInk: 19,90\n";
  const std::string filler =
      "We are glad that you chose us, and would be glad to see you again.\n";
  templates.write(id + "/en/subject.txt", "Your order $order");
  templates.write(id + "/en/body.txt", words + lines + repeated(filler, 500));
  templates.write(id + "/en/body.html",
                  "<html><body><p>" + words + "</p><pre>" + lines + "</pre>" +
                      repeated("<p>" + filler + "</p>\n", 1100) +
                      "</body></html>");
  if (is_mustache) templates.write(id + "/template.yaml", "engine: mustache");
}

void measure_render(double seconds, std::string_view name,
                    pony::TemplateStore& store, const std::string& id) {
  pony::Message message;
  message.to = {{"Ann Lee", "ann@example.org"}};
  message.from = pony::Address{"Widget Team", "team@widgets.example"};
  message.template_id = id;
  message.lang = "en-GB";
  auto values = pony::parse_json(
      R"({"order": "A-4711", "date": "2026-11-21", "street": "Long Lane 5",
          "city": "Little Town", "total": "22,40 EUR", "name": "Ann & Bob",
          "items": [{"name": "Pen", "price": "2.50"},
                    {"name": "Ink", "price": 19.9}]})");
  if (!values) std::exit(70);
  message.replacements = std::move(*values);
  measure(seconds, name, [&] {
    const auto mail = pony::render_message(
        message, "01JD6Z3K8Q0000000000000001",
        pony::Time(pony::Milliseconds(1795255200000)), store, std::nullopt);
    if (!mail) std::exit(70);
    const auto mime = pony::compose_mime(*mail);
    if (!mime) std::exit(70);
    return mime->size();
  });
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  Templates templates;
  write_template(templates, "simple", false);
  write_template(templates, "mustache", true);
  pony::TemplateStore store(templates.path(), "en");
  measure_render(seconds, "render and compose 2 KB", store, "simple");
  measure_render(seconds, "render and compose 2 KB, mustache", store,
                 "mustache");
  measure_compose(seconds, "compose 2 KB, English",
                  two_parts("Your order is on its way, and so are we.\n",
                            "Ann Lee", "Your order 4711 is on its way"));
  measure_compose(seconds, "compose 2 KB, German",
                  two_parts("Grüße aus dem Laden, Ihr Buch kostet 9 €.\n",
                            "Jürgen Müller", "Ihre Bestellung – schöne Grüße"));

  const auto large = with_attachment(1000 * 1000);
  const auto& base64 = large.attachments[0].content;
  measure_compose(seconds, "compose a 1 MB attachment", large);
  measure(seconds, "memcpy of its base64",
          [&] { return std::string(base64).size(); });
  const auto bytes = repeated("0123456789\xff\x00", 1000 * 1000);
  measure(seconds, "base64 of its bytes", [&] {
    std::string out;
    out.reserve(base64.size());
    pony::append_base64_run(out, bytes);
    return out.size();
  });
  return seen > 0 ? 0 : 70;
}
