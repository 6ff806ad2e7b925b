#include "core/template/preview.h"

#include <utility>

#include "core/html/html_text.h"
#include "core/html/inbox_line.h"
#include "core/html_escape.h"
#include "core/message.h"
#include "core/template/filling_words.h"
#include "core/template/sample_values.h"

namespace pony {
namespace {

// Every use of a name in any of the languages that can be read: values are
// made up once for all, so that the languages can be compared.
std::vector<Pattern::Use> uses_in(TemplateStore& templates, const Template& of,
                                  const std::vector<std::string>& languages) {
  std::vector<Pattern::Use> all;
  for (const auto& lang : languages) {
    auto uses = templates.uses(of, lang);
    if (!uses) continue;  // rendering it will say why
    for (auto& use : *uses) all.push_back(std::move(use));
  }
  return all;
}

std::vector<std::string> warnings_about(const Json& given, const Template& of,
                                        const std::vector<Pattern::Use>& uses) {
  NamesInUse names;
  for (const auto& use : uses)
    names.insert(use.name.substr(0, use.name.find('.')));
  Message message;
  message.template_id = of.id;
  message.replacements = given;
  return warnings_of(message, of, names);
}

Preview preview_of(TemplateStore& templates, const Message& message,
                   const std::optional<Address>& default_from) {
  Preview made;
  made.asked = message.lang;
  auto mail = templates.render(message);
  if (!mail) {
    made.error = std::move(mail.error());
    return made;
  }
  made.lang = std::move(mail->lang);
  if (const auto& from = mail->from ? mail->from : default_from)
    made.from = to_text(*from);
  made.subject = std::move(mail->subject);
  made.html = std::move(mail->html);
  made.text = std::move(mail->text);
  if (made.text.empty() && !made.html.empty()) {
    made.text = text_from_html(made.html);
    made.text_is_made = true;
  }
  // A mail of text alone begins with it in an inbox too.
  made.preheader =
      inbox_line(made.html.empty()
                     ? escape_html(std::string_view(made.text).substr(0, 4096))
                     : made.html);
  return made;
}

}  // namespace

Result<TemplatePreview> preview_template(TemplateStore& templates,
                                         const PreviewRequest& request) {
  auto found = templates.find(request.id);
  if (!found) return tl::unexpected(found.error());
  const Template& of = **found;
  const auto& languages =
      request.languages.empty() ? of.languages : request.languages;
  if (languages.empty())
    return fail(Error::Kind::not_found,
                "template '" + of.id + "' has no language folder");

  const auto uses = uses_in(templates, of, languages);
  auto samples = with_samples(request.given, uses);
  TemplatePreview made;
  made.id = of.id;
  made.name = of.name;
  made.made_up = std::move(samples.made_up);
  made.warnings = warnings_about(request.given, of, uses);
  Message message;
  message.template_id = of.id;
  message.replacements = std::move(samples.values);
  for (const auto& lang : languages) {
    message.lang = lang;
    made.languages.push_back(
        preview_of(templates, message, request.default_from));
  }
  return made;
}

}  // namespace pony
