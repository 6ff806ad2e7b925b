// Templates as JSON documents, in the shape in which PonyExpress keeps them in
// CouchDB, so that they can come from there and go back:
//
//   {"_id": "welcome", "doc_type": "PonyExpressTemplate", "name": "Welcome",
//    "format": "html", "contents":
//      [{"doc_type": "LocalTemplate", "lang": "en", "subject": …, "body": …}]}
//
// One body a language is all there is in it. What pony has more lies under
// keys that PonyExpress passes over ("pony", and in an entry of "contents"
// "text", "html", "preheader", "translation"), so that a template that was
// exported and is imported again is the same, file by file.
//
// Promises: total; every problem at once. Doesn't know: files, or whether the
// copy can be used (template_writer).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "core/template/template_files.h"
#include "core/template/template_store.h"

namespace pony {

struct TemplateDocument {
  std::string id;
  TemplateFiles files;
};

// `files`, which are those of `of`, as one document. `default_lang` is the
// configuration's; the default language comes first in "contents".
Json to_pony_express(const Template& of, const TemplateFiles& files,
                     const std::string& default_lang);

// The template that `document` is. Accepted spellings:
//   id            _id, id, tag; left out: `id`, if that is not empty
//   content type  format or content_type: text, html, text/plain, text/html
//   languages     contents or translations: a list of {lang, subject, body},
//                 or an object of these by language; and/or one language at
//                 the top: lang, subject, body
//   default       default_lang, default_language, at the top also lang; else
//                 the first language
//   settings      from, reply_to, tags, headers, engine, raw, optional … as in
//                 template.yaml
// bad_data names every problem; its places are those of the document.
Result<TemplateDocument> from_pony_express(const Json& document,
                                           std::string_view id = {});

// A document, and the line it begins in (1 where it is a part of one).
struct ImportedDocument {
  std::size_t line = 1;
  Result<Json> json;
};

// The documents in `text`: one object, an array, JSON Lines, or what CouchDB
// answers (`rows` with `doc` or `value`, `docs`). Documents that are no
// templates (another doc_type, _design/…) are counted in `passed_over`.
std::vector<ImportedDocument> documents_in(std::string_view text,
                                           std::size_t& passed_over);

}  // namespace pony
