// A template as its readers would get it, language by language, with values
// made up where none were given.
//
// Promises: a language that cannot be shown costs only itself. Doesn't know:
// pages, terminals, who asks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/json.h"
#include "core/result.h"
#include "core/template/template_store.h"

namespace pony {

// One language. With an `error`, all but `asked` is empty.
struct Preview {
  std::string asked;  // the language that was asked for: "es-MX"
  std::string lang;   // the one that stands in for it: "es"
  std::string from;   // "Widget Team <team@widgets.example>"; empty: no sender
  std::string subject;
  std::string preheader;      // what an inbox shows beside the subject
  std::string text;           // the text part as it would be sent
  bool text_is_made = false;  // from the HTML, as nobody wrote one
  std::string html;           // empty: there is none
  std::optional<Error> error;
};

struct TemplatePreview {
  std::string id;
  std::string name;                  // what template.yaml calls it, or empty
  std::vector<std::string> made_up;  // "name", "items.price"; sorted
  std::vector<Preview> languages;
  std::vector<std::string> warnings;  // values that nothing uses
};

struct PreviewRequest {
  std::string id;
  // Empty: all that there are. A language may stand in for one that is asked
  // for, as in a message.
  std::vector<std::string> languages;
  Json given = Json::object();  // values by name
  std::optional<Address> default_from;
};

// Errors: those of TemplateStore::find; not_found when there is no language.
Result<TemplatePreview> preview_template(TemplateStore& templates,
                                         const PreviewRequest& request);

}  // namespace pony
