#include "core/template/pony_express.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/lower_case.h"
#include "core/message.h"
#include "core/template/wording.h"
#include "core/trimmed.h"
#include "core/yaml_document.h"

namespace pony {
namespace {

constexpr std::string_view k_doc_type = "PonyExpressTemplate";
constexpr std::string_view k_entry_type = "LocalTemplate";

// Keys of a document that are not handed on to template.yaml.
constexpr std::array<std::string_view, 19> k_document_keys = {
    "_id",
    "_rev",
    "id",
    "tag",
    "doc_type",
    "name",
    "format",
    "content_type",
    "default_lang",
    "lang",
    "subject",
    "body",
    "contents",
    "translations",
    "pony",
    "text",
    "html",
    "preheader",
    "default_language"};

// The first of `keys` that is there and not null.
const Json* first_of(const Json& object,
                     std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    const Json* value = object.find(key);
    if (value != nullptr && !value->is(Json::Kind::null)) return value;
  }
  return nullptr;
}

// A language as a folder is named. PonyExpress's form asks for "ES", other
// programs write "pt_BR"; what is spelled well stays.
std::string tidy_language(std::string_view tag) {
  const bool has_lower = std::any_of(
      tag.begin(), tag.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  std::string tidy(tag);
  if (!has_lower) tidy = in_lower_case(tag);
  std::replace(tidy.begin(), tidy.end(), '_', '-');
  // The country of "PT-BR" is upper case again.
  const auto cut = tidy.find('-');
  if (!has_lower && cut != std::string::npos && tidy.size() - cut == 3)
    for (auto at = cut; at < tidy.size(); ++at)
      if (tidy[at] >= 'a' && tidy[at] <= 'z')
        tidy[at] = static_cast<char>(tidy[at] - 'a' + 'A');
  return tidy;
}

// --- reading -------------------------------------------------------------

enum class Format { unknown, text, html };

class DocumentReader {
 public:
  explicit DocumentReader(const Json& document) : document_(document) {}

  Result<TemplateDocument> read(std::string_view id);

 private:
  void read_id(std::string_view id);
  void read_format();
  void read_languages();
  void read_entries(std::string_view key, const Json& entries);
  void read_entry(const std::string& place, std::string_view lang,
                  const Json& entry);
  void read_settings();
  void add_settings();
  void set_setting(std::string_view key, const std::string& value);
  // The member as a text; nullopt when it is not there, or no text.
  std::optional<std::string> text(const Json& object, const std::string& place,
                                  std::string_view key);
  void add_body(const Json& entry, const std::string& place,
                LanguageFiles& files);
  void problem(std::string place, std::string what, std::string hint = {}) {
    problems_.push_back({std::move(place), std::move(what), std::move(hint)});
  }

  const Json& document_;
  Format format_ = Format::unknown;
  std::string first_lang_;
  TemplateDocument made_;
  std::vector<Problem> problems_;
};

Result<TemplateDocument> DocumentReader::read(std::string_view id) {
  if (!document_.is_object())
    return fail(Error::Kind::bad_data, "a template must be an object",
                "{\"_id\": …, \"format\": \"html\", \"contents\": […]}");
  read_id(id);
  read_format();
  read_languages();
  read_settings();
  if (problems_.empty()) return std::move(made_);
  const std::string name =
      made_.id.empty() ? "the template" : "template " + quoted(made_.id);
  return fail(Error::Kind::bad_data, name + " cannot be read",
              std::move(problems_));
}

void DocumentReader::read_id(std::string_view id) {
  made_.id = id;
  if (!id.empty()) return;
  const Json* value = first_of(document_, {"_id", "id", "tag"});
  if (value == nullptr || !value->is_string()) {
    problem("_id", "is missing", "the template's id");
    return;
  }
  made_.id = value->text;
  if (const auto fits = check_new_id(made_.id); !fits)
    problem("_id", fits.error().what, fits.error().hint);
}

void DocumentReader::read_format() {
  const Json* value = first_of(document_, {"format", "content_type"});
  if (value == nullptr) return;
  const std::string type = in_lower_case(value->text);
  if (type == "html" || type == "text/html") {
    format_ = Format::html;
  } else if (type == "text" || type == "plain" || type == "text/plain") {
    format_ = Format::text;
  } else if (!type.empty() || !value->is_string()) {
    problem("format", "unknown content type " + quoted(value->text),
            "write 'text' or 'html'");
  }
}

void DocumentReader::read_languages() {
  if (first_of(document_, {"subject", "body", "text", "html"}) != nullptr) {
    const Json* lang =
        first_of(document_, {"lang", "default_lang", "default_language"});
    read_entry("", lang == nullptr ? "" : lang->text, document_);
  }
  for (const std::string_view key : {"contents", "translations"})
    if (const Json* entries = first_of(document_, {key}))
      read_entries(key, *entries);
  if (made_.files.languages.empty() && problems_.empty())
    problem("contents", "has no language",
            "[{\"lang\": \"en\", \"subject\": …, \"body\": …}]");
}

void DocumentReader::read_entries(std::string_view key, const Json& entries) {
  const std::string name(key);
  if (entries.is_object()) {
    for (const auto& [lang, entry] : entries.members)
      read_entry(name + "." + printable(lang, 40), lang, entry);
    return;
  }
  if (!entries.is_array()) {
    problem(name, "must be a list");
    return;
  }
  for (std::size_t i = 0; i < entries.items.size(); ++i) {
    const Json& entry = entries.items[i];
    const std::string place = name + "[" + std::to_string(i) + "]";
    read_entry(place, entry.text_of("lang"), entry);
  }
}

void DocumentReader::read_entry(const std::string& place, std::string_view lang,
                                const Json& entry) {
  const std::string before = place.empty() ? "" : place + ".";
  if (!entry.is_object()) {
    problem(place, "must be an object",
            "{\"lang\": \"en\", \"subject\": …, \"body\": …}");
    return;
  }
  const std::string tag = tidy_language(lang);
  if (!is_language(tag)) {
    problem(before + "lang",
            tag.empty() ? "is missing" : quoted(lang) + " is no language",
            "write 'en' or 'pt-BR'");
    return;
  }
  if (made_.files.languages.contains(tag)) {
    problem(before + "lang", quoted(tag) + " is given twice");
    return;
  }
  if (first_lang_.empty()) first_lang_ = tag;
  LanguageFiles files;
  if (auto subject = text(entry, before, "subject"))
    files["subject.txt"] = std::move(*subject) + "\n";
  else
    problem(before + "subject", "is missing");
  add_body(entry, before, files);
  if (auto preheader = text(entry, before, "preheader"))
    files["preheader.txt"] = std::move(*preheader);
  if (auto mark = text(entry, before, "translation"))
    files[std::string(k_translation_file)] = std::move(*mark);
  made_.files.languages.emplace(tag, std::move(files));
}

void DocumentReader::add_body(const Json& entry, const std::string& place,
                              LanguageFiles& files) {
  auto body = text(entry, place, "body");
  if (body && format_ == Format::unknown)
    problem("format", "is missing, so nobody knows what 'body' is",
            "write 'text' or 'html'");
  if (auto html = text(entry, place, "html"))
    files["body.html"] = std::move(*html);
  if (auto plain = text(entry, place, "text"))
    files["body.txt"] = std::move(*plain);
  // `body` is what PonyExpress shows and changes, so it wins.
  if (body)
    files[format_ == Format::html ? "body.html" : "body.txt"] =
        std::move(*body);
}

std::optional<std::string> DocumentReader::text(const Json& object,
                                                const std::string& place,
                                                std::string_view key) {
  const Json* value = first_of(object, {key});
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->text;
  problem(place + std::string(key), "must be a text");
  return std::nullopt;
}

void DocumentReader::read_settings() {
  const Json* ours = first_of(document_, {"pony"});
  const auto name = text(document_, "", "name");
  const Json* fallback =
      first_of(document_, {"default_lang", "default_language"});
  if (fallback == nullptr && document_.find("subject") != nullptr)
    fallback = first_of(document_, {"lang"});
  std::string lang = fallback == nullptr ? "" : tidy_language(fallback->text);
  if (ours != nullptr && ours->is_object()) {
    // What was exported: template.yaml as it was, and what was changed since.
    if (auto yaml = text(*ours, "pony.", k_settings_file))
      made_.files.settings = std::move(*yaml);
  } else {
    add_settings();
    // PonyExpress keeps no default: the first language is it.
    if (lang.empty()) lang = first_lang_;
  }
  if (!lang.empty()) set_setting("default_lang", lang);
  if (name && !name->empty()) set_setting("name", *name);
}

// The other keys, as template.yaml has them: what is wrong with one is said
// when that is read.
void DocumentReader::add_settings() {
  for (const auto& [key, value] : document_.members) {
    const bool is_ours =
        std::find(k_document_keys.begin(), k_document_keys.end(), key) !=
        k_document_keys.end();
    // CouchDB's own begin with an underscore.
    if (is_ours || key.starts_with('_') || value.is(Json::Kind::null)) continue;
    std::string line;
    append_json_string(line, key);
    made_.files.settings += line + ": " + to_text(value) + "\n";
  }
}

// Sets one line of template.yaml, unless it says so already.
void DocumentReader::set_setting(std::string_view key,
                                 const std::string& value) {
  std::string& yaml = made_.files.settings;
  const auto document = read_yaml(yaml);
  const auto& entries = document.root.entries;
  const auto known =
      std::find_if(entries.begin(), entries.end(),
                   [&](const YamlEntry& entry) { return entry.key == key; });
  const std::string line = settings_line(key, value);
  if (known == entries.end()) {
    yaml.insert(0, line);
    return;
  }
  if (known->value.text == value) return;
  std::size_t at = 0;
  for (int n = 1; n < known->line; ++n) at = yaml.find('\n', at) + 1;
  if (!std::string_view(yaml).substr(at).starts_with(std::string(key) + ":")) {
    problem(std::string(key), "cannot be changed in 'pony.template.yaml'",
            "change it there too");
    return;
  }
  const auto end = yaml.find('\n', at);
  yaml.replace(at, end == std::string::npos ? end : end + 1 - at, line);
}

// --- finding the documents -----------------------------------------------

bool is_template(const Json& document) {
  const auto type = document.text_of("doc_type");
  return (type.empty() || type == k_doc_type) &&
         !document.text_of("_id").starts_with("_design/");
}

void add_documents(Json json, std::size_t line, bool is_inner,
                   std::vector<ImportedDocument>& found,
                   std::size_t& passed_over);

void add_each(std::vector<Json>& items, std::size_t line,
              std::vector<ImportedDocument>& found, std::size_t& passed_over) {
  for (auto& item : items)
    add_documents(std::move(item), line, true, found, passed_over);
}

// An answer of CouchDB: rows of a view, or a list of documents.
bool add_answer(Json& json, std::size_t line,
                std::vector<ImportedDocument>& found,
                std::size_t& passed_over) {
  for (auto& [key, value] : json.members) {
    if (!value.is_array() || (key != "rows" && key != "docs")) continue;
    for (auto& row : value.items) {
      Json* document = &row;
      for (auto& member : row.members)
        if (key == "rows" && (member.key == "doc" || member.key == "value") &&
            member.value.is_object() && member.value.find("_id") != nullptr)
          document = &member.value;
      Json taken = std::move(*document);
      add_documents(std::move(taken), line, true, found, passed_over);
    }
    return true;
  }
  return false;
}

void add_documents(Json json, std::size_t line, bool is_inner,
                   std::vector<ImportedDocument>& found,
                   std::size_t& passed_over) {
  if (!is_inner && json.is_array()) {
    add_each(json.items, line, found, passed_over);
    return;
  }
  if (!is_inner && json.is_object() &&
      add_answer(json, line, found, passed_over))
    return;
  if (json.is_object() && !is_template(json)) {
    ++passed_over;
    return;
  }
  found.push_back({line, std::move(json)});
}

// --- writing -------------------------------------------------------------

bool has_html(const TemplateFiles& files) {
  return std::any_of(files.languages.begin(), files.languages.end(),
                     [](const auto& language) {
                       return language.second.contains("body.html");
                     });
}

std::string without_line_end(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

Json entry_of(const std::string& lang, const LanguageFiles& files,
              std::string_view body_file) {
  const auto file = [&](std::string_view name) {
    const auto found = files.find(name);
    return found == files.end() ? std::string() : found->second;
  };
  Json entry = Json::object();
  entry.set("doc_type", Json::string(std::string(k_entry_type)));
  entry.set("lang", Json::string(lang));
  entry.set("subject", Json::string(without_line_end(file("subject.txt"))));
  // A language that has only the other body gives none to PonyExpress, which
  // would send text as HTML.
  if (files.contains(body_file))
    entry.set("body", Json::string(file(body_file)));
  const auto set = [&](const char* key, std::string_view name) {
    if (name != body_file && files.contains(name))
      entry.set(key, Json::string(file(name)));
  };
  set("text", "body.txt");
  set("html", "body.html");
  set("preheader", "preheader.txt");
  set("translation", k_translation_file);
  return entry;
}

}  // namespace

Json to_pony_express(const Template& of, const TemplateFiles& files,
                     const std::string& default_lang) {
  const bool html = has_html(files);
  const std::string first =
      of.default_lang.empty() ? default_lang : of.default_lang;
  Json document = Json::object();
  document.set("_id", Json::string(of.id));
  document.set("doc_type", Json::string(std::string(k_doc_type)));
  if (!of.name.empty()) document.set("name", Json::string(of.name));
  document.set("format", Json::string(html ? "html" : "text"));
  document.set("content_type", Json::string(html ? "text/html" : "text/plain"));
  if (!of.default_lang.empty())
    document.set("default_lang", Json::string(of.default_lang));
  Json& contents = document.set("contents", Json::array());
  const std::string_view body = html ? "body.html" : "body.txt";
  if (const auto one = files.languages.find(first);
      one != files.languages.end())
    contents.items.push_back(entry_of(one->first, one->second, body));
  for (const auto& [lang, texts] : files.languages)
    if (lang != first) contents.items.push_back(entry_of(lang, texts, body));
  Json& ours = document.set("pony", Json::object());
  if (!files.settings.empty())
    ours.set(std::string(k_settings_file), Json::string(files.settings));
  return document;
}

Result<TemplateDocument> from_pony_express(const Json& document,
                                           std::string_view id) {
  return DocumentReader(document).read(id);
}

std::vector<ImportedDocument> documents_in(std::string_view text,
                                           std::size_t& passed_over) {
  std::vector<ImportedDocument> found;
  passed_over = 0;
  auto whole = parse_json(text);
  if (whole) {
    add_documents(std::move(*whole), 1, false, found, passed_over);
    return found;
  }
  // JSON Lines, if the first line is a document of its own.
  const auto begin = text.find_first_not_of(" \t\r\n");
  const auto first_end = text.find('\n', std::min(begin, text.size()));
  const bool is_lines = first_end != std::string_view::npos &&
                        parse_json(text.substr(0, first_end)).has_value();
  if (!is_lines) {
    found.push_back({1, tl::unexpected(whole.error())});
    return found;
  }
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    const auto record = text.substr(0, end);
    text.remove_prefix(end);
    if (is_blank(record)) continue;
    auto json = parse_json(record, line);
    if (json)
      add_documents(std::move(*json), line, false, found, passed_over);
    else
      found.push_back({line, tl::unexpected(json.error())});
  }
  return found;
}

}  // namespace pony
