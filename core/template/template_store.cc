// Finds a template, chooses its language, and fills in its copy.
//
// Promises: nothing with a hole in it leaves here; all that is missing is told
// at once. Doesn't know how a path becomes bytes (template_folder), what
// template.yaml may hold (template_settings), what a name looks like (pattern)
// or what is put in its place (filling).
#include "core/template/template_store.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "core/html/inline_styles.h"
#include "core/html/preheader.h"
#include "core/json.h"
#include "core/list_unsubscribe.h"
#include "core/template/filling.h"
#include "core/template/filling_words.h"
#include "core/template/language_fallback.h"
#include "core/template/partial_files.h"
#include "core/template/template_copy.h"
#include "core/template/template_folder.h"
#include "core/template/template_settings.h"
#include "core/template/wording.h"
#include "core/words.h"

namespace pony {
namespace {

// A file of one line, without that line's end.
Result<std::string> one_line(std::string text, const std::string& path) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (has_control(text))
    return fail(Error::Kind::config,
                quoted(path) + " has a line break or another control character",
                "it must be one line");
  return text;
}

// The names in `text` and in `settings`, as far as a key could be one.
NamesInUse names_in(const ParsedSettings& settings, const ParsedText& text) {
  NamesInUse names;
  for_each_pattern(settings, text, [&](const Pattern& pattern, As) {
    for (const auto& use : pattern.uses())
      names.insert(use.name.substr(0, use.name.find('.')));
  });
  return names;
}

}  // namespace

struct TemplateStore::Impl {
  Impl(std::string root, std::string lang)
      : folder(std::move(root)), default_lang(std::move(lang)) {}

  // A language, ready to be filled in.
  struct Copy {
    ParsedText text;
    NamesInUse names;
  };
  struct Entry {
    Template settings;
    ParsedSettings parsed;
    std::map<std::string, Copy, std::less<>> copies;  // by language
    // By what was asked for: most messages ask for the same few.
    std::map<std::string, const Copy*, std::less<>> asked;
  };
  // Nobody asks honestly for so many.
  static constexpr std::size_t k_most_asked = 64;

  tl::unexpected<Error> no_such_template(std::string_view id);
  Result<Entry*> entry(std::string_view id);
  Result<const Copy*> copy(Entry& entry, std::string_view lang);
  Result<const Copy*> find_copy(Entry& entry, std::string_view lang);
  Result<TemplateText> read_text(const Template& of, const std::string& lang);
  // A mail's copy, filled in, and what is still to be worked into its HTML.
  struct Filled {
    RenderedTemplate mail;
    std::string preheader;
    bool inline_css = false;
  };
  // Everything about `message`'s mail that comes from its template; what is
  // wrong with it goes to `holes`.
  Filled fill(const Entry& entry, const Copy& copy, const Message& message,
              std::vector<Hole>& holes);
  // The same, or the whole of what is wrong. Warnings too, if wanted.
  Result<Filled> fill(const Message& message,
                      std::vector<std::string>* warnings);

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
  auto parsed = parse_settings(made.settings);
  if (!parsed) return tl::unexpected(parsed.error());
  made.parsed = std::move(*parsed);
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
  if (line->empty())
    return fail(Error::Kind::config,
                quoted(folder.full_path(path + "/subject.txt")) + " is empty");

