#include "core/template/template_settings.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/template/pattern.h"
#include "core/template/wording.h"
#include "core/yaml_document.h"

namespace pony {
namespace {

using Kind = YamlNode::Kind;

class SettingsReader {
 public:
  SettingsReader(const std::string& file, Template& into)
      : file_(file), into_(into) {}

  void read(const YamlDocument& document);
  std::vector<Problem> take_problems() { return std::move(problems_); }

 private:
  struct Key {
    std::string_view name;
    void (SettingsReader::*read)(const YamlNode&, std::string_view key);
  };
  static const std::array<Key, 13> k_keys;

  void read_entry(const YamlEntry& entry);
  void read_name(const YamlNode& value, std::string_view key);
  void read_default_lang(const YamlNode& value, std::string_view key);
  void read_from(const YamlNode& value, std::string_view key);
  void read_reply_to(const YamlNode& value, std::string_view key);
  void read_tags(const YamlNode& value, std::string_view key);
  void read_headers(const YamlNode& value, std::string_view key);
  void read_engine(const YamlNode& value, std::string_view key);
  void read_raw(const YamlNode& value, std::string_view key);
  void read_optional(const YamlNode& value, std::string_view key);
  void read_line_breaks(const YamlNode& value, std::string_view key);
  void read_list_unsubscribe(const YamlNode& value, std::string_view key);
  void read_inline_css(const YamlNode& value, std::string_view key);
  void read_content_type(const YamlNode& value, std::string_view key);

  std::optional<std::string> text(const YamlNode& node, std::string_view key);
  std::optional<Address> address(const YamlNode& node, std::string_view key);
  std::vector<std::string> list(const YamlNode& node, std::string_view key);
  std::vector<std::string> placeholders(const YamlNode& node,
                                        std::string_view key);
  void add_problem(int line, std::string what, std::string hint = {});

