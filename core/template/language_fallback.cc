// Which languages may stand in for the one that was asked for: RFC 4647, 3.4
// (lookup), then the defaults. Knows no folders: only tags.
#include "core/template/language_fallback.h"

#include <algorithm>

namespace pony {
namespace {

char folded(char c) {
  if (c == '_') return '-';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// "zh-Hant-TW" → "zh-Hant" → "zh" → "". A single letter before the cut goes
// too: "de-x-formal" → "de", for "x" alone introduces nothing.
std::string_view without_last_subtag(std::string_view tag) {
  auto cut = tag.rfind('-');
  if (cut == std::string_view::npos) return {};
  if (cut >= 2 && tag[cut - 2] == '-') cut -= 2;
  return tag.substr(0, cut);
}

}  // namespace

bool is_same_language(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return folded(x) == folded(y); });
}

std::vector<std::string> language_chain(std::string_view asked,
                                        std::string_view template_default,
                                        std::string_view site_default) {
  std::vector<std::string> chain;
  for (const auto start : {asked, template_default, site_default}) {
    std::string tag(start);
    // "es_MX" is what gettext, PHP and Python call it.
    std::replace(tag.begin(), tag.end(), '_', '-');
    for (std::string_view rest = tag; !rest.empty();
         rest = without_last_subtag(rest)) {
      const auto is_rest = [&](const std::string& known) {
        return is_same_language(known, rest);
      };
      if (std::none_of(chain.begin(), chain.end(), is_rest))
        chain.emplace_back(rest);
    }
  }
  return chain;
}

std::string_view locale_of(std::string_view asked, std::string_view found) {
  const bool is_form_of_it =
      asked.size() > found.size() && folded(asked[found.size()]) == '-' &&
      is_same_language(asked.substr(0, found.size()), found);
  return is_form_of_it ? asked : found;
}

}  // namespace pony