  TemplateText made{lang, std::move(*line), {}, {}, {}};
  auto preheader = folder.read(path + "/preheader.txt");
  if (!preheader) return tl::unexpected(preheader.error());
  if (*preheader) {
    auto one = one_line(std::move(**preheader),
                        folder.full_path(path + "/preheader.txt"));
    if (!one) return tl::unexpected(one.error());
    if (!one->empty()) made.preheader = std::move(*one);
  }
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

Result<const TemplateStore::Impl::Copy*> TemplateStore::Impl::copy(
    Entry& entry, std::string_view lang) {
  const auto known = entry.asked.find(lang);
  if (known != entry.asked.end()) return known->second;
  auto found = find_copy(entry, lang);
  if (found && entry.asked.size() < k_most_asked)
    entry.asked.emplace(lang, *found);
  return found;
}

Result<const TemplateStore::Impl::Copy*> TemplateStore::Impl::find_copy(
    Entry& entry, std::string_view lang) {
  const auto& of = entry.settings;
  const auto chain = language_chain(lang, of.default_lang, default_lang);
  for (const auto& wanted : chain) {
    const auto found = std::find_if(
        of.languages.begin(), of.languages.end(),
        [&](const auto& each) { return is_same_language(each, wanted); });
    if (found == of.languages.end()) continue;
    const auto known = entry.copies.find(*found);
    if (known != entry.copies.end()) return &known->second;
    auto source = read_text(of, *found);
    if (!source) return tl::unexpected(source.error());
    auto parsed = parse_text(
        of, std::move(*source),
        [&](std::string_view name, std::string_view ending) {
          return read_partial(
              folder, language_chain(*found, of.default_lang, default_lang),
              std::string(name).append(ending));
        });
    if (!parsed) return tl::unexpected(parsed.error());
    auto names = names_in(entry.parsed, *parsed);
    return &entry.copies
                .emplace(*found, Copy{std::move(*parsed), std::move(names)})
                .first->second;
  }
  return fail(Error::Kind::not_found,
              "template '" + of.id + "' has none of the languages " +
                  printable(joined(chain), 100),
              of.languages.empty()
                  ? "it has no language folder"
                  : "it has " + joined(of.languages) +
                        "; default_lang in its template.yaml chooses one");
}

TemplateStore::Impl::Filled TemplateStore::Impl::fill(
    const Entry& entry, const Copy& copy, const Message& message,
    std::vector<Hole>& holes) {
  const auto& of = entry.settings;
  const auto& text = copy.text;
  const auto& lang = text.source.lang;
  Filling filling(message.replacements, lang, locale_of(message.lang, lang));
  Filled filled;
  auto& made = filled.mail;
  made.lang = lang;
  made.subject = filling.fill(text.subject, As::header);
  made.text = filling.fill(text.body_text, As::text);
  made.html = filling.fill(text.body_html, As::html);
  filled.preheader = filling.fill(text.preheader, As::html);
  filled.inline_css = of.inline_css;
  made.from = of.from;
  if (made.from)
    made.from->name = filling.fill(entry.parsed.from_name, As::header);
  made.reply_to = of.reply_to;
  if (made.reply_to)
    made.reply_to->name = filling.fill(entry.parsed.reply_to_name, As::header);
  for (const auto& [name, pattern] : entry.parsed.headers)
    made.headers.push_back({name, filling.fill(pattern, As::header)});
  for (const auto& pattern : entry.parsed.list_unsubscribe)
    made.list_unsubscribe.push_back(filling.fill(pattern, As::uri));
  holes = filling.holes();
  return filled;
}

Result<TemplateStore::Impl::Filled> TemplateStore::Impl::fill(
    const Message& message, std::vector<std::string>* warnings) {
  const auto found = entry(message.template_id);
  if (!found) return tl::unexpected(found.error());
  const auto chosen = copy(**found, message.lang);
  if (!chosen) return tl::unexpected(chosen.error());

  const auto& of = (*found)->settings;
  const auto& names = (*chosen)->names;
  if (warnings != nullptr) *warnings = warnings_of(message, of, names);
  std::vector<Hole> holes;
  auto filled = fill(**found, **chosen, message, holes);
  auto problems = problems_of(holes, message, of, names);
  for (const auto& uri : filled.mail.list_unsubscribe) {
    if (!holes.empty()) break;
    if (const auto fit = check_unsubscribe_uri(uri); !fit)
      problems.push_back({"template '" + of.id + "', list_unsubscribe",
                          fit.error().what, fit.error().hint});
  }
  if (!problems.empty())
    return fail(Error::Kind::bad_data,
                "template '" + of.id + "' cannot be filled in",
                std::move(problems));
  return filled;
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
  const auto copy = impl_->copy(**entry, lang);
  if (!copy) return tl::unexpected(copy.error());
  return &(*copy)->text.source;
}

Result<std::vector<Pattern::Use>> TemplateStore::uses(const Template& of,
                                                      std::string_view lang) {
  const auto entry = impl_->entry(of.id);
  if (!entry) return tl::unexpected(entry.error());
  const auto copy = impl_->copy(**entry, lang);
  if (!copy) return tl::unexpected(copy.error());
  std::vector<Pattern::Use> uses;
  for_each_pattern((*entry)->parsed, (*copy)->text,
                   [&](const Pattern& pattern, As) {
                     for (auto& use : pattern.uses())
                       uses.push_back(std::move(use));
                   });
  return uses;
}

Result<> TemplateStore::check(const Message& message,
                              std::vector<std::string>& warnings) {
  const auto filled = impl_->fill(message, &warnings);
  if (!filled) return tl::unexpected(filled.error());
  return {};
}

Result<RenderedTemplate> TemplateStore::render(const Message& message) {
  auto filled = impl_->fill(message, nullptr);
  if (!filled) return tl::unexpected(filled.error());
  auto& mail = filled->mail;
  if (!mail.html.empty() && !filled->preheader.empty())
    mail.html.insert(preheader_place(mail.html),
                     preheader_html(filled->preheader));
  if (filled->inline_css) mail.html = inline_styles(mail.html);
  return std::move(mail);
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