  const std::string& file_;
  Template& into_;
  std::vector<Problem> problems_;
};

const std::array<SettingsReader::Key, 13> SettingsReader::k_keys = {{
    {"name", &SettingsReader::read_name},
    {"default_lang", &SettingsReader::read_default_lang},
    {"from", &SettingsReader::read_from},
    {"reply_to", &SettingsReader::read_reply_to},
    {"tags", &SettingsReader::read_tags},
    {"headers", &SettingsReader::read_headers},
    {"engine", &SettingsReader::read_engine},
    {"raw", &SettingsReader::read_raw},
    {"optional", &SettingsReader::read_optional},
    {"line_breaks", &SettingsReader::read_line_breaks},
    {"list_unsubscribe", &SettingsReader::read_list_unsubscribe},
    {"inline_css", &SettingsReader::read_inline_css},
    {"content_type", &SettingsReader::read_content_type},
}};

void SettingsReader::read(const YamlDocument& document) {
  for (const auto& problem : document.problems)
    add_problem(problem.line, problem.what, problem.hint);
  const auto& root = document.root;
  // null: an empty file, or one of comments.
  if (root.is(Kind::text) || root.is(Kind::list))
    add_problem(root.line, "keys with values were wanted",
                "write 'name: Welcome'");
  for (const auto& entry : root.entries) read_entry(entry);
}

void SettingsReader::read_entry(const YamlEntry& entry) {
  const auto known =
      std::find_if(k_keys.begin(), k_keys.end(),
                   [&](const Key& each) { return each.name == entry.key; });
  if (known == k_keys.end()) {
    std::vector<std::string_view> names;
    names.reserve(k_keys.size());
    for (const auto& each : k_keys) names.push_back(each.name);
    add_problem(entry.line, "unknown key " + quoted(entry.key),
                did_you_mean(entry.key, names));
    return;
  }
  if (!entry.value.is(Kind::null) && !entry.value.is(Kind::bad))
    (this->*known->read)(entry.value, known->name);
}

void SettingsReader::read_name(const YamlNode& value, std::string_view key) {
  into_.name = text(value, key).value_or("");
}

void SettingsReader::read_default_lang(const YamlNode& value,
                                       std::string_view key) {
  const auto tag = text(value, key);
  if (!tag) return;
  if (!is_language(*tag)) {
    add_problem(value.line, quoted(*tag) + " is no language",
                "write 'en' or 'pt-BR'");
    return;
  }
  into_.default_lang = *tag;
}

void SettingsReader::read_from(const YamlNode& value, std::string_view key) {
  into_.from = address(value, key);
}

void SettingsReader::read_reply_to(const YamlNode& value,
                                   std::string_view key) {
  into_.reply_to = address(value, key);
}

void SettingsReader::read_tags(const YamlNode& value, std::string_view key) {
  into_.tags = list(value, key);
}

void SettingsReader::read_headers(const YamlNode& value, std::string_view key) {
  if (!value.is(Kind::map)) {
    add_problem(value.line, quoted(key) + " must be a map",
                "write 'headers: {X-Campaign: spring}'");
    return;
  }
  for (const auto& entry : value.entries) {
    const auto content = text(entry.value, "headers." + entry.key);
    if (!is_free_header_name(entry.key))
      add_problem(entry.line, "header " + quoted(entry.key) + " cannot be set");
    else if (content)
      into_.headers.push_back({entry.key, *content});
  }
}

void SettingsReader::read_engine(const YamlNode& value, std::string_view key) {
  const auto engine = text(value, key);
  if (!engine || *engine == "simple") return;
  if (*engine == "mustache") {
    into_.engine = Engine::mustache;
    return;
  }
  add_problem(value.line, "unknown engine " + quoted(*engine),
              "there are 'simple' and 'mustache'");
}

void SettingsReader::read_raw(const YamlNode& value, std::string_view key) {
  into_.rules.raw = placeholders(value, key);
}

void SettingsReader::read_optional(const YamlNode& value,
                                   std::string_view key) {
  into_.rules.optional = placeholders(value, key);
}

void SettingsReader::read_line_breaks(const YamlNode& value,
                                      std::string_view key) {
  into_.rules.line_breaks = placeholders(value, key);
}

void SettingsReader::read_list_unsubscribe(const YamlNode& value,
                                           std::string_view key) {
  if (value.is(Kind::list)) {
    into_.list_unsubscribe = list(value, key);
  } else if (auto uri = text(value, key)) {
    into_.list_unsubscribe = {std::move(*uri)};
  }
}

void SettingsReader::read_inline_css(const YamlNode& value,
                                     std::string_view key) {
  const auto spelled = text(value, key);
  if (!spelled) return;
  into_.inline_css = *spelled == "true";
  if (*spelled != "true" && *spelled != "false")
    add_problem(value.line, quoted(key) + " must be true or false");
}

void SettingsReader::read_content_type(const YamlNode& value,
                                       std::string_view key) {
  const auto type = text(value, key);
  if (type && *type != "text/html" && *type != "text/plain")
    add_problem(value.line, "unknown content type " + quoted(*type),
                "leave it out: the files that are there decide");
}

std::optional<std::string> SettingsReader::text(const YamlNode& node,
                                                std::string_view key) {
  if (node.is(Kind::bad)) return std::nullopt;
  if (!node.is(Kind::text)) {
    add_problem(node.line, quoted(key) + " must be a text");
    return std::nullopt;
  }
  if (has_control(node.text)) {
    add_problem(node.line,
                quoted(key) + " has a line break or another control character");
    return std::nullopt;
  }
  return node.text;
}

std::optional<Address> SettingsReader::address(const YamlNode& node,
                                               std::string_view key) {
  const auto spelled = text(node, key);
  if (!spelled) return std::nullopt;
  auto parsed = parse_address(*spelled);
  if (parsed) return std::move(*parsed);
  add_problem(node.line, quoted(key) + ": " + parsed.error().what,
              parsed.error().hint);
  return std::nullopt;
}

std::vector<std::string> SettingsReader::list(const YamlNode& node,
                                              std::string_view key) {
  if (!node.is(Kind::list)) {
    add_problem(node.line, quoted(key) + " must be a list",
                "write '" + std::string(key) + ": [one, two]'");
    return {};
  }
  std::vector<std::string> entries;
  for (const auto& each : node.items) {
    auto entry = text(each, key);
    if (entry) entries.push_back(std::move(*entry));
  }
  return entries;
}

std::vector<std::string> SettingsReader::placeholders(const YamlNode& node,
                                                      std::string_view key) {
  auto names = list(node, key);
  for (const auto& name : names) {
    if (!is_mustache_name(name))
      add_problem(node.line,
                  quoted(name) + " in " + quoted(key) + " is no $name",
                  "letters, digits and '_', without the dollar");
  }
  return names;
}

void SettingsReader::add_problem(int line, std::string what, std::string hint) {
  problems_.push_back(
      {file_ + ":" + std::to_string(line), std::move(what), std::move(hint)});
}

}  // namespace

Result<> read_template_settings(std::string_view yaml, const std::string& file,
                                Template& into) {
  SettingsReader reader(file, into);
  reader.read(read_yaml(yaml));
  auto problems = reader.take_problems();
  if (!problems.empty())
    return fail(Error::Kind::config,
                "template '" + into.id + "' has a wrong template.yaml",
                std::move(problems));
  return {};
}

}  // namespace pony
