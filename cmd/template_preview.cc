// pony template preview: what a reader gets, as text or as a page for a
// browser, with values made up where none are given.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cmd/commands.h"
#include "cmd/output_file.h"
#include "cmd/template_input.h"
#include "core/json.h"
#include "core/message.h"
#include "core/template/preview.h"
#include "core/template/preview_page.h"
#include "core/template/wording.h"
#include "core/words.h"

namespace pony {
namespace {

constexpr std::size_t k_data_limit = std::size_t{16} << 20;

struct PreviewOptions {
  std::string id;
  std::vector<std::string> langs;
  std::vector<std::string> set;  // NAME=VALUE
  std::string data;              // a file, or "-"
  std::string html;              // a file, or "-"
};

// The values of --data, those of --set in their place.
Result<Json> given_values(const PreviewOptions& options, Context& context) {
  Json values = Json::object();
  if (!options.data.empty()) {
    auto bytes = read_input(context, options.data, k_data_limit);
    if (!bytes) return tl::unexpected(bytes.error());
    auto json = parse_json(*bytes);
    if (!json) return wrap(json.error(), printable(options.data, 200));
    if (!json->is_object())
      return fail(Error::Kind::bad_data,
                  "'" + printable(options.data, 200) +
                      "' is no object of values by name",
                  "as in a message's replacements: {\"name\": \"Ann\"}");
    values = std::move(*json);
  }
  for (const auto& one : options.set) {
    const auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(Error::Kind::usage,
                  "--set wants NAME=VALUE, not '" + printable(one, 80) + "'");
    const auto name = one.substr(0, equals);
    std::erase_if(values.members,
                  [&](const JsonMember& member) { return member.key == name; });
    values.set(name, Json::string(one.substr(equals + 1)));
  }
  return values;
}

Result<> check(const PreviewOptions& options, Context& context) {
  for (const auto& lang : options.langs)
    if (!is_language(lang))
      return fail(Error::Kind::usage,
                  "'" + printable(lang, 60) + "' is no language",
                  "letters, digits and hyphens: es-MX");
  if (options.html == "-" && context.options.json)
    return fail(Error::Kind::usage,
                "--html - and --json both want standard output");
  return {};
}

// Text from outside, fit for a terminal: nothing in it moves the cursor.
std::string for_terminal(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\n\t"), text.size());
    out += printable(text.substr(0, end), text.size() * 12);
    if (end < text.size()) out += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string as_text(const Preview& one) {
  std::string out = "Language:  " + one.lang;
  if (!one.asked.empty() && one.asked != one.lang)
    out += " (for " + one.asked + ")";
  out += "\n";
  out += "From:      " +
         (one.from.empty() ? "(no sender)" : for_terminal(one.from)) + "\n";
  out += "Subject:   " + for_terminal(one.subject) + "\n";
  if (!one.preheader.empty())
    out += "Preheader: " + for_terminal(one.preheader) + "\n";
  out += "\n" + for_terminal(one.text);
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

std::string as_json(const TemplatePreview& preview, const Preview& one) {
  std::string line;
  JsonWriter(line)
      .field("template", preview.id)
      .field("lang", one.lang)
      .field("from", one.from)
      .field("subject", one.subject)
      .field("preheader", one.preheader)
      .field("text", one.text)
      .field("html", one.html)
      .field("made_up", preview.made_up)
      .end();
  return line + "\n";
}

void print(const TemplatePreview& preview, Context& context) {
  bool first = true;
  for (const auto& one : preview.languages) {
    if (one.error) continue;
    if (context.options.json) {
      context.io().out(as_json(preview, one));
      continue;
    }
    if (!first) context.io().out("\n");
    first = false;
    context.io().out(as_text(one));
  }
  if (!preview.made_up.empty())
    context.say("made-up values: " + printable(joined(preview.made_up), 4096));
}

Result<> write_page(const TemplatePreview& preview, const std::string& file,
                    Context& context) {
  const auto page = preview_page(preview);
  if (file == "-") {
    context.io().out(page);
    return {};
  }
  if (auto written = write_output_file(file, page); !written) return written;
  std::vector<std::string> languages;
  for (const auto& one : preview.languages) languages.push_back(one.asked);
  if (!context.options.json) {
    context.say("wrote '" + printable(file, 200) + "' (" + joined(languages) +
                ")");
    return {};
  }
  std::string line;
  JsonWriter(line)
      .field("template", preview.id)
      .field("file", file)
      .field("languages", languages)
      .field("made_up", preview.made_up)
      .end();
  context.io().out(line + "\n");
  return {};
}

// Tells why languages could not be shown; the exit code for it.
int tell_errors(const TemplatePreview& preview, Context& context) {
  int code = 0;
  for (const auto& one : preview.languages) {
    if (!one.error) continue;
    Error error = *one.error;
    if (!one.asked.empty()) error.what = one.asked + ": " + error.what;
    context.tell(error);
    code = std::max(code, exit_code(error.kind));
  }
  return code;
}

Result<int> run_template_preview(const PreviewOptions& options,
                                 Context& context) {
  if (auto checked = check(options, context); !checked)
    return tl::unexpected(checked.error());
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto given = given_values(options, context);
  if (!given) return tl::unexpected(given.error());

  PreviewRequest request;
  request.id = options.id;
  request.languages = options.langs;
  // As text one language is enough: that of a message that names none.
  if (options.html.empty() && options.langs.empty()) request.languages = {""};
  request.given = std::move(*given);
  request.default_from = (*config)->default_from;
  TemplateStore templates((*config)->templates, (*config)->default_lang);
  auto preview = preview_template(templates, request);
  if (!preview) return tl::unexpected(preview.error());

  for (const auto& warning : preview->warnings)
    context.say("warning: " + warning);
  if (options.html.empty()) {
    print(*preview, context);
  } else {
    auto written = write_page(*preview, options.html, context);
    if (!written) return tl::unexpected(written.error());
  }
  return tell_errors(*preview, context);
}

}  // namespace

Action add_template_preview(CLI::App& app, Context& context) {
  auto options = std::make_shared<PreviewOptions>();
  app.add_option("ID", options->id, "The template")->required()->type_name("");
  app.add_option("--lang", options->langs,
                 "As a message in this language gets it (may be repeated)")
      ->type_name("LANG")
      ->allow_extra_args(false);
  app.add_option("--set", options->set,
                 "A value, before one of --data (may be repeated)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--data", options->data,
                 "A JSON object of values, or - for stdin")
      ->type_name("FILE");
  app.add_option("--html", options->html,
                 "Write a page for a browser, or - for stdout")
      ->type_name("FILE");
  app.footer(
      "Prints the text of one language. With --html all languages, or those "
      "of --lang,\nstand side by side on one page: as an inbox lists them, on "
      "a desktop and a phone,\nlight and dark. Values that are not given are "
      "made up.\n\n"
      "Examples\n"
      "  pony template preview welcome --lang es --set name=Ann\n"
      "  pony template preview welcome --html welcome.html\n\n"
      "Exit codes\n"
      "  0 shown · 64 usage · 65 a language cannot be filled in · 66 no such "
      "template\n  or language · 73 the page cannot be written · 77 no "
      "permission · 78 the template\n  or the configuration is wrong");
  return
      [options, &context] { return run_template_preview(*options, context); };
}

}  // namespace pony
