#include "core/template/partial_files.h"

#include <utility>

#include "core/json.h"
#include "core/message.h"

namespace pony {

Result<std::optional<Pattern::Partial>> read_partial(
    TemplateFolder& folder, const std::vector<std::string>& languages,
    std::string_view file) {
  // As a template's: no way out of the folder.
  if (!is_template_id(file))
    return fail(Error::Kind::config,
                "'" + printable(file, 100) + "' cannot name a partial's file",
                "letters, digits, '_', '.' and '-', no leading dot");
  auto folders = languages;
  // One that is in no language's folder is good for all of them.
  folders.emplace_back();
  for (const auto& lang : folders) {
    std::string path = std::string(k_partials_folder) + "/";
    if (!lang.empty()) path.append(lang).append("/");
    path += file;
    auto text = folder.read(path);
    if (!text) return tl::unexpected(text.error());
    if (*text)
      return std::optional(
          Pattern::Partial{std::move(path), std::move(**text)});
  }
  return std::optional<Pattern::Partial>();
}

}  // namespace pony
