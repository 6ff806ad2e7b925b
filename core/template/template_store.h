// The templates: a folder each, one sub-folder a language (pony-template(5)).
//
//   ROOT/welcome/template.yaml            name, default_lang, from, tags …
//   ROOT/welcome/en/subject.txt body.txt body.html preheader.txt
//   ROOT/_partials/en/header.html         what several of them share
//   ROOT/_partials/style.html             whatever the language
//
// Reads only what a call needs, keeps what it has read until refresh(), opens
// nothing outside ROOT (openat2 RESOLVE_BENEATH, no symbolic links). For one
// thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/message.h"
#include "core/result.h"
#include "core/template/pattern.h"

namespace pony {

// One language of a template, as it was written. `body_text` or `body_html`
// may be absent, not both.
struct TemplateText {
  std::string lang;
  std::string subject;
  std::optional<std::string> preheader;  // one line; with HTML only
  std::optional<std::string> body_text;
  std::optional<std::string> body_html;
};

struct Template {
  std::string id;
  std::string name;
  std::string default_lang;  // empty: the configuration's
  std::optional<Address> from;
  std::optional<Address> reply_to;
  std::vector<std::string> tags;
  std::vector<Header> headers;
  std::vector<std::string> list_unsubscribe;  // https:// or mailto:
  Engine engine = Engine::simple;
  NameRules rules;
  bool inline_css = false;             // <style> into style attributes
  std::vector<std::string> languages;  // sorted
};

// What a message asks for, filled in. A body that the template has not is
// empty.
struct RenderedTemplate {
  std::string lang;  // the language that was found
  std::string subject;
  std::string text;
  std::string html;
  // The template's own, their display names and values filled in.
  std::optional<Address> from;
  std::optional<Address> reply_to;
  std::vector<Header> headers;
  std::vector<std::string> list_unsubscribe;
};

class TemplateStore {
 public:
  // `root` need not exist: then there are no templates.
  TemplateStore(std::string root, std::string default_lang);
  ~TemplateStore();

  // The template called `id`, read once; template.yaml may be missing.
  // not_found with the nearest id; bad_data when `id` can name no template;
  // config when its template.yaml is wrong (file:line).
  // The pointer is valid until refresh().
  Result<const Template*> find(std::string_view id);
  // The best language for `lang`: exact, then its base ("es-MX" → "es"), the
  // template's default, the configuration's. not_found when there is none of
  // them; config when its files are wrong (no subject, no body, a line break
  // in the subject, a section that is not closed). `of` came from find(). The
  // pointer is valid until refresh().
  Result<const TemplateText*> text(const Template& of, std::string_view lang);
  // Where that language uses which name, in subject, bodies, and what
  // template.yaml adds. `of` and the errors as for text().
  Result<std::vector<Pattern::Use>> uses(const Template& of,
                                         std::string_view lang);
  // Every problem that sending `message` (which names a template) would meet:
  // no such template or language, a name without a value (with the nearest key
  // that was given), a list where a text belongs, a line break in a subject's
  // value. `warnings` gets a line for each key that nothing uses. It fills in:
  // what passes cannot be found wrong later, unless the files change. Errors:
  // not_found, bad_data, config.
  Result<> check(const Message& message, std::vector<std::string>& warnings);
  // The copy, filled in. Errors as check().
  Result<RenderedTemplate> render(const Message& message);
  // The ids, sorted; folders whose name begins with "_" (_partials) are none.
  Result<std::vector<std::string>> list();
  // Forgets what was read: the next call sees the files as they are now.
  void refresh();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pony
