#include "cmd/template_input.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/fs.h"
#include "core/json.h"
#include "core/lower_case.h"
#include "core/message.h"

namespace pony {
namespace {

// As the reader of templates: what is larger could not be used.
constexpr std::size_t k_body_limit = std::size_t{1024} * 1024;

std::string in_quotes(std::string_view text) {
  return "'" + printable(text, 100) + "'";
}

}  // namespace

Result<std::unique_ptr<Templates>> open_templates(Context& context) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  const std::string& root = (*config)->templates;
  const std::string& lang = (*config)->default_lang;
  return std::make_unique<Templates>(root, lang);
}

Result<std::string> language_called(Templates& templates, const Template& of,
                                    const std::string& lang) {
  if (lang.empty()) {
    const auto text = templates.store.text(of, {});
    if (text) return (*text)->lang;
    // One that cannot be read is what somebody may want to mend.
    if (!of.default_lang.empty()) return of.default_lang;
    return templates.default_lang;
  }
  std::string wanted = in_lower_case(lang);
  std::replace(wanted.begin(), wanted.end(), '_', '-');
  for (const auto& known : of.languages)
    if (in_lower_case(known) == wanted) return known;
  std::string all;
  for (const auto& known : of.languages)
    all += (all.empty() ? "" : ", ") + known;
  return fail(
      Error::Kind::not_found,
      "template " + in_quotes(of.id) + " has no language " + in_quotes(lang),
      "there are: " + all + "; add it with: pony template translate " + of.id +
          " " + printable(lang, 40));
}

Result<std::string> read_input(Context& context, const std::string& file,
                               std::size_t limit) {
  if (file == "-") return read_all(context.io().in(), limit, "standard input");
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "cannot read " + in_quotes(file));
  return read_all(fd.get(), limit, file);
}

bool TextFlags::any() const {
  return subject || preheader || !text.empty() || !html.empty();
}

void add_text_flags(CLI::App& app, TextFlags& flags) {
  app.add_option("--subject", flags.subject, "The subject")->type_name("TEXT");
  app.add_option("--preheader", flags.preheader,
                 "What mail programs show beside the subject")
      ->type_name("TEXT");
  app.add_option("--text", flags.text, "The text body's file, or - for stdin")
      ->type_name("FILE");
  app.add_option("--html", flags.html, "The HTML body's file, or - for stdin")
      ->type_name("FILE");
}

Result<LanguageFiles> files_from(Context& context, const TextFlags& flags) {
  if (flags.text == "-" && flags.html == "-")
    return fail(Error::Kind::usage,
                "--text and --html cannot both be standard input",
                "name a file for one of them");
  LanguageFiles files;
  if (flags.subject) files["subject.txt"] = *flags.subject + "\n";
  if (flags.preheader) files["preheader.txt"] = *flags.preheader + "\n";
  for (const auto& [name, file] :
       {std::pair{"body.txt", &flags.text}, {"body.html", &flags.html}}) {
    if (file->empty()) continue;
    auto text = read_input(context, *file, k_body_limit);
    if (!text) return tl::unexpected(text.error());
    files[name] = std::move(*text);
  }
  return files;
}

std::string done_json(const std::string& id, std::string_view result,
                      const std::vector<std::string>& languages) {
  std::string line;
  JsonWriter(line)
      .field("id", id)
      .field("result", result)
      .field("languages", languages)
      .end();
  return line + "\n";
}

}  // namespace pony
