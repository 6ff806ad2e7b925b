#include "core/words.h"

namespace pony {

std::string counted(std::uint64_t count, std::string_view one,
                    std::string_view many) {
  std::string text = std::to_string(count) + " ";
  if (count != 1 && !many.empty()) return text.append(many);
  return text.append(one).append(count == 1 ? "" : "s");
}

std::string joined(const std::vector<std::string>& words,
                   std::string_view between) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += between;
    text += words[i];
  }
  return text;
}

std::string joined_in_short(const std::vector<std::string>& words,
                            std::size_t shown) {
  if (words.size() <= shown) return joined(words);
  const auto end = words.begin() + static_cast<std::ptrdiff_t>(shown);
  return joined({words.begin(), end}) + " and " +
         std::to_string(words.size() - shown) + " more";
}

}  // namespace pony
