// What a language's copy is a translation of, and whether that has changed
// since: LANG/translation.yaml, one short text file beside the copy, so that
// it travels with it through git and mail.
//
//   from: en
//   subject.txt: 6d0f2c9be0a4b7f1       a hash of en/subject.txt as it was
//
// Promises: a hash depends on neither line ends (CRLF, LF) nor on what ends
// the file, so that a checkout elsewhere does not make a translation stale.
// Doesn't know: whether a translation is a good one, or one at all.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/template/template_files.h"

namespace pony {

struct Translation {
  std::string from;  // a language
  // By file name ("subject.txt"); files that were not there are not here.
  std::map<std::string, std::string, std::less<>> hashes;
};

// The source of a translation has changed: its file `name`, and how.
struct Lag {
  enum class Change { changed, added, removed };
  std::string name;
  Change change;
};

// The text of translation.yaml for a translation of `source`, the files of
// the language `from`, as they are now.
std::string record(std::string_view from, const LanguageFiles& source);

// Reads translation.yaml; keys that are not known are passed over. config
// when it names no language or is no YAML; `file` is for the error.
Result<Translation> read_translation(std::string_view yaml,
                                     const std::string& file);

// How `source` differs from what `translation` was made of, in the order of
// k_text_files.
std::vector<Lag> lags(const Translation& translation,
                      const LanguageFiles& source);
bool is_stale(const Translation& translation, const LanguageFiles& source);

// A language, and what it lags behind.
struct StaleTranslation {
  std::string lang;
  std::string from;
  std::vector<Lag> lags;
};

// The languages of `files` whose source has changed since; a source that is
// gone makes none stale. `path` is for errors: as read_translation.
Result<std::vector<StaleTranslation>> stale_translations(
    const TemplateFiles& files, const std::string& path);

// "es lags behind en: subject.txt changed since".
std::string to_text(const StaleTranslation& stale);

}  // namespace pony
