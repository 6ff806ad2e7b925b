// Puts templates, languages and single files in place below the templates'
// root, and takes them away: the one place of pony that writes there.
//
// Promises: everything is written beside its place first, read back through a
// TemplateStore in all its languages, and only then renamed into place: a
// reader sees the old or the new, never half of one, and nothing that could
// not be loaded. Follows no symbolic link below the root, never leaves it.
// Writers wait for each other (a lock on the root); what one that was killed
// left behind is removed by the next. What is made has the root's group and
// permissions, whatever the umask.
// Doesn't know: where the words came from, or who may be asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/template/template_files.h"

namespace pony {

// A file of a template as it was when somebody began to edit it, and as it is
// to be. `path` is below the template: "template.yaml", "en/body.html".
struct FileChange {
  std::string path;
  std::optional<std::string> before;  // nullopt: it was not there
  std::string after;
};

class TemplateWriter {
 public:
  // `root` is made when something is written and it is missing (its parent
  // must be there). `default_lang` is the configuration's.
  TemplateWriter(std::string root, std::string default_lang);

  // Errors of all: bad_data (what cannot be loaded, with every problem; a
  // name that cannot be), no_permission, disk.

  // Could `files` be a template? Reads them back, leaves nothing.
  Result<> check(const std::string& id, const TemplateFiles& files);
  // Adds a template. cannot_create when there is one of this name.
  Result<> add(const std::string& id, const TemplateFiles& files);
  // Puts a template in the place of the one that is there, whole; files that
  // are no part of a template as pony knows it stay. not_found.
  Result<> replace(const std::string& id, const TemplateFiles& files);
  // Adds a language. cannot_create when it is there, not_found.
  Result<> add_language(const std::string& id, const std::string& lang,
                        const LanguageFiles& files);
  // Changes files, each by a rename, once all of them are known to fit. busy
  // when one is not any more what `before` says: nothing is changed then.
  Result<> change(const std::string& id,
                  const std::vector<FileChange>& changes);
  // Removes a template or a language with all that is in its folder. Neither
  // has to be loadable. not_found.
  Result<> remove(const std::string& id);
  Result<> remove_language(const std::string& id, const std::string& lang);

 private:
  std::string root_;
  std::string default_lang_;
};

}  // namespace pony
