// What the `pony template` commands have in common: the configured templates,
// and copy from flags, files and standard input.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/context.h"
#include "core/result.h"
#include "core/template/template_files.h"
#include "core/template/template_folder.h"
#include "core/template/template_store.h"
#include "core/template/template_writer.h"

namespace CLI {
class App;
}

namespace pony {

// The templates' root, to read and to write.
struct Templates {
  Templates(const std::string& folder_path, const std::string& lang)
      : root(folder_path),
        default_lang(lang),
        store(root, lang),
        folder(root),
        writer(root, lang) {}

  std::string root;
  std::string default_lang;  // the configuration's
  TemplateStore store;
  TemplateFolder folder;
  TemplateWriter writer;
};
Result<std::unique_ptr<Templates>> open_templates(Context& context);

// The language of `of` whose name is `lang`, in whatever case, as its folder
// has it. Empty `lang`: the one that a message without a language gets.
// not_found when there is none: languages do not stand in for each other here.
Result<std::string> language_called(Templates& templates, const Template& of,
                                    const std::string& lang);

// The whole of FILE, or of standard input for "-". not_found, no_permission,
// bad_data when it is larger than `limit` bytes.
Result<std::string> read_input(Context& context, const std::string& file,
                               std::size_t limit);

// The copy of one language, from flags.
struct TextFlags {
  std::optional<std::string> subject;    // the words
  std::optional<std::string> preheader;  // the words
  std::string text;                      // a file, or "-"
  std::string html;                      // a file, or "-"

  bool any() const;
};
void add_text_flags(CLI::App& app, TextFlags& flags);
// Reads what they name. usage when both bodies are to come from stdin.
Result<LanguageFiles> files_from(Context& context, const TextFlags& flags);

// One line of JSON for a command that changed one template: its id, what was
// done, and the languages.
std::string done_json(const std::string& id, std::string_view result,
                      const std::vector<std::string>& languages);

}  // namespace pony
