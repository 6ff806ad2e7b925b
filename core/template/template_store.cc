// Finds a template, chooses its language, and fills in its copy.
//
// Promises: nothing is filled in before everything that is filled in has its
// value; all that is missing is told at once. Doesn't know how a path becomes
// bytes (template_folder), what template.yaml may hold (template_settings), or
// what a $name looks like (renderer).
#include "core/template/template_store.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "core/json.h"
#include "core/template/renderer.h"
#include "core/template/template_folder.h"
#include "core/template/template_settings.h"

namespace pony {
namespace {

std::string quoted(std::string_view text) {
  return "'" + printable(text, 100) + "'";
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

// What `value` looks like in a mail. Numbers keep the sender's spelling.
bool is_text_value(const Json& value) {
  return value.is(Json::Kind::string) || value.is(Json::Kind::number) ||
         value.is(Json::Kind::boolean);
}

// The value given for `name`, or nullptr: null says as little as no value.
const Json* value_of(const Message& message, std::string_view name) {
  const Json* value = message.replacements.find(name);
  return value == nullptr || value->is(Json::Kind::null) ? nullptr : value;
}

// A piece of a template in which names are replaced.
enum class Where { header, body };
struct Piece {
  std::string label;  // "es/subject.txt", "template.yaml, headers.X-A"
  std::string_view text;
  Where where;
};

std::vector<Piece> pieces_of(const Template& of, const TemplateText& copy) {
  std::vector<Piece> pieces;
  pieces.push_back({copy.lang + "/subject.txt", copy.subject, Where::header});
  if (copy.body_text)
    pieces.push_back({copy.lang + "/body.txt", *copy.body_text, Where::body});
  if (copy.body_html)
    pieces.push_back({copy.lang + "/body.html", *copy.body_html, Where::body});
  if (of.from)
    pieces.push_back({"template.yaml, from", of.from->name, Where::header});
  if (of.reply_to)
    pieces.push_back(
        {"template.yaml, reply_to", of.reply_to->name, Where::header});
  for (const auto& header : of.headers)
    pieces.push_back(
        {"template.yaml, headers." + header.name, header.value, Where::header});
  return pieces;
}

// A name, where the template uses it first, and whether any header does.
struct Use {
  std::string name;
  std::string place;  // "template 'welcome', es/body.html:3"
  Where where;
};

std::vector<Use> uses_in(const Template& of, const TemplateText& copy) {
  std::vector<Use> uses;
  for (const auto& piece : pieces_of(of, copy)) {
    for (auto& name : placeholder_names(piece.text)) {
      const auto known =
          std::find_if(uses.begin(), uses.end(),
                       [&](const Use& use) { return use.name == name; });
      if (known != uses.end()) {
        if (piece.where == Where::header) known->where = Where::header;
        continue;
      }
      std::string place = "template '" + of.id + "', " + piece.label;
      if (piece.label.find(", ") == std::string::npos)
        place += ":" + std::to_string(line_of_first_use(piece.text, name));
      uses.push_back({std::move(name), std::move(place), piece.where});
    }
  }
  return uses;
}

// The keys that were given and that nothing in the template knows.
std::vector<std::string_view> unused_keys(const Message& message,
                                          const Template& of,
                                          const std::vector<Use>& uses) {
  std::vector<std::string_view> unused;
  for (const auto& [key, value] : message.replacements.members) {
    const bool is_used =
        std::any_of(uses.begin(), uses.end(),
                    [&key = key](const Use& use) { return use.name == key; });
    // Another language may use what template.yaml lists.
    if (!is_used && !has(of.optional, key) && !has(of.raw, key))
      unused.push_back(key);
  }
  return unused;
}

Problem missing_value(const Use& use,
                      const std::vector<std::string_view>& unused) {
  Problem problem{use.place, "'$" + use.name + "' has no value", {}};
  // Only keys that nothing uses: the others are no misspellings.
  if (const auto key = nearest(use.name, unused); !key.empty())
    problem.hint =
        "you gave " + quoted(key) + ": did you mean '" + use.name + "'?";
  return problem;
}

std::vector<Problem> problems_of(const Message& message, const Template& of,
                                 const std::vector<Use>& uses) {
  const auto unused = unused_keys(message, of, uses);
  std::vector<Problem> problems;
  for (const auto& use : uses) {
    const Json* value = value_of(message, use.name);
    const std::string place = "replacements." + use.name;
    if (value == nullptr) {
      if (!has(of.optional, use.name))
        problems.push_back(missing_value(use, unused));
    } else if (!is_text_value(*value)) {
      problems.push_back({place,
                          value->is_array() ? "is a list" : "is an object",
                          "a string, a number, true or false can be filled in "
                          "(" +
                              use.place + ")"});
    } else if (use.where == Where::header && has_control(value->text)) {
      problems.push_back({place,
                          "has a line break or another control character, and "
                          "a header line uses it",
                          use.place});
    }
  }
  return problems;
}

void warn_of_unused(const Message& message, const Template& of,
                    const std::vector<Use>& uses,
                    std::vector<std::string>& warnings) {
  std::vector<std::string_view> wanting;
  for (const auto& use : uses) {
    if (value_of(message, use.name) == nullptr) wanting.push_back(use.name);
  }
  for (const auto& name : of.optional) {
    if (value_of(message, name) == nullptr) wanting.push_back(name);
  }
  for (const auto key : unused_keys(message, of, uses)) {
    std::string line = "template '" + of.id + "' does not use " + quoted(key);
    if (const auto hint = did_you_mean(key, wanting); !hint.empty())
      line += " (" + hint + ")";
    warnings.push_back(std::move(line));
  }
}

// subject.txt without the line's end. The rest must be one line.
Result<std::string> one_line(std::string text, const std::string& path) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (text.empty())
    return fail(Error::Kind::config, quoted(path) + " is empty");
  if (has_control(text))
    return fail(Error::Kind::config,
                quoted(path) + " has a line break or another control character",
                "a subject is one line");
  return text;
}

}  // namespace

struct TemplateStore::Impl {
  Impl(std::string root, std::string lang)
      : folder(std::move(root)), default_lang(std::move(lang)) {}

