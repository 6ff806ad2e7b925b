#include "cmd/template_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "core/display_width.h"
#include "core/json.h"
#include "core/words.h"

namespace pony {
namespace {

constexpr std::size_t k_columns = 5;
using Row = std::array<std::string, k_columns>;
constexpr std::array<std::string_view, k_columns> k_headings = {
    "ID", "NAME", "DEFAULT", "PARTS", "LANGUAGES"};

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

const StaleTranslation* stale_in(const ListedTemplate& one,
                                 std::string_view lang) {
  for (const auto& stale : one.stale)
    if (stale.lang == lang) return &stale;
  return nullptr;
}

std::string languages_text(const ListedTemplate& one) {
  std::vector<std::string> words;
  for (const auto& lang : one.settings.languages)
    words.push_back(lang + (stale_in(one, lang) != nullptr ? "*" : ""));
  return joined(words, " ");
}

Row row_of(const ListedTemplate& one) {
  return {one.settings.id, or_dash(printable(one.settings.name, 40)),
          or_dash(one.default_lang), or_dash(joined(one.parts, "+")),
          or_dash(languages_text(one))};
}

std::string line_of(const Row& row,
                    const std::array<std::size_t, k_columns>& widths) {
  std::string line;
  for (std::size_t i = 0; i < k_columns; ++i) {
    line += (i > 0 ? "  " : "") + row[i];
    line.append(widths[i] - std::min(widths[i], display_width(row[i])), ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

// PonyExpress's words for it.
std::string content_type(const TemplateText& text) {
  if (text.body_html && text.body_text)
    return "multipart/alternative (text/plain, text/html)";
  return text.body_html ? "text/html" : "text/plain";
}

std::string stale_json(const ListedTemplate& one) {
  std::string list = "[";
  for (const auto& stale : one.stale) {
    if (list.size() > 1) list.push_back(',');
    std::vector<std::string> files;
    for (const auto& lag : stale.lags) files.push_back(lag.name);
    JsonWriter(list)
        .field("lang", stale.lang)
        .field("from", stale.from)
        .field("files", files)
        .end();
  }
  return list + "]";
}

// What both lists and single templates say.
void common_fields(JsonWriter& line, const ListedTemplate& one) {
  line.field("id", one.settings.id)
      .field("name", one.settings.name)
      .field("default_lang", one.default_lang)
      .field("languages", one.settings.languages)
      .field("parts", one.parts)
      .raw("stale", stale_json(one));
}

void text_or_null(JsonWriter& line, std::string_view name,
                  const std::optional<std::string>& text) {
  if (text)
    line.field(name, *text);
  else
    line.null(name);
}

std::optional<std::string> to_optional(const std::optional<Address>& address) {
  return address ? std::optional(to_text(*address)) : std::nullopt;
}

std::string headers_json(const std::vector<Header>& headers) {
  Json object = Json::object();
  for (const auto& header : headers)
    object.set(header.name, Json::string(header.value));
  return to_text(object);
}

void add_line(std::string& out, std::string_view label,
              std::string_view value) {
  if (!value.empty())
    out += fmt::format("{:<18}{}\n", std::string(label) + ":",
                       printable(value, 2000));
}

// One line of copy: tabs stay, what could command a terminal does not.
std::string shown_line(std::string_view line) {
  std::string out;
  if (line.ends_with('\r')) line.remove_suffix(1);
  while (!line.empty()) {
    const auto end = std::min(line.find('\t'), line.size());
    const auto piece = line.substr(0, end);
    out += printable(piece, piece.size() * 10 + 1);
    if (end < line.size()) out.push_back('\t');
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return out;
}

// The copy as it is, each line set off, so that no line can be taken for one
// of ours.
void add_body(std::string& out, std::string_view label, std::string_view body) {
  out += "\n" + std::string(label) + ":\n";
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    const std::string line = shown_line(body.substr(0, end));
    out += line.empty() ? "\n" : "  " + line + "\n";
    body.remove_prefix(std::min(end + 1, body.size()));
  }
}

// The first problem that the runner would meet; empty: none.
std::string problem_of(Templates& templates, const Template& of) {
  if (of.languages.empty()) return "it has no language";
  for (const auto& lang : of.languages)
    if (const auto text = templates.store.text(of, lang); !text)
      return lang + ": " + text.error().what;
  return {};
}

std::string sentence(const Error& error) {
  if (error.problems.empty()) return error.what;
  const auto& first = error.problems.front();
  return first.place.empty() ? first.what : first.place + ": " + first.what;
}

void add_parts(const TemplateFiles& files, ListedTemplate& one) {
  for (const auto& [part, name] :
       {std::pair{"text", "body.txt"}, {"html", "body.html"}}) {
    for (const auto& [lang, texts] : files.languages) {
      const auto body = texts.find(name);
      if (body == texts.end() || body->second.empty()) continue;
      one.parts.emplace_back(part);
      break;
    }
  }
}

}  // namespace

ListedTemplate listed_template(Templates& templates, const std::string& id) {
  ListedTemplate one;
  one.settings.id = id;
  if (const auto found = templates.store.find(id); found) {
    one.settings = **found;
    one.problem = problem_of(templates, one.settings);
  } else {
    one.problem = sentence(found.error());
  }
  one.default_lang = one.settings.default_lang.empty()
                         ? templates.default_lang
                         : one.settings.default_lang;
  const auto files = read_template_files(templates.folder, id);
  if (!files) return one;
  add_parts(*files, one);
  auto stale = stale_translations(*files, templates.folder.full_path(id));
  if (stale)
    one.stale = std::move(*stale);
  else if (one.problem.empty())
    one.problem = stale.error().what;
  return one;
}

std::string template_table(const std::vector<ListedTemplate>& templates) {
  Row headings;
  std::copy(k_headings.begin(), k_headings.end(), headings.begin());
  std::vector<Row> rows = {headings};
  for (const auto& one : templates) rows.push_back(row_of(one));
  std::array<std::size_t, k_columns> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < k_columns; ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  std::string table = line_of(rows.front(), widths);
  for (std::size_t i = 0; i < templates.size(); ++i) {
    table += line_of(rows[i + 1], widths);
    if (!templates[i].problem.empty())
      table += "    (" + printable(templates[i].problem) + ")\n";
  }
  return table;
}

std::string template_json(const ListedTemplate& one) {
  std::string text;
  JsonWriter line(text);
  common_fields(line, one);
  if (one.problem.empty())
    line.null("problem");
  else
    line.field("problem", one.problem);
  line.end();
  return text + "\n";
}

std::vector<std::string> names_of(const std::vector<Pattern::Use>& uses) {
  std::vector<std::string> names;
  for (const auto& use : uses) {
    auto name = use.section.empty() ? use.name : use.section + "." + use.name;
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  return names;
}

std::string template_text(const ListedTemplate& one, const TemplateText& text,
                          const std::vector<std::string>& names) {
  const Template& of = one.settings;
  std::string out;
  add_line(out, "Tag", of.id);
  add_line(out, "Name", of.name);
  add_line(out, "Content Type", content_type(text));
  add_line(out, "Default Language", one.default_lang);
  add_line(out, "Languages", languages_text(one));
  if (of.from) add_line(out, "From", to_text(*of.from));
  if (of.reply_to) add_line(out, "Reply-To", to_text(*of.reply_to));
  add_line(out, "Tags", joined(of.tags));
  for (const auto& header : of.headers)
    add_line(out, "Header", header.name + ": " + header.value);
  add_line(out, "Names", joined(names));
  add_line(out, "May be missing", joined(of.rules.optional));
  add_line(out, "HTML already", joined(of.rules.raw));
  add_line(out, "Lines kept", joined(of.rules.line_breaks));
  add_line(out, "Unsubscribe", joined(of.list_unsubscribe));
  if (of.engine == Engine::mustache) add_line(out, "Engine", "mustache");
  add_line(out, "Language", text.lang);
  if (const auto* stale = stale_in(one, text.lang))
    add_line(out, "Translation", to_text(*stale));
  add_line(out, "Subject", text.subject);
  add_line(out, "Preheader", text.preheader.value_or(""));
  if (text.body_text) add_body(out, "Body (text)", *text.body_text);
  if (text.body_html) add_body(out, "Body (HTML)", *text.body_html);
  return out;
}

std::string template_text_json(const ListedTemplate& one,
                               const TemplateText& text,
                               const std::vector<std::string>& names) {
  const Template& of = one.settings;
  std::string out;
  JsonWriter line(out);
  common_fields(line, one);
  text_or_null(line, "from", to_optional(of.from));
  text_or_null(line, "reply_to", to_optional(of.reply_to));
  line.field("tags", of.tags)
      .raw("headers", headers_json(of.headers))
      .field("raw", of.rules.raw)
      .field("optional", of.rules.optional)
      .field("line_breaks", of.rules.line_breaks)
      .field("list_unsubscribe", of.list_unsubscribe)
      .field("engine", of.engine == Engine::mustache ? "mustache" : "simple")
      .field("names", names)
      .field("lang", text.lang)
      .field("content_type", text.body_html ? "text/html" : "text/plain")
      .field("subject", text.subject);
  text_or_null(line, "preheader", text.preheader);
  text_or_null(line, "text", text.body_text);
  text_or_null(line, "html", text.body_html);
  line.end();
  return out + "\n";
}

}  // namespace pony