  struct Entry {
    Template settings;
    std::map<std::string, TemplateText, std::less<>> texts;  // by language
  };

  tl::unexpected<Error> no_such_template(std::string_view id);
  Result<Entry*> entry(std::string_view id);
  Result<TemplateText> read_text(const Template& of, const std::string& lang);

  TemplateFolder folder;
  std::string default_lang;
  // Nodes of a map stay where they are: callers hold pointers into them.
  std::map<std::string, Entry, std::less<>> entries;
};

tl::unexpected<Error> TemplateStore::Impl::no_such_template(
    std::string_view id) {
  std::string hint;
  if (const auto ids = folder.folders("."))
    hint = did_you_mean(id, {ids->begin(), ids->end()});
  return fail(Error::Kind::not_found, "no template " + quoted(id), hint);
}

Result<TemplateStore::Impl::Entry*> TemplateStore::Impl::entry(
    std::string_view id) {
  if (const auto known = entries.find(id); known != entries.end())
    return &known->second;
  if (!is_template_id(id))
    return fail(Error::Kind::bad_data, quoted(id) + " cannot name a template",
                "letters, digits, '_', '.' and '-', no leading dot");

  Entry made;
  made.settings.id = id;
  auto names = folder.folders(made.settings.id);
  if (!names && names.error().kind == Error::Kind::not_found)
    return no_such_template(id);
  if (!names) return tl::unexpected(names.error());
  std::copy_if(names->begin(), names->end(),
               std::back_inserter(made.settings.languages), is_language);

  const std::string path = made.settings.id + "/template.yaml";
  const auto yaml = folder.read(path);
  if (!yaml) return tl::unexpected(yaml.error());
  if (*yaml) {
    const auto read =
        read_template_settings(**yaml, folder.full_path(path), made.settings);
    if (!read) return tl::unexpected(read.error());
  }
  return &entries.emplace(id, std::move(made)).first->second;
}

Result<TemplateText> TemplateStore::Impl::read_text(const Template& of,
                                                    const std::string& lang) {
  const std::string path = of.id + "/" + lang;
  auto subject = folder.read(path + "/subject.txt");
  if (!subject) return tl::unexpected(subject.error());
  if (!*subject)
    return fail(Error::Kind::config,
                quoted(folder.full_path(path)) + " has no subject.txt");
  auto line =
      one_line(std::move(**subject), folder.full_path(path + "/subject.txt"));
  if (!line) return tl::unexpected(line.error());

  TemplateText made{lang, std::move(*line), {}, {}};
  auto text = folder.read(path + "/body.txt");
  if (!text) return tl::unexpected(text.error());
  auto html = folder.read(path + "/body.html");
  if (!html) return tl::unexpected(html.error());
  // An empty file is as good as none.
  if (*text && !(*text)->empty()) made.body_text = std::move(*text);
  if (*html && !(*html)->empty()) made.body_html = std::move(*html);
  if (!made.body_text && !made.body_html)
    return fail(Error::Kind::config,
                quoted(folder.full_path(path)) + " has no body",
                "write body.txt, body.html or both");
  return made;
}

TemplateStore::TemplateStore(std::string root, std::string default_lang)
    : impl_(std::make_unique<Impl>(std::move(root), std::move(default_lang))) {}

TemplateStore::~TemplateStore() = default;

Result<const Template*> TemplateStore::find(std::string_view id) {
  const auto entry = impl_->entry(id);
  if (!entry) return tl::unexpected(entry.error());
  return &(*entry)->settings;
}

Result<const TemplateText*> TemplateStore::text(const Template& of,
                                                std::string_view lang) {
  const auto entry = impl_->entry(of.id);
  if (!entry) return tl::unexpected(entry.error());

  const auto& languages = (*entry)->settings.languages;
  const auto chain = language_chain(lang, of.default_lang, impl_->default_lang);
  for (const auto& wanted : chain) {
    const auto found = std::find_if(
        languages.begin(), languages.end(),
        [&](const auto& each) { return is_same_language(each, wanted); });
    if (found == languages.end()) continue;
    auto& texts = (*entry)->texts;
    if (const auto known = texts.find(*found); known != texts.end())
      return &known->second;
    auto read = impl_->read_text(of, *found);
    if (!read) return tl::unexpected(read.error());
    return &texts.emplace(*found, std::move(*read)).first->second;
  }
  return fail(Error::Kind::not_found,
              "template '" + of.id + "' has none of the languages " +
                  printable(joined(chain), 100),
              languages.empty()
                  ? "it has no language folder"
                  : "it has " + joined(languages) +
                        "; default_lang in its template.yaml chooses one");
}

Result<> TemplateStore::check(const Message& message,
                              std::vector<std::string>& warnings) {
  const auto of = find(message.template_id);
  if (!of) return tl::unexpected(of.error());
  const auto copy = text(**of, message.lang);
  if (!copy) return tl::unexpected(copy.error());

  const auto uses = uses_in(**of, **copy);
  warn_of_unused(message, **of, uses, warnings);
  auto problems = problems_of(message, **of, uses);
  if (!problems.empty())
    return fail(Error::Kind::bad_data,
                "template '" + message.template_id + "' cannot be filled in",
                std::move(problems));
  return {};
}

Result<RenderedTemplate> TemplateStore::render(const Message& message) {
  std::vector<std::string> unheard;
  const auto checked = check(message, unheard);
  if (!checked) return tl::unexpected(checked.error());
  const auto of = find(message.template_id);
  if (!of) return tl::unexpected(of.error());
  const auto copy = text(**of, message.lang);
  if (!copy) return tl::unexpected(copy.error());

  const auto plain = [&](std::string_view name) {
    const Json* value = value_of(message, name);
    return value == nullptr ? std::string() : value->text;
  };
  const auto escaped = [&](std::string_view name) {
    return has((*of)->raw, name) ? plain(name) : escape_html(plain(name));
  };
  RenderedTemplate made;
  made.lang = (*copy)->lang;
  made.subject = fill_in((*copy)->subject, plain);
  if ((*copy)->body_text) made.text = fill_in(*(*copy)->body_text, plain);
  if ((*copy)->body_html) made.html = fill_in(*(*copy)->body_html, escaped);
  made.from = (*of)->from;
  if (made.from) made.from->name = fill_in(made.from->name, plain);
  made.reply_to = (*of)->reply_to;
  if (made.reply_to) made.reply_to->name = fill_in(made.reply_to->name, plain);
  for (const auto& [name, value] : (*of)->headers)
    made.headers.push_back({name, fill_in(value, plain)});
  return made;
}

Result<std::vector<std::string>> TemplateStore::list() {
  auto names = impl_->folder.folders(".");
  if (!names && names.error().kind == Error::Kind::not_found)
    return std::vector<std::string>();
  if (!names) return tl::unexpected(names.error());
  std::erase_if(*names, [](const std::string& name) {
    return name.starts_with('_') || !is_template_id(name);
  });
  return names;
}

void TemplateStore::refresh() {
  impl_->entries.clear();
  impl_->folder.close();
}

}  // namespace pony
